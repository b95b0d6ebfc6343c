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
use crate::fhir::outcome::Kind;

/// `Reference.type` is relative to this.
const DEFINITIONS: &str = "http://hl7.org/fhir/StructureDefinition/";

/// What a literal reference says of its target's type.
enum Target<'a> {
    Type(&'a str),
    /// `Patinet/1`
    NoType(&'a str),
    /// `Patient/a b`
    NoId,
    /// `Patient`, which is no address of anything.
    NoAddress,
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
            Target::Type(name) if said.is_some_and(|said| said != name) => {
                let text = format!(
                    "the reference is to {}, and `type` says otherwise: correct one of them",
                    shown(name)
                );
                self.report.problem(Kind::Value, &place, text);
            }
            Target::Type(name) => self.allowed(element, name, &place),
            Target::NoType(name) => {
                let text = format!("{} is no R4 resource type: correct it", shown(name));
                self.report.problem(Kind::Value, &place, text);
            }
            Target::NoId => {
                let text = "an id has 1 to 64 letters, digits, hyphens and dots: correct it";
                self.report.problem(Kind::Value, &place, text);
            }
            Target::NoAddress => {
                let text =
                    "it is no address of a resource: write Type/id, an absolute address or #id";
                self.report.problem(Kind::Value, &place, text);
            }
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

    fn target<'t>(&self, text: &'t str) -> Target<'t>
    where
        'a: 't,
    {
        if let Some(id) = text.strip_prefix('#') {
            return self.contained(id).map_or(Target::Unknown, Target::Type);
        }
        let is_absolute = text.contains(':');
        let (path, is_search) = match text.split_once('?') {
            Some((path, _)) => (path, true),
            None => (text, false),
        };
        let path = path.split_once("/_history/").map_or(path, |(path, _)| path);
        match path.rsplit_once('/') {
            // Criteria, which a transaction replaces.
            None if is_search && self.definitions.is_resource_type(path) => Target::Type(path),
            Some((before, id)) => {
                let name = before.rsplit('/').next().unwrap_or(before);
                let is_type = self.definitions.is_resource_type(name);
                match is_absolute || name.len() < before.len() {
                    true if is_type && id::is_legal(id) => Target::Type(name),
                    true => Target::Unknown,
                    false if !is_type => Target::NoType(name),
                    false if id::is_legal(id) => Target::Type(name),
                    false => Target::NoId,
                }
            }
            None if !is_absolute && !text.is_empty() => Target::NoAddress,
            None => Target::Unknown,
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
