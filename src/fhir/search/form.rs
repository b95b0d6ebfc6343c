//! The form of index rows: which program and which definitions made them.

use super::key::hash;
use super::zone;
use crate::fhir::definitions::INDEXED_BY;
use crate::store::IndexForm;

/// Raise it whenever the same resource with the same definitions gets other
/// index rows than before: the rows of existing databases are then made anew.
/// What the definitions change is noticed without it.
pub const EXTRACTION: u32 = 5;

/// The form in which this program makes index rows.
pub fn form() -> IndexForm {
    // Dates without an offset are kept as the practice's clock says them.
    let mut indexed_by = INDEXED_BY.to_vec();
    indexed_by.extend(zone::practice_zone_name());
    form_of(EXTRACTION, &indexed_by)
}

fn form_of(extraction: u32, definitions: &[&str]) -> IndexForm {
    let extraction = extraction.to_string();
    let parts = ["form", &extraction].into_iter();
    let parts: Vec<&str> = parts.chain(definitions.iter().copied()).collect();
    IndexForm(hash(&parts).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_extraction_and_other_definitions_are_another_form() {
        let form = form_of(1, &["Patient name"]);
        assert_eq!(form, form_of(1, &["Patient name"]));
        assert_ne!(form, form_of(2, &["Patient name"]));
        assert_ne!(form, form_of(1, &["Patient name family"]));
    }
}
