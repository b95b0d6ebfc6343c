//! Rewrites what points at entries of the same transaction, and conditional
//! references. <https://hl7.org/fhir/R4/http.html#trules>
//!
//! Only elements whose type is a link are touched: Reference.reference, uri,
//! url, canonical, oid, uuid, and href/src in the narrative. An identifier with
//! the same text stays what it is.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::super::definitions::Definitions;
use super::super::outcome::{Failure, Kind};

/// Old address -> new address.
pub type Moves = HashMap<String, String>;

/// Rewrites all links of a resource.
pub fn rewrite(definitions: &Definitions, moves: &Moves, resource: &mut Map<String, Value>) {
    visit_resource(definitions, resource, &mut |link| match link {
        Link::Reference(text) | Link::Uri(text) => {
            if let Some(new) = moved(moves, text) {
                *text = new;
            }
        }
        Link::Narrative(text) => {
            if let Some(new) = moved_in_narrative(moves, text) {
                *text = new;
            }
        }
    });
}

/// The conditional references (`Practitioner?identifier=…`) of a resource.
pub fn conditional(definitions: &Definitions, resource: &mut Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    visit_resource(definitions, resource, &mut |link| {
        if let Link::Reference(text) = link
            && let Some((name, _)) = text.split_once('?')
            && definitions.is_resource_type(name)
        {
            found.push(text.clone());
        }
    });
    found
}

/// The literal references of a document, wherever they stand.
pub fn references<'v>(value: &'v Value, visit: &mut dyn FnMut(&'v str)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, visit)),
        Value::Object(object) => {
            for (name, value) in object {
                match value {
                    Value::String(text) if name == "reference" => visit(text),
                    Value::Array(_) | Value::Object(_) => references(value, visit),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// What only a transaction replaces would stand in a record that nobody finds
/// by it, as if its patient had none.
pub fn refuse_conditional(
    definitions: &Definitions,
    resource: &Map<String, Value>,
) -> Result<(), Failure> {
    let mut criteria = None;
    for value in resource.values() {
        references(value, &mut |text| {
            let name = text.split_once('?').map(|(name, _)| name);
            criteria = criteria.or(name.filter(|name| definitions.is_resource_type(name)));
        });
    }
    let Some(name) = criteria else {
        return Ok(());
    };
    Err(Failure::new(
        Kind::Value,
        format!(
            "A reference names its {name} by a condition, which only a transaction looks up. Send the resource as an entry of a transaction, or refer to {name}/id."
        ),
    ))
}

enum Link<'v> {
    Reference(&'v mut String),
    Uri(&'v mut String),
    Narrative(&'v mut String),
}

fn visit_resource(
    definitions: &Definitions,
    resource: &mut Map<String, Value>,
    visit: &mut dyn FnMut(Link<'_>),
) {
    let name = resource.get("resourceType").and_then(Value::as_str);
    if let Some(name) = name.map(str::to_owned) {
        visit_object(definitions, &name, resource, visit);
    }
}

/// The depth is that of the document, which its parser bounds.
fn visit_object(
    definitions: &Definitions,
    type_name: &str,
    object: &mut Map<String, Value>,
    visit: &mut dyn FnMut(Link<'_>),
) {
    let Some(definition) = definitions.type_definition(type_name) else {
        return;
    };
    for (name, value) in object.iter_mut() {
        if let Some((_, inner)) = definition.properties.get(name) {
            let is_reference = type_name == "Reference" && name == "reference";
            visit_value(definitions, inner, is_reference, value, visit);
        } else if let Some(base) = name.strip_prefix('_')
            && definition.properties.contains_key(base)
        {
            visit_value(definitions, "Element", false, value, visit);
        }
    }
}

fn visit_value(
    definitions: &Definitions,
    type_name: &str,
    is_reference: bool,
    value: &mut Value,
    visit: &mut dyn FnMut(Link<'_>),
) {
    match value {
        Value::Array(items) => {
            for item in items {
                visit_value(definitions, type_name, is_reference, item, visit);
            }
        }
        Value::Object(object) if type_name == "Resource" => {
            visit_resource(definitions, object, visit);
        }
        Value::Object(object) => visit_object(definitions, type_name, object, visit),
        Value::String(text) if is_reference => visit(Link::Reference(text)),
        Value::String(text) => match type_name {
            "uri" | "url" | "canonical" | "oid" | "uuid" => visit(Link::Uri(text)),
            "xhtml" => visit(Link::Narrative(text)),
            _ => {}
        },
        _ => {}
    }
}

/// A link may carry a fragment or a version behind the address.
fn moved(moves: &Moves, text: &str) -> Option<String> {
    if let Some(new) = moves.get(text) {
        return Some(new.clone());
    }
    let (address, fragment) = text.split_once('#')?;
    moves.get(address).map(|new| format!("{new}#{fragment}"))
}

fn moved_in_narrative(moves: &Moves, text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut changed = false;
    while let Some(start) = next_attribute(rest) {
        let (before, value) = rest.split_at(start);
        out.push_str(before);
        let quote = before.chars().next_back().unwrap_or('"');
        let end = value.find(quote).unwrap_or(value.len());
        let (link, behind) = value.split_at(end);
        match moved(moves, link) {
            Some(new) => {
                out.push_str(&new);
                changed = true;
            }
            None => out.push_str(link),
        }
        rest = behind;
    }
    out.push_str(rest);
    changed.then_some(out)
}

/// Where the value of the next href or src begins, behind its quote.
fn next_attribute(text: &str) -> Option<usize> {
    ["href=\"", "href='", "src=\"", "src='"]
        .iter()
        .filter_map(|attribute| text.find(attribute).map(|at| at + attribute.len()))
        .min()
}
