//! patch with JSON Patch (RFC 6902) and FHIRPath Patch.
//! <https://hl7.org/fhir/R4/http.html#patch>

use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::super::answer::Answer;
use super::super::authority::{Authority, Permission};
use super::super::definitions::Definitions;
use super::super::engine::{Draft, Engine};
use super::super::outcome::{Failure, Kind};
use super::super::request::{Content, Preconditions, Request};
use super::super::resource::{Resource, parse_stored};
use super::super::validate;
use super::super::write_error::WriteError;
use super::condition::{self, Matches};
use super::create::ATTEMPTS;
use super::fhirpath_patch;
use super::history::admits;
use super::patch_bound::DocumentBound;
use super::precondition::hold;
use super::read::{current, gone};
use super::update::criteria;
use super::written;
use crate::budget;
use crate::store::{Guard, Method, ResourceKey, Stored};

pub async fn patch(
    engine: &Engine,
    authority: &dyn Authority,
    request: Request,
    key: ResourceKey,
) -> Result<Answer, Failure> {
    let operations = operations(engine.definitions, &request.content)?;
    for _ in 0..ATTEMPTS {
        let stored = base(engine, authority, &key).await?;
        let draft = draft(engine, &stored, &operations, &request.preconditions)?;
        match engine.write(authority, vec![draft]).await {
            Ok(done) => return written(request.prefer, &done, 0),
            // Looked at anew, `If-Match` tells what has changed.
            Err(WriteError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(condition::contended())
}

pub async fn conditional_patch(
    engine: &Engine,
    authority: &dyn Authority,
    request: Request,
    resource_type: &str,
) -> Result<Answer, Failure> {
    let key = target(engine, authority, resource_type, &criteria(&request.query)).await?;
    patch(engine, authority, request, key).await
}

/// The one resource that the criteria of a conditional patch match.
pub async fn target(
    engine: &Engine,
    authority: &dyn Authority,
    resource_type: &str,
    criteria: &str,
) -> Result<ResourceKey, Failure> {
    for permission in [Permission::Update, Permission::Read] {
        authority.scope(permission, Some(resource_type))?;
    }
    match condition::find(engine, authority, resource_type, criteria).await? {
        Matches::One(stored) => Ok(stored.key),
        Matches::Many => Err(condition::ambiguous("The condition")),
        Matches::None(_) => Err(Failure::new(
            Kind::NotFound,
            format!("No {resource_type} matches the condition, so there is nothing to patch."),
        )),
    }
}

/// The version to patch. Whether a patch applies tells what the resource
/// holds, so that only who may read it may patch it.
pub async fn base(
    engine: &Engine,
    authority: &dyn Authority,
    key: &ResourceKey,
) -> Result<Stored, Failure> {
    let readable = authority.scope(Permission::Read, Some(&key.resource_type))?;
    let stored = current(engine, authority, Permission::Update, key).await?;
    if admits(engine, &readable, &stored)? {
        return Ok(stored);
    }
    Err(Failure::new(
        Kind::Forbidden,
        "The token may not read this resource, and a patch would tell what is in it. Send the whole resource by PUT.",
    ))
}

/// Operations of one patch: each may have to look at the whole document.
pub const MOST_OPERATIONS: usize = 1_000;

/// What a patch does, in one of its two languages.
#[derive(Debug)]
pub enum Operations {
    Json(json_patch::Patch),
    FhirPath(Vec<fhirpath_patch::Operation>),
    Merge(Map<String, Value>),
}

/// Reads the patch document of a request.
pub fn operations(definitions: &Definitions, content: &Content) -> Result<Operations, Failure> {
    match content {
        Content::JsonPatch(document) => {
            if document
                .as_array()
                .is_some_and(|list| list.len() > MOST_OPERATIONS)
            {
                return Err(too_many_operations());
            }
            let patch = json_patch::Patch::deserialize(document);
            patch.map(Operations::Json).map_err(|error| {
                let text = format!("The content is not a JSON Patch (RFC 6902): {error}.");
                Failure::new(Kind::Structure, text)
            })
        }
        Content::Resource(parameters) if is_parameters(parameters) => {
            let issues = validate::check(definitions, parameters);
            if !issues.is_empty() {
                return Err(Failure::of_issues(Kind::Structure, issues));
            }
            fhirpath_patch::read(parameters).map(Operations::FhirPath)
        }
        Content::MergePatch(document) => Ok(Operations::Merge(document.clone())),
        Content::Resource(_) | Content::None => Err(Failure::new(
            Kind::UnsupportedMediaType,
            "PATCH takes a JSON Patch (RFC 6902), an array of operations as application/json-patch+json, a JSON Merge Patch (RFC 7396) as application/merge-patch+json, or a FHIRPath Patch, a Parameters resource as application/fhir+json.",
        )),
    }
}

pub fn is_parameters(content: &Map<String, Value>) -> bool {
    content.get("resourceType").and_then(Value::as_str) == Some("Parameters")
}

/// The patched resource as a draft that holds only against the version read.
pub fn draft(
    engine: &Engine,
    stored: &Stored,
    operations: &Operations,
    conditions: &Preconditions,
) -> Result<Draft, Failure> {
    hold(conditions, Some(stored.version))?;
    let resource = parse_stored(stored)?.ok_or_else(|| gone(stored))?;
    let bound = DocumentBound::from_limits(&engine.settings.limits);
    let document = Value::Object(resource.content);
    let patched = apply(engine.definitions, document, operations, &bound)?;
    bound.refuse_oversized(&patched)?;
    let patched = match patched {
        Value::Object(content) => Resource::from_object(content)?,
        _ => {
            return Err(Failure::new(
                Kind::BusinessRule,
                "The patch replaces the resource by something that is not an object.",
            ));
        }
    };
    if patched.resource_type != stored.key.resource_type || patched.id() != Some(&stored.key.id) {
        return Err(Failure::new(
            Kind::BusinessRule,
            "The patch changes resourceType or id, which name the resource. Patch other elements only.",
        ));
    }
    engine.check(&patched)?;
    Ok(Draft {
        key: stored.key.clone(),
        method: Method::Patch,
        guard: Guard::VersionIs(stored.version),
        content: Some(patched.into()),
    })
}

/// The document with every operation done to it, or none.
pub fn apply(
    definitions: &Definitions,
    document: Value,
    operations: &Operations,
    bound: &DocumentBound,
) -> Result<Value, Failure> {
    match (operations, document) {
        (Operations::Json(operations), document) => apply_json(document, operations, bound),
        (Operations::Merge(changes), document) => Ok(apply_merge(definitions, document, changes)),
        (Operations::FhirPath(operations), Value::Object(content)) => {
            fhirpath_patch::apply(definitions, content, operations).map(Value::Object)
        }
        // No resource: nothing that a path could name.
        (Operations::FhirPath(_), document) => Ok(document),
    }
}

/// Each member replaces the one of its name, and null removes it. A primitive's extensions
/// stand beside it, and go with the value that they were about.
fn apply_merge(
    definitions: &Definitions,
    mut document: Value,
    changes: &Map<String, Value>,
) -> Value {
    json_patch::merge(&mut document, &Value::Object(changes.clone()));
    if let Some(members) = document.as_object_mut() {
        let named = members.get("resourceType").and_then(Value::as_str);
        let known = named.and_then(|name| definitions.type_definition(name));
        for name in changes.keys() {
            let beside = format!("_{name}");
            let of_resource = known.is_some_and(|known| known.properties.contains_key(name));
            if of_resource && !changes.contains_key(&beside) {
                members.shift_remove(&beside);
            }
        }
    }
    document
}

/// One operation at a time, so that the document never grows beyond its bound.
fn apply_json(
    mut document: Value,
    operations: &json_patch::Patch,
    bound: &DocumentBound,
) -> Result<Value, Failure> {
    let mut growth = bound.measure(&document)?;
    for (number, operation) in operations.0.iter().enumerate() {
        budget::charge_operation()?;
        growth.add_operation(&document, operation)?;
        json_patch::patch(&mut document, std::slice::from_ref(operation)).map_err(|error| {
            Failure::new(
                Kind::BusinessRule,
                format!(
                    "Operation {number} of the patch (path \"{}\") cannot be applied: {}. Nothing was changed.",
                    error.path, error.kind
                ),
            )
        })?;
    }
    Ok(document)
}

/// The same for both languages.
pub fn too_many_operations() -> Failure {
    let text = format!("The patch has more than {MOST_OPERATIONS} operations. Split it.");
    Failure::new(Kind::TooLarge, text)
}
