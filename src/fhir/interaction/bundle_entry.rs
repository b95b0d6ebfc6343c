//! One entry of a batch or transaction as a request.
//! <https://hl7.org/fhir/R4/bundle.html#bundle-unique>

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

use super::super::answer::{Answer, etag};
use super::super::bundle::quoted;
use super::super::engine::Engine;
use super::super::json;
use super::super::outcome::{Failure, Kind};
use super::super::request::{Content, Preconditions, Request, Verb};
use super::super::resource::instant;
use super::super::search::date;
use super::super::validate::structure;
use super::patch::is_parameters;

/// Marks a place in the entry itself, not in its resource.
const ENVELOPE: &str = "entry:";

pub struct Entry {
    pub index: usize,
    pub full_url: Option<String>,
    pub request: Request,
}

/// Names the entry in every issue, so that a client finds it.
pub fn at_entry(index: usize, mut failure: Failure) -> Failure {
    let place = format!("Bundle.entry[{index}]");
    for issue in &mut failure.issues {
        issue.expression = Some(match issue.expression.take() {
            Some(inner) => match inner.strip_prefix(ENVELOPE) {
                Some(own) => format!("{place}.{own}"),
                None => format!("{place}.resource{}", below_type(&inner)),
            },
            None => place.clone(),
        });
    }
    failure
}

/// `Patient.name[0]` within an entry is `…resource.name[0]`, `Patient` is
/// `…resource`.
fn below_type(expression: &str) -> String {
    let typed = expression.starts_with(|c: char| c.is_ascii_uppercase());
    match expression.split_once('.') {
        Some((_, rest)) if typed => format!(".{rest}"),
        None if typed => String::new(),
        _ => format!(".{expression}"),
    }
}

/// Takes an entry apart.
pub fn read(engine: &Engine, index: usize, entry: Value) -> Result<Entry, Failure> {
    parse(engine, index, entry).map_err(|failure| at_entry(index, failure))
}

fn parse(engine: &Engine, index: usize, entry: Value) -> Result<Entry, Failure> {
    let Value::Object(mut entry) = entry else {
        return Err(Failure::new(Kind::Structure, "An entry is an object."));
    };
    let resource = entry.remove("resource");
    check_envelope(engine, &entry)?;
    let Some(Value::Object(wanted)) = entry.remove("request") else {
        return Err(Failure::new(
            Kind::Required,
            "The entry has no request. Give it {\"method\": …, \"url\": …}.",
        ));
    };
    let text = |name: &str| wanted.get(name).and_then(Value::as_str);
    let verb = text("method").and_then(Verb::from_code).ok_or_else(|| {
        Failure::new(
            Kind::Value,
            "request.method is one of GET, HEAD, POST, PUT, PATCH, DELETE.",
        )
    })?;
    let url = text("url").ok_or_else(|| {
        Failure::new(
            Kind::Required,
            "request.url is missing. Example: Patient/123.",
        )
    })?;
    let url = url.strip_prefix(&engine.settings.base_url).unwrap_or(url);
    let mut request = Request::parse_url(verb, url)?;
    request.preconditions = preconditions(&wanted)?;
    request.content = match resource {
        None => Content::None,
        Some(Value::Object(resource)) => content(engine, verb, resource)?,
        Some(_) => return Err(Failure::new(Kind::Structure, "resource is an object.")),
    };
    let full_url = match entry.remove("fullUrl") {
        None => None,
        Some(Value::String(url)) => Some(url),
        Some(_) => return Err(Failure::new(Kind::Structure, "fullUrl is a string.")),
    };
    Ok(Entry {
        index,
        full_url,
        request,
    })
}

/// The entry without its resource must be R4 too; the resource is checked where
/// it is used, so that its issues are its own.
fn check_envelope(engine: &Engine, entry: &Map<String, Value>) -> Result<(), Failure> {
    if entry.is_empty() {
        return Ok(());
    }
    let mut issues = structure::check_element(engine.definitions, "Bundle.entry", entry, "entry");
    for issue in &mut issues {
        let inner = issue.expression.take();
        issue.expression = inner.and_then(|path| {
            path.strip_prefix("entry.")
                .map(|rest| format!("{ENVELOPE}{rest}"))
        });
    }
    if issues.is_empty() {
        return Ok(());
    }
    Err(Failure::of_issues(Kind::Structure, issues))
}

fn preconditions(wanted: &Map<String, Value>) -> Result<Preconditions, Failure> {
    let text = |name: &str| wanted.get(name).and_then(Value::as_str).map(str::to_owned);
    let if_modified_since = match text("ifModifiedSince") {
        None => None,
        Some(value) => {
            let range = date::range(&value).ok_or_else(|| {
                Failure::new(
                    Kind::Value,
                    "ifModifiedSince is not an instant. Example: 2026-11-21T08:00:00Z.",
                )
            })?;
            Some(range.0)
        }
    };
    Ok(Preconditions {
        if_match: text("ifMatch"),
        if_none_match: text("ifNoneMatch"),
        if_modified_since,
        if_none_exist: text("ifNoneExist"),
    })
}

/// A PATCH brings its JSON Patch in a Binary, or a FHIRPath Patch as it is.
/// <https://hl7.org/fhir/R4/http.html#jsonpatch>
fn content(engine: &Engine, verb: Verb, resource: Map<String, Value>) -> Result<Content, Failure> {
    if verb != Verb::Patch || is_parameters(&resource) {
        return Ok(Content::Resource(resource));
    }
    let media_type = resource.get("contentType").and_then(Value::as_str);
    let data = resource.get("data").and_then(Value::as_str);
    let known = [
        "application/json-patch+json",
        "application/merge-patch+json",
    ];
    let media_type = media_type.filter(|media_type| known.contains(media_type));
    let (Some(media_type), Some(data)) = (media_type, data) else {
        return Err(Failure::new(
            Kind::UnsupportedMediaType,
            "A PATCH entry carries a Parameters resource (FHIRPath Patch), or a Binary with contentType application/json-patch+json or application/merge-patch+json and the patch, base64-encoded, as data.",
        ));
    };
    let patch = BASE64_STANDARD
        .decode(data)
        .map_err(|_| Failure::new(Kind::Value, "Binary.data is not base64."))?;
    let depth = engine.settings.limits.depth;
    if media_type == "application/merge-patch+json" {
        return json::parse_object(&patch, depth).map(Content::MergePatch);
    }
    json::parse(&patch, depth).map(Content::JsonPatch)
}

/// The members of a response entry.
/// The answer's content goes into them.
pub fn response(engine: &Engine, answer: &mut Answer) -> Vec<(&'static str, String)> {
    let mut response = format!(r#"{{"status":"{}""#, status_line(answer.status));
    if let Some(location) = &answer.location {
        let location = format!("{}/{location}", engine.settings.base_url);
        response.push_str(&format!(r#","location":{}"#, quoted(&location)));
    }
    if let Some(version) = answer.version {
        response.push_str(&format!(r#","etag":{}"#, quoted(&etag(version))));
    }
    if let Some(updated) = answer.updated {
        response.push_str(&format!(r#","lastModified":"{}""#, instant(updated)));
    }
    let mut members = Vec::new();
    match answer.content.take() {
        Some(text) if is_outcome(&text) => response.push_str(&format!(r#","outcome":{text}"#)),
        Some(text) => members.push(("resource", text)),
        None => {}
    }
    response.push('}');
    members.push(("response", response));
    members
}

/// About the entry, and not an OperationOutcome that is kept here: those have an id.
fn is_outcome(text: &str) -> bool {
    text.starts_with(r#"{"resourceType":"OperationOutcome","issue":"#)
}

fn status_line(status: u16) -> String {
    let reason = match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        503 => "Service Unavailable",
        _ => return status.to_string(),
    };
    format!("{status} {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issues_of_an_entry_say_where_it_stands() {
        for (inner, outer) in [
            ("Patient.name[0]", "Bundle.entry[3].resource.name[0]"),
            ("Patient", "Bundle.entry[3].resource"),
            ("resourceType", "Bundle.entry[3].resource.resourceType"),
        ] {
            let failure = at_entry(3, Failure::at(Kind::Value, inner, "x"));
            let expression = failure.issues[0].expression.as_deref();
            assert_eq!(expression, Some(outer));
        }
    }
}
