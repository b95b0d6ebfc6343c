//! batch: every entry is judged alone. <https://hl7.org/fhir/R4/http.html#transaction>

use std::collections::HashSet;

use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;

use super::super::answer::Answer;
use super::super::audit::{Event, fold_entries};
use super::super::authority::Authority;
use super::super::bundle::BundleWriter;
use super::super::engine::Engine;
use super::super::outcome::{Failure, Kind};
use super::super::request::{Content, Request, Return};
use super::super::resource::Resource;
use super::super::view::View;
use super::bundle_entry::{self, at_entry};
use super::links::references;
use super::transaction::transaction;
use crate::budget;

/// Bytes of an entry beside its resource.
const ENTRY_BYTES: usize = 300;

/// How many entries a request has: each costs like a request.
pub fn count_entries(request: &Request) -> usize {
    match &request.content {
        Content::Resource(content) if request.path.is_empty() => {
            let entries = content.get("entry").and_then(Value::as_array);
            entries.map_or(0, Vec::len)
        }
        _ => 0,
    }
}

/// Entries of one batch that are worked on at a time.
const AT_A_TIME: usize = 16;

/// The status of what its request cannot afford.
const TOO_COSTLY: u16 = Kind::TooCostly.status();

/// A Bundle sent to the base: batch or transaction.
pub async fn bundle(
    engine: &Engine,
    authority: &dyn Authority,
    request: Request,
) -> Result<Answer, Failure> {
    let view = View::of(&request)?;
    let prefer = request.prefer;
    let mut resource = Resource::from_object(request.content.into_resource()?)?;
    if resource.resource_type != "Bundle" {
        return Err(Failure::at(
            Kind::Structure,
            "resourceType",
            "The base takes a Bundle of type batch or transaction. Send other resources to the address of their type.",
        ));
    }
    let entries = entries(engine, resource.content.remove("entry"))?;
    engine.check(&resource)?;
    let kind = resource.content.get("type").and_then(Value::as_str);
    let (kind, mut answers) = match kind {
        Some("batch") => (
            "batch-response",
            batch(engine, authority, entries, prefer).await,
        ),
        Some("transaction") => (
            "transaction-response",
            transaction(engine, authority, entries, prefer).await?,
        ),
        _ => {
            return Err(Failure::at(
                Kind::Value,
                "Bundle.type",
                "The base takes bundles of type batch or transaction.",
            ));
        }
    };
    let content = |answer: &Answer| answer.content.as_ref().map_or(0, String::len) + ENTRY_BYTES;
    let mut bundle = BundleWriter::new(kind, None, &[]);
    bundle.reserve(answers.iter().map(content).sum());
    for answer in &mut answers {
        let members = bundle_entry::response(engine, answer);
        let members: Vec<(&str, &str)> = members
            .iter()
            .map(|(name, json)| (*name, json.as_str()))
            .collect();
        bundle.entry(&members);
    }
    let mut whole = Answer::content(200, view.layout(bundle.finish())?);
    for answer in &mut answers {
        whole.events.append(&mut answer.events);
    }
    whole.events = fold_entries(std::mem::take(&mut whole.events));
    Ok(whole)
}

fn entries(engine: &Engine, entries: Option<Value>) -> Result<Vec<Value>, Failure> {
    let limit = engine.settings.limits.entries;
    match entries {
        None => Ok(Vec::new()),
        Some(Value::Array(entries)) if entries.len() <= limit => Ok(entries),
        Some(Value::Array(_)) => Err(Failure::at(
            Kind::TooLarge,
            "Bundle.entry",
            format!("The bundle has more than {limit} entries. Split it."),
        )),
        Some(_) => Err(Failure::at(
            Kind::Structure,
            "Bundle.entry",
            "entry is an array of objects.",
        )),
    }
}

async fn batch(
    engine: &Engine,
    authority: &dyn Authority,
    entries: Vec<Value>,
    prefer: Return,
) -> Vec<Answer> {
    let placeholders = &placeholders(&entries);
    let attempt = |index, entry| async move {
        // Nothing of the entry is done: what was done before it is answered.
        if let Err(exceeded) = budget::check_records() {
            let answer = refused(index, exceeded.into());
            return Attempt::new(answer, Some(entry), false);
        }
        let again = repeatable(&entry);
        let place = |failure| at_entry(index, failure);
        let answer = match read_entry(engine, placeholders, index, entry, prefer) {
            Ok(request) => engine.handle_at(authority, request, place).await,
            Err(failure) => refused(index, failure),
        };
        let affordable = answer.status != TOO_COSTLY || budget::check_records().is_ok();
        Attempt::new(answer, again, affordable)
    };
    let mut attempts: Vec<Attempt> = stream::iter(entries.into_iter().enumerate())
        .map(|(index, entry)| attempt(index, entry))
        .buffered(AT_A_TIME)
        .collect()
        .await;
    // Those that ran together may have used up what would have been enough for the
    // first of them. From there on what only reads is done again, one after the other.
    let affordable = |attempt: &Attempt| attempt.affordable || attempt.again.is_none();
    if let Some(first) = attempts.iter().position(|attempt| !affordable(attempt)) {
        hold_answered(&attempts, first);
        for (index, tried) in attempts.iter_mut().enumerate().skip(first) {
            if let Some(entry) = tried.again.take() {
                *tried = attempt(index, entry).await;
            }
        }
    }
    attempts.into_iter().map(|tried| tried.answer).collect()
}

/// What became of an entry.
struct Attempt {
    answer: Answer,
    /// The entry, if nothing of it is done or it only reads.
    again: Option<Value>,
    /// Whether the bundle had not read too much for it.
    affordable: bool,
}

impl Attempt {
    fn new(answer: Answer, again: Option<Value>, affordable: bool) -> Self {
        Self {
            answer,
            again,
            affordable,
        }
    }
}

/// The entry, if it can be done a second time: it only reads.
fn repeatable(entry: &Value) -> Option<Value> {
    let method = entry.pointer("/request/method").and_then(Value::as_str);
    let reads = matches!(method, Some("GET" | "HEAD")) && entry.get("resource").is_none();
    reads.then(|| entry.clone())
}

/// Gives back to the budget what was read for entries that are done again.
fn hold_answered(attempts: &[Attempt], first: usize) {
    let held = attempts
        .iter()
        .enumerate()
        .filter(|(index, tried)| *index < first || tried.again.is_none());
    let rows = held.clone().map(|(_, tried)| tried.answer.shown.len());
    let content = held.map(|(_, tried)| tried.answer.content.as_ref().map_or(0, String::len));
    budget::restart_records(rows.sum(), content.sum());
}

fn read_entry(
    engine: &Engine,
    placeholders: &HashSet<String>,
    index: usize,
    entry: Value,
    prefer: Return,
) -> Result<Request, Failure> {
    refuse_placeholders(placeholders, index, &entry)?;
    let mut entry = bundle_entry::read(engine, index, entry)?;
    refuse_nesting(&entry.request).map_err(|failure| at_entry(index, failure))?;
    entry.request.prefer = prefer;
    Ok(entry.request)
}

/// The answer to an entry that was not carried out.
fn refused(index: usize, failure: Failure) -> Answer {
    let mut answer = Answer::from(failure);
    let entry = format!("entry {index}");
    answer.events.push(Event::refused(entry, answer.status));
    answer
}

/// The fullUrls that mean nothing outside of the bundle.
fn placeholders(entries: &[Value]) -> HashSet<String> {
    let urls = entries
        .iter()
        .filter_map(|entry| entry.get("fullUrl")?.as_str());
    let placeholders = urls.filter(|url| url.starts_with("urn:"));
    placeholders.map(str::to_owned).collect()
}

/// "There SHALL be no interdependencies between the different entries."
fn refuse_placeholders(
    placeholders: &HashSet<String>,
    index: usize,
    entry: &Value,
) -> Result<(), Failure> {
    let mut refers = false;
    if let Some(resource) = entry.get("resource") {
        references(resource, &mut |text| refers |= placeholders.contains(text));
    }
    if !refers {
        return Ok(());
    }
    let text = "The entry refers to another one by its fullUrl, and entries of a batch do not know of each other. Send a transaction.";
    Err(at_entry(index, Failure::new(Kind::Value, text)))
}

/// A bundle within a bundle would have no bound.
pub fn refuse_nesting(request: &Request) -> Result<(), Failure> {
    let to_base = request.path.is_empty() && request.verb == super::super::request::Verb::Post;
    if to_base {
        return Err(Failure::new(
            Kind::NotSupported,
            "An entry cannot be a batch or transaction itself. Send its entries one level up.",
        ));
    }
    Ok(())
}
