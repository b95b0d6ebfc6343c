//! What a call of `$plan-course` asks for, held against the protocol.

use std::collections::BTreeSet;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use crate::clinical::knowledge::{Entry, Knowledge, Protocol};
use crate::fhir::operation::Arguments;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::record::ResourceKey;
use crate::fhir::search::reference::{Base, local};
use crate::fhir::validate::id;

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

pub struct Wish<'k> {
    pub protocol: &'k Entry<Protocol>,
    pub key: String,
    /// No session lies before it.
    pub start: Date,
    pub time: Time,
    pub zone: TimeZone,
    pub sessions: u32,
    /// Between two sessions, in the protocol's unit.
    pub every: Option<u32>,
    /// Days that sessions may lie on; empty: all.
    pub weekdays: Vec<Weekday>,
    pub people: People,
}

/// Who takes part besides the patient.
#[derive(Default)]
pub struct People {
    pub practitioner: Option<ResourceKey>,
    pub therapist: Option<ResourceKey>,
    pub companion: Option<ResourceKey>,
    pub location: Option<ResourceKey>,
    pub condition: Option<ResourceKey>,
}

impl People {
    pub fn all(&self) -> impl Iterator<Item = &ResourceKey> {
        let all = [
            &self.practitioner,
            &self.therapist,
            &self.companion,
            &self.location,
            &self.condition,
        ];
        let named: BTreeSet<&ResourceKey> = all.into_iter().flatten().collect();
        named.into_iter()
    }
}

impl<'k> Wish<'k> {
    pub fn read(
        knowledge: &'k Knowledge,
        arguments: &Arguments,
        base: &Base,
    ) -> Result<Self, Failure> {
        let wanted = arguments.text("protocol").unwrap_or_default();
        let protocol = knowledge.protocols.iter().find(|one| one.id == wanted);
        let protocol = protocol.ok_or_else(|| {
            let ids: Vec<&str> = knowledge
                .protocols
                .iter()
                .map(|one| one.id.as_str())
                .collect();
            wrong(format!("protocol is one of {}.", ids.join(", ")))
        })?;
        let fact = &protocol.fact;
        let person = |name, types: &[&str]| person(arguments, base, name, types);
        let practitioners = ["Practitioner", "PractitionerRole"];
        Ok(Self {
            protocol,
            key: key(arguments)?,
            start: parsed(arguments, "start", "2026-11-30")?,
            time: parsed(arguments, "time", "09:30")?,
            zone: zone(arguments)?,
            sessions: within(arguments, "sessions", fact.sessions_min, fact.sessions_max)?
                .unwrap_or(fact.sessions),
            every: within(arguments, "every", fact.gap_min, fact.gap_max)?,
            weekdays: weekdays(arguments)?,
            people: People {
                practitioner: person("practitioner", &practitioners)?,
                therapist: person("therapist", &practitioners)?,
                companion: person("companion", &["RelatedPerson"])?,
                location: person("location", &["Location"])?,
                condition: person("condition", &["Condition"])?,
            },
        })
    }
}

fn wrong(text: impl Into<String>) -> Failure {
    Failure::new(Kind::Value, text)
}

/// It becomes a part of identifiers.
fn key(arguments: &Arguments) -> Result<String, Failure> {
    let key = arguments.text("key").unwrap_or_default();
    if id::is_legal(key) {
        return Ok(key.to_owned());
    }
    Err(wrong(
        "key has letters, digits, '-' and '.', 64 at most. A UUID of your own will do.",
    ))
}

fn parsed<T: std::str::FromStr>(
    arguments: &Arguments,
    name: &str,
    example: &str,
) -> Result<T, Failure> {
    let text = arguments.text(name).unwrap_or_default();
    text.parse()
        .map_err(|_| wrong(format!("{name} is written like {example}.")))
}

fn zone(arguments: &Arguments) -> Result<TimeZone, Failure> {
    let name = arguments.text("zone").unwrap_or_default();
    TimeZone::get(name).map_err(|_| {
        wrong(
            "zone is a time zone of the IANA database, such as Europe/Berlin or America/New_York.",
        )
    })
}

fn within(arguments: &Arguments, name: &str, low: u32, high: u32) -> Result<Option<u32>, Failure> {
    let Some(text) = arguments.text(name) else {
        return Ok(None);
    };
    let number = text
        .parse()
        .ok()
        .filter(|number| (low..=high).contains(number));
    let refusal = || {
        wrong(format!(
            "{name} is between {low} and {high} in this protocol."
        ))
    };
    number.ok_or_else(refusal).map(Some)
}

fn weekdays(arguments: &Arguments) -> Result<Vec<Weekday>, Failure> {
    let Some(text) = arguments.text("weekdays") else {
        return Ok(Vec::new());
    };
    let mut weekdays = Vec::new();
    for name in text.split(',') {
        let found = WEEKDAYS.iter().find(|(known, _)| *known == name.trim());
        let Some((_, weekday)) = found else {
            let known = WEEKDAYS.map(|(name, _)| name).join(",");
            return Err(wrong(format!(
                "weekdays has some of {known}, with commas between them."
            )));
        };
        weekdays.push(*weekday);
    }
    Ok(weekdays)
}

fn person(
    arguments: &Arguments,
    base: &Base,
    name: &str,
    types: &[&str],
) -> Result<Option<ResourceKey>, Failure> {
    let Some(text) = arguments.text(name) else {
        return Ok(None);
    };
    let key = base.normalise(text).and_then(local);
    let key = key.filter(|key| types.contains(&key.resource_type.as_str()));
    let refusal = || {
        wrong(format!(
            "{name} is a {} of this service.",
            types.join(" or ")
        ))
    };
    key.ok_or_else(refusal).map(Some)
}
