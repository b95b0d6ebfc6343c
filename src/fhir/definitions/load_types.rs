//! `types.txt`: `kind name [: parent] [abstract]`, then
//! `name min..max types [S][M] [=value-set]`. A parent stands before its children.

use std::collections::{BTreeMap, HashMap};

use super::by_name::ByName;
use super::load::BadLine;
use super::model::{Element, TypeDefinition, TypeKind};

/// Concrete resource type -> the types it inherits from.
pub type Lineage = BTreeMap<String, Vec<String>>;

pub fn types(text: &str) -> Result<(ByName<TypeDefinition>, Lineage), BadLine> {
    let mut types = ByName::default();
    types.reserve(1024);
    let mut parents: HashMap<&str, &str> = HashMap::new();
    let mut lineage = Lineage::new();
    let mut current: Option<TypeDefinition> = None;
    for line in text.lines() {
        if let Some(element) = line.strip_prefix("  ") {
            let of = current.as_mut().ok_or_else(|| BadLine::of(line))?;
            let (element, forbidden) = parse_element(element).ok_or_else(|| BadLine::of(line))?;
            put(&mut of.elements, element, forbidden);
            continue;
        }
        finish(&mut types, current.take());
        let header = parse_header(line).ok_or_else(|| BadLine::of(line))?;
        if let Some(parent) = header.parent {
            parents.insert(header.name, parent);
        }
        if header.kind == TypeKind::Resource && !header.is_abstract {
            let ancestors = std::iter::successors(parents.get(header.name), |p| parents.get(*p));
            let ancestors = ancestors.map(|p| (*p).to_owned()).collect();
            lineage.insert(header.name.to_owned(), ancestors);
        }
        let inherited = header.parent.and_then(|p| types.get(p));
        current = Some(TypeDefinition {
            name: header.name.to_owned(),
            kind: header.kind,
            parent: header.parent.map(str::to_owned),
            elements: inherited.map_or_else(Vec::new, |p| p.elements.clone()),
            properties: ByName::default(),
            required: 0,
        });
    }
    finish(&mut types, current);
    Ok((types, lineage))
}

struct Header<'a> {
    kind: TypeKind,
    name: &'a str,
    parent: Option<&'a str>,
    is_abstract: bool,
}

fn parse_header(line: &str) -> Option<Header<'_>> {
    let (line, is_abstract) = match line.strip_suffix(" abstract") {
        Some(line) => (line, true),
        None => (line, false),
    };
    let (kind, rest) = line.split_once(' ')?;
    let (name, parent) = match rest.split_once(" : ") {
        Some((name, parent)) => (name, Some(parent)),
        None => (rest, None),
    };
    let kind = match kind {
        "resource" => TypeKind::Resource,
        "complex" => TypeKind::Complex,
        "primitive" => TypeKind::Primitive,
        "backbone" => TypeKind::Backbone,
        _ => return None,
    };
    Some(Header {
        kind,
        name,
        parent,
        is_abstract,
    })
}

/// The element, and whether it is forbidden (`..0`) where a parent allows it.
fn parse_element(line: &str) -> Option<(Element, bool)> {
    let mut words = line.split(' ');
    let (name, cardinality, types) = (words.next()?, words.next()?, words.next()?);
    let (min, max) = cardinality.split_once("..")?;
    let (name, choice) = match name.strip_suffix("[x]") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let mut element = Element {
        name: name.to_owned(),
        types: Vec::new(),
        choice,
        min: min.parse().ok()?,
        array: !matches!(max, "0" | "1"),
        summary: false,
        modifier: false,
        targets: Vec::new(),
        canonical_targets: Vec::new(),
        required_binding: None,
    };
    for part in types.split(',') {
        let (name, targets) = type_and_targets(part);
        match name.as_str() {
            "canonical" => element.canonical_targets = targets,
            _ => element.targets.extend(targets),
        }
        element.types.push(name);
    }
    for word in words {
        match word.strip_prefix('=') {
            Some(value_set) => element.required_binding = Some(value_set.to_owned()),
            None => {
                element.summary = word.contains('S');
                element.modifier = word.contains('M');
            }
        }
    }
    Some((element, max == "0"))
}

/// `Reference(Patient|Group)`; any resource is as good as no target.
fn type_and_targets(text: &str) -> (String, Vec<String>) {
    let Some((name, of)) = text.split_once('(') else {
        return (text.to_owned(), Vec::new());
    };
    let targets = of.trim_end_matches(')').split('|').map(str::to_owned);
    let mut targets: Vec<String> = targets.collect();
    if targets.iter().any(|t| t == "Resource") {
        targets.clear();
    }
    (name.to_owned(), targets)
}

/// What a type says of an inherited element replaces what its parent said.
fn put(elements: &mut Vec<Element>, element: Element, forbidden: bool) {
    match elements.iter_mut().find(|e| e.name == element.name) {
        Some(_) if forbidden => elements.retain(|e| e.name != element.name),
        Some(inherited) => *inherited = element,
        None if forbidden => {}
        None => elements.push(element),
    }
}

fn finish(types: &mut ByName<TypeDefinition>, definition: Option<TypeDefinition>) {
    if let Some(mut definition) = definition {
        let count = definition.elements.iter().map(|e| e.types.len()).sum();
        definition.properties.reserve(count);
        for (index, element) in definition.elements.iter().enumerate() {
            definition.required |= u128::from(element.min > 0) << index;
            for name in &element.types {
                let property = element.property(name);
                definition
                    .properties
                    .insert(property, (index, name.clone()));
            }
        }
        types.insert(definition.name.clone(), definition);
    }
}
