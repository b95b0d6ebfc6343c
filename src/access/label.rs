//! Sensitive labels: records that a grant shows only where it names the label.
//! <https://hl7.org/fhir/R4/security-labels.html>

use crate::fhir::search::sensitivity::{
    PSYCHOTHERAPY_NOTES, all_sensitive_label_keys, sensitive_label_key,
};
use crate::store::plan::{Comparison, Filter};

pub use crate::fhir::search::sensitivity::SENSITIVE_LABELS;

/// Rows that have no sensitive label besides these. Unknown codes of the sensitivity
/// systems always hide, so no grant sees everything of a type.
pub(super) fn hidden(shown: &[String]) -> Filter {
    let keys = all_sensitive_label_keys(shown);
    Filter::Not(Box::new(Filter::Is(Comparison::Key(keys))))
}

/// Rows that are no psychotherapy notes (45 CFR 164.501), which the right of access does
/// not reach (45 CFR 164.524(a)(1)(i)).
pub(super) fn without_psychotherapy_notes() -> Filter {
    let keys = PSYCHOTHERAPY_NOTES.map(sensitive_label_key);
    Filter::Not(Box::new(Filter::Is(Comparison::Key(keys.to_vec()))))
}
