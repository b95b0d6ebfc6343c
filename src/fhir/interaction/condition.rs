//! Criteria that stand for a resource: `If-None-Exist`, conditional update,
//! patch and delete, conditional references, and `If-Match`.
//!
//! <https://hl7.org/fhir/R4/http.html#cond-update>

use sha2::{Digest, Sha256};

use super::super::authority::{Authority, Permission};
use super::super::engine::{Engine, now, unavailable};
use super::super::index::refusal;
use super::super::outcome::{Failure, Kind};
use super::super::request::{Preconditions, parse_query};
use super::super::search::compile;
use super::read::version_of;
use super::search::query;
use crate::store::{Guard, SearchPlan, Stored};

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
    let mut rows = engine
        .store
        .search(&plan)
        .await
        .map_err(|error| unavailable(&error))?
        .rows;
    Ok(match (rows.pop(), rows.is_empty()) {
        (None, _) => Matches::None(Guard::NoMatch {
            plan: Box::new(plan),
            locks: locks(resource_type, &pairs),
        }),
        (Some(stored), true) => Matches::One(Box::new(stored)),
        (Some(_), false) => Matches::Many,
    })
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

/// The guard of an `If-Match`, or `otherwise`.
pub fn if_match(conditions: &Preconditions, otherwise: Guard) -> Result<Guard, Failure> {
    match &conditions.if_match {
        None => Ok(otherwise),
        Some(tag) => version_of(tag).map(Guard::VersionIs).ok_or_else(|| {
            Failure::new(
                Kind::VersionConflict,
                "If-Match is not an ETag of this service. Send the ETag of the last read, such as W/\"3\".",
            )
        }),
    }
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
