//! The ketamine sessions of a patient: fulfilled Appointments of that kind,
//! Procedures of that kind, and administrations of the drug.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::series::{UntilTime, WrittenTime};
use crate::clinical::appointment::booking::{SESSION, kind_system};
use crate::clinical::course;
use crate::clinical::medication::resolve::Lookup;
use crate::clinical::medication::{AGENTS, Rules};
use crate::fhir::search::path::{items, text};

/// The types that may say of a session. Whichever stands first says best when the dose was.
pub const TYPES: [&str; 3] = ["MedicationAdministration", "Procedure", "Appointment"];

/// One record of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SessionRecord {
    source: String,
    /// Its place in [`TYPES`].
    rank: usize,
    time: WrittenTime,
    /// The values of the course's identifiers.
    courses: Vec<String>,
}

/// All records of sessions, and those that cannot be counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    records: Vec<SessionRecord>,
    /// Of no certain day, or of unknown status.
    pub uncounted: Vec<String>,
}

/// A day on which there was a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionDay {
    pub day: i64,
    /// When the first dose was, where that is known.
    pub moment: Option<i64>,
    /// The value of the course's identifier, where a record of the day has one.
    pub course: Option<String>,
    pub sources: Vec<String>,
}

impl Sessions {
    /// Takes a record in, where it is one of a session and counts.
    pub fn add(
        &mut self,
        rules: &Rules,
        shelf: &dyn Lookup,
        source: &str,
        of: &Map<String, Value>,
        until: UntilTime,
    ) {
        let kind = text(of, "resourceType").unwrap_or_default();
        let Some(rank) = TYPES.iter().position(|name| *name == kind) else {
            return;
        };
        let status = text(of, "status").unwrap_or_default();
        let counts = match kind {
            "Appointment" => status == "fulfilled",
            // A dose that was stopped was given in part.
            _ => matches!(
                status,
                "completed" | "in-progress" | "stopped" | "on-hold" | "unknown"
            ),
        };
        if !counts || !is_session(rules, shelf, kind, of) {
            return;
        }
        let certain = status != "unknown" && !of.contains_key("modifierExtension");
        let time = written(of).and_then(WrittenTime::from_text);
        match time.filter(|_| certain) {
            Some(time) if until.includes(time) => self.records.push(SessionRecord {
                source: source.to_owned(),
                rank,
                time,
                courses: courses(of),
            }),
            Some(_) => {}
            None => self.uncounted.push(source.to_owned()),
        }
    }

    /// The days of sessions, in order.
    pub fn days(&self) -> Vec<SessionDay> {
        let mut by_day: BTreeMap<i64, Vec<&SessionRecord>> = BTreeMap::new();
        for record in &self.records {
            by_day.entry(record.time.day).or_default().push(record);
        }
        by_day
            .into_iter()
            .map(|(day, records)| {
                let mut sources: Vec<String> =
                    records.iter().map(|one| one.source.clone()).collect();
                sources.sort();
                SessionDay {
                    day,
                    moment: first_dose(&records),
                    course: records.iter().flat_map(|one| &one.courses).min().cloned(),
                    sources,
                }
            })
            .collect()
    }
}

/// The first moment that the best kind of record says, where all of that kind say one.
fn first_dose(records: &[&SessionRecord]) -> Option<i64> {
    (0..TYPES.len()).find_map(|rank| {
        let of_rank = records.iter().filter(|one| one.rank == rank);
        let moments: Option<Vec<i64>> = of_rank.map(|one| one.time.moment).collect();
        moments?.into_iter().min()
    })
}

fn is_session(rules: &Rules, shelf: &dyn Lookup, kind: &str, of: &Map<String, Value>) -> bool {
    match kind {
        "Appointment" => is_kind(of, "serviceType"),
        "Procedure" => is_kind(of, "code"),
        _ => {
            let resolution = rules.medicine(of, shelf);
            let mut drugs = resolution.ingredients.iter();
            drugs.any(|one| {
                let drug = one.drug.as_deref();
                drug.is_some_and(|drug| AGENTS.contains(&drug))
            })
        }
    }
}

fn is_kind(of: &Map<String, Value>, name: &str) -> bool {
    let system = kind_system();
    // Procedure has one concept there, Appointment has several.
    let concepts = items(of, name).iter().filter_map(Value::as_object);
    let mut codings = concepts.flat_map(|concept| items(concept, "coding"));
    codings.any(|coding| {
        coding.get("system").and_then(Value::as_str) == Some(&system)
            && coding.get("code").and_then(Value::as_str) == Some(SESSION)
    })
}

/// The values of the identifiers by which a resource says which course it belongs to.
pub fn courses(of: &Map<String, Value>) -> Vec<String> {
    let system = course::system();
    let identifiers = items(of, "identifier").iter().filter_map(Value::as_object);
    identifiers
        .filter(|one| text(one, "system") == Some(&system))
        .filter_map(|one| text(one, "value").map(str::to_owned))
        .collect()
}

fn written(of: &Map<String, Value>) -> Option<&str> {
    let period = |name: &str| {
        of.get(name)?
            .as_object()
            .and_then(|period| text(period, "start"))
    };
    text(of, "start")
        .or_else(|| text(of, "performedDateTime"))
        .or_else(|| text(of, "effectiveDateTime"))
        .or_else(|| period("performedPeriod"))
        .or_else(|| period("effectivePeriod"))
}
