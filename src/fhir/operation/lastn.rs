//! `Observation/$lastn`: the most recent of each kind.
//! <https://hl7.org/fhir/R4/observation-operation-lastn.html>

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::super::answer::Answer;
use super::super::authority::Permission;
use super::super::link;
use super::super::outcome::{Failure, Kind};
use super::super::search::date::{Range, range_of};
use super::super::search::path::{items, text};
use super::records::Version;
use super::{Call, Definition, Level, Operation, Parameter, SEARCH};

pub static LASTN: Definition = Definition {
    name: "lastn",
    url: "http://hl7.org/fhir/OperationDefinition/Observation-lastn",
    title: "The last Observations of each code",
    text: "Of the Observations that a search finds the most recent of each code, or as many as max says; those of equal time all count. Needs patient or subject, and category or a parameter on codes; takes the search parameters of Observation. Codings that any Observation brings together are one code.",
    types: &["Observation"],
    levels: &[Level::Type],
    affects_state: false,
    parameters: &[
        Parameter {
            name: "max",
            kind: "positiveInt",
            required: false,
            codes: &[],
            text: "How many of each code; 1 unless said otherwise.",
        },
        SEARCH,
    ],
};

pub struct LastN;

/// These shape the answer of a search, and this one has a shape of its own.
const SHAPES: [&str; 8] = [
    "_sort",
    "_count",
    "_total",
    "_include",
    "_revinclude",
    "_contained",
    "_containedType",
    "_cursor",
];

#[async_trait::async_trait]
impl Operation for LastN {
    fn definition(&self) -> &'static Definition {
        &LASTN
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        call.authority
            .scope(Permission::Search, Some("Observation"))?;
        let searched = call.arguments.searched();
        check(searched)?;
        let criteria: Vec<(&str, &str)> = searched
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let seen = call.quiet_records();
        let seen = seen.search("Observation", &criteria).await?;
        let max = call.arguments.text("max").and_then(|max| max.parse().ok());
        let last = last(seen.resources, max.unwrap_or(1));
        call.show(&last);
        let base = &call.engine.settings.base_url;
        let entries = last.into_iter().map(|one| {
            json!({
                "fullUrl": format!("{base}/{}", one.key),
                "resource": one.resource.content,
                "search": {"mode": "match"},
            })
        });
        let entries: Vec<Value> = entries.collect();
        let asked = call.arguments.query();
        let own = link::of(call.engine, ["Observation", "$lastn"], asked);
        let mut bundle = json!({
            "resourceType": "Bundle",
            "type": "searchset",
            "total": entries.len(),
            "link": [{"relation": "self", "url": own}],
        });
        if let (false, Some(members)) = (entries.is_empty(), bundle.as_object_mut()) {
            members.insert("entry".to_owned(), entries.into());
        }
        Ok(Answer::content(200, bundle.to_string()))
    }
}

/// "The request for a lastn query SHALL include" whose and which.
fn check(searched: &[(String, String)]) -> Result<(), Failure> {
    let names = || searched.iter().map(|(name, _)| base_name(name));
    if let Some(shape) = names().find(|name| SHAPES.contains(name)) {
        let text = format!("$lastn has its own order and bounds; leave {shape} out.");
        return Err(Failure::new(Kind::NotSupported, text));
    }
    if !names().any(|name| matches!(name, "patient" | "subject")) {
        let text = "$lastn needs patient or subject: whose Observations are asked for.";
        return Err(Failure::new(Kind::Required, text));
    }
    if !names().any(|name| name == "category" || name.contains("code")) {
        let text = "$lastn needs category, code or another parameter on codes.";
        return Err(Failure::new(Kind::Required, text));
    }
    Ok(())
}

/// Without modifier and chain.
fn base_name(name: &str) -> &str {
    name.split([':', '.']).next().unwrap_or(name)
}

/// The most recent of each group, those of equal time together; all of them
/// from the most recent to the oldest.
fn last(found: Vec<Version>, max: usize) -> Vec<Version> {
    let groups = groups(found.iter().map(|one| names(&one.resource.content)));
    let mut by_group: BTreeMap<usize, Vec<(Option<Range>, Version)>> = BTreeMap::new();
    for (group, one) in groups.into_iter().zip(found) {
        let time = time(&one.resource.content);
        by_group.entry(group).or_default().push((time, one));
    }
    let mut all: Vec<(Option<Range>, Version)> = Vec::new();
    for mut group in by_group.into_values() {
        group.sort_by_key(|(time, _)| Reverse(*time));
        let edge = group.get(max.saturating_sub(1)).map(|(time, _)| *time);
        // What has no time is the oldest, and of no time that is equal.
        let within = group
            .into_iter()
            .enumerate()
            .filter(|(place, (time, _))| *place < max || time.is_some() && edge == Some(*time));
        all.extend(within.map(|(_, one)| one));
    }
    all.sort_by(|(a, one), (b, other)| b.cmp(a).then(one.key.cmp(&other.key)));
    all.into_iter().map(|(_, one)| one).collect()
}

fn time(content: &Map<String, Value>) -> Option<Range> {
    let mut members = content.iter();
    let (_, value) = members.find(|(name, _)| name.starts_with("effective"))?;
    range_of(value)
}

/// What the code is called: its codings, or its text where it has none.
fn names(content: &Map<String, Value>) -> Vec<String> {
    let Some(code) = content.get("code").and_then(Value::as_object) else {
        return Vec::new();
    };
    let codings = items(code, "coding").iter().filter_map(Value::as_object);
    let names: Vec<String> = codings
        .filter_map(|coding| {
            let system = text(coding, "system").unwrap_or_default();
            Some(format!("{system}|{}", text(coding, "code")?))
        })
        .collect();
    if names.is_empty() {
        return text(code, "text").map(str::to_owned).into_iter().collect();
    }
    names
}

/// The number of the group of each: two are in one where a chain of shared names
/// leads from the one to the other.
fn groups(all: impl Iterator<Item = Vec<String>>) -> Vec<usize> {
    let mut leaders: Vec<usize> = Vec::new();
    let mut owners: HashMap<String, usize> = HashMap::new();
    for (place, names) in all.enumerate() {
        leaders.push(place);
        for name in names {
            let owner = *owners.entry(name).or_insert(place);
            let (one, other) = (leader(&leaders, owner), leader(&leaders, place));
            if let Some(slot) = leaders.get_mut(one.max(other)) {
                *slot = one.min(other);
            }
        }
    }
    (0..leaders.len())
        .map(|place| leader(&leaders, place))
        .collect()
}

/// Leads to smaller places only, so it ends.
fn leader(leaders: &[usize], mut place: usize) -> usize {
    while let Some(next) = leaders.get(place).filter(|next| **next < place) {
        place = *next;
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(all: &[&[&str]]) -> Vec<usize> {
        let names = |codes: &&[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
        groups(all.iter().map(names))
    }

    /// The table of the specification.
    #[test]
    fn codes_are_equal_by_their_translations() {
        assert_eq!(of(&[&["a"], &["b"], &["c"]]), [0, 1, 2]);
        assert_eq!(of(&[&["a"], &["b"], &["a", "c"]]), [0, 1, 0]);
        assert_eq!(of(&[&["a"], &["b"], &["a", "b"]]), [0, 0, 0]);
        assert_eq!(of(&[&["textM"], &["Text"], &["t e x t"]]), [0, 1, 2]);
        assert_eq!(
            of(&[&["a"], &["b"], &["c"], &["b", "c"], &["a", "c"]]),
            [0; 5]
        );
    }
}
