//! Is this content a resource? <https://hl7.org/fhir/R4/validation.html>
//!
//! One walk over the document ([`structure`]) calls every step where it has
//! what the step needs: the object and its type, or the primitive and its type.

mod binding;
mod calendar;
mod cardinality;
mod format;
pub mod id;
pub mod invariant;
mod invariant_table;
mod place;
mod primitive;
mod reference;
mod report;
mod resource;
pub mod structure;
mod xhtml;
