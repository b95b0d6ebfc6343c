//! What the operations have in common: slots and appointments as they stand,
//! and both written in one commit.

use serde_json::{Map, Value, json};

use crate::fhir::answer::Answer;
use crate::fhir::engine::Draft;
use crate::fhir::operation::Call;
use crate::fhir::operation::records::Version;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::record::{Guard, Method, ResourceKey};
use crate::fhir::resource::Resource;
use crate::fhir::search::path::{items, text};
use crate::fhir::search::reference::{Base, local};
use crate::fhir::write_error::WriteError;

/// A parameter that refers to something of this type.
pub fn reference(
    call: &Call<'_>,
    name: &str,
    types: &[&str],
) -> Result<Option<ResourceKey>, Failure> {
    let Some(text) = call.arguments.text(name) else {
        return Ok(None);
    };
    let base = Base::new(&call.engine.settings.base_url);
    let key = base.normalise(text).and_then(local);
    let key = key.filter(|key| types.contains(&key.resource_type.as_str()));
    key.map(Some).ok_or_else(|| {
        Failure::new(
            Kind::Value,
            format!("{name} is a {} of this service.", types.join(" or ")),
        )
    })
}

/// What an element of this name refers to on this service.
pub fn links(base: &Base, content: &Map<String, Value>, name: &str) -> Vec<ResourceKey> {
    let links = items(content, name).iter().filter_map(Value::as_object);
    links
        .filter_map(|link| local(base.normalise(text(link, "reference")?)?))
        .collect()
}

/// The change of a version that was read.
pub fn changed(version: Version, change: impl FnOnce(&mut Map<String, Value>)) -> Draft {
    let mut resource: Resource = version.resource;
    change(&mut resource.content);
    Draft {
        key: version.key,
        method: Method::Put,
        guard: Guard::VersionIs(version.version),
        content: Some(resource.into()),
    }
}

/// Writes and answers with the appointment, which is the first draft.
pub async fn write(call: &Call<'_>, drafts: Vec<Draft>) -> Result<Answer, Failure> {
    for draft in &drafts {
        if let Some(resource) = &draft.content {
            call.engine.check(resource)?;
        }
    }
    let done = call.engine.write(call.authority, drafts).await;
    let done = done.map_err(|error| match error {
        WriteError::Conflict { .. } => taken(),
        error => error.into(),
    })?;
    let shown = done.stored(0).filter(|_| done.shown.first() == Some(&true));
    Ok(bundle(call, shown.into_iter().collect()))
}

pub fn taken() -> Failure {
    Failure::new(
        Kind::Conflict,
        "Somebody else has just taken it. Ask $find again.",
    )
}

/// A searchset of appointments, stored ones and proposals.
pub fn bundle(call: &Call<'_>, appointments: Vec<Value>) -> Answer {
    let base = &call.engine.settings.base_url;
    let entries: Vec<Value> = appointments
        .into_iter()
        .map(|one| {
            let full_url = match one.get("id").and_then(Value::as_str) {
                Some(id) => format!("{base}/Appointment/{id}"),
                None => format!("urn:uuid:{}", uuid::Uuid::now_v7()),
            };
            json!({"fullUrl": full_url, "resource": one, "search": {"mode": "match"}})
        })
        .collect();
    let mut content =
        json!({"resourceType": "Bundle", "type": "searchset", "total": entries.len()});
    if let (false, Some(members)) = (entries.is_empty(), content.as_object_mut()) {
        members.insert("entry".to_owned(), entries.into());
    }
    Answer::content(200, content.to_string())
}
