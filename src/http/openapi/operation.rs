//! Interaction + place -> operation object.
//! <https://spec.openapis.org/oas/v3.1.0#operation-object>

use serde_json::{Map, Value, json};

use super::body::Body;
use super::interaction::Interaction;
use super::search_parameter::{component, searchable};
use super::{SPELLED_OUT, failure, reference};
use crate::fhir::definitions::Definitions;

/// Refusals that every FHIR address has.
pub const ALWAYS: [u16; 7] = [401, 403, 406, 414, 429, 500, 503];

/// Where interactions are to be found.
pub struct Place<'p> {
    pub path: String,
    pub tag: &'p str,
    /// The type searched and answered with; `None` for any.
    pub subject: Option<&'static str>,
    /// Ends the operationId: `Patient`.
    pub suffix: String,
}

pub fn operation(definitions: &Definitions, place: &Place<'_>, of: &Interaction) -> Value {
    let what = place.subject.unwrap_or("Any type");
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    put("tags", json!([place.tag]));
    put("summary", of.summary.replace("{}", what).into());
    put("description", of.text.into());
    put("operationId", format!("{}{}", of.name, place.suffix).into());
    let parameters = parameters(definitions, place.subject, of);
    if !parameters.is_empty() {
        put("parameters", parameters.into());
    }
    if let Some(body) = of.body.request(place.subject) {
        put("requestBody", body);
    }
    // What the service is may be known by everybody.
    if of.name == "capabilities" {
        put("security", json!([]));
    }
    put("responses", responses(place.subject, of).into());
    members.into()
}

fn parameters(definitions: &Definitions, subject: Option<&str>, of: &Interaction) -> Vec<Value> {
    let mut names: Vec<String> = Vec::new();
    if of.criteria {
        let criteria = searchable(definitions, subject).into_iter();
        names.extend(criteria.map(|param| component(subject, param)));
        if subject.is_none_or(|name| !SPELLED_OUT.contains(&name)) {
            names.push("search-parameters".to_owned());
        }
    }
    let shared = of.parameters.iter().copied().flatten();
    names.extend(shared.map(|name| (*name).to_owned()));
    let names = names.iter();
    names.map(|name| reference("parameters", name)).collect()
}

fn responses(subject: Option<&str>, of: &Interaction) -> Map<String, Value> {
    let mut responses = Map::new();
    let mut answers: Vec<_> = of.answers.iter().collect();
    answers.sort_by_key(|answer| answer.status);
    for answer in answers {
        responses.insert(answer.status.to_string(), answer.response(subject));
    }
    let mut refusals = [of.refusals, &ALWAYS].concat();
    if !matches!(of.body, Body::None) {
        refusals.push(408);
    }
    refusals.sort_unstable();
    for status in refusals {
        responses.insert(status.to_string(), failure::refusal(status));
    }
    responses.insert("default".to_owned(), failure::any_other());
    responses
}
