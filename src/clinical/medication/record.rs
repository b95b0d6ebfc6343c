//! Whether a recorded medicine is taken: status and dates of MedicationStatement
//! and MedicationRequest, and what AllergyIntolerance says.
//! <https://hl7.org/fhir/R4/medicationstatement.html>,
//! <https://hl7.org/fhir/R4/medicationrequest.html>

use serde_json::{Map, Value};

use crate::clinical::programme;
use crate::fhir::search::date;
use crate::fhir::search::path::{items, text};

/// Whether the medicine matters on a day. In doubt it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Taken, planned, paused, or nobody knows.
    Current,
    /// Ended; the last day (its end, in microseconds) where it is known.
    Ended(Option<i64>),
    /// Never taken, or recorded by mistake.
    Never,
}

/// The types whose records name a medicine that a patient takes.
pub const TAKEN: [&str; 2] = ["MedicationStatement", "MedicationRequest"];

pub fn usage(resource_type: &str, record: &Map<String, Value>) -> Use {
    match resource_type {
        "MedicationStatement" => of_statement(record),
        "MedicationRequest" => of_request(record),
        "AllergyIntolerance" => of_allergy(record),
        _ => Use::Never,
    }
}

/// Why a record must not be taken for what it seems to say.
pub const MODIFIED: &str =
    "It carries a modifierExtension, which may change what it says and is not understood here.";

/// Whether any part of it carries one: a reader that does not know it must not
/// go on as if it were not there.
/// <https://hl7.org/fhir/R4/extensibility.html#modifierExtension>
pub fn is_modified(record: &Map<String, Value>) -> bool {
    record.iter().any(|(name, value)| {
        name == "modifierExtension" || items_of(value).iter().any(|item| is_modified(item))
    })
}

/// The objects that a member holds, in lists too.
fn items_of(value: &Value) -> Vec<&Map<String, Value>> {
    match value {
        Value::Object(object) => vec![object],
        Value::Array(items) => items.iter().flat_map(items_of).collect(),
        _ => Vec::new(),
    }
}

fn of_statement(record: &Map<String, Value>) -> Use {
    match text(record, "status") {
        Some("entered-in-error" | "not-taken") => Use::Never,
        Some("completed" | "stopped") => {
            let period = record
                .get("effectivePeriod")
                .and_then(|period| period.get("end"));
            let at = period.or_else(|| record.get("effectiveDateTime"));
            Use::Ended(at.and_then(last_moment))
        }
        _ => Use::Current,
    }
}

fn of_request(record: &Map<String, Value>) -> Use {
    if record.get("doNotPerform") == Some(&Value::Bool(true)) {
        return Use::Never;
    }
    match text(record, "status") {
        // "The prescription has been withdrawn before any administrations have occurred."
        Some("entered-in-error" | "cancelled") => Use::Never,
        Some("completed" | "stopped") => {
            let dispense = record.get("dispenseRequest");
            let period = dispense.and_then(|dispense| dispense.get("validityPeriod"));
            Use::Ended(
                period
                    .and_then(|period| period.get("end"))
                    .and_then(last_moment),
            )
        }
        _ => Use::Current,
    }
}

fn of_allergy(record: &Map<String, Value>) -> Use {
    let verification = record.get("verificationStatus").and_then(Value::as_object);
    let codings = verification
        .into_iter()
        .flat_map(|status| items(status, "coding"));
    let withdrawn = codings
        .filter_map(|coding| coding.get("code").and_then(Value::as_str))
        .any(|code| matches!(code, "refuted" | "entered-in-error"));
    if withdrawn { Use::Never } else { Use::Current }
}

fn last_moment(value: &Value) -> Option<i64> {
    date::range(value.as_str()?).map(|(_, high)| high)
}

/// Marked as the programme's own treatment, by a tag.
pub fn is_own_treatment(record: &Map<String, Value>) -> bool {
    let system = programme::system();
    let meta = record.get("meta").and_then(Value::as_object);
    let mut tags = meta.into_iter().flat_map(|meta| items(meta, "tag"));
    tags.any(|tag| {
        tag.get("system").and_then(Value::as_str) == Some(system.as_str())
            && tag.get("code").and_then(Value::as_str) == Some(programme::OWN_TREATMENT)
    })
}

/// What the record calls the medicine.
pub fn name(record: &Map<String, Value>) -> String {
    let concept = record
        .get("medicationCodeableConcept")
        .or_else(|| record.get("code"));
    if let Some(Value::Object(concept)) = concept {
        let codings = items(concept, "coding").iter().filter_map(Value::as_object);
        let displays = codings.clone().filter_map(|coding| text(coding, "display"));
        let codes = codings.filter_map(|coding| text(coding, "code"));
        let mut names = text(concept, "text")
            .into_iter()
            .chain(displays)
            .chain(codes);
        return names
            .next()
            .unwrap_or("a medicine without a name")
            .to_owned();
    }
    let reference = record.get("medicationReference").and_then(Value::as_object);
    let named = reference
        .and_then(|reference| text(reference, "display").or_else(|| text(reference, "reference")));
    named.unwrap_or("a medicine without a name").to_owned()
}
