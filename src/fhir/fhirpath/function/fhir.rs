//! What FHIR adds. <https://hl7.org/fhir/R4/fhirpath.html#functions>

use serde_json::Value;

use super::Table;
use super::call::{Call, boolean, empty};
use super::html;
use crate::fhir::fhirpath::error::{Error, Result};
use crate::fhir::fhirpath::evaluate::Evaluator;
use crate::fhir::fhirpath::item::{Collection, Content, Item, Node};
use crate::fhir::fhirpath::navigate;

const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";

pub const TABLE: Table = &[
    ("extension", 1, 1, extension),
    ("hasValue", 0, 0, |call| match call.input.as_slice() {
        [Item::Node(node)] => boolean(node.has_value()),
        [_] => boolean(true),
        _ => boolean(false),
    }),
    ("getValue", 0, 0, |call| match call.input.as_slice() {
        [Item::Node(node)] if node.has_value() => Ok(vec![Item::Node(*node).plain()]),
        _ => empty(),
    }),
    ("resolve", 0, 0, resolve),
    ("conformsTo", 1, 1, conforms_to),
    ("htmlChecks", 0, 0, |call| match call.text()? {
        Some(text) => boolean(html::is_narrative(&text)),
        None => empty(),
    }),
    ("memberOf", 1, 1, |_| {
        Err(Error::NotSupported("memberOf()".to_owned()))
    }),
    ("subsumes", 1, 1, |_| {
        Err(Error::NotSupported("subsumes()".to_owned()))
    }),
    ("subsumedBy", 1, 1, |_| {
        Err(Error::NotSupported("subsumedBy()".to_owned()))
    }),
    ("elementDefinition", 0, 0, |_| {
        Err(Error::NotSupported("elementDefinition()".to_owned()))
    }),
    ("slice", 2, 2, |_| {
        Err(Error::NotSupported("slice()".to_owned()))
    }),
    ("checkModifiers", 0, 8, |_| {
        Err(Error::NotSupported("checkModifiers()".to_owned()))
    }),
];

fn extension<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    let Some(url) = call.text_argument(0)? else {
        return empty();
    };
    let mut found = Vec::new();
    for node in call.input.iter().filter_map(Item::node) {
        navigate::named(call.evaluator.definitions, node, "extension", &mut found);
    }
    call.evaluator.spend(found.len())?;
    let is = |item: &Item<'a>| {
        let own = item.node().and_then(Node::map).and_then(|m| m.get("url"));
        own.and_then(Value::as_str) == Some(&url)
    };
    found.retain(is);
    Ok(found)
}

/// A contained resource, or a resource of the type that the reference names,
/// without content: the document alone says no more of it.
fn resolve<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    let mut found = Vec::new();
    for node in call.input.iter().filter_map(Item::node) {
        let text = match node.content {
            Content::Object(map) => map.get("reference").and_then(Value::as_str),
            _ => node.text(),
        };
        let target = match text.map(|text| (text, text.strip_prefix('#'))) {
            Some((_, Some(id))) => contained(call.evaluator, id)?,
            Some((text, None)) => elsewhere(call.evaluator, text),
            None => None,
        };
        found.extend(target.map(Item::Node));
    }
    Ok(found)
}

fn contained<'a>(evaluator: &Evaluator<'a>, id: &str) -> Result<Option<Node<'a>>> {
    if id.is_empty() {
        return Ok(Some(evaluator.root));
    }
    let mut resources = Vec::new();
    navigate::named(
        evaluator.definitions,
        &evaluator.root,
        "contained",
        &mut resources,
    );
    evaluator.spend(resources.len())?;
    let mut nodes = resources.iter().filter_map(Item::node);
    let own = |node: &&Node<'a>| node.map()?.get("id")?.as_str();
    Ok(nodes.find(|node| own(node) == Some(id)).copied())
}

fn elsewhere<'a>(evaluator: &Evaluator<'a>, reference: &str) -> Option<Node<'a>> {
    let path = reference.split("/_history/").next()?;
    let type_name = path.rsplit('/').nth(1)?;
    let known = evaluator.definitions.is_resource_type(type_name);
    let of = known.then(|| evaluator.definitions.type_definition(type_name))??;
    Some(Node {
        content: Content::Absent,
        sibling: None,
        of,
    })
}

/// Only to the base definitions: a resource is of its type, or it is not.
fn conforms_to<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    let (Some(url), [item]) = (call.text_argument(0)?, call.input.as_slice()) else {
        return empty();
    };
    let definitions = call.evaluator.definitions;
    match url.strip_prefix(BASE) {
        Some(name) if definitions.type_definition(name).is_some() => {
            let of = item.node().map(|node| node.of.name.as_str());
            boolean(of.is_some_and(|of| definitions.is_a(of, name)))
        }
        _ => Err(Error::NotSupported("conformsTo() a profile".to_owned())),
    }
}
