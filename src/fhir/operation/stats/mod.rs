//! `Observation/$stats`: figures on a patient's measurements.
//! <https://hl7.org/fhir/R4/observation-operation-stats.html>. `group` brings values
//! to one unit, `figures` and `shape` compute, `statistics` writes; this reads.

mod asked;
mod figures;
mod group;
mod shape;
mod statistics;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::answer::Answer;
use super::super::outcome::{Failure, Kind};
use super::super::search::path::{items, text};
use super::super::search::reference::{Base, local};
use super::records::{Records, Version};
use super::{Call, Definition, Level, Operation, Parameter, Part, output};
use asked::{Asked, codings};
use group::Group;

pub use statistics::{LINE, LINE_CODES};

/// <https://hl7.org/fhir/R4/valueset-observation-statistics.html>
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
    "20-percent",
    "80-percent",
    "4-lower",
    "4-upper",
    "4-dev",
    "5-1",
    "5-2",
    "5-3",
    "5-4",
    "skew",
    "kurtosis",
    "regression",
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
    text: "Figures on the quantities in UCUM units of one subject, by code, also those of components and members of a panel. Values in several units are brought to the one that most of them have; units of different kinds are refused, and so is a view that does not reach all of the values. Variance, deviation, skew and kurtosis are those of a sample (n - 1; Joanes and Gill 1998, G1 and G2, 0 for a normal distribution); quantiles lie between the two nearest values in proportion (Hyndman and Fan 1996, definition 7); the regression is the line of the least squares, as two components: what a day adds, and the value at the time of the first measurement.",
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

/// Knows whether the values of an Observation are relied on.
pub struct Stats(pub fn(&Map<String, Value>) -> bool);

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
            let content = &one.resource.content;
            let whole = asked.names(content).is_some();
            for of in parts(content) {
                let named = asked.names(of);
                let of_panel = || whole.then(|| first_coding(of)).flatten();
                if let Some(coding) = named.or_else(of_panel) {
                    let group = groups.entry(coding).or_default();
                    group.add(of, content, (self.0)(content));
                }
            }
        }
        for member in &members {
            let content = &member.resource.content;
            if let Some(coding) = first_coding(content) {
                let group = groups.entry(coding).or_default();
                group.add(content, content, (self.0)(content));
            }
        }
        let statistics: Vec<&str> = call.arguments.texts("statistic").collect();
        let mut answer = Vec::new();
        for (coding, group) in &groups {
            let one = statistics::observation(&asked, coding, group, &statistics)?;
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
