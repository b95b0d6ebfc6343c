//! What a Condition means for the rules: which sets its codes are of, whether
//! everything in it was understood, and how it stands now. Read in this order:
//! `spelling` (systems of codes), `index` (codes to sets), `reading` (a whole
//! CodeableConcept), `standing`.

mod index;
mod reading;
mod spelling;
mod standing;

pub use index::ConditionIndex;
pub use reading::{ConceptReading, ConditionSetHit, UnreadCoding};
pub use spelling::{CodeSystemKind, recognise_code_system};
pub use standing::{Standing, standing};
