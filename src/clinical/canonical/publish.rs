//! Brings what is stored up to date with the knowledge base: a few reads by id
//! where it is, one commit where it is not, and a new version only of what has changed.

use serde_json::{Map, Value};

use super::resources;
use crate::clinical::knowledge::Knowledge;
use crate::fhir::authority::Authority;
use crate::fhir::engine::{Draft, Engine};
use crate::fhir::operation::Records;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::record::{Guard, Method, ResourceKey};
use crate::fhir::resource::Resource;
use crate::fhir::write_error::WriteError;

/// Instances that start together meet in the same rows: whoever comes second
/// finds that there is nothing left to do.
const ATTEMPTS: usize = 5;

pub async fn publish(
    engine: &Engine,
    authority: &dyn Authority,
    knowledge: &Knowledge,
) -> Result<(), Failure> {
    let wanted = wanted(engine, knowledge);
    let mut last = None;
    for _ in 0..ATTEMPTS {
        let drafts = outdated(engine, &wanted).await?;
        if drafts.is_empty() {
            return Ok(());
        }
        match engine.write(authority, drafts).await {
            Ok(_) => return Ok(()),
            Err(conflict @ WriteError::Conflict { .. }) => last = Some(conflict),
            Err(error) => return Err(error.into()),
        }
    }
    last.map_or(Ok(()), |conflict| Err(conflict.into()))
}

/// Of the types that the service has.
fn wanted(engine: &Engine, knowledge: &Knowledge) -> Vec<(ResourceKey, Map<String, Value>)> {
    let resources = resources(knowledge).into_iter();
    let objects = resources.filter_map(|resource| match resource {
        Value::Object(content) => Some((key(&content)?, content)),
        _ => None,
    });
    objects
        .filter(|(key, _)| engine.exposes(&key.resource_type))
        .collect()
}

pub fn key(content: &Map<String, Value>) -> Option<ResourceKey> {
    let text = |name: &str| content.get(name).and_then(Value::as_str);
    Some(ResourceKey::new(text("resourceType")?, text("id")?))
}

async fn outdated(
    engine: &Engine,
    wanted: &[(ResourceKey, Map<String, Value>)],
) -> Result<Vec<Draft>, Failure> {
    let records = Records::all(engine);
    let mut drafts = Vec::new();
    for (key, content) in wanted {
        let guard = match records.read(key).await {
            Ok(found) if same(content, &found.resource.content) => continue,
            Ok(found) => Guard::VersionIs(found.version),
            Err(failure) => match failure.kind {
                Kind::NotFound => Guard::Absent,
                Kind::Deleted => Guard::None,
                _ => return Err(failure),
            },
        };
        drafts.push(Draft {
            key: key.clone(),
            method: Method::Put,
            guard,
            content: Some(Resource::from_object(content.clone())?.into()),
        });
    }
    Ok(drafts)
}

pub fn same(wanted: &Map<String, Value>, stored: &Map<String, Value>) -> bool {
    let own = |content: &Map<String, Value>| {
        let mut content = content.clone();
        content.remove("meta");
        content
    };
    own(wanted) == own(stored)
}
