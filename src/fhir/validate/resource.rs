//! A resource wherever it stands: type, id, and no containing within containing.
//! <https://hl7.org/fhir/R4/resource.html>,
//! <https://hl7.org/fhir/R4/references.html#contained>

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::id;
use super::place::Place;
use super::report::shown;
use super::structure::Walk;
use crate::fhir::definitions::TypeDefinition;
use crate::fhir::outcome::Kind;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The document, or a resource that a Bundle or Parameters carries.
    Whole,
    Contained,
}

impl Role {
    pub fn of(element: &str) -> Self {
        match element {
            "contained" => Self::Contained,
            _ => Self::Whole,
        }
    }
}

impl<'a> Walk<'a> {
    pub fn resource(&mut self, map: &'a Map<String, Value>, place: &Place<'_>, role: Role) {
        let Some(definition) = self.resource_type(map, place) else {
            return;
        };
        if let Some(Value::String(id)) = map.get("id")
            && !id.is_empty()
            && !id::is_legal(id)
        {
            let text = "an id has 1 to 64 letters, digits, hyphens and dots: choose another";
            self.report.problem(Kind::Value, &place.child("id"), text);
        }
        if role == Role::Contained && map.contains_key("contained") {
            let text = "a contained resource contains no others: \
                        move them up to the resource that contains this one";
            self.report.structure(&place.child("contained"), text);
        }
        let container = match role {
            Role::Whole => std::mem::replace(&mut self.container, map),
            Role::Contained => self.container,
        };
        self.object(definition, map, place);
        self.container = container;
        self.distinct_contained(map, place);
    }

    /// "The id ... SHALL be unique within the set of contained resources."
    fn distinct_contained(&mut self, map: &'a Map<String, Value>, place: &Place<'_>) {
        let contained = map.get("contained").and_then(Value::as_array);
        let mut seen = HashSet::new();
        for (index, one) in contained.into_iter().flatten().enumerate() {
            let id = one.get("id").and_then(Value::as_str);
            if id.is_some_and(|id| !seen.insert(id)) {
                let list = place.child("contained").item(Some(index));
                let text = "another contained resource has this id: give each its own";
                self.report.problem(Kind::Value, &list.child("id"), text);
            }
        }
    }

    fn resource_type(
        &mut self,
        map: &Map<String, Value>,
        place: &Place<'_>,
    ) -> Option<&'a TypeDefinition> {
        match map.get("resourceType") {
            Some(Value::String(name)) if self.definitions.is_resource_type(name) => {
                return self.definitions.type_definition(name);
            }
            Some(Value::String(name)) => {
                let text = format!(
                    "{} is no R4 resource type: correct `resourceType`",
                    shown(name)
                );
                self.report.structure(place, text);
            }
            Some(_) => {
                let text = "`resourceType` is a string: write the name of the type";
                self.report.structure(place, text);
            }
            None => {
                let text = "`resourceType` is missing: add the name of the type";
                self.report.problem(Kind::Required, place, text);
            }
        }
        None
    }
}
