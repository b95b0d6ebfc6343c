//! A straight way from a resource to the values of one element.
//! <https://hl7.org/fhir/R4/fhirpath.html>

use serde_json::{Map, Value};

use super::reference;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A property by its JSON name; of an array, every item.
    Field(String),
    /// One item of an array property.
    Item(String, usize),
    Where(Predicate),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Predicate {
    Equals {
        field: String,
        value: String,
    },
    /// `resolve() is Patient`, judged by the reference alone.
    RefersTo(String),
    HasExtension(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    pub steps: Vec<Step>,
    /// The FHIR type at the end.
    pub leaf: String,
    /// The element's path without choice types: `Observation.effective`.
    pub element: String,
    /// Types that a Reference here may point at; empty: any.
    pub targets: Vec<String>,
    /// The value set that a code here must be of.
    pub binding: Option<String>,
    /// A resource has at most one value here: no array on the way.
    pub single: bool,
}

impl Path {
    pub fn visit<'v>(&self, resource: &'v Map<String, Value>, visitor: &mut dyn FnMut(&'v Value)) {
        if let Some((step, rest)) = self.steps.split_first() {
            for value in select(resource, step) {
                walk(rest, value, visitor);
            }
        }
    }
}

fn walk<'v>(steps: &[Step], value: &'v Value, visitor: &mut dyn FnMut(&'v Value)) {
    match (steps.split_first(), value) {
        // A null in an array only holds the place of a primitive's extension.
        (_, Value::Null) => {}
        (None, _) => visitor(value),
        (Some((Step::Where(predicate), rest)), Value::Object(object)) => {
            if predicate.holds(object) {
                walk(rest, value, visitor);
            }
        }
        (Some((step, rest)), Value::Object(object)) => {
            for item in select(object, step) {
                walk(rest, item, visitor);
            }
        }
        (Some(_), _) => {}
    }
}

fn select<'v>(object: &'v Map<String, Value>, step: &Step) -> &'v [Value] {
    match step {
        Step::Field(name) => items(object, name),
        Step::Item(name, index) => items(object, name).get(*index..=*index).unwrap_or(&[]),
        Step::Where(_) => &[],
    }
}

/// The values of a property, of an array or alone.
pub fn items<'v>(object: &'v Map<String, Value>, name: &str) -> &'v [Value] {
    match object.get(name) {
        Some(Value::Array(items)) => items,
        Some(value) => std::slice::from_ref(value),
        None => &[],
    }
}

/// The text of a string property.
pub fn text<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v str> {
    object.get(name).and_then(Value::as_str)
}

impl Predicate {
    fn holds(&self, object: &Map<String, Value>) -> bool {
        match self {
            Self::Equals { field, value } => text(object, field) == Some(value),
            Self::RefersTo(resource_type) => {
                reference::type_of(object).is_some_and(|t| t == resource_type)
            }
            Self::HasExtension(url) => items(object, "extension")
                .iter()
                .filter_map(Value::as_object)
                .any(|extension| text(extension, "url") == Some(url)),
        }
    }
}
