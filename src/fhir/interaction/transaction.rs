//! transaction: all entries or none. <https://hl7.org/fhir/R4/http.html#trules>
//!
//! Every entry becomes a draft first; then links are resolved, and one commit
//! writes all. A lost race starts over.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::admission::canonicalise;
use super::super::answer::Answer;
use super::super::audit::Event;
use super::super::authority::Authority;
use super::super::engine::{Draft, Engine, Written};
use super::super::outcome::{Failure, Kind};
use super::super::request::{Request, Return, Verb};
use super::super::resource::Resource;
use super::super::write_error::WriteError;
use super::batch::refuse_nesting;
use super::bundle_entry::{Entry, at_entry, read};
use super::condition;
use super::conditional_reference::resolve_conditional;
use super::create::ATTEMPTS;
use super::foresight::foresee_reading;
use super::links::{self, Moves, restful};
use super::plan_entry::{Step, identity, plan};
use super::update::criteria;
use super::{create, written};
use crate::store::{Conflict, ResourceKey};

pub async fn transaction(
    engine: &Engine,
    authority: &dyn Authority,
    entries: Vec<Value>,
    prefer: Return,
) -> Result<Vec<Answer>, Failure> {
    let mut parsed = Vec::with_capacity(entries.len());
    for (index, entry) in entries.into_iter().enumerate() {
        let entry = read(engine, index, entry)?;
        refuse_nesting(&entry.request).map_err(|failure| at_entry(index, failure))?;
        parsed.push(entry);
    }
    refuse_same_full_url(&parsed)?;
    refuse_same_condition(&parsed)?;
    // Only lost races need the entries a second time.
    for _ in 0..ATTEMPTS {
        let steps = steps(engine, authority, &parsed).await?;
        match commit(engine, authority, &parsed, steps, prefer).await {
            Ok(answers) => return Ok(answers),
            Err(Attempt::Again) => {}
            Err(Attempt::Refused(failure)) => return Err(failure),
        }
    }
    Err(condition::contended())
}

enum Attempt {
    Again,
    Refused(Failure),
}

impl From<Failure> for Attempt {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

/// What each entry is going to do, in the order of the bundle.
async fn steps(
    engine: &Engine,
    authority: &dyn Authority,
    entries: &[Entry],
) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::with_capacity(entries.len());
    for entry in entries {
        let step = plan(engine, authority, &entry.request).await;
        steps.push(step.map_err(|failure| at_entry(entry.index, failure))?);
    }
    refuse_overlap(&steps)?;
    let moves = moves(engine, entries, &steps);
    for (entry, step) in entries.iter().zip(&mut steps) {
        let root = entry
            .full_url
            .as_deref()
            .and_then(|url| restful(engine.definitions, url));
        let root = root.map(|(root, _)| root).unwrap_or_default();
        if let Some(resource) = step.content_mut() {
            let rewritten = rewritten(engine, &moves, &root, resource);
            rewritten.map_err(|failure| at_entry(entry.index, failure))?;
        }
    }
    resolve_conditional(engine, authority, &mut steps).await?;
    refuse_placeholders(&steps)?;
    foresee(engine, authority, entries, &steps).await?;
    Ok(steps)
}

/// The content with its links leading where the entries go. An absolute address of this
/// service is no relative reference, so it becomes one only afterwards.
fn rewritten(
    engine: &Engine,
    moves: &Moves<'_>,
    root: &str,
    resource: &mut Arc<Resource>,
) -> Result<(), Failure> {
    refuse_ambiguous(moves, root, &resource.content)?;
    links::rewrite(
        engine.definitions,
        moves,
        root,
        &mut Arc::make_mut(resource).content,
    );
    canonicalise(engine, resource)
}

/// "Patient/1" of two services would be one patient's record with the other.
fn refuse_ambiguous(
    moves: &Moves<'_>,
    root: &str,
    content: &Map<String, Value>,
) -> Result<(), Failure> {
    let mut ambiguous = false;
    links::in_members(content, &mut |text| {
        ambiguous |= moves.is_ambiguous(root, text)
    });
    if !ambiguous {
        return Ok(());
    }
    let text = "A relative reference of this entry fits several entries, whose fullUrls are of different services. Write the whole fullUrl of the one that is meant.";
    Err(Failure::new(Kind::Value, text))
}

/// A placeholder that no entry has would refer to nothing for ever.
fn refuse_placeholders(steps: &[Step]) -> Result<(), Failure> {
    for (index, step) in steps.iter().enumerate() {
        let Step::Write { draft, .. } = step else {
            continue;
        };
        let mut open = false;
        if let Some(resource) = &draft.content {
            links::in_members(&resource.content, &mut |text| {
                open |= text.starts_with("urn:uuid:");
            });
        }
        if open {
            let text = "A reference of this entry is a placeholder (urn:uuid:…), and no entry that it could refer to has it as fullUrl.";
            return Err(at_entry(index, Failure::new(Kind::Value, text)));
        }
    }
    Ok(())
}

/// "If any resource identities overlap, the transaction SHALL fail."
fn refuse_overlap(steps: &[Step]) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    for (index, step) in steps.iter().enumerate() {
        if let Step::Write { draft, .. } = step
            && !seen.insert(&draft.key)
        {
            let text = format!(
                "{} is written by another entry of this transaction too. Write it once.",
                draft.key
            );
            return Err(at_entry(index, Failure::new(Kind::Value, text)));
        }
    }
    Ok(())
}

/// A reference to it would be ambiguous.
fn refuse_same_full_url(entries: &[Entry]) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    for entry in entries {
        if let Some(full_url) = &entry.full_url
            && !seen.insert(full_url)
        {
            let text =
                "Another entry of this transaction has the same fullUrl. Give each entry its own.";
            return Err(at_entry(entry.index, Failure::new(Kind::Value, text)));
        }
    }
    Ok(())
}

/// Two conditional creates, or updates, on one condition would create twice.
fn refuse_same_condition(entries: &[Entry]) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    for entry in entries {
        let request = &entry.request;
        let criteria = match (&request.preconditions.if_none_exist, request.verb) {
            (Some(criteria), Verb::Post) => criteria.clone(),
            (_, Verb::Put) if request.path.len() == 1 => criteria(&request.query),
            _ => continue,
        };
        if !seen.insert((&request.path, criteria)) {
            let text = "Another entry of this transaction has the same condition. Send the resource once and refer to its fullUrl.";
            return Err(at_entry(entry.index, Failure::new(Kind::Value, text)));
        }
    }
    Ok(())
}

/// Where each fullUrl leads once the transaction is done. A RESTful fullUrl is meant by
/// relative references too.
fn moves<'e>(engine: &'e Engine, entries: &[Entry], steps: &[Step]) -> Moves<'e> {
    let base = &engine.catalogue.base;
    let mut moves = Moves::of_service(base);
    for (entry, step) in entries.iter().zip(steps) {
        let (Some(full_url), Some(key)) = (&entry.full_url, identity(step)) else {
            continue;
        };
        moves.add_full_url(engine.definitions, full_url, &key.to_string());
    }
    moves
}

/// "Either accept all actions (each with a 2xx or 3xx) or reject all": what is going to
/// be read after the writes is asked for before them, while nothing is written.
/// <https://hl7.org/fhir/R4/http.html#transaction>
async fn foresee(
    engine: &Engine,
    authority: &dyn Authority,
    entries: &[Entry],
    steps: &[Step],
) -> Result<(), Failure> {
    if !steps.iter().any(|step| matches!(step, Step::Read)) {
        return Ok(());
    }
    let written: HashMap<&ResourceKey, bool> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Write { draft, .. } => Some((&draft.key, draft.content.is_some())),
            _ => None,
        })
        .collect();
    for (entry, step) in entries.iter().zip(steps) {
        if matches!(step, Step::Read) {
            let read = foresee_reading(engine, authority, &entry.request, &written).await;
            read.map_err(|failure| at_entry(entry.index, failure))?;
        }
    }
    Ok(())
}

/// Writes in the order DELETE, POST, PUT/PATCH; then answers the GETs.
async fn commit(
    engine: &Engine,
    authority: &dyn Authority,
    entries: &[Entry],
    steps: Vec<Step>,
    prefer: Return,
) -> Result<Vec<Answer>, Attempt> {
    let mut answers: Vec<Option<Answer>> = vec![None; entries.len()];
    let mut writes: Vec<(usize, Draft, bool)> = Vec::new();
    for (index, step) in steps.into_iter().enumerate() {
        match step {
            Step::Write { draft, again } => writes.push((index, *draft, again)),
            Step::Done(answer, _) => put(&mut answers, index, answer),
            Step::Existing(stored) => {
                put(&mut answers, index, create::existing(prefer, &stored));
            }
            Step::Read => {}
        }
    }
    writes.sort_by_key(|(index, draft, _)| (rank(draft), *index));
    let places: Vec<(usize, bool)> = writes
        .iter()
        .map(|(index, _, again)| (*index, *again))
        .collect();
    let drafts = writes.into_iter().map(|(_, draft, _)| draft).collect();
    let done = write(engine, authority, drafts, &places).await?;
    for (position, (index, _)) in places.iter().enumerate() {
        put(&mut answers, *index, written(prefer, &done, position)?);
    }
    let mut all = Vec::with_capacity(answers.len());
    for (entry, answer) in entries.iter().zip(answers) {
        all.push(match answer {
            Some(mut answer) => {
                Event::of(engine, &entry.request).end(&mut answer);
                answer
            }
            None => reading(engine, authority, entry).await,
        });
    }
    Ok(all)
}

fn put(answers: &mut [Option<Answer>], index: usize, answer: Answer) {
    if let Some(slot) = answers.get_mut(index) {
        *slot = Some(answer);
    }
}

fn rank(draft: &Draft) -> u8 {
    use crate::store::Method;
    match draft.method {
        Method::Delete => 0,
        Method::Post => 1,
        Method::Put | Method::Patch => 2,
    }
}

async fn write(
    engine: &Engine,
    authority: &dyn Authority,
    drafts: Vec<Draft>,
    places: &[(usize, bool)],
) -> Result<Written, Attempt> {
    match engine.write(authority, drafts).await {
        Ok(done) => Ok(done),
        Err(WriteError::Conflict { change, conflict }) => {
            let (index, again) = places.get(change).copied().unwrap_or((0, false));
            if again || conflict == Conflict::Matched {
                return Err(Attempt::Again);
            }
            let failure = Failure::from(WriteError::Conflict { change, conflict });
            Err(Attempt::Refused(at_entry(index, failure)))
        }
        Err(WriteError::Refused { change, failure }) => {
            let failure = match places.get(change) {
                Some((index, _)) => at_entry(*index, failure),
                None => failure,
            };
            Err(Attempt::Refused(failure))
        }
        Err(WriteError::Failure(failure)) => Err(Attempt::Refused(failure)),
    }
}

async fn reading(engine: &Engine, authority: &dyn Authority, entry: &Entry) -> Answer {
    let request = Request {
        verb: Verb::Get,
        ..entry.request.clone()
    };
    let place = |failure| at_entry(entry.index, failure);
    Box::pin(engine.handle_at(authority, request, place)).await
}
