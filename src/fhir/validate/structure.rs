//! Every property known, and of the JSON form its definition asks for.
//! <https://hl7.org/fhir/R4/json.html>
//!
//! A rule on a whole object is one more step at the end of `Walk::object`; what
//! an element demands of its value beyond the type belongs to `Walk::demands`,
//! one on a primitive's value to `primitive.rs`.

use serde_json::{Map, Value};

use super::cardinality::Present;
use super::place::Place;
use super::report::{Report, shown};
use super::resource::Role;
use crate::fhir::definitions::{Definitions, Element, TypeDefinition, TypeKind};
use crate::fhir::outcome::{Issue, Kind};

/// Deeper than any document a parser of this service lets through.
const DEEPEST: usize = 200;

/// All problems of a document, in the document's order.
pub fn check(definitions: &Definitions, resource: &Map<String, Value>) -> Vec<Issue> {
    let name = match resource.get("resourceType") {
        Some(Value::String(name)) if definitions.is_resource_type(name) => name,
        _ => "Resource",
    };
    let mut walk = Walk::new(definitions, resource);
    walk.resource(resource, &Place::root(name), Role::Whole);
    walk.report.finish()
}

/// The same for one element of a type by its path, such as `Bundle.entry`;
/// places begin with `root`.
pub fn check_element(
    definitions: &Definitions,
    path: &str,
    element: &Map<String, Value>,
    root: &str,
) -> Vec<Issue> {
    let mut walk = Walk::new(definitions, element);
    if let Some(definition) = definitions.type_definition(path) {
        walk.object(definition, element, &Place::root(root));
    }
    walk.report.finish()
}

pub(super) struct Walk<'a> {
    pub definitions: &'a Definitions,
    pub report: Report,
    /// The resource whose contained ones a `#` refers to.
    pub container: &'a Map<String, Value>,
}

/// A property of an object, with what the definitions say of it.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub key: &'a str,
    /// The key without the `_` of a primitive's sibling.
    pub name: &'a str,
    pub value: &'a Value,
    pub element: &'a Element,
    pub type_definition: &'a TypeDefinition,
    /// The object it is a property of.
    pub object: &'a Map<String, Value>,
}

impl<'a> Walk<'a> {
    fn new(definitions: &'a Definitions, container: &'a Map<String, Value>) -> Self {
        Self {
            definitions,
            report: Report::default(),
            container,
        }
    }

    pub fn object(
        &mut self,
        definition: &'a TypeDefinition,
        map: &'a Map<String, Value>,
        place: &Place<'_>,
    ) {
        if place.depth > DEEPEST {
            let text = format!("nested more than {DEEPEST} levels deep: flatten the content");
            return self.report.problem(Kind::TooLarge, place, text);
        }
        if map.is_empty() {
            let text = "an object is never empty: remove it or give it content";
            return self.report.structure(place, text);
        }
        let is_resource = definition.kind == TypeKind::Resource;
        let mut present = Present::default();
        for (key, value) in map {
            if !(is_resource && key == "resourceType")
                && let Some(index) = self.property(definition, map, key, value, place)
            {
                present.add(index);
            }
        }
        self.minimum(definition, present, place);
    }

    /// Answers which element it is.
    fn property(
        &mut self,
        definition: &'a TypeDefinition,
        object: &'a Map<String, Value>,
        key: &'a str,
        value: &'a Value,
        parent: &Place<'_>,
    ) -> Option<usize> {
        let name = key.strip_prefix('_').unwrap_or(key);
        let known = definition.properties.get(name).and_then(|(index, of)| {
            let element = definition.elements.get(*index)?;
            Some((*index, element, self.definitions.type_definition(of)?))
        });
        let Some((index, element, type_definition)) = known else {
            return self.unknown(definition, key, name, parent);
        };
        let member = Member {
            key,
            name,
            value,
            element,
            type_definition,
            object,
        };
        let place = parent.child(&element.name);
        if element.choice {
            self.one_variant(definition, &member, &place);
        }
        match (type_definition.kind, key.len() > name.len()) {
            (TypeKind::Primitive, false) => self.primitive(&member, &place),
            (TypeKind::Primitive, true) => self.sibling(&member, &place),
            (_, true) => {
                let text = format!(
                    "{} belongs to a primitive and {} is none: put its content into {1}",
                    shown(key),
                    shown(name)
                );
                self.report.structure(&place, text);
            }
            (_, false) => self.complex(&member, &place),
        }
        Some(index)
    }

    fn complex(&mut self, member: &Member<'a>, place: &Place<'_>) {
        self.array_or_single(member, place);
        for (index, item) in items(member.value) {
            let place = place.item(index);
            match item {
                Value::Object(map) if member.type_definition.kind == TypeKind::Resource => {
                    self.resource(map, &place, Role::of(&member.element.name));
                }
                Value::Object(map) => {
                    let before = self.report.count();
                    self.object(member.type_definition, map, &place);
                    let is_sound = self.report.count() == before;
                    self.demands(member, map, is_sound, &place);
                }
                other => {
                    let text = format!(
                        "{} is an object of type {}, not {}: write it as {{ … }}",
                        shown(member.key),
                        member.type_definition.name,
                        json_kind(other),
                    );
                    self.report.structure(&place, text);
                }
            }
        }
    }

    /// What the element asks of a value of its type. A concept without a sound
    /// coding is told for that, not once more for its codes.
    fn demands(
        &mut self,
        member: &Member<'a>,
        map: &'a Map<String, Value>,
        is_sound: bool,
        place: &Place<'_>,
    ) {
        let element = member.element;
        match (
            member.type_definition.name.as_str(),
            &element.required_binding,
        ) {
            ("Reference", _) => self.reference(element, map, place),
            ("CodeableConcept", Some(url)) if is_sound => {
                self.concept_binding(url, member.key, map, place);
            }
            _ => {}
        }
    }

    /// Also: an array is never empty.
    pub fn array_or_single(&mut self, member: &Member<'a>, place: &Place<'_>) {
        let problem = match (member.value, member.element.array) {
            (Value::Array(items), true) if items.is_empty() => {
                "is an empty array: remove it or give it content"
            }
            (Value::Array(_), false) => "does not repeat: write one value without [ ]",
            (Value::Array(_), true) | (_, false) => return,
            (_, true) => "repeats: write an array, also around one value",
        };
        let text = format!("{} {problem}", shown(member.key));
        self.report.structure(place, text);
    }

    /// Answers which element was meant, where that is plain.
    fn unknown(
        &mut self,
        definition: &TypeDefinition,
        key: &str,
        name: &str,
        parent: &Place<'_>,
    ) -> Option<usize> {
        let of = &definition.name;
        let mut elements = definition.elements.iter();
        let meant = elements.position(|e| e.choice && e.name == name);
        let choice = meant.and_then(|index| definition.elements.get(index));
        let text = match choice.and_then(|e| Some((e, e.types.first()?))) {
            Some((element, first)) => format!(
                "{} carries its type in its name, as {first} does in `{}`: rename it",
                shown(key),
                element.property(first),
            ),
            None => format!(
                "{} is not an element of {of}: remove it or correct its name",
                shown(key)
            ),
        };
        match is_identifier(name) {
            true => self.report.structure(&parent.child(name), text),
            false => self.report.structure(parent, text),
        }
        meant
    }

    /// `value[x]` has one type at a time; told at the later of two.
    fn one_variant(&mut self, definition: &TypeDefinition, member: &Member<'a>, place: &Place<'_>) {
        let earlier = member.object.keys().take_while(|k| *k != member.key);
        let other = earlier
            .map(|k| k.strip_prefix('_').unwrap_or(k))
            .filter(|k| *k != member.name && k.starts_with(&member.element.name))
            .find(|k| {
                let found = definition.properties.get(*k).map(|(index, _)| *index);
                found
                    .and_then(|i| definition.elements.get(i))
                    .map(|e| &e.name)
                    == Some(&member.element.name)
            });
        if let Some(other) = other {
            let text = format!(
                "{} and {} are two types of one element: keep one of them",
                shown(other),
                shown(member.key)
            );
            self.report.structure(place, text);
        }
    }
}

/// The items of an array with their index, or the one value without.
pub(super) fn items(value: &Value) -> impl Iterator<Item = (Option<usize>, &Value)> {
    let (array, single) = match value {
        Value::Array(items) => (items.as_slice(), None),
        single => (&[][..], Some((None, single))),
    };
    let numbered = array.iter().enumerate();
    numbered.map(|(i, item)| (Some(i), item)).chain(single)
}

pub(super) fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
