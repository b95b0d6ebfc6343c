//! One JSON document: a bundle, or a resource.

use std::io::Read as _;

use serde_json::{Map, Value};

use super::Importer;
use super::files::Source;
use super::items::{self, Item};
use super::problem;
use super::send::{self, Planned};
use super::tally::FileTally;
use crate::fhir::json::parse_object;
use crate::fhir::request::Verb;

pub async fn import(importer: &Importer, source: &Source, tally: &mut FileTally) {
    let depth = importer.engine.settings.limits.depth;
    let read = tokio::task::block_in_place(|| {
        let bytes = read(source, importer.largest)?;
        parse_object(&bytes, depth).map_err(|failure| problem::of_failure(&failure))
    });
    let mut document = match read {
        Ok(document) => document,
        Err(problem) => return tally.failed_whole(problem),
    };
    match kind(&document) {
        Kind::Interactions => interactions(importer, document, tally).await,
        Kind::Collection => {
            let items = members(document.remove("entry"), tally);
            let items = items::resolved(importer, items, tally);
            items::import(importer, items, tally).await;
        }
        Kind::Resource => {
            let item = Item::new(String::new(), document);
            items::import(importer, vec![item], tally).await;
        }
    }
}

fn read(source: &Source, largest: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(largest).unwrap_or(u64::MAX).saturating_add(1);
    let read = source
        .open()
        .and_then(|reader| reader.take(limit).read_to_end(&mut bytes));
    match read {
        Ok(length) if length > largest => Err(format!(
            "the document is larger than {largest} bytes; raise UNLOOP_MAX_BODY_BYTES"
        )),
        Ok(_) => Ok(bytes),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

enum Kind {
    /// A batch or transaction.
    Interactions,
    /// A bundle that is no more than its entries.
    Collection,
    /// Documents and messages are signed as a whole, so they stay whole.
    Resource,
}

fn kind(document: &Map<String, Value>) -> Kind {
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    match (text("resourceType"), text("type")) {
        (Some("Bundle"), Some("transaction" | "batch")) => Kind::Interactions,
        (Some("Bundle"), Some("collection" | "searchset")) => Kind::Collection,
        _ => Kind::Resource,
    }
}

async fn interactions(importer: &Importer, bundle: Map<String, Value>, tally: &mut FileTally) {
    let entries = bundle.get("entry").and_then(Value::as_array);
    let planned: Vec<Planned> = entries.into_iter().flatten().map(planned).collect();
    match send::send(importer, bundle).await {
        Ok(results) => tally.add_all(&planned, results),
        Err(problems) => tally.refused(&planned, problems),
    }
    importer.progress.resources(planned.len());
}

/// `Type/id` as the entry has it.
fn addressed_key(entry: &Value, url: Option<&str>) -> Option<String> {
    let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str);
    match (text("/resource/resourceType"), text("/resource/id")) {
        (Some(name), Some(id)) => Some(format!("{name}/{id}")),
        _ => text("/fullUrl").or(url).map(str::to_owned),
    }
}

fn planned(entry: &Value) -> Planned {
    let request = entry.get("request");
    let text = |name: &str| request.and_then(|request| request.get(name)?.as_str());
    let named = entry
        .get("resource")
        .and_then(|r| r.get("resourceType")?.as_str());
    let addressed = || text("url").and_then(|url| url.split(['/', '?']).next());
    Planned {
        // The engine names the entry itself.
        place: addressed_key(entry, text("url")).unwrap_or_default(),
        resource_type: named.or_else(addressed).unwrap_or("?").to_owned(),
        verb: text("method")
            .and_then(Verb::from_code)
            .unwrap_or(Verb::Get),
        conditional: text("ifNoneExist").is_some(),
    }
}

/// The resources of a page or collection. What the server said about a search is none.
fn members(entries: Option<Value>, tally: &mut FileTally) -> Vec<Item> {
    let Some(Value::Array(entries)) = entries else {
        return Vec::new();
    };
    let mut items = Vec::with_capacity(entries.len());
    for (index, mut entry) in entries.into_iter().enumerate() {
        let resource = entry.get_mut("resource").map(Value::take);
        let mode = entry.pointer("/search/mode").and_then(Value::as_str);
        let full_url = entry.get("fullUrl").and_then(Value::as_str);
        match resource {
            Some(Value::Object(resource)) if is_about_the_search(mode, &resource) => {}
            Some(Value::Object(resource)) => {
                let item = Item::new(format!("entry {index}"), resource);
                items.push(item.with_full_url(full_url));
            }
            _ => tally.failed_entry(index, "has no resource"),
        }
    }
    items
}

/// An OperationOutcome that is a match has an id: it is a record.
fn is_about_the_search(mode: Option<&str>, resource: &Map<String, Value>) -> bool {
    let name = resource.get("resourceType").and_then(Value::as_str);
    let is_loose = name == Some("OperationOutcome") && !resource.contains_key("id");
    mode == Some("outcome") || (mode != Some("match") && is_loose)
}
