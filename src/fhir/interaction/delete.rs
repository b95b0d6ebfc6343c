//! delete and conditional delete (of one resource).
//! <https://hl7.org/fhir/R4/http.html#delete>

use super::super::answer::Answer;
use super::super::authority::{Authority, Permission};
use super::super::engine::{Draft, Engine};
use super::super::outcome::Failure;
use super::super::request::{Preconditions, Request, Return};
use super::condition::{self, Matches};
use super::update::criteria;
use super::written;
use crate::store::{Guard, Method, ResourceKey};

/// Deleting what is not there succeeds: the client's wish is met.
pub async fn delete(
    engine: &Engine,
    authority: &dyn Authority,
    request: &Request,
    key: ResourceKey,
) -> Result<Answer, Failure> {
    let draft = draft(key, &request.preconditions)?;
    let done = engine.write(authority, vec![draft]).await?;
    written(request.prefer, &done, 0)
}

pub fn draft(key: ResourceKey, conditions: &Preconditions) -> Result<Draft, Failure> {
    Ok(Draft {
        key,
        method: Method::Delete,
        guard: condition::if_match(conditions, Guard::None)?,
        content: None,
    })
}

pub async fn conditional_delete(
    engine: &Engine,
    authority: &dyn Authority,
    request: &Request,
    resource_type: &str,
) -> Result<Answer, Failure> {
    let criteria = criteria(&request.query);
    match target(engine, authority, resource_type, &criteria).await? {
        Some(key) => delete(engine, authority, request, key).await,
        None => Ok(nothing(request.prefer)),
    }
}

/// The one resource that the criteria match; `None` where nothing does.
pub async fn target(
    engine: &Engine,
    authority: &dyn Authority,
    resource_type: &str,
    criteria: &str,
) -> Result<Option<ResourceKey>, Failure> {
    authority.scope(Permission::Delete, Some(resource_type))?;
    match condition::find(engine, authority, resource_type, criteria).await? {
        Matches::One(stored) => Ok(Some(stored.key)),
        Matches::Many => Err(condition::ambiguous("The condition")),
        Matches::None(_) => Ok(None),
    }
}

/// The answer of a conditional delete that matched nothing.
pub fn nothing(prefer: Return) -> Answer {
    match prefer {
        Return::OperationOutcome => Answer::content(200, super::done(&[])),
        Return::Minimal | Return::Representation => Answer {
            status: 204,
            ..Answer::default()
        },
    }
}
