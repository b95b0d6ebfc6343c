//! Resources that come without a request: stored under their id, or created
//! where they have none.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::Importer;
use super::send::{self, Planned};
use super::tally::FileTally;
use crate::fhir::request::Verb;

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.');

#[derive(Clone)]
pub struct Item {
    /// Where it stands in its file.
    place: String,
    full_url: Option<String>,
    resource: Map<String, Value>,
}

impl Item {
    pub fn new(place: String, resource: Map<String, Value>) -> Self {
        Self {
            place,
            full_url: None,
            resource,
        }
    }

    /// The address that links within the same bundle may use.
    pub fn with_full_url(self, full_url: Option<&str>) -> Self {
        Self {
            full_url: full_url.map(str::to_owned),
            ..self
        }
    }

    /// Type and id.
    pub fn key(&self) -> Option<(String, String)> {
        let id = self.resource.get("id")?.as_str()?;
        Some((self.resource_type().to_owned(), id.to_owned()))
    }

    fn resource_type(&self) -> &str {
        let name = self.resource.get("resourceType").and_then(Value::as_str);
        name.unwrap_or("?")
    }

    fn planned(&self) -> Planned {
        Planned {
            place: self.place.clone(),
            resource_type: self.resource_type().to_owned(),
            verb: if self.key().is_some() {
                Verb::Put
            } else {
                Verb::Post
            },
            conditional: false,
        }
    }

    fn entry(self) -> Value {
        let planned = self.planned();
        let mut url = utf8_percent_encode(&planned.resource_type, SEGMENT).to_string();
        if let Some((_, id)) = self.key() {
            url = format!("{url}/{}", utf8_percent_encode(&id, SEGMENT));
        }
        let mut entry = Map::new();
        if let Some(full_url) = self.full_url {
            entry.insert("fullUrl".into(), full_url.into());
        }
        let request = json!({"method": planned.verb.code(), "url": url});
        entry.insert("request".into(), request);
        entry.insert("resource".into(), Value::Object(self.resource));
        Value::Object(entry)
    }
}

/// One transaction; where it is refused, one by one, to keep what is good.
pub async fn import(importer: &Importer, items: Vec<Item>, tally: &mut FileTally) {
    let planned: Vec<Planned> = items.iter().map(Item::planned).collect();
    // Links by fullUrl have a meaning only within one transaction.
    let divisible = items.len() > 1 && items.iter().all(|item| item.full_url.is_none());
    let again = divisible.then(|| items.clone());
    let sent = match (
        send::send(importer, bundle("transaction", items)).await,
        again,
    ) {
        (Err(_), Some(items)) => send::send(importer, bundle("batch", items)).await,
        (sent, _) => sent,
    };
    match sent {
        Ok(results) => {
            let own = results
                .into_iter()
                .map(|r| r.map_err(|p| without_entry(&p)));
            tally.add_all(&planned, own.collect());
        }
        Err(problems) if planned.len() == 1 => {
            tally.refused(
                &planned,
                problems.iter().map(|p| without_entry(p)).collect(),
            );
        }
        Err(problems) => tally.refused(&planned, problems),
    }
    importer.progress.resources(planned.len());
}

/// The file has no such entry: resources became entries only on their way in.
fn without_entry(problem: &str) -> String {
    let place = problem.strip_prefix("Bundle.entry[");
    match place.and_then(|rest| rest.split_once(']')) {
        Some((_, rest)) => rest
            .trim_start_matches(".resource.")
            .trim_start_matches(": ")
            .to_owned(),
        None => problem.to_owned(),
    }
}

fn bundle(kind: &str, items: Vec<Item>) -> Map<String, Value> {
    let entries = items.into_iter().map(Item::entry).collect();
    let mut bundle = Map::new();
    bundle.insert("resourceType".into(), "Bundle".into());
    bundle.insert("type".into(), kind.into());
    bundle.insert("entry".into(), Value::Array(entries));
    bundle
}
