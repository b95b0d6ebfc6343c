//! The OpenAPI document, made from the same definitions by which the service
//! works. <https://spec.openapis.org/oas/v3.1.0>
//!
//! Read in this order: `resource_type` (what can be asked, once for all
//! types), `path` (where), `operation` (interaction + place -> JSON); the
//! other files make the components that they refer to.

mod answer;
mod authorization;
mod body;
mod element;
mod example;
mod example_resource;
mod failure;
mod interaction;
mod operation;
mod parameter;
mod path;
mod primitive;
mod registered;
mod resource_type;
mod result_parameter;
mod schema;
mod search_parameter;
mod system;

use serde_json::{Value, json};

use crate::fhir::definitions::Definitions;
use crate::fhir::operation::Definition;

/// The types with paths, parameters and schemas of their own.
const SPELLED_OUT: [&str; 4] = [
    "Appointment",
    "MedicationStatement",
    "Observation",
    "Patient",
];

/// The document. The same definitions give the same text; `operations` are
/// those that rooms above the engine register.
pub fn document(definitions: &Definitions, operations: &[&Definition]) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Unloop",
            "summary": "FHIR R4 records for practices that treat OCD with ketamine",
            "description": include_str!("overview.md"),
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
            "version": env!("CARGO_PKG_VERSION"),
        },
        "externalDocs": {"description": "FHIR R4, RESTful API", "url": "https://hl7.org/fhir/R4/http.html"},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": tags(),
        "paths": path::paths(definitions, operations),
        "components": {
            "schemas": schema::schemas(definitions),
            "parameters": parameter::parameters(definitions),
            "requestBodies": body::bodies(),
            "responses": failure::responses(),
            "headers": answer::headers(),
            "examples": example::examples(),
            "securitySchemes": authorization::security_schemes(),
        },
    })
}

fn tags() -> Vec<Value> {
    let mut tags: Vec<Value> = SPELLED_OUT
        .iter()
        .map(|name| {
            let page = format!("https://hl7.org/fhir/R4/{}.html", name.to_lowercase());
            json!({"name": name, "externalDocs": {"url": page}})
        })
        .collect();
    for (name, description) in [
        (path::OTHER, "Every resource type that is not spelled out"),
        (
            path::SYSTEM,
            "All types together, and what the service can do",
        ),
        (
            authorization::AUTHORIZATION,
            "Tokens, and the clients that get them; outside the FHIR base",
        ),
        (
            path::SERVICE,
            "The state of the service; outside the FHIR base",
        ),
    ] {
        tags.push(json!({"name": name, "description": description}));
    }
    tags
}

fn reference(room: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{room}/{name}")})
}
