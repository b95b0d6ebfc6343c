//! read. <https://hl7.org/fhir/R4/http.html#read>

use super::super::answer::Answer;
use super::super::authority::{Authority, Permission, Sight};
use super::super::engine::{Engine, unavailable};
use super::super::outcome::{Failure, Kind};
use super::super::request::{Preconditions, Request};
use super::super::view::View;
use super::history::admits;
use crate::store::{ResourceKey, Scope, Stored};

pub async fn read(
    engine: &Engine,
    authority: &dyn Authority,
    request: &Request,
    key: &ResourceKey,
) -> Result<Answer, Failure> {
    let view = View::of_resource(request)?;
    let stored = current(engine, authority, Permission::Read, key).await?;
    if unchanged(&request.preconditions, &stored) {
        return Ok(Answer {
            status: 304,
            content: None,
            ..Answer::stored(304, &stored)
        });
    }
    view.apply(engine.definitions, Answer::stored(200, &stored))
}

/// The live current version: unknown -> 404, deleted -> 410.
pub async fn current(
    engine: &Engine,
    authority: &dyn Authority,
    permission: Permission,
    key: &ResourceKey,
) -> Result<Stored, Failure> {
    match visible(engine, authority, permission, key).await? {
        Some(stored) if stored.body.is_some() => Ok(stored),
        Some(stored) => Err(gone(&stored)),
        None => Err(not_found(key)),
    }
}

/// The same, deletions included; `None`: there is none, or none for this caller.
pub async fn visible(
    engine: &Engine,
    authority: &dyn Authority,
    permission: Permission,
    key: &ResourceKey,
) -> Result<Option<Stored>, Failure> {
    let (asked, judged) = match authority.sight(permission, &key.resource_type)? {
        Sight::ByRows(scope) => (scope, None),
        Sight::ByContent(scope) => (Scope::everything(), Some(scope)),
    };
    let found = engine.store.read(&asked, std::slice::from_ref(key)).await;
    let found = found.map_err(|error| unavailable(&error))?;
    match (found.into_iter().next().flatten(), judged) {
        (Some(stored), Some(scope)) if !admits(engine, &scope, &stored)? => Ok(None),
        (found, _) => Ok(found),
    }
}

pub fn not_found(key: &ResourceKey) -> Failure {
    Failure::new(Kind::NotFound, format!("There is no {key} here."))
}

pub fn gone(stored: &Stored) -> Failure {
    Failure::new(
        Kind::Deleted,
        format!(
            "{key} was deleted. Its past versions are at {key}/_history.",
            key = stored.key
        ),
    )
}

/// <https://hl7.org/fhir/R4/http.html#cread>. `If-None-Match` outweighs the date.
fn unchanged(conditions: &Preconditions, stored: &Stored) -> bool {
    if let Some(tags) = &conditions.if_none_match {
        return tags
            .split(',')
            .any(|tag| tag.trim() == "*" || version_of(tag) == Some(stored.version));
    }
    // HTTP dates have whole seconds.
    conditions
        .if_modified_since
        .is_some_and(|since| stored.updated.div_euclid(1_000_000) <= since.div_euclid(1_000_000))
}

/// The version that an entity tag names: `W/"3"`, `"3"` or `3`.
pub fn version_of(tag: &str) -> Option<i64> {
    let tag = tag.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    tag.trim_matches('"').parse().ok()
}
