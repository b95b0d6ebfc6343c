//! The examples, by name.
//! <https://spec.openapis.org/oas/v3.1.0#example-object>

use serde_json::{Map, Value, json};

use super::SPELLED_OUT;
use super::body::JSON_PATCH;
use super::example_resource::{
    appointment, medication_statement, observation, patient, practitioner,
};

pub const TRANSACTION: &str = "transaction";
pub const PARAMETERS: &str = "Parameters";
/// A resource of a type that is not spelled out.
pub const OTHER: &str = "Practitioner";

pub fn examples() -> Map<String, Value> {
    let mut all = Map::new();
    let mut put = |name: &str, summary: &str, value: Value| {
        all.insert(name.to_owned(), json!({"summary": summary, "value": value}));
    };
    for name in SPELLED_OUT {
        let (summary, resource) = resource(name);
        put(name, summary, resource.clone());
        put(
            &page_of(name),
            "A page with one match",
            page(name, &resource),
        );
    }
    let (summary, practitioner) = resource(OTHER);
    put(OTHER, summary, practitioner);
    put(
        JSON_PATCH,
        "Sets the status, if it is what the client takes it for",
        json!([
            {"op": "test", "path": "/status", "value": "preliminary"},
            {"op": "replace", "path": "/status", "value": "final"},
        ]),
    );
    put(
        PARAMETERS,
        "The record since the start of the year",
        json!({
            "resourceType": "Parameters",
            "parameter": [
                {"name": "start", "valueDate": "2026-01-01"},
                {"name": "_count", "valueInteger": 100},
            ],
        }),
    );
    put(
        TRANSACTION,
        "A patient and a first score, together or not at all",
        transaction(),
    );
    all
}

/// The example of a search result.
pub fn page_of(name: &str) -> String {
    format!("{name}-page")
}

fn resource(name: &str) -> (&'static str, Value) {
    match name {
        "Appointment" => ("A treatment session that is booked", appointment()),
        "MedicationStatement" => ("A medicine the patient takes", medication_statement()),
        "Observation" => ("A Y-BOCS total score", observation()),
        "Patient" => ("An invented patient", patient()),
        _ => ("An invented practitioner", practitioner()),
    }
}

fn page(name: &str, resource: &Value) -> Value {
    let base = "http://127.0.0.1:8080/fhir";
    json!({
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 1,
        "link": [{"relation": "self", "url": format!("{base}/{name}?_id=example")}],
        "entry": [{
            "fullUrl": format!("{base}/{name}/example"),
            "resource": resource,
            "search": {"mode": "match"},
        }],
    })
}

fn transaction() -> Value {
    let new = "urn:uuid:8c6bb0f5-0a4b-4d1c-9d0e-3f2a7a5f0c11";
    let mut score = observation();
    if let Some(subject) = score.pointer_mut("/subject/reference") {
        *subject = new.into();
    }
    json!({
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": new,
                "resource": patient(),
                "request": {
                    "method": "POST",
                    "url": "Patient",
                    "ifNoneExist": "identifier=https://clinic.example/patients|0001",
                },
            },
            {"resource": score, "request": {"method": "POST", "url": "Observation"}},
        ],
    })
}
