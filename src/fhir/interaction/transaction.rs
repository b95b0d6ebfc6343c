//! transaction: all entries or none. <https://hl7.org/fhir/R4/http.html#trules>
//!
//! Every entry becomes a draft first; then links are resolved, and one commit
//! writes all. A lost race starts over.

use std::collections::{HashMap, HashSet, hash_map};
use std::sync::Arc;

use serde_json::Value;

use super::super::answer::Answer;
use super::super::audit::Event;
use super::super::authority::Authority;
use super::super::engine::{Draft, Engine, Written};
use super::super::outcome::{Failure, Kind};
use super::super::request::{Request, Return, Verb};
use super::super::write_error::WriteError;
use super::batch::refuse_nesting;
use super::bundle_entry::{Entry, at_entry, read};
use super::condition::{self, Matches};
use super::create::ATTEMPTS;
use super::links::{self, Moves};
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
    let mut moves = moves(engine, entries, &steps);
    resolve_conditional(engine, authority, &mut steps, &mut moves).await?;
    for step in &mut steps {
        if let Step::Write { draft, .. } = step
            && let Some(resource) = &mut draft.content
        {
            let content = &mut Arc::make_mut(resource).content;
            links::rewrite(engine.definitions, &moves, content);
        }
    }
    refuse_placeholders(&steps)?;
    Ok(steps)
}

/// A placeholder that no entry has would refer to nothing for ever.
fn refuse_placeholders(steps: &[Step]) -> Result<(), Failure> {
    for (index, step) in steps.iter().enumerate() {
        let Step::Write { draft, .. } = step else {
            continue;
        };
        let mut open = false;
        let content = draft.content.iter().flat_map(|one| one.content.values());
        for value in content {
            links::references(value, &mut |text| open |= text.starts_with("urn:uuid:"));
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

/// Where each fullUrl leads once the transaction is done. A RESTful fullUrl is
/// meant by relative references too.
fn moves(engine: &Engine, entries: &[Entry], steps: &[Step]) -> Moves {
    let mut moves = HashMap::new();
    for (entry, step) in entries.iter().zip(steps) {
        let (Some(full_url), Some(key)) = (&entry.full_url, identity(step)) else {
            continue;
        };
        let new = key.to_string();
        let mut tail = full_url.rsplitn(3, '/');
        if let (Some(id), Some(name), Some(_)) = (tail.next(), tail.next(), tail.next())
            && engine.definitions.is_resource_type(name)
        {
            moves.insert(format!("{name}/{id}"), new.clone());
        }
        moves.insert(full_url.clone(), new);
    }
    moves
}

/// Each distinct conditional reference is looked up once; it must have one match.
async fn resolve_conditional(
    engine: &Engine,
    authority: &dyn Authority,
    steps: &mut [Step],
    moves: &mut Moves,
) -> Result<(), Failure> {
    for (index, step) in steps.iter_mut().enumerate() {
        let Step::Write { draft, .. } = step else {
            continue;
        };
        let Some(resource) = &mut draft.content else {
            continue;
        };
        let content = &mut Arc::make_mut(resource).content;
        for reference in links::conditional(engine.definitions, content) {
            if let hash_map::Entry::Vacant(place) = moves.entry(reference) {
                let key = lookup(engine, authority, place.key()).await;
                let key = key.map_err(|failure| at_entry(index, failure))?;
                place.insert(key.to_string());
            }
        }
    }
    Ok(())
}

async fn lookup(
    engine: &Engine,
    authority: &dyn Authority,
    reference: &str,
) -> Result<ResourceKey, Failure> {
    let name = reference.split('?').next().unwrap_or(reference);
    match condition::find(engine, authority, name, reference).await? {
        Matches::One(stored) => Ok(stored.key),
        Matches::Many => Err(condition::ambiguous(
            "A conditional reference of this entry",
        )),
        Matches::None(_) => Err(Failure::new(
            Kind::NoMatch,
            format!(
                "A conditional reference of this entry matches no {name}. Create the {name} first, or in an entry of this transaction with a fullUrl."
            ),
        )),
    }
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
