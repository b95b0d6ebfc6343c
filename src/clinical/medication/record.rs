//! Whether a recorded medicine is taken: status and dates of what was said, ordered,
//! given and dispensed, and what AllergyIntolerance says.
//! <https://hl7.org/fhir/R4/medicationstatement.html>,
//! <https://hl7.org/fhir/R4/medicationrequest.html>,
//! <https://hl7.org/fhir/R4/medicationadministration.html>,
//! <https://hl7.org/fhir/R4/medicationdispense.html>

use serde_json::{Map, Value};

use super::check::Rules;
use super::resolve::Lookup;
use crate::clinical::knowledge::Knowledge;
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
pub const TAKEN: [&str; 4] = [
    "MedicationStatement",
    "MedicationRequest",
    "MedicationAdministration",
    "MedicationDispense",
];

const DAY: i64 = 86_400_000_000;

fn days_later(moment: i64, days: i64) -> i64 {
    moment.saturating_add(days.saturating_mul(DAY))
}

pub fn usage(knowledge: &Knowledge, resource_type: &str, record: &Map<String, Value>) -> Use {
    match resource_type {
        "MedicationStatement" => of_statement(record),
        "MedicationRequest" => of_request(record),
        "MedicationAdministration" => of_administration(knowledge, record),
        "MedicationDispense" => of_dispense(knowledge, record),
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

/// A dose that was given acts for a while, and others may have been given that are
/// not recorded.
fn of_administration(knowledge: &Knowledge, record: &Map<String, Value>) -> Use {
    match text(record, "status") {
        Some("not-done" | "entered-in-error") => Use::Never,
        Some("completed" | "stopped") => {
            let period = record.get("effectivePeriod").and_then(Value::as_object);
            let given = period
                .and_then(|period| period.get("end").or_else(|| period.get("start")))
                .or_else(|| record.get("effectiveDateTime"));
            match (
                given.and_then(last_moment),
                window(knowledge, "administration"),
            ) {
                (Some(given), Some(days)) => Use::Ended(Some(days_later(given, days))),
                _ => Use::Current,
            }
        }
        _ => Use::Current,
    }
}

/// What was dispensed is at hand until it is used up, and for a while after.
fn of_dispense(knowledge: &Knowledge, record: &Map<String, Value>) -> Use {
    match text(record, "status") {
        Some("cancelled" | "declined" | "entered-in-error") => Use::Never,
        Some("completed" | "stopped") => {
            let handed = record
                .get("whenHandedOver")
                .or_else(|| record.get("whenPrepared"));
            let supply = record.get("daysSupply").and_then(Value::as_object);
            let (remnant, unknown) = (
                window(knowledge, "dispense-remnant"),
                window(knowledge, "dispense-unknown-supply"),
            );
            let days = match supply.map(days_of_supply) {
                Some(Some(days)) => remnant.map(|remnant| days.saturating_add(remnant)),
                // A supply in a unit that is not understood may last for long.
                Some(None) => None,
                None => unknown,
            };
            match (handed.and_then(last_moment), days) {
                (Some(handed), Some(days)) => Use::Ended(Some(days_later(handed, days))),
                _ => Use::Current,
            }
        }
        _ => Use::Current,
    }
}

/// Whole days, rounded up; `None` where the quantity is not one of days.
fn days_of_supply(supply: &Map<String, Value>) -> Option<i64> {
    let value = supply.get("value")?.to_string();
    let (whole, part) = value.split_once('.').unwrap_or((&value, ""));
    let days: i64 = whole.parse().ok()?;
    let days = days.checked_add(i64::from(!part.is_empty()))?;
    let unit = text(supply, "code").or_else(|| text(supply, "unit"));
    let is_days = matches!(unit, None | Some("d" | "day" | "days" | "Day" | "Days"));
    (is_days && (0..=3660).contains(&days)).then_some(days)
}

/// The days of a window of the knowledge base; without it a record never ends.
fn window(knowledge: &Knowledge, id: &str) -> Option<i64> {
    let mut windows = knowledge.record_windows.iter();
    let found = windows.find(|window| window.id == id);
    found.map(|window| window.fact.days)
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

/// What the record calls the medicine; `None` where it names only a code or a link.
pub fn written_name(record: &Map<String, Value>) -> Option<String> {
    let concept = record
        .get("medicationCodeableConcept")
        .or_else(|| record.get("code"));
    if let Some(Value::Object(concept)) = concept {
        return concept_name(concept);
    }
    let reference = record
        .get("medicationReference")
        .and_then(Value::as_object)?;
    Some(text(reference, "display")?.to_owned())
}

/// The text of a concept, or the first display of its codings.
pub fn concept_name(concept: &Map<String, Value>) -> Option<String> {
    let codings = items(concept, "coding").iter().filter_map(Value::as_object);
    let displays = codings.filter_map(|coding| text(coding, "display"));
    let mut names = text(concept, "text").into_iter().chain(displays);
    names.next().map(str::to_owned)
}

/// Every text by which the record, its product and its dosage may say a form.
pub fn form_texts<'r>(value: &'r Value, texts: &mut Vec<&'r str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(said) if matches!(name.as_str(), "text" | "display") => {
                        texts.push(said);
                    }
                    _ => form_texts(member, texts),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|one| form_texts(one, texts)),
        _ => {}
    }
}

/// The first code, for people who look it up.
pub fn first_code(record: &Map<String, Value>) -> Option<String> {
    let concept = record
        .get("medicationCodeableConcept")
        .or_else(|| record.get("code"))?
        .as_object()?;
    let mut codings = items(concept, "coding").iter().filter_map(Value::as_object);
    codings.find_map(|coding| Some(format!("the code {}", text(coding, "code")?)))
}

/// When a dose was begun to be given.
pub fn begun(resource_type: &str, record: &Map<String, Value>) -> Option<i64> {
    if resource_type != "MedicationAdministration" {
        return None;
    }
    let period = record.get("effectivePeriod").and_then(Value::as_object);
    let start = period.and_then(|period| text(period, "start"));
    let given = start.or_else(|| text(record, "effectiveDateTime"))?;
    date::range(given).map(|(low, _)| low)
}

/// Days that the medicine acts on after its last dose because of its form.
pub fn depot_days(rules: &Rules, record: &Map<String, Value>, lookup: &dyn Lookup) -> i64 {
    let mut texts = Vec::new();
    let link = record.get("medicationReference").and_then(Value::as_object);
    let product = link.and_then(|link| lookup.find(text(link, "reference")?));
    for one in std::iter::once(record).chain(product) {
        one.values()
            .for_each(|member| form_texts(member, &mut texts));
    }
    rules.names().depot_days(&texts)
}

/// Whether the record says that the patient takes no medicine at all.
pub fn says_none_taken(rules: &Rules, resource_type: &str, record: &Map<String, Value>) -> bool {
    let concept = record.get("medicationCodeableConcept");
    let codings = concept
        .and_then(Value::as_object)
        .map(|one| items(one, "coding"));
    let mut codings = codings.into_iter().flatten().filter_map(Value::as_object);
    resource_type == "MedicationStatement"
        && codings.any(|coding| rules.resolver().says_none(coding, "MedicationStatement"))
}
