//! Reads a published bundle and answers for what must be in a definition.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::Result;

/// The resources of a gzipped Bundle.
pub fn read(path: &Path) -> Result<Vec<Value>> {
    let say = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let file = File::open(path).map_err(|e| say(&e))?;
    let mut text = String::new();
    GzDecoder::new(BufReader::new(file))
        .read_to_string(&mut text)
        .map_err(|e| say(&e))?;
    let mut bundle: Value = serde_json::from_str(&text).map_err(|e| say(&e))?;
    match bundle.get_mut("entry").map(Value::take) {
        Some(Value::Array(entries)) => Ok(entries
            .into_iter()
            .filter_map(|mut entry| entry.get_mut("resource").map(Value::take))
            .collect()),
        _ => Err(say(&"no entries")),
    }
}

pub fn of_type<'a>(resources: &'a [Value], name: &str) -> Vec<&'a Value> {
    resources
        .iter()
        .filter(|r| r.get("resourceType").and_then(Value::as_str) == Some(name))
        .collect()
}

/// A string that every definition of this kind has.
pub fn required<'a>(definition: &'a Value, name: &str) -> Result<&'a str> {
    text(definition, name).ok_or_else(|| {
        let id = text(definition, "id").unwrap_or("a definition");
        format!("{id} has no {name}")
    })
}

pub fn text<'a>(definition: &'a Value, name: &str) -> Option<&'a str> {
    definition.get(name)?.as_str()
}

/// A list, empty where it is absent.
pub fn list<'a>(definition: &'a Value, name: &str) -> &'a [Value] {
    definition
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

pub fn texts<'a>(definition: &'a Value, name: &str) -> Vec<&'a str> {
    list(definition, name)
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

/// `http://hl7.org/fhir/StructureDefinition/Patient` -> `Patient`
pub fn last_segment(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}
