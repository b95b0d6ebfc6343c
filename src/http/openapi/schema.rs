//! The schemas: the types spelled out and whatever their elements reach.
//! <https://spec.openapis.org/oas/v3.1.0#schema-object>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::element::Object;
use super::{SPELLED_OUT, body, primitive, reference, search_parameter};
use crate::fhir::definitions::{Definitions, TypeKind};

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
