//! create and conditional create. <https://hl7.org/fhir/R4/http.html#create>

use super::super::answer::{Answer, location};
use super::super::authority::{Authority, Permission};
use super::super::engine::{Draft, Engine};
use super::super::outcome::{Failure, Kind};
use super::super::request::{Request, Return};
use super::super::resource::{Resource, render};
use super::super::write_error::WriteError;
use super::condition::{self, Matches};
use super::written;
use crate::store::{Conflict, Guard, Method, ResourceKey, Stored};

/// How often a lost race is tried again before the client hears of it.
pub const ATTEMPTS: usize = 16;

pub async fn create(
    engine: &Engine,
    authority: &dyn Authority,
    request: Request,
    resource_type: &str,
) -> Result<Answer, Failure> {
    let resource = checked(engine, request.content.into_resource()?, resource_type)?;
    let criteria = request.preconditions.if_none_exist.as_deref();
    let Some(criteria) = criteria else {
        let draft = new_draft(resource, Guard::New);
        let done = engine.write(authority, vec![draft]).await?;
        return written(request.prefer, &done, 0);
    };
    // What is found is answered without a write, and is no less a create.
    authority.scope(Permission::Create, Some(resource_type))?;
    for _ in 0..ATTEMPTS {
        let guard = match condition::find(engine, authority, resource_type, criteria).await? {
            Matches::One(stored) => return Ok(existing(request.prefer, &stored)),
            Matches::Many => return Err(condition::ambiguous("If-None-Exist")),
            Matches::None(guard) => guard,
        };
        let draft = new_draft(resource.clone(), guard);
        match engine.write(authority, vec![draft]).await {
            Ok(done) => return written(request.prefer, &done, 0),
            Err(WriteError::Conflict {
                conflict: Conflict::Matched,
                ..
            }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(condition::contended())
}

/// A resource of the wanted type whose structure is R4.
pub fn checked(
    engine: &Engine,
    content: serde_json::Map<String, serde_json::Value>,
    resource_type: &str,
) -> Result<Resource, Failure> {
    let resource = Resource::from_object(content)?;
    if resource.resource_type != resource_type {
        return Err(Failure::at(
            Kind::Structure,
            "resourceType",
            format!(
                "The address is that of {resource_type}, the content is not. Send a {resource_type}, or send it to the address of its type."
            ),
        ));
    }
    engine.check(&resource)?;
    Ok(resource)
}

/// A draft under a new id; the client's id, if any, is not used.
pub fn new_draft(mut resource: Resource, guard: Guard) -> Draft {
    let id = uuid::Uuid::now_v7().to_string();
    resource.content.insert("id".to_owned(), id.clone().into());
    Draft {
        key: ResourceKey::new(resource.resource_type.as_str(), id),
        method: Method::Post,
        guard,
        content: Some(resource.into()),
    }
}

/// The answer of a conditional create that found its resource.
pub fn existing(prefer: Return, stored: &Stored) -> Answer {
    Answer {
        status: 200,
        content: match prefer {
            Return::Minimal => None,
            Return::Representation => render(stored),
            Return::OperationOutcome => Some(super::done(&[])),
        },
        version: Some(stored.version),
        updated: Some(stored.updated),
        location: Some(location(&stored.key, stored.version)),
        shown: vec![stored.into()],
        ..Answer::default()
    }
}
