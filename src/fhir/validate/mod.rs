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
pub(super) mod place;
mod primitive;
mod reference;
mod report;
mod resource;
pub mod structure;
mod xhtml;

use serde_json::{Map, Value};

use super::definitions::Definitions;
use super::outcome::{Issue, Kind};

/// All problems of a resource against the base definitions. Rules between
/// elements are judged where the elements have their form: on a document of
/// another shape they would tell of consequences.
pub fn check(definitions: &Definitions, resource: &Map<String, Value>) -> Vec<Issue> {
    let mut issues = structure::check(definitions, resource);
    let shapeless = issues
        .iter()
        .any(|issue| issue.code == Kind::Structure.code());
    if !shapeless {
        issues.extend(invariant::check(definitions, resource));
    }
    issues
}
