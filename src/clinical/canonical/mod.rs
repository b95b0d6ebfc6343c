//! The project's own definitions as resources under fixed canonical URLs: codes,
//! the wording-free Questionnaire and the active rule set. `resources` makes
//! them (`codes` every CodeSystem), `publish` keeps the stored ones current, `guard` keeps others from them.

mod codes;
mod guard;
mod publish;
mod questionnaire;
mod resources;

pub use guard::CanonicalGuard;
pub use publish::publish;
pub use questionnaire::OBSERVATION_EXTRACT;
pub use resources::{questionnaires, resources};
