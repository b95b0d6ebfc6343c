//! From an element to its children, by the definition of its type.
//! <https://hl7.org/fhir/R4/fhirpath.html#polymorphism>

use serde_json::{Map, Value};

use super::item::{Collection, Content, Item, Node};
use crate::fhir::definitions::{Definitions, TypeKind};

/// The children of one name; a choice stands under its name without the type.
pub fn named<'a>(
    definitions: &'a Definitions,
    node: &Node<'a>,
    name: &str,
    found: &mut Collection<'a>,
) {
    let Some(map) = node.map() else {
        return;
    };
    let Some(element) = node.of.elements.iter().find(|e| e.name == name) else {
        return;
    };
    if !element.choice {
        let (value, sibling) = (map.get(name), sibling(map, name));
        if value.is_some() || sibling.is_some() {
            put(definitions, node, name, (value, sibling), found);
        }
        return;
    }
    for key in map.keys() {
        let property = key.strip_prefix('_').unwrap_or(key);
        let repeated = property.len() < key.len() && map.contains_key(property);
        if property.starts_with(name) && !repeated && belongs(node, property, name) {
            let pair = (map.get(property), sibling(map, property));
            put(definitions, node, property, pair, found);
        }
    }
}

fn belongs(node: &Node<'_>, property: &str, element: &str) -> bool {
    let place = node.of.properties.get(property);
    let of = place.and_then(|(index, _)| node.of.elements.get(*index));
    of.is_some_and(|e| e.name == element)
}

/// All children in the document's order.
pub fn all<'a>(definitions: &'a Definitions, node: &Node<'a>, found: &mut Collection<'a>) {
    let Some(map) = node.map() else {
        return;
    };
    for key in map.keys() {
        match key.strip_prefix('_') {
            Some(name) if map.contains_key(name) => {}
            name => {
                let name = name.unwrap_or(key);
                let pair = (map.get(name), sibling(map, name));
                put(definitions, node, name, pair, found);
            }
        }
    }
}

fn sibling<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let mut members = map.iter();
    let found = members.find(|(key, _)| key.strip_prefix('_') == Some(name));
    found.map(|(_, value)| value)
}

fn put<'a>(
    definitions: &'a Definitions,
    parent: &Node<'a>,
    property: &str,
    (value, sibling): (Option<&'a Value>, Option<&'a Value>),
    found: &mut Collection<'a>,
) {
    let Some((_, type_name)) = parent.of.properties.get(property) else {
        return;
    };
    let Some(of) = definitions.type_definition(type_name) else {
        return;
    };
    let count = |v: Option<&Value>| v.and_then(Value::as_array).map(Vec::len);
    let items = count(value).into_iter().chain(count(sibling)).max();
    for index in 0..items.unwrap_or(1) {
        let at = |v: Option<&'a Value>| match v {
            Some(Value::Array(items)) => items.get(index),
            other => other.filter(|_| index == 0),
        };
        let content = at(value).map_or(Content::Absent, Content::from);
        let sibling = at(sibling).and_then(Value::as_object);
        if matches!(content, Content::Absent) && sibling.is_none() {
            continue;
        }
        let node = Node {
            content,
            sibling,
            of,
        };
        found.push(Item::Node(match (of.kind, content) {
            (TypeKind::Resource, Content::Object(map)) => {
                Node::resource(definitions, map).unwrap_or(node)
            }
            _ => node,
        }));
    }
}
