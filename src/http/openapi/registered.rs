//! Registered operations: definition -> paths.
//! <https://hl7.org/fhir/R4/operations.html#executing>

use serde_json::{Map, Value, json};

use super::body::Body;
use super::operation::ALWAYS;
use super::path::{OTHER, SYSTEM, item};
use super::{SPELLED_OUT, failure, reference};
use crate::fhir::operation::{Definition, EVERY_TYPE, Level, Parameter, SEARCH};
use crate::http::routes::BASE_PATH;

/// Refusals of an operation that takes content.
const POSTED: [u16; 6] = [400, 404, 410, 413, 415, 422];
const ASKED: [u16; 3] = [400, 404, 410];

pub fn add(paths: &mut Map<String, Value>, definition: &Definition) {
    for level in definition.levels {
        if *level == Level::System {
            insert(paths, definition, "", SYSTEM, "System");
            continue;
        }
        for (name, tag) in places(definition) {
            let subject = name.trim_matches(['{', '}']);
            let (below, suffix) = match level {
                Level::Instance => (format!("/{name}/{{id}}"), subject.to_owned()),
                _ => (format!("/{name}"), format!("{subject}Type")),
            };
            insert(paths, definition, &below, tag, &suffix);
        }
    }
}

/// The types, or the template of all of them behind those that are spelled out.
fn places(definition: &Definition) -> Vec<(&'static str, &'static str)> {
    let own = |names: &[&'static str]| names.iter().map(|name| (*name, *name)).collect();
    if definition.types != EVERY_TYPE {
        return own(definition.types);
    }
    let mut all: Vec<_> = own(&SPELLED_OUT);
    all.push(("{type}", OTHER));
    all
}

fn insert(
    paths: &mut Map<String, Value>,
    definition: &Definition,
    below: &str,
    tag: &str,
    suffix: &str,
) {
    let path = format!("{BASE_PATH}{below}/${}", definition.name);
    let mut verbs = item(&path);
    let mut needed = definition.parameters.iter().filter(|one| one.required);
    let takes_content = needed.any(|one| one.kind == "Resource");
    let name = camel(definition.name);
    if let Value::Object(members) = &mut verbs {
        if !definition.affects_state && !takes_content {
            let get = operation(definition, tag, &format!("{name}Of{suffix}"), false);
            members.insert("get".to_owned(), get);
        }
        let post = operation(definition, tag, &format!("{name}Of{suffix}ByContent"), true);
        members.insert("post".to_owned(), post);
    }
    paths.insert(path, verbs);
}

fn operation(definition: &Definition, tag: &str, name: &str, posted: bool) -> Value {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    put("tags", json!([tag]));
    put("summary", definition.title.into());
    let text = format!("{} {}", definition.text, definition.url);
    put("description", text.into());
    put("operationId", name.into());
    let form = ["_format", "_pretty"].iter();
    let mut parameters: Vec<Value> = form.map(|name| reference("parameters", name)).collect();
    if !posted {
        let simple = definition.parameters.iter();
        let simple = simple.filter(|one| one.kind != "Resource" && **one != SEARCH);
        parameters.extend(simple.map(parameter));
    }
    put("parameters", parameters.into());
    if let (true, Some(body)) = (posted, Body::Parameters.request(None)) {
        put("requestBody", body);
    }
    let refusals: &[u16] = if posted { &POSTED } else { &ASKED };
    put("responses", responses(refusals).into());
    members.into()
}

fn responses(refusals: &[u16]) -> Map<String, Value> {
    let mut responses = Map::new();
    let answers =
        ["Parameters", "Bundle", "OperationOutcome"].map(|name| reference("schemas", name));
    let content = json!({"application/fhir+json": {"schema": {"anyOf": answers}}});
    let done = json!({"description": "A Parameters resource, or the Bundle or OperationOutcome that the operation answers.", "content": content});
    responses.insert("200".to_owned(), done);
    let mut refusals = [refusals, &ALWAYS].concat();
    refusals.sort_unstable();
    refusals.dedup();
    for status in refusals {
        responses.insert(status.to_string(), failure::refusal(status));
    }
    responses.insert("default".to_owned(), failure::any_other());
    responses
}

fn parameter(parameter: &Parameter) -> Value {
    let mut schema = match parameter.datatype() {
        "date" | "dateTime" => reference("schemas", "dateTime"),
        "boolean" => json!({"type": "boolean"}),
        "positiveInt" => json!({"type": "integer", "minimum": 1}),
        _ => json!({"type": "string", "minLength": 1}),
    };
    if !parameter.codes.is_empty() {
        schema = json!({"type": "string", "enum": parameter.codes});
    }
    if parameter.repeats() {
        schema = json!({"type": "array", "items": schema});
    }
    json!({
        "name": parameter.name,
        "in": "query",
        "description": parameter.text,
        "required": parameter.required,
        "schema": schema,
    })
}

/// `medication-compatibility` -> `medicationCompatibility`.
fn camel(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut all, word| {
        let mut letters = word.chars();
        all.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        all.push_str(letters.as_str());
        all
    })
}
