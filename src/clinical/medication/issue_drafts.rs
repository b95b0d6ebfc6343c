//! DetectedIssues as drafts of the commit that brings their medicine.

use serde_json::{Map, Value};

use super::{guard, issue};
use crate::fhir::engine::Draft;
use crate::fhir::outcome::Failure;
use crate::fhir::record::{Guard, Method, ResourceKey};
use crate::fhir::resource::Resource;
use crate::fhir::rule::Review;

pub fn key_of(content: &Map<String, Value>) -> ResourceKey {
    let id = content
        .get("id")
        .and_then(Value::as_str)
        .unwrap_or_default();
    ResourceKey::new("DetectedIssue", id)
}

/// Writes the issue where it differs, and otherwise keeps it as it is. Where
/// the same commit brings a mitigation for it, that one is taken over.
pub fn put(
    drafts: &mut Vec<Draft>,
    review: &mut Review,
    key: ResourceKey,
    guard: Guard,
    new: Map<String, Value>,
    old: Option<&Map<String, Value>>,
) -> Result<(), Failure> {
    let mut new = match old {
        Some(old) => issue::merged(new, old),
        None => new,
    };
    new.insert("id".to_owned(), key.id.as_str().into());
    if let Some(draft) = drafts.iter_mut().find(|draft| draft.key == key) {
        if let Some(sent) = &draft.content {
            guard::check_mitigation(&sent.content)?;
            new = issue::merged(new, &sent.content);
        }
        draft.method = if draft.content.is_some() {
            draft.method
        } else {
            Method::Put
        };
        draft.content = Some(Resource::from_object(new)?.into());
        return Ok(());
    }
    if old == Some(&new) {
        review.rests_on.push((key, guard));
        return Ok(());
    }
    drafts.push(Draft {
        key,
        method: Method::Put,
        guard,
        content: Some(Resource::from_object(new)?.into()),
    });
    Ok(())
}
