//! Criteria that stand for a resource: `If-None-Exist`, conditional update,
//! patch and delete, and conditional references.
//!
//! <https://hl7.org/fhir/R4/http.html#cond-update>

use sha2::{Digest, Sha256};

use super::super::authority::{Authority, Permission};
use super::super::engine::{Engine, now, unavailable};
use super::super::index::refusal;
use super::super::outcome::{Failure, Kind};
use super::super::request::parse_query;
use super::super::search::compile;
use super::search::query;
use crate::store::{Guard, IndexRows, ResourceKey, SearchPlan, Stored};

/// What the criteria match. `None` carries the guard that keeps it so.
pub enum Matches {
    None(Guard),
    One(Box<Stored>),
    Many,
}

/// Looks for the one resource of a type that meets `name=value&…`.
pub async fn find(
    engine: &Engine,
    authority: &dyn Authority,
    resource_type: &str,
    criteria: &str,
) -> Result<Matches, Failure> {
    let pairs = parse_query(without_address(criteria));
    let plan = plan(engine, authority, resource_type, &pairs)?;
    if let Some(gap) = engine.index.gap_of(&plan) {
        // A match that is not found would be created a second time.
        return Err(refusal(&gap, "a condition cannot be judged"));
    }
    let found = engine.store.search(&plan).await;
    let found = found.map_err(|error| unavailable(&error))?;
    let mut rows = found.rows;
    Ok(match (rows.pop(), rows.is_empty() && !found.more) {
        (None, _) => Matches::None(Guard::NoMatch {
            plan: Box::new(plan),
            locks: locks(resource_type, &pairs),
        }),
        (Some(stored), true) => Matches::One(Box::new(stored)),
        (Some(_), false) => Matches::Many,
    })
}

/// What else a transaction writes, as it will be found: key and what it is found by.
/// Nothing is found of what it deletes.
pub type Planned<'p> = (&'p ResourceKey, Option<&'p IndexRows>);

/// The resource that meets the criteria once these drafts, which are of the type, are
/// written: the references of a transaction are resolved after its writes.
/// <https://hl7.org/fhir/R4/http.html#trules>
pub async fn find_after(
    engine: &Engine,
    authority: &dyn Authority,
    resource_type: &str,
    criteria: &str,
    drafts: &[Planned<'_>],
) -> Result<Vec<ResourceKey>, Failure> {
    let pairs = parse_query(without_address(criteria));
    let mut plan = plan(engine, authority, resource_type, &pairs)?;
    if let Some(gap) = engine.index.gap_of(&plan) {
        return Err(refusal(&gap, "a condition cannot be judged"));
    }
    plan.limit += drafts.len();
    let rows = engine.store.search(&plan).await;
    let rows = rows.map_err(|error| unavailable(&error))?.rows;
    let is_rewritten = |key: &ResourceKey| drafts.iter().any(|(draft, _)| *draft == key);
    let stored = rows.into_iter().map(|stored| stored.key);
    let mut found: Vec<ResourceKey> = stored.filter(|key| !is_rewritten(key)).collect();
    for (key, index) in drafts {
        let Some(index) = index else { continue };
        match plan.filter.judge(key, index) {
            Some(true) if plan.scope.admits(key, index) => found.push((*key).clone()),
            Some(_) => {}
            None => return Err(unforeseen(resource_type)),
        }
    }
    Ok(found)
}

fn unforeseen(resource_type: &str) -> Failure {
    Failure::new(
        Kind::NotSupported,
        format!(
            "A conditional reference follows other resources or asks for _lastUpdated, and this transaction writes a {resource_type} itself. Refer to that by its fullUrl, or name it by its own elements, such as identifier."
        ),
    )
}

/// Criteria may come with the address they would be sent to: `Patient?name=x`.
/// A question mark behind the first `=` belongs to a value.
fn without_address(criteria: &str) -> &str {
    match criteria.split_once('?') {
        Some((address, query)) if !address.contains('=') => query,
        _ => criteria,
    }
}

fn plan(
    engine: &Engine,
    authority: &dyn Authority,
    resource_type: &str,
    pairs: &[(String, String)],
) -> Result<SearchPlan, Failure> {
    let scope = authority.scope(Permission::Search, Some(resource_type))?;
    let settings = engine.search_settings(false);
    let query = query(engine, authority, Some(resource_type), pairs, &settings)?;
    if query.parameters.is_empty() {
        return Err(Failure::new(
            Kind::Required,
            "The condition has no search parameter, so it would match everything. Give one, such as identifier=system|value.",
        ));
    }
    let mut plan = compile(&engine.catalogue, &query, None, scope, now())?;
    plan.limit = 2;
    Ok(plan)
}

/// Two conditions that may mean the same resource must share a lock: the part
/// of each value behind the system is the same in `value` and `system|value`.
fn locks(resource_type: &str, pairs: &[(String, String)]) -> Vec<i64> {
    let mut locks: Vec<i64> = pairs
        .iter()
        .map(|(name, value)| {
            let name = name.split(':').next().unwrap_or(name);
            let value = value.rsplit('|').next().unwrap_or(value);
            let digest = Sha256::digest(format!("{resource_type}\n{name}\n{value}"));
            digest
                .iter()
                .take(8)
                .fold(0_i64, |lock, byte| (lock << 8) | i64::from(*byte))
        })
        .collect();
    locks.sort_unstable();
    locks.dedup();
    locks
}

pub fn ambiguous(what: &str) -> Failure {
    Failure::new(
        Kind::MultipleMatches,
        format!("{what} matches more than one resource. Make the criteria more specific."),
    )
}

pub fn contended() -> Failure {
    Failure::new(
        Kind::Conflict,
        "Other requests keep writing the same resource. Nothing was written; try again.",
    )
}
