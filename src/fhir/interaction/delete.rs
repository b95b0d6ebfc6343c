//! delete and conditional delete (of one resource).
//! <https://hl7.org/fhir/R4/http.html#delete>

use super::super::answer::Answer;
use super::super::authority::{Authority, Permission};
use super::super::engine::{Draft, Engine};
use super::super::outcome::Failure;
use super::super::request::{Preconditions, Request, Return};
use super::super::write_error::WriteError;
use super::condition::{self, Matches};
use super::create::ATTEMPTS;
use super::precondition::{guarded, hold};
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
    for _ in 0..ATTEMPTS {
        let (draft, again) = draft(engine, authority, key.clone(), &request.preconditions).await?;
        match engine.write(authority, vec![draft]).await {
            Ok(done) => return written(request.prefer, &done, 0),
            Err(WriteError::Conflict { .. }) if again => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(condition::contended())
}

/// The draft, and whether a lost race may be tried again.
pub async fn draft(
    engine: &Engine,
    authority: &dyn Authority,
    key: ResourceKey,
    conditions: &Preconditions,
) -> Result<(Draft, bool), Failure> {
    let write = guarded(engine, authority, Permission::Delete, &key, conditions).await?;
    Ok((deletion(key, write.guard), write.again))
}

fn deletion(key: ResourceKey, guard: Guard) -> Draft {
    Draft {
        key,
        method: Method::Delete,
        guard,
        content: None,
    }
}

pub async fn conditional_delete(
    engine: &Engine,
    authority: &dyn Authority,
    request: &Request,
    resource_type: &str,
) -> Result<Answer, Failure> {
    let criteria = criteria(&request.query);
    let conditions = &request.preconditions;
    for _ in 0..ATTEMPTS {
        let draft = conditional_draft(engine, authority, conditions, resource_type, &criteria);
        let Some(draft) = draft.await? else {
            return Ok(nothing(request.prefer));
        };
        match engine.write(authority, vec![draft]).await {
            Ok(done) => return written(request.prefer, &done, 0),
            Err(WriteError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(condition::contended())
}

/// The deletion of the one resource that the criteria match, in the version that matched
/// them; `None` where nothing does.
pub async fn conditional_draft(
    engine: &Engine,
    authority: &dyn Authority,
    conditions: &Preconditions,
    resource_type: &str,
    criteria: &str,
) -> Result<Option<Draft>, Failure> {
    authority.scope(Permission::Delete, Some(resource_type))?;
    match condition::find(engine, authority, resource_type, criteria).await? {
        Matches::One(stored) => {
            hold(conditions, Some(stored.version))?;
            Ok(Some(deletion(stored.key, Guard::VersionIs(stored.version))))
        }
        Matches::Many => Err(condition::ambiguous("The condition")),
        Matches::None(_) => hold(conditions, None).map(|()| None),
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
