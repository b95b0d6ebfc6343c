//! update, update as create, conditional update.
//! <https://hl7.org/fhir/R4/http.html#update>

use super::super::answer::Answer;
use super::super::authority::{Authority, Permission};
use super::super::engine::{Draft, Engine, unavailable};
use super::super::judge::{may_choose_ids, no_id_of_its_own};
use super::super::outcome::{Failure, Kind};
use super::super::request::{Preconditions, Request};
use super::super::resource::Resource;
use super::super::validate::id;
use super::super::write_error::WriteError;
use super::condition::{self, Matches};
use super::create::{ATTEMPTS, checked, new_draft};
use super::precondition::{guarded, hold};
use super::unheard::GENERAL;
use super::written;
use crate::store::{Conflict, Guard, Method, ResourceKey, Scope};

pub async fn update(
    engine: &Engine,
    authority: &dyn Authority,
    request: Request,
    key: ResourceKey,
) -> Result<Answer, Failure> {
    let content = request.content.into_resource()?;
    for _ in 0..ATTEMPTS {
        let (content, key) = (content.clone(), key.clone());
        let (draft, again) = draft(engine, authority, content, key, &request.preconditions).await?;
        match engine.write(authority, vec![draft]).await {
            Ok(done) => return written(request.prefer, &done, 0),
            Err(WriteError::Conflict { .. }) if again => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(condition::contended())
}

/// The draft of a PUT to `Type/id` (the content names the same id), and whether a lost
/// race may be tried again.
pub async fn draft(
    engine: &Engine,
    authority: &dyn Authority,
    content: serde_json::Map<String, serde_json::Value>,
    key: ResourceKey,
    conditions: &Preconditions,
) -> Result<(Draft, bool), Failure> {
    let resource = checked(engine, content, &key.resource_type)?;
    match resource.id() {
        Some(id) if id == key.id => {}
        Some(_) => {
            return Err(id_problem(
                Kind::Value,
                &key,
                "The id in the content is not the one in the address",
            ));
        }
        None => {
            return Err(id_problem(Kind::Required, &key, "The content has no id"));
        }
    }
    let write = guarded(engine, authority, Permission::Update, &key, conditions).await?;
    let draft = Draft {
        key,
        method: Method::Put,
        guard: write.guard,
        content: Some(resource.into()),
    };
    Ok((draft, write.again))
}

fn id_problem(kind: Kind, key: &ResourceKey, text: &str) -> Failure {
    Failure::at(
        kind,
        format!("{}.id", key.resource_type),
        format!("{text}. Send \"id\": \"{}\".", key.id),
    )
}

pub async fn conditional_update(
    engine: &Engine,
    authority: &dyn Authority,
    request: Request,
    resource_type: &str,
) -> Result<Answer, Failure> {
    let resource = checked(engine, request.content.into_resource()?, resource_type)?;
    let criteria = criteria(&request.query);
    for _ in 0..ATTEMPTS {
        let (draft, retry) = conditional_draft(
            engine,
            authority,
            &request.preconditions,
            &resource,
            &criteria,
        )
        .await?;
        match engine.write(authority, vec![draft]).await {
            Ok(done) => return written(request.prefer, &done, 0),
            Err(WriteError::Conflict { conflict, .. })
                if retry || conflict == Conflict::Matched => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(condition::contended())
}

/// The criteria of a conditional interaction as they stood in the address.
pub fn criteria(query: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(
            query
                .iter()
                .filter(|(name, _)| !GENERAL.contains(&name.as_str())),
        )
        .finish()
}

/// The draft of a PUT to `Type?criteria`, and whether a lost race may be tried
/// again (it may not where the client named a version).
pub async fn conditional_draft(
    engine: &Engine,
    authority: &dyn Authority,
    conditions: &Preconditions,
    resource: &Resource,
    criteria: &str,
) -> Result<(Draft, bool), Failure> {
    let mut resource = resource.clone();
    match condition::find(engine, authority, &resource.resource_type, criteria).await? {
        Matches::Many => Err(condition::ambiguous("The condition")),
        Matches::One(stored) => {
            if resource.id().is_some_and(|id| id != stored.key.id) {
                return Err(Failure::at(
                    Kind::Value,
                    format!("{}.id", resource.resource_type),
                    "The condition matches a resource with another id. Leave the id out, or send the id of the match.",
                ));
            }
            resource
                .content
                .insert("id".to_owned(), stored.key.id.clone().into());
            hold(conditions, Some(stored.version))?;
            let draft = Draft {
                key: stored.key,
                method: Method::Put,
                guard: Guard::VersionIs(stored.version),
                content: Some(resource.into()),
            };
            Ok((draft, true))
        }
        Matches::None(guard) => {
            hold(conditions, None)?;
            let draft = match resource.id() {
                None => new_draft(resource, guard),
                Some(id) => {
                    let key = ResourceKey::new(resource.resource_type.as_str(), id);
                    create_as(engine, authority, key, resource).await?
                }
            };
            Ok((draft, true))
        }
    }
}

/// No match, and the client brought an id: it must still be free.
async fn create_as(
    engine: &Engine,
    authority: &dyn Authority,
    key: ResourceKey,
    resource: Resource,
) -> Result<Draft, Failure> {
    if !id::is_legal(&key.id) {
        return Err(id_problem(Kind::Value, &key, "The id is not legal"));
    }
    if !may_choose_ids(authority, &key.resource_type) {
        return Err(no_id_of_its_own(&key.resource_type));
    }
    // Whether the id is free is no question of what the caller may see.
    let found = engine
        .store
        .read(&Scope::everything(), std::slice::from_ref(&key))
        .await
        .map_err(|error| unavailable(&error))?;
    let guard = match found.into_iter().next().flatten() {
        None => Guard::Absent,
        Some(stored) if stored.body.is_none() => Guard::None,
        Some(_) => {
            return Err(Failure::at(
                Kind::Conflict,
                format!("{}.id", key.resource_type),
                "Nothing matches the condition, but the id is in use by another resource. Leave the id out to create a new one.",
            ));
        }
    };
    Ok(Draft {
        key,
        method: Method::Put,
        guard,
        content: Some(resource.into()),
    })
}
