//! Resources that come without a request: stored under their id, or created
//! where they have none.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::Importer;
use super::send::{self, Planned};
use super::tally::FileTally;
use crate::fhir::interaction::links::{Moves, in_members, restful, rewrite};
use crate::fhir::request::Verb;

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.');

#[derive(Clone)]
pub struct Item {
    /// Where it stands in its file.
    place: String,
    full_url: Option<String>,
    resource: Map<String, Value>,
    /// It brought no id and got one here.
    is_new: bool,
}

impl Item {
    pub fn new(place: String, resource: Map<String, Value>) -> Self {
        Self {
            place,
            full_url: None,
            resource,
            is_new: false,
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

    /// Whether the content is the same, wherever it stands.
    fn is_same(&self, other: &Self) -> bool {
        self.resource == other.resource
    }

    fn planned(&self) -> Planned {
        let key = self.key().filter(|_| !self.is_new);
        Planned {
            place: match &key {
                Some((name, id)) => format!("{} ({name}/{id})", self.place),
                None => self.place.clone(),
            },
            resource_type: self.resource_type().to_owned(),
            verb: if key.is_some() { Verb::Put } else { Verb::Post },
            conditional: false,
        }
    }

    fn entry(self) -> Value {
        let mut url = utf8_percent_encode(self.resource_type(), SEGMENT).to_string();
        let mut method = Verb::Post;
        if let Some((_, id)) = self.key() {
            method = Verb::Put;
            url = format!("{url}/{}", utf8_percent_encode(&id, SEGMENT));
        }
        json!({
            "request": {"method": method.code(), "url": url},
            "resource": self.resource,
        })
    }
}

/// The members of one page or collection: links by fullUrl become links by id, so that
/// each resource can be stored for itself. What stands twice is stored once.
pub fn resolved(importer: &Importer, items: Vec<Item>, tally: &mut FileTally) -> Vec<Item> {
    let mut items = without_repetitions(items, tally);
    let (definitions, base) = (importer.engine.definitions, &importer.engine.catalogue.base);
    let mut moves = Moves::of_service(base);
    for item in &mut items {
        if item.full_url.is_some() && item.key().is_none() {
            item.is_new = true;
            let id = uuid::Uuid::now_v7().to_string();
            item.resource.insert("id".to_owned(), id.into());
        }
        if let Some((full_url, (name, id))) = item.full_url.as_deref().zip(item.key()) {
            moves.add_full_url(definitions, full_url, &format!("{name}/{id}"));
        }
    }
    let mut sound = Vec::with_capacity(items.len());
    for mut item in items {
        let root = item
            .full_url
            .as_deref()
            .and_then(|url| restful(definitions, url));
        let root = root.map(|(root, _)| root).unwrap_or_default();
        let mut ambiguous = false;
        in_members(&item.resource, &mut |text| {
            ambiguous |= moves.is_ambiguous(&root, text);
        });
        if ambiguous {
            let text = "a relative reference fits several entries, whose fullUrls are of different services; write the whole fullUrl";
            tally.add_all(&[item.planned()], vec![Err(text.to_owned())]);
            continue;
        }
        rewrite(definitions, &moves, &root, &mut item.resource);
        sound.push(item);
    }
    sound
}

/// A match of a search may be an include too.
fn without_repetitions(items: Vec<Item>, tally: &mut FileTally) -> Vec<Item> {
    let mut seen: HashMap<(String, String), usize> = HashMap::new();
    let mut once: Vec<Item> = Vec::with_capacity(items.len());
    for item in items {
        let earlier = item.key().and_then(|key| match seen.entry(key) {
            Entry::Occupied(place) => Some(*place.get()),
            Entry::Vacant(place) => {
                place.insert(once.len());
                None
            }
        });
        match earlier.and_then(|place| once.get(place)) {
            Some(earlier) if earlier.is_same(&item) => {}
            Some(earlier) => {
                let text = format!(
                    "another content of the same resource than {}, which was taken; keep one of them",
                    earlier.place
                );
                tally.add_all(&[item.planned()], vec![Err(text)]);
            }
            None => once.push(item),
        }
    }
    once
}

/// A placeholder that nothing has would be found by nobody.
fn has_open_placeholder(item: &Item) -> bool {
    let mut open = false;
    in_members(&item.resource, &mut |text| {
        let start = text.trim_start().get(..9);
        open |= start.is_some_and(|start| start.eq_ignore_ascii_case("urn:uuid:"));
    });
    open
}

/// One transaction; where it is refused, one by one, to keep what is good.
pub async fn import(importer: &Importer, items: Vec<Item>, tally: &mut FileTally) {
    let count = items.len();
    let (open, items): (Vec<Item>, Vec<Item>) = items.into_iter().partition(has_open_placeholder);
    for item in open {
        let text = "a reference is a placeholder (urn:uuid:…), and no entry has it as fullUrl";
        tally.add_all(&[item.planned()], vec![Err(text.to_owned())]);
    }
    importer.progress.resources(count);
    if items.is_empty() {
        return;
    }
    let planned: Vec<Planned> = items.iter().map(Item::planned).collect();
    let again = (items.len() > 1).then(|| items.clone());
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
