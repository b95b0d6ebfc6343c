//! What every draft passes, by whichever way it comes: what never becomes a record is
//! refused here, and references to records of this service become canonical.

use std::sync::Arc;

use serde_json::Value;

use super::engine::{Draft, Engine};
use super::interaction::links;
use super::outcome::{Failure, Kind};
use super::request::Verb;
use super::resource::Resource;
use super::search::path::{items, text};

/// The audit trail, which nobody writes but the service itself.
pub const AUDIT_EVENT: &str = "AuditEvent";

/// What is not built yet: a stored one would promise messages that never come.
pub const SUBSCRIPTION: &str = "Subscription";

/// <https://hl7.org/fhir/R4/search.html#summary>, in the systems of R4 and before, and
/// without one: the mark says that something is missing.
const SUBSETTED: &str = "SUBSETTED";

/// A type that cannot be stored, and what to use instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    Trail,
    Unbuilt,
}

/// Whether resources of the type can be stored.
pub fn closed(resource_type: &str) -> Option<Closed> {
    match resource_type {
        AUDIT_EVENT => Some(Closed::Trail),
        SUBSCRIPTION => Some(Closed::Unbuilt),
        _ => None,
    }
}

/// Refuses a write of the type; what was stored by an earlier version can be deleted.
pub fn refuse_closed(resource_type: &str, is_deletion: bool) -> Result<(), Failure> {
    match closed(resource_type) {
        Some(Closed::Trail) => Err(Failure::not_allowed(
            "AuditEvents are made by the service alone: nobody creates, changes or deletes them. They can be read and searched.",
            &[Verb::Get],
        )),
        Some(Closed::Unbuilt) if !is_deletion => Err(Failure::not_allowed(
            "Subscription is not supported yet: this service sends no notifications, so it takes no Subscription. Poll with _lastUpdated or _history instead.",
            &[Verb::Get, Verb::Delete],
        )),
        _ => Ok(()),
    }
}

/// The draft as it is stored, or why it never is.
pub fn admit(engine: &Engine, draft: &mut Draft) -> Result<(), Failure> {
    refuse_closed(&draft.key.resource_type, draft.content.is_none())?;
    let Some(resource) = &mut draft.content else {
        return Ok(());
    };
    refuse_subset(resource)?;
    canonicalise(engine, resource)
}

/// Writes each reference to a record of this service as `Type/id`. What is left as a
/// condition is for a transaction to look up.
pub fn canonicalise(engine: &Engine, resource: &mut Arc<Resource>) -> Result<(), Failure> {
    let (definitions, base) = (engine.definitions, &engine.catalogue.base);
    if links::are_canonical(base, &resource.content) {
        return Ok(());
    }
    links::canonicalise(definitions, base, &mut Arc::make_mut(resource).content)
}

/// A part of a resource in the place of the whole one would lose the rest of it.
pub fn refuse_subset(resource: &Resource) -> Result<(), Failure> {
    let meta = resource.content.get("meta").and_then(Value::as_object);
    let mut tags = meta.into_iter().flat_map(|meta| items(meta, "tag"));
    let is_mark = |tag: &Value| {
        let code = tag.as_object().and_then(|coding| text(coding, "code"));
        code.is_some_and(|code| code.eq_ignore_ascii_case(SUBSETTED))
    };
    if !tags.any(is_mark) {
        return Ok(());
    }
    Err(Failure::at(
        Kind::BusinessRule,
        format!("{}.meta.tag", resource.resource_type),
        "The content is marked SUBSETTED: it is a part of a resource, and storing it would lose the rest. Read the whole resource (without _summary and _elements), change that and send it.",
    ))
}
