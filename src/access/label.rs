//! Sensitive labels: records that a grant shows only where it names the label.
//! <https://hl7.org/fhir/R4/security-labels.html>

use crate::fhir::outcome::Failure;
use crate::fhir::search::{Catalogue, constraint};
use crate::store::plan::Filter;

/// Codes of v3-Confidentiality (restricted, very restricted) and of the
/// sensitivity policies of v3-ActCode. They hide whatever system they come
/// with, because a label without its system was meant as well.
pub const SENSITIVE: [&str; 26] = [
    "R", "V", "ADOL", "ALC", "BH", "COGN", "DIA", "DVD", "ETH", "ETHUD", "GDIS", "HIV", "MH",
    "OPIOIDUD", "PREGNANT", "PSY", "PSYTHPN", "SCA", "SDV", "SEX", "SICKLE", "SPI", "STD", "SUD",
    "TBOO", "VIO",
];

/// Rows that have no sensitive label besides these.
pub(super) fn hidden(catalogue: &Catalogue, shown: &[String]) -> Result<Filter, Failure> {
    let hidden: Vec<&str> = SENSITIVE
        .into_iter()
        .filter(|code| !shown.iter().any(|shown| shown == code))
        .collect();
    if hidden.is_empty() {
        return Ok(Filter::All(Vec::new()));
    }
    let pair = ("_security:not".to_owned(), hidden.join(","));
    constraint(catalogue, "Patient", &[pair]).map(without_type)
}

/// The parameter is one of every type, and so is its condition.
fn without_type(filter: Filter) -> Filter {
    match filter {
        Filter::All(parts) => {
            let is_type =
                |part: &Filter| matches!(part, Filter::Is(crate::store::plan::Comparison::Type(_)));
            Filter::All(parts.into_iter().filter(|part| !is_type(part)).collect())
        }
        other => other,
    }
}
