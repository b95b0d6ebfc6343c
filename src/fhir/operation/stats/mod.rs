//! `Observation/$stats`: figures on a patient's measurements.
//! <https://hl7.org/fhir/R4/observation-operation-stats.html>. `figures` computes,
//! this reads and writes.

mod asked;
mod figures;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::answer::Answer;
use super::super::outcome::{Failure, Kind};
use super::super::resource::instant;
use super::super::search::decimal::Decimal;
use super::super::search::path::{items, text};
use super::super::search::reference::{Base, local};
use super::super::search::ucum;
use super::records::{Records, Version};
use super::{Call, Definition, Level, Operation, Parameter, Part, output};
use asked::{Asked, codings};
use figures::{Sample, figure};

const STATISTICS: &[&str] = &[
    "average",
    "maximum",
    "minimum",
    "count",
    "total-count",
    "median",
    "sum",
    "variance",
    "std-dev",
];

const fn optional(name: &'static str, kind: &'static str, text: &'static str) -> Parameter {
    Parameter {
        name,
        kind,
        required: false,
        codes: &[],
        text,
    }
}

pub static STATS: Definition = Definition {
    name: "stats",
    url: "http://hl7.org/fhir/OperationDefinition/Observation-stats",
    title: "Statistics on measurements",
    text: "Figures on the quantities in UCUM units of one subject, by code, also those of components and members of a panel. Variance and deviation are those of a sample (n - 1). Values of several units under one code are refused, and so is a view that does not reach all of them.",
    types: &["Observation"],
    levels: &[Level::Type],
    affects_state: false,
    parameters: &[
        Parameter {
            name: "subject",
            kind: "uri",
            required: true,
            codes: &[],
            text: "Whose Observations, such as Patient/1.",
        },
        optional("code", "string*", "A code in the system given."),
        optional("system", "uri", "The system of the codes."),
        optional(
            "coding",
            "Coding*",
            "A code with its system; system|code in a query.",
        ),
        optional("duration", "decimal", "So many hours up to now."),
        optional("period", "Period", "From and to; start/end in a query."),
        Parameter {
            name: "statistic",
            kind: "code*",
            required: true,
            codes: STATISTICS,
            text: "Which figures.",
        },
        optional("include", "boolean", "Answer the Observations too."),
        optional("limit", "positiveInt", "At most so many of them."),
    ],
};

pub struct Stats;

/// The quantities of one code.
#[derive(Default)]
struct Group {
    sample: Sample,
    unit: Option<Map<String, Value>>,
}

#[async_trait::async_trait]
impl Operation for Stats {
    fn definition(&self) -> &'static Definition {
        &STATS
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let asked = Asked::of(&call)?;
        let records = call.records();
        let seen = asked.search(&records).await?;
        let members = members(&call, &records, &asked, &seen.resources).await?;
        let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
        for coding in &asked.codes {
            groups.entry(coding.clone()).or_default();
        }
        for one in &seen.resources {
            let whole = asked.names(&one.resource.content).is_some();
            for of in parts(&one.resource.content) {
                let named = asked.names(of);
                let of_panel = || whole.then(|| first_coding(of)).flatten();
                if let Some(coding) = named.or_else(of_panel) {
                    groups.entry(coding).or_default().add(of)?;
                }
            }
        }
        for member in &members {
            if let Some(coding) = first_coding(&member.resource.content) {
                groups
                    .entry(coding)
                    .or_default()
                    .add(&member.resource.content)?;
            }
        }
        let statistics: Vec<&str> = call.arguments.texts("statistic").collect();
        let mut answer = Vec::new();
        for (coding, group) in &groups {
            let one = observation(&asked, coding, group, &statistics)?;
            answer.push(Part::resource("statistics", one));
        }
        if call.arguments.text("include") == Some("true") {
            let limit = call
                .arguments
                .text("limit")
                .and_then(|limit| limit.parse().ok());
            let sources = seen.resources.into_iter().chain(members);
            let sources = sources.take(limit.unwrap_or(usize::MAX));
            answer.extend(sources.map(|one| Part::resource("source", one.resource.content.into())));
        }
        Ok(output::answer(answer))
    }
}

/// What says nothing, or says it in a way that only others understand.
fn counts(content: &Map<String, Value>) -> bool {
    text(content, "status") != Some("entered-in-error")
        && !content.contains_key("modifierExtension")
}

/// The members of what matches, where they are there and do not match themselves.
async fn members(
    call: &Call<'_>,
    records: &Records<'_>,
    asked: &Asked,
    found: &[Version],
) -> Result<Vec<Version>, Failure> {
    let base = Base::new(&call.engine.settings.base_url);
    let mut members: Vec<Version> = Vec::new();
    for one in found
        .iter()
        .filter(|one| asked.names(&one.resource.content).is_some())
    {
        for member in items(&one.resource.content, "hasMember") {
            let link = member.get("reference").and_then(Value::as_str);
            let key = link.and_then(|link| base.normalise(link)).and_then(local);
            let Some(key) = key.filter(|key| key.resource_type == "Observation") else {
                continue;
            };
            if found.iter().chain(&members).any(|known| known.key == key) {
                continue;
            }
            let member = records.find(&key).await?.ok_or_else(|| {
                let text = format!(
                    "{key} is a member of {} and cannot be read by you.",
                    one.key
                );
                Failure::new(Kind::Forbidden, text)
            })?;
            if counts(&member.resource.content) {
                members.push(member);
            }
        }
    }
    Ok(members)
}

fn parts(content: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let components = items(content, "component").iter();
    std::iter::once(content).chain(components.filter_map(Value::as_object))
}

fn first_coding(of: &Map<String, Value>) -> Option<(String, String)> {
    codings(of).into_iter().next()
}

impl Group {
    fn add(&mut self, of: &Map<String, Value>) -> Result<(), Failure> {
        if of.contains_key("component") && !of.contains_key("valueQuantity") {
            // A panel itself has nothing to count.
            return Ok(());
        }
        self.sample.total += 1;
        let quantity = of.get("valueQuantity").and_then(Value::as_object);
        let quantity = quantity.filter(|quantity| {
            text(quantity, "system") == Some(ucum::SYSTEM) && !quantity.contains_key("comparator")
        });
        let Some((quantity, unit)) =
            quantity.and_then(|quantity| Some((quantity, text(quantity, "code")?)))
        else {
            return Ok(());
        };
        let Some(value) = quantity.get("value").and_then(Decimal::of) else {
            return Ok(());
        };
        let known = self.unit.as_ref().and_then(|known| text(known, "code"));
        if known.is_some_and(|known| known != unit) {
            let text = "The values are in several units; statistics are computed on one.";
            return Err(Failure::new(Kind::BusinessRule, text));
        }
        if self.unit.is_none() {
            let mut unit = quantity.clone();
            unit.remove("value");
            self.unit = Some(unit);
        }
        self.sample.values.push(value);
        Ok(())
    }
}

fn observation(
    asked: &Asked,
    coding: &(String, String),
    group: &Group,
    statistics: &[&str],
) -> Result<Value, Failure> {
    let mut components = Vec::new();
    for statistic in statistics {
        let system = "http://terminology.hl7.org/CodeSystem/observation-statistics";
        let mut component = json!({"code": {"coding": [{"system": system, "code": statistic}]}});
        let (name, value) = value(group, statistic)?;
        if let Some(members) = component.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
        components.push(component);
    }
    let mut one = json!({
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": coding.0, "code": coding.1}]},
        "subject": {"reference": asked.subject},
        "component": components,
    });
    if let (Some((low, high)), Some(members)) = (asked.period, one.as_object_mut()) {
        let period = json!({"start": instant(low), "end": instant(high)});
        members.insert("effectivePeriod".to_owned(), period);
    }
    Ok(one)
}

fn value(group: &Group, statistic: &str) -> Result<(&'static str, Value), Failure> {
    if let Some(count) = group.sample.count(statistic) {
        return Ok(("valueQuantity", json!({"value": count})));
    }
    if !group.sample.has(statistic) {
        let system = "http://terminology.hl7.org/CodeSystem/data-absent-reason";
        let absent = json!({"coding": [{"system": system, "code": "not-applicable"}]});
        return Ok(("dataAbsentReason", absent));
    }
    let figure = figure(&group.sample, statistic).ok_or_else(|| {
        Failure::new(
            Kind::BusinessRule,
            "The values have too many digits to compute with.",
        )
    })?;
    // The unit of squares is another one.
    let mut quantity = match statistic {
        "variance" => Map::new(),
        _ => group.unit.clone().unwrap_or_default(),
    };
    quantity.insert("value".to_owned(), figure);
    Ok(("valueQuantity", quantity.into()))
}
