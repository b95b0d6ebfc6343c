//! What the services ask of the record: the operations that everybody may call,
//! with the rights of the caller.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::access::Caller;
use crate::fhir::audit;
use crate::fhir::authority::Authority as _;
use crate::fhir::engine::Engine;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::request::{Content, Request, Verb};

/// One request with the caller's rights, recorded like any other. Inside it is
/// why it was refused.
pub async fn ask(
    engine: &Arc<Engine>,
    caller: &Caller,
    verb: Verb,
    path: &[&str],
    content: Content,
) -> Result<Result<Value, String>, Failure> {
    let segments = path.iter().map(|segment| (*segment).to_owned()).collect();
    let request = Request {
        sent: path.join("/"),
        content,
        ..Request::new(verb, segments, Vec::new())
    };
    put(engine, caller, request).await
}

/// What a search by one parameter finds.
pub async fn find(
    engine: &Arc<Engine>,
    caller: &Caller,
    resource_type: &str,
    (name, value): (&str, &str),
) -> Result<Option<Map<String, Value>>, Failure> {
    let query = vec![(name.to_owned(), value.to_owned())];
    let request = Request {
        sent: format!("{resource_type}?{name}={value}"),
        ..Request::new(Verb::Get, vec![resource_type.to_owned()], query)
    };
    let found = put(engine, caller, request).await?;
    Ok(found.ok().and_then(|found| match found {
        Value::Object(found) => Some(found),
        _ => None,
    }))
}

async fn put(
    engine: &Arc<Engine>,
    caller: &Caller,
    request: Request,
) -> Result<Result<Value, String>, Failure> {
    let answer = engine.handle(caller, request).await;
    let answer = audit::keep(engine, &caller.actor(), answer).await;
    let content = answer.content.unwrap_or_default();
    let content: Value = serde_json::from_str(&content).unwrap_or_else(|_| json!({}));
    if answer.status == 200 {
        return Ok(Ok(content));
    }
    if answer.status >= 500 {
        return Err(Failure::new(
            Kind::Unavailable,
            "The record cannot be asked now. Try again.",
        ));
    }
    let why = content
        .pointer("/issue/0/diagnostics")
        .and_then(Value::as_str);
    Ok(Err(why.unwrap_or_default().to_owned()))
}

pub fn named<'v>(of: &'v Value, name: &'static str) -> impl Iterator<Item = &'v Value> {
    let all = ["parameter", "part"]
        .into_iter()
        .filter_map(|list| of.get(list)?.as_array());
    all.flatten()
        .filter(move |one| one.get("name").and_then(Value::as_str) == Some(name))
}

pub fn value<'v>(of: &'v Value, name: &'static str) -> Option<&'v Value> {
    let members = named(of, name).next()?.as_object()?;
    let mut values = members.iter().filter(|(name, _)| name.starts_with("value"));
    values.next().map(|(_, value)| value)
}

/// The text of a part; nothing where it is missing.
pub fn said<'v>(of: &'v Value, name: &'static str) -> &'v str {
    let text = value(of, name).and_then(Value::as_str);
    text.unwrap_or_default()
}
