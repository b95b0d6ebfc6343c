//! Brings the Medications and Substances that records refer to.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::resolve::Lookup;
use crate::fhir::engine::{Draft, Engine};
use crate::fhir::operation::Records;
use crate::fhir::outcome::Failure;
use crate::fhir::record::ResourceKey;
use crate::fhir::search::path::{items, text};
use crate::fhir::search::reference::{self, Base};

/// Links from product to product are followed so far.
const FURTHEST: usize = 4;

pub struct Shelf {
    base: Base,
    found: HashMap<ResourceKey, Map<String, Value>>,
    /// What was read, and in which version.
    pub read: Vec<(ResourceKey, i64)>,
    /// What was looked for and is not there, or not to be seen.
    pub missing: Vec<ResourceKey>,
}

impl Lookup for Shelf {
    fn find(&self, reference: &str) -> Option<&Map<String, Value>> {
        self.found.get(&key_of(&self.base, reference)?)
    }
}

/// What the drafts are about to write outweighs what is stored.
pub async fn gather<'c>(
    engine: &Engine,
    records: &Records<'_>,
    drafts: &[Draft],
    contents: impl Iterator<Item = &'c Map<String, Value>>,
) -> Result<Shelf, Failure> {
    let mut shelf = Shelf {
        base: Base::new(&engine.settings.base_url),
        found: HashMap::new(),
        read: Vec::new(),
        missing: Vec::new(),
    };
    let mut seen = HashSet::new();
    let mut wanted: Vec<ResourceKey> = contents.flat_map(|content| shelf.links(content)).collect();
    for _ in 0..FURTHEST {
        let mut next = Vec::new();
        for key in std::mem::take(&mut wanted) {
            if !seen.insert(key.clone()) {
                continue;
            }
            let content = match drafts.iter().find(|draft| draft.key == key) {
                Some(draft) => {
                    let resource = draft.content.as_ref();
                    resource.map(|resource| resource.content.clone())
                }
                None => match records.find(&key).await? {
                    Some(found) => {
                        shelf.read.push((found.key, found.version));
                        Some(found.resource.content)
                    }
                    None => {
                        shelf.missing.push(key.clone());
                        None
                    }
                },
            };
            if let Some(content) = content {
                next.extend(shelf.links(&content));
                shelf.found.insert(key, content);
            }
        }
        wanted = next;
    }
    Ok(shelf)
}

impl Shelf {
    /// The products that a record, or a product inside it, refers to.
    fn links(&self, content: &Map<String, Value>) -> Vec<ResourceKey> {
        let mut links: Vec<&str> = Vec::new();
        let contained = items(content, "contained")
            .iter()
            .filter_map(Value::as_object);
        for object in std::iter::once(content).chain(contained) {
            let items = items(object, "ingredient").iter();
            let items = items.filter_map(|ingredient| ingredient.get("itemReference"));
            let all = object.get("medicationReference").into_iter().chain(items);
            links.extend(
                all.filter_map(Value::as_object)
                    .filter_map(|link| text(link, "reference")),
            );
        }
        links
            .into_iter()
            .filter_map(|link| key_of(&self.base, link))
            .collect()
    }
}

fn key_of(base: &Base, reference: &str) -> Option<ResourceKey> {
    let key = reference::local(base.normalise(reference)?)?;
    matches!(key.resource_type.as_str(), "Medication" | "Substance").then_some(key)
}
