//! One access as the patient whom it concerns is told of it: who, what, when and
//! why, and nothing of other patients.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::engine::{Engine, unavailable};
use super::super::operation::Part;
use super::super::outcome::Failure;
use super::super::resource::{instant, parse_stored};
use super::record::Record;
use super::{Actor, codes, security};
use crate::store::{ResourceKey, Scope};

pub struct Access {
    /// Microseconds since 1970.
    pub made: i64,
    pub record: Record,
}

/// Names by `Practitioner/1`.
pub type Names = BTreeMap<String, String>;

/// A patient may know who they are, whatever the token says of Practitioner.
pub async fn names(
    engine: &Engine,
    accesses: impl Iterator<Item = &Access>,
) -> Result<Names, Failure> {
    let users: BTreeSet<ResourceKey> = accesses
        .filter_map(|access| {
            let user = access.record.who.user.as_deref()?;
            let id = user.strip_prefix("Practitioner/")?;
            Some(ResourceKey::new("Practitioner", id))
        })
        .collect();
    let users: Vec<ResourceKey> = users.into_iter().collect();
    let found = engine.store.read(&Scope::everything(), &users).await;
    let found = found.map_err(|error| unavailable(&error))?;
    let mut names = Names::new();
    for stored in found.into_iter().flatten() {
        let resource = parse_stored(&stored)?;
        if let Some(name) = resource.and_then(|resource| name(resource.content.get("name")?)) {
            names.insert(stored.key.to_string(), name);
        }
    }
    Ok(names)
}

/// The first HumanName in one line.
fn name(names: &Value) -> Option<String> {
    let first = names.as_array()?.first()?;
    if let Some(text) = first.get("text").and_then(Value::as_str) {
        return Some(text.to_owned());
    }
    let words = |part: &str| {
        let words = first.get(part).and_then(Value::as_array);
        words.into_iter().flatten().filter_map(Value::as_str)
    };
    let family = first.get("family").and_then(Value::as_str);
    let words: Vec<&str> = words("prefix")
        .chain(words("given"))
        .chain(family)
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The parts of one `access`.
pub fn told(access: &Access, patient: &ResourceKey, names: &Names) -> Vec<Part> {
    let Access { made, record } = access;
    let who = &record.who;
    let (person, reference) = person(who, patient, names);
    let types = types(record);
    let outcome = match codes::outcome(record.status) {
        "0" => "success",
        "4" => "refused",
        _ => "failed",
    };
    let mut parts = vec![
        Part::value("when", "Instant", instant(*made)),
        Part::text("who", &person),
    ];
    parts.extend(reference.map(|user| Part::reference("agent", user)));
    let software = who.client.as_deref();
    parts.extend(software.map(|client| Part::text("software", client)));
    if who.patient.as_ref() == Some(&patient.id) {
        parts.push(Part::reference("onBehalfOf", &patient.to_string()));
    }
    let grant = who.grant.as_deref();
    parts.extend(grant.map(|grant| Part::text("grant", grant)));
    let purpose = who.purpose.as_deref().map(codes::purpose);
    parts.extend(purpose.map(|purpose| Part::value("purpose", "Coding", purpose)));
    if !record.interaction.is_empty() {
        parts.push(Part::code("interaction", &record.interaction));
    }
    parts.extend(types.iter().map(|name| Part::code("resourceType", name)));
    parts.push(Part::code("outcome", outcome));
    let line = line(&person, &record.interaction, &types, outcome);
    parts.push(Part::text("text", &line));
    parts
}

/// What was shown or written; where that is nothing, what was asked for.
fn types(record: &Record) -> BTreeSet<&str> {
    let written = record.written.iter();
    let written = written.filter_map(|key| key.split('/').next());
    let mut types: BTreeSet<&str> = record.shown.keys().map(String::as_str).collect();
    types.extend(written);
    if types.is_empty() {
        types.extend(record.resource_type.as_deref());
    }
    types
}

/// In words, and as a reference where that tells nothing of other patients.
fn person<'a>(who: &'a Actor, patient: &ResourceKey, names: &Names) -> (String, Option<&'a str>) {
    let other = "somebody with access to another record";
    let user = who.user.as_deref().filter(|user| codes::can_act(user));
    match (user, &who.subject, &who.internal) {
        (Some(user), ..) if *user == patient.to_string() => ("you".to_owned(), Some(user)),
        (Some(user), ..) if user.starts_with("Patient/") => (other.to_owned(), None),
        (Some(user), ..) if user.starts_with("RelatedPerson/") => {
            ("a related person".to_owned(), None)
        }
        (Some(user), ..) => {
            let name = names.get(user).map_or(user, String::as_str);
            (name.to_owned(), Some(user))
        }
        (None, Some(_), _) if who.patient.as_ref().is_some_and(|id| *id != patient.id) => {
            (other.to_owned(), None)
        }
        (None, Some(subject), _) => (subject.clone(), None),
        (None, None, Some(work)) => (format!("this service ({work})"), None),
        (None, None, None) => ("somebody without a valid token".to_owned(), None),
    }
}

fn line(person: &str, interaction: &str, types: &BTreeSet<&str>, outcome: &str) -> String {
    let types: Vec<&str> = types.iter().copied().collect();
    let what = match types.is_empty() {
        true => "your record".to_owned(),
        false => types.join(", "),
    };
    let done = match codes::action(interaction) {
        _ if security::codes(interaction).is_some() => {
            return format!(
                "{person} changed or looked up who may see your record: {interaction}, {outcome}."
            );
        }
        "C" => format!("created {what}"),
        "R" => format!("read {what}"),
        "U" => format!("changed {what}"),
        "D" => format!("deleted {what}"),
        _ if interaction.starts_with("search") => format!("searched for {what}"),
        _ if interaction.is_empty() || codes::is_rest(interaction) => format!("asked for {what}"),
        _ => format!("asked for ${interaction} ({what})"),
    };
    match outcome {
        "success" => format!("{person} {done}."),
        "refused" => format!("{person} tried: {done}; it was refused."),
        _ => format!("{person} tried: {done}; it failed."),
    }
}
