//! Rewrites what points at entries of the same transaction, and conditional
//! references. <https://hl7.org/fhir/R4/http.html#trules>
//!
//! Only elements whose type is a link are touched: Reference.reference, uri, url,
//! oid, uuid, and href/src in the narrative; "elements of type canonical are not
//! replaced". An identifier with the same text stays what it is. What is in a Bundle
//! refers to what is in the same Bundle, and it may be signed: its entries stay whole.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::super::definitions::Definitions;
use super::super::literal_reference::{LiteralReference, read_reference};
use super::super::outcome::{Failure, Kind};
use super::super::search::reference::Base;
use super::super::validate::place::Place;

/// Old address -> new address.
#[derive(Debug)]
pub struct Moves<'b> {
    base: &'b Base,
    /// By the address in its canonical form.
    whole: HashMap<String, String>,
    /// `Type/id` -> the services whose fullUrls end so, and where each leads.
    relative: HashMap<String, Vec<(String, String)>>,
}

impl<'b> Moves<'b> {
    pub fn of_service(base: &'b Base) -> Self {
        Self {
            base,
            whole: HashMap::new(),
            relative: HashMap::new(),
        }
    }

    pub fn add(&mut self, old: String, new: &str) {
        self.whole.insert(old, new.to_owned());
    }

    /// A RESTful fullUrl is meant by relative references too.
    pub fn add_full_url(&mut self, definitions: &Definitions, full_url: &str, new: &str) {
        if let Some((root, relative)) = restful(definitions, full_url) {
            let of_service = self.relative.entry(relative).or_default();
            of_service.push((root, new.to_owned()));
        }
        if let Some(canonical) = self.base.read(full_url).canonical_text(full_url) {
            self.add(canonical, new);
        }
        self.add(full_url.to_owned(), new);
    }

    pub fn leads_somewhere(&self, old: &str) -> bool {
        self.whole.contains_key(old)
    }

    /// What a relative reference means is said by the fullUrl of the entry that it stands
    /// in, whose service is `root`. <https://hl7.org/fhir/R4/bundle.html#references>
    fn target(&self, root: &str, text: &str) -> Option<&str> {
        let canonical = self.base.read(text).canonical_text(text);
        let old = canonical.as_deref().unwrap_or(text);
        let services = self.services(text, old);
        let same = services.iter().find(|(service, _)| service == root);
        let only = match services {
            [(_, new)] => Some(new),
            _ => None,
        };
        let whole = self.whole.get(text).or_else(|| self.whole.get(old));
        let whole = whole.filter(|_| services.is_empty());
        let new = same.map(|(_, new)| new).or(only).or(whole);
        new.map(String::as_str)
    }

    /// An absolute address names its service.
    fn services(&self, text: &str, old: &str) -> &[(String, String)] {
        match self.relative.get(old) {
            Some(services) if !text.contains("://") => services,
            _ => &[],
        }
    }

    pub fn is_ambiguous(&self, root: &str, text: &str) -> bool {
        let canonical = self.base.read(text).canonical_text(text);
        let old = canonical.as_deref().unwrap_or(text);
        self.services(text, old).len() > 1 && self.target(root, text).is_none()
    }
}

/// `http://host/fhir` and `Patient/1` of a RESTful fullUrl.
pub fn restful(definitions: &Definitions, full_url: &str) -> Option<(String, String)> {
    let mut tail = full_url.rsplitn(3, '/');
    let (id, name, root) = (tail.next()?, tail.next()?, tail.next()?);
    let is_type = definitions.is_resource_type(name);
    is_type.then(|| (root.to_owned(), format!("{name}/{id}")))
}

/// Rewrites all links of a resource, which stands below `root`.
pub fn rewrite(
    definitions: &Definitions,
    moves: &Moves<'_>,
    root: &str,
    resource: &mut Map<String, Value>,
) {
    visit_resource(definitions, resource, &mut |link, _| match link {
        Link::Reference(text) | Link::Uri(text) => {
            if let Some(new) = moved(moves, root, text) {
                *text = new;
            }
        }
        Link::Narrative(text) => {
            if let Some(new) = moved_in_narrative(moves, root, text) {
                *text = new;
            }
        }
    });
}

/// The conditional references (`Practitioner?identifier=…`) of a resource.
pub fn conditional(definitions: &Definitions, resource: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    in_members(resource, &mut |text| {
        if let LiteralReference::Criteria(name, _) = read_reference(None, text)
            && definitions.is_resource_type(&name)
        {
            found.push(text.to_owned());
        }
    });
    found
}

/// No reference would be written in another way.
pub fn are_canonical(base: &Base, resource: &Map<String, Value>) -> bool {
    let mut canonical = true;
    in_members(resource, &mut |text| {
        canonical &= base.read(text).canonical_text(text).as_deref() == Some(text);
    });
    canonical
}

/// Writes every reference to a resource of this service as `Type/id`, or refuses what
/// would be stored and found by nobody.
pub fn canonicalise(
    definitions: &Definitions,
    base: &Base,
    resource: &mut Map<String, Value>,
) -> Result<(), Failure> {
    let mut refusal = None;
    visit_resource(definitions, resource, &mut |link, place| {
        let Link::Reference(text) = link else { return };
        let literal = base.read(text);
        match literal.canonical_text(text) {
            Some(canonical) => *text = canonical,
            None => {
                if let LiteralReference::Wrong(why) = literal {
                    let why = format!("A reference cannot be stored: {why}.");
                    refusal.get_or_insert(Failure::at(Kind::Value, place.to_string(), why));
                }
            }
        }
    });
    refusal.map_or(Ok(()), Err)
}

/// The references of a resource but those inside of a Bundle's entries.
pub fn in_members<'v>(resource: &'v Map<String, Value>, visit: &mut dyn FnMut(&'v str)) {
    let is_bundle = resource.get("resourceType").and_then(Value::as_str) == Some("Bundle");
    for (name, value) in resource {
        match value {
            Value::String(text) if name == "reference" => visit(text),
            Value::Array(_) | Value::Object(_) if !(is_bundle && name == "entry") => {
                references(value, visit);
            }
            _ => {}
        }
    }
}

/// The literal references of a value, wherever they stand.
pub fn references<'v>(value: &'v Value, visit: &mut dyn FnMut(&'v str)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, visit)),
        Value::Object(object) => in_members(object, visit),
        _ => {}
    }
}

/// What only a transaction replaces would stand in a record that nobody finds
/// by it, as if its patient had none.
pub fn refuse_conditional(
    definitions: &Definitions,
    resource: &Map<String, Value>,
) -> Result<(), Failure> {
    let criteria = conditional(definitions, resource);
    let name = criteria.first().and_then(|text| text.split_once('?'));
    let Some((name, _)) = name else {
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

type Visit<'f> = dyn FnMut(Link<'_>, &Place<'_>) + 'f;

fn visit_resource(
    definitions: &Definitions,
    resource: &mut Map<String, Value>,
    visit: &mut Visit<'_>,
) {
    let name = resource.get("resourceType").and_then(Value::as_str);
    if let Some(name) = name.map(str::to_owned) {
        visit_object(definitions, &name, resource, &Place::root(&name), visit);
    }
}

/// The depth is that of the document, which its parser bounds.
fn visit_object(
    definitions: &Definitions,
    type_name: &str,
    object: &mut Map<String, Value>,
    place: &Place<'_>,
    visit: &mut Visit<'_>,
) {
    let Some(definition) = definitions.type_definition(type_name) else {
        return;
    };
    for (name, value) in object.iter_mut() {
        if type_name == "Bundle" && name == "entry" {
            continue;
        }
        let place = place.child(name);
        if let Some((_, inner)) = definition.properties.get(name) {
            let is_reference = type_name == "Reference" && name == "reference";
            visit_value(definitions, (inner, is_reference), value, place, visit);
        } else if let Some(base) = name.strip_prefix('_')
            && definition.properties.contains_key(base)
        {
            visit_value(definitions, ("Element", false), value, place, visit);
        }
    }
}

fn visit_value(
    definitions: &Definitions,
    (type_name, is_reference): (&str, bool),
    value: &mut Value,
    place: Place<'_>,
    visit: &mut Visit<'_>,
) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let place = place.item(Some(index));
                visit_value(definitions, (type_name, is_reference), item, place, visit);
            }
        }
        Value::Object(object) => {
            let named = object.get("resourceType").and_then(Value::as_str);
            let inner = named.filter(|_| type_name == "Resource").map(str::to_owned);
            let of_type = inner.as_deref().unwrap_or(type_name);
            visit_object(definitions, of_type, object, &place, visit);
        }
        Value::String(text) if is_reference => visit(Link::Reference(text), &place),
        Value::String(text) => match type_name {
            "uri" | "url" | "oid" | "uuid" => visit(Link::Uri(text), &place),
            "xhtml" => visit(Link::Narrative(text), &place),
            _ => {}
        },
        _ => {}
    }
}

/// A link may carry a fragment or a version behind the address.
fn moved(moves: &Moves<'_>, root: &str, text: &str) -> Option<String> {
    if let Some(new) = moves.target(root, text) {
        return Some(new.to_owned());
    }
    let (address, fragment) = text.split_once('#')?;
    moves
        .target(root, address)
        .map(|new| format!("{new}#{fragment}"))
}

fn moved_in_narrative(moves: &Moves<'_>, root: &str, text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut changed = false;
    while let Some(start) = next_attribute(rest) {
        let (before, value) = rest.split_at(start);
        out.push_str(before);
        let quote = before.chars().next_back().unwrap_or('"');
        let end = value.find(quote).unwrap_or(value.len());
        let (link, behind) = value.split_at(end);
        match moved(moves, root, link) {
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
