//! One element table -> the schema of its JSON object.
//! <https://hl7.org/fhir/R4/json.html>

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::reference;
use crate::fhir::definitions::{Definitions, Element, TypeDefinition, TypeKind};

/// The object of a type while its elements are added.
pub struct Object<'d> {
    definitions: &'d Definitions,
    definition: &'d TypeDefinition,
    properties: Map<String, Value>,
    required: Vec<&'d str>,
    choices: Vec<String>,
    /// Of these one must be there; R4 has at most one such choice in a type.
    one_of: Vec<Value>,
}

impl<'d> Object<'d> {
    pub fn new(definitions: &'d Definitions, definition: &'d TypeDefinition) -> Self {
        Self {
            definitions,
            definition,
            properties: Map::new(),
            required: Vec::new(),
            choices: Vec::new(),
            one_of: Vec::new(),
        }
    }

    pub fn schema(mut self) -> Value {
        if self.definition.kind == TypeKind::Resource {
            let name = json!({"const": self.definition.name});
            self.properties.insert("resourceType".to_owned(), name);
            self.required.push("resourceType");
        }
        let mut names: BTreeMap<(usize, &str), &str> = BTreeMap::new();
        for (property, (index, type_name)) in &self.definition.properties {
            names.insert((*index, type_name), property);
        }
        for (index, element) in self.definition.elements.iter().enumerate() {
            let properties = element.types.iter().filter_map(|type_name| {
                let property = names.get(&(index, type_name.as_str()))?;
                Some((*property, type_name.as_str()))
            });
            self.add(element, &properties.collect::<Vec<_>>());
        }
        self.finish()
    }

    fn add(&mut self, element: &'d Element, properties: &[(&str, &str)]) {
        for (property, type_name) in properties {
            let is_primitive = self.is_primitive(type_name);
            let schema = self.property(element, type_name, is_primitive);
            self.properties.insert((*property).to_owned(), schema);
            // An id and the narrative's XHTML are no FHIR elements of their own.
            if is_primitive && element.name != "id" && *type_name != "xhtml" {
                let sibling = many(element.array, true, reference("schemas", "Element"));
                self.properties.insert(format!("_{property}"), sibling);
            }
        }
        if element.choice {
            self.choices.push(format!("{}[x]", element.name));
        }
        match (element.min, element.choice) {
            (0, _) => {}
            (_, false) => self.required.push(&element.name),
            (_, true) => {
                let names = properties
                    .iter()
                    .map(|(name, _)| json!({"required": [name]}));
                self.one_of.extend(names);
            }
        }
    }

    fn is_primitive(&self, type_name: &str) -> bool {
        let definition = self.definitions.type_definition(type_name);
        definition.is_some_and(|definition| definition.kind == TypeKind::Primitive)
    }

    fn property(&self, element: &Element, type_name: &str, is_primitive: bool) -> Value {
        let of_resource = self.definition.kind == TypeKind::Resource;
        let type_name = match element.name.as_str() {
            "id" if of_resource => "id",
            _ => type_name,
        };
        let schema = reference("schemas", type_name);
        let mut schema = many(element.array, is_primitive, schema);
        let description = describe(element, type_name);
        if let (Some(members), false) = (schema.as_object_mut(), description.is_empty()) {
            members.insert("description".to_owned(), description.into());
        }
        schema
    }

    fn finish(self) -> Value {
        let mut schema = json!({"type": "object"});
        let Some(members) = schema.as_object_mut() else {
            return schema;
        };
        if !self.choices.is_empty() {
            let text = format!("At most one member of each of {}.", self.choices.join(", "));
            members.insert("description".to_owned(), text.into());
        }
        if !self.required.is_empty() {
            members.insert("required".to_owned(), json!(self.required));
        }
        if !self.one_of.is_empty() {
            members.insert("oneOf".to_owned(), json!(self.one_of));
        }
        members.insert("properties".to_owned(), self.properties.into());
        members.insert("additionalProperties".to_owned(), false.into());
        schema
    }
}

/// Arrays of primitives have a null where only the sibling has something.
fn many(array: bool, is_primitive: bool, schema: Value) -> Value {
    match (array, is_primitive) {
        (false, _) => schema,
        (true, false) => json!({"type": "array", "minItems": 1, "items": schema}),
        (true, true) => json!({
            "type": "array",
            "minItems": 1,
            "items": {"anyOf": [schema, {"type": "null"}]},
        }),
    }
}

fn describe(element: &Element, type_name: &str) -> String {
    let mut parts = Vec::new();
    if element.modifier {
        parts.push("Modifies the meaning of what contains it.".to_owned());
    }
    let targets = element.targets_of(type_name);
    if !targets.is_empty() {
        parts.push(format!("To {}.", targets.join(", ")));
    }
    if let Some(value_set) = &element.required_binding {
        parts.push(format!("A code of {value_set}."));
    }
    parts.join(" ")
}
