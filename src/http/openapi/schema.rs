//! Element tables -> JSON Schema, for the types spelled out and whatever their
//! elements reach. <https://hl7.org/fhir/R4/json.html>

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{SPELLED_OUT, body, primitive, reference, search_parameter};
use crate::fhir::definitions::{Definitions, Element, TypeDefinition, TypeKind};

/// Types that the service itself answers or takes.
const OWN: [&str; 4] = [
    "Bundle",
    "CapabilityStatement",
    "OperationOutcome",
    "Parameters",
];

pub fn schemas(definitions: &Definitions) -> BTreeMap<String, Value> {
    let mut schemas = search_parameter::schemas(definitions);
    schemas.insert(body::JSON_PATCH.to_owned(), body::json_patch_schema());
    schemas.insert("health".to_owned(), health());
    let mut open: Vec<&str> = SPELLED_OUT.iter().chain(&OWN).copied().collect();
    while let Some(name) = open.pop() {
        let Some(definition) = definitions.type_definition(name) else {
            continue;
        };
        if schemas.contains_key(name) {
            continue;
        }
        let schema = match definition.kind {
            TypeKind::Primitive => primitive::schema(name),
            _ if name == "Resource" => any_resource(definitions),
            _ => {
                let elements = definition.elements.iter();
                open.extend(elements.flat_map(|e| &e.types).map(String::as_str));
                open.extend(["Element", "id"]);
                Object::new(definitions, definition).schema()
            }
        };
        schemas.insert(name.to_owned(), schema);
    }
    schemas
}

fn health() -> Value {
    json!({
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": {"enum": ["live", "ready", "not ready"]},
            "reason": {"type": "string"},
        },
    })
}

/// A resource whose elements are not spelled out here.
fn any_resource(definitions: &Definitions) -> Value {
    json!({
        "type": "object",
        "description": "A resource of any type, with the elements of that type: https://hl7.org/fhir/R4/resourcelist.html",
        "required": ["resourceType"],
        "properties": {
            "resourceType": {"enum": definitions.resource_types},
            "id": reference("schemas", "id"),
            "meta": reference("schemas", "Meta"),
        },
    })
}

struct Object<'d> {
    definitions: &'d Definitions,
    definition: &'d TypeDefinition,
    properties: Map<String, Value>,
    required: Vec<&'d str>,
    choices: Vec<String>,
    /// Of these one must be there; R4 has at most one such choice in a type.
    one_of: Vec<Value>,
}

impl<'d> Object<'d> {
    fn new(definitions: &'d Definitions, definition: &'d TypeDefinition) -> Self {
        Self {
            definitions,
            definition,
            properties: Map::new(),
            required: Vec::new(),
            choices: Vec::new(),
            one_of: Vec::new(),
        }
    }

    fn schema(mut self) -> Value {
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
    if matches!(type_name, "Reference" | "canonical") && !element.targets.is_empty() {
        parts.push(format!("To {}.", element.targets.join(", ")));
    }
    if let Some(value_set) = &element.required_binding {
        parts.push(format!("A code of {value_set}."));
    }
    parts.join(" ")
}
