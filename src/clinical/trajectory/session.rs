//! The ketamine sessions of a patient: fulfilled Appointments of that kind,
//! Procedures of that kind, and administrations of the drug.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::clinical::appointment::booking::{SESSION, kind_system};
use crate::clinical::medication::resolve::Lookup;
use crate::clinical::medication::{AGENTS, Rules};
use crate::fhir::search::date;
use crate::fhir::search::path::{items, text};

const DAY: i64 = 86_400_000_000;

/// The types that may say of a session.
pub const TYPES: [&str; 3] = ["Appointment", "Procedure", "MedicationAdministration"];

/// The records of each day on which there was a session.
pub type Sessions = BTreeMap<i64, Vec<String>>;

pub fn add(
    sessions: &mut Sessions,
    rules: &Rules,
    shelf: &dyn Lookup,
    source: &str,
    of: &Map<String, Value>,
    at: i64,
) {
    if !is_session(rules, shelf, of) {
        return;
    }
    let moment = moment(of).filter(|moment| *moment <= at);
    if let Some(moment) = moment {
        let sources = sessions.entry(moment.div_euclid(DAY)).or_default();
        sources.push(source.to_owned());
        sources.sort();
    }
}

fn is_session(rules: &Rules, shelf: &dyn Lookup, of: &Map<String, Value>) -> bool {
    let status = text(of, "status").unwrap_or_default();
    match text(of, "resourceType").unwrap_or_default() {
        "Appointment" => status == "fulfilled" && is_kind(of, "serviceType"),
        "Procedure" => status == "completed" && is_kind(of, "code"),
        "MedicationAdministration" => {
            let resolution = rules.medicine(of, shelf);
            let mut drugs = resolution.ingredients.iter();
            let given = drugs.any(|one| {
                let drug = one.drug.as_deref();
                drug.is_some_and(|drug| AGENTS.contains(&drug))
            });
            matches!(status, "completed" | "in-progress") && given
        }
        _ => false,
    }
}

fn is_kind(of: &Map<String, Value>, name: &str) -> bool {
    let system = kind_system();
    let concepts = items(of, name).iter().filter_map(Value::as_object);
    let mut codings = concepts.flat_map(|concept| items(concept, "coding"));
    codings.any(|coding| {
        coding.get("system").and_then(Value::as_str) == Some(&system)
            && coding.get("code").and_then(Value::as_str) == Some(SESSION)
    })
}

fn moment(of: &Map<String, Value>) -> Option<i64> {
    let period = |name: &str| {
        of.get(name)?
            .as_object()
            .and_then(|period| text(period, "start"))
    };
    let time = text(of, "start")
        .or_else(|| text(of, "performedDateTime"))
        .or_else(|| text(of, "effectiveDateTime"))
        .or_else(|| period("performedPeriod"))
        .or_else(|| period("effectivePeriod"))?;
    date::range(time).map(|(low, _)| low)
}
