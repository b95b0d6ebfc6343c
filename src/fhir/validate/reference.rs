//! What a Reference may point at. <https://hl7.org/fhir/R4/references.html#literal>
//!
//! Only what the text itself tells is judged: `Type/id`, an address that ends
//! so, a contained resource, and `Reference.type`.

use serde_json::{Map, Value};

use super::id;
use super::place::Place;
use super::report::shown;
use super::structure::Walk;
use crate::fhir::definitions::Element;
use crate::fhir::literal_reference::{LiteralReference, read_reference};
use crate::fhir::outcome::Kind;

/// `Reference.type` is relative to this.
const DEFINITIONS: &str = "http://hl7.org/fhir/StructureDefinition/";

/// What a literal reference says of its target's type.
enum Target {
    Type(String),
    /// `Patinet/1`
    NoType(String),
    /// No address of anything, and what to write.
    Wrong(&'static str),
    Unknown,
}

impl<'a> Walk<'a> {
    pub fn reference(&mut self, element: &Element, map: &'a Map<String, Value>, place: &Place<'_>) {
        let text = |name: &str| map.get(name).and_then(Value::as_str);
        let literal = text("reference").map_or(Target::Unknown, |text| self.target(text));
        let said = text("type").map(|name| name.strip_prefix(DEFINITIONS).unwrap_or(name));
        let said = said.filter(|name| self.definitions.is_resource_type(name));
        if let Some(said) = said {
            self.allowed(element, said, &place.child("type"));
        }
        let place = place.child("reference");
        match literal {
            Target::Type(name) if said.is_some_and(|said| said != name.as_str()) => {
                let text = format!(
                    "the reference is to {}, and `type` says otherwise: correct one of them",
                    shown(&name)
                );
                self.report.problem(Kind::Value, &place, text);
            }
            Target::Type(name) => self.allowed(element, &name, &place),
            Target::NoType(name) => {
                let text = format!("{} is no R4 resource type: correct it", shown(&name));
                self.report.problem(Kind::Value, &place, text);
            }
            Target::Wrong(text) => self.report.problem(Kind::Value, &place, text),
            Target::Unknown => {}
        }
    }

    fn allowed(&mut self, element: &Element, name: &str, place: &Place<'_>) {
        if element.targets.is_empty() || element.targets.iter().any(|t| t == name) {
            return;
        }
        let text = format!(
            "{} may not refer to {}: refer to {}",
            shown(&element.name),
            shown(name),
            element.targets.join(" or ")
        );
        self.report.problem(Kind::Value, place, text);
    }

    fn target(&self, text: &str) -> Target {
        let of_type = |name: String| match self.definitions.is_resource_type(&name) {
            true => Target::Type(name),
            false => Target::NoType(name),
        };
        match read_reference(None, text) {
            LiteralReference::Contained => {
                let id = text.trim().trim_start_matches('#');
                let name = self.contained(id).map(str::to_owned);
                name.map_or(Target::Unknown, Target::Type)
            }
            LiteralReference::Local(key, _) => of_type(key.resource_type),
            // Criteria, which a transaction replaces.
            LiteralReference::Criteria(name, _) => of_type(name),
            LiteralReference::Elsewhere(address) => self.elsewhere(&address),
            LiteralReference::Wrong(text) => Target::Wrong(text),
        }
    }

    /// An absolute address tells a type where it ends in one and an id.
    fn elsewhere(&self, address: &str) -> Target {
        let path = address.split('?').next().unwrap_or(address);
        let path = path.split_once("/_history/").map_or(path, |(path, _)| path);
        let mut tail = path.rsplit('/');
        match (tail.next(), tail.next()) {
            (Some(id), Some(name)) if self.definitions.is_resource_type(name) => {
                match id::is_legal(id) {
                    true => Target::Type(name.to_owned()),
                    false => Target::Unknown,
                }
            }
            _ => Target::Unknown,
        }
    }

    /// The type of a contained resource, or of the one that contains it (`#`).
    fn contained(&self, id: &str) -> Option<&'a str> {
        let resource = match id {
            "" => self.container,
            id => {
                let contained = self.container.get("contained")?.as_array()?.iter();
                let mut contained = contained.filter_map(Value::as_object);
                contained.find(|c| c.get("id").and_then(Value::as_str) == Some(id))?
            }
        };
        let name = resource.get("resourceType")?.as_str()?;
        self.definitions.is_resource_type(name).then_some(name)
    }
}
