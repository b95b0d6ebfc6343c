//! Every path of the service. Concrete paths outweigh templated ones:
//! <https://spec.openapis.org/oas/v3.1.0#path-templating-matching>

use serde_json::{Map, Value, json};

use super::authorization;
use super::interaction::{Interaction, SEARCH_FORM, SEARCH_TYPE};
use super::operation::{Place, operation};
use super::resource_type::OF_TYPE;
use super::system::{EVERYTHING, OF_SYSTEM};
use super::{SPELLED_OUT, reference, registered};
use crate::fhir::definitions::Definitions;
use crate::fhir::operation::{Definition, OPERATIONS};
use crate::http::routes::BASE_PATH;

pub const OTHER: &str = "Other types";
pub const SYSTEM: &str = "System";
pub const SERVICE: &str = "Service";

pub fn paths(definitions: &Definitions, operations: &[&Definition]) -> Value {
    let mut paths = Paths {
        definitions,
        paths: Map::new(),
    };
    for name in SPELLED_OUT {
        paths.add(&place(format!("/{name}"), name, Some(name), name), &OF_TYPE);
    }
    let record = place("/Patient/{id}".to_owned(), "Patient", None, "");
    paths.add(&record, &EVERYTHING);
    for definition in OPERATIONS.iter().chain(operations) {
        registered::add(&mut paths.paths, definition);
    }
    paths.add_compartments();
    let other = place("/{type}".to_owned(), OTHER, None, "");
    paths.add(&other, &OF_TYPE);
    let system = place(String::new(), SYSTEM, None, "");
    paths.add(&system, &OF_SYSTEM);
    authorization::add(&mut paths.paths);
    paths.add_service();
    paths.paths.into()
}

fn place<'p>(
    below: String,
    tag: &'p str,
    subject: Option<&'static str>,
    suffix: &str,
) -> Place<'p> {
    Place {
        path: format!("{BASE_PATH}{below}"),
        tag,
        subject,
        suffix: suffix.to_owned(),
    }
}

struct Paths<'d> {
    definitions: &'d Definitions,
    paths: Map<String, Value>,
}

impl Paths<'_> {
    fn add(&mut self, place: &Place<'_>, interactions: &[Interaction]) {
        for of in interactions {
            let path = format!("{}{}", place.path, of.below);
            let operation = operation(self.definitions, place, of);
            let empty = item(&path);
            let item = self.paths.entry(path).or_insert(empty);
            if let Some(item) = item.as_object_mut() {
                item.insert(of.verb.to_owned(), operation);
            }
        }
    }

    /// The searches in compartments; that of a patient is spelled out too.
    fn add_compartments(&mut self) {
        let patient = self.definitions.compartment("Patient");
        for name in SPELLED_OUT {
            if patient.is_some_and(|patient| patient.members.contains_key(name)) {
                let below = format!("/Patient/{{id}}/{name}");
                let suffix = format!("{name}OfPatient");
                let member = place(below, name, Some(name), &suffix);
                self.add(&member, &[SEARCH_TYPE, SEARCH_FORM]);
            }
        }
        let below = "/Patient/{id}/{patientMember}".to_owned();
        let member = place(below, "Patient", None, "OfPatient");
        self.add(&member, &[SEARCH_TYPE]);
        let below = "/{compartment}/{id}/{member}".to_owned();
        let member = place(below, OTHER, None, "OfCompartment");
        self.add(&member, &[SEARCH_TYPE]);
    }

    /// What lies outside the FHIR base.
    fn add_service(&mut self) {
        let health = json!({"schema": reference("schemas", "health")});
        let health =
            |text: &str| json!({"description": text, "content": {"application/json": health}});
        let get = |name: &str, summary: &str, responses: Value| {
            json!({"get": {
                "tags": [SERVICE],
                "summary": summary,
                "operationId": name,
                "security": [],
                "responses": responses,
            }})
        };
        let document = json!({"description": "This document.", "content": {"application/json": {"schema": {"type": "object"}}}});
        let object = |text: &str| json!({"description": text, "content": {"application/json": {"schema": {"type": "object"}}}});
        let live = json!({"200": health("The process answers.")});
        let ready = json!({
            "200": health("The store answers and its schema is current."),
            "503": health("The store does not answer, or its schema is not current."),
        });
        for (path, item) in [
            ("/health/live", get("live", "Is the process alive?", live)),
            (
                "/health/ready",
                get("ready", "Can the service answer requests?", ready),
            ),
            (
                "/openapi.json",
                get("openapi", "This document", json!({"200": document})),
            ),
            (
                "/cds-services",
                get(
                    "cdsServices",
                    "The CDS Hooks services",
                    json!({"200": object("The services.")}),
                ),
            ),
            (
                "/cds-services/{id}",
                cds(
                    "callCdsService",
                    "Calls a CDS Hooks service",
                    &object("The cards."),
                ),
            ),
            (
                "/cds-services/{id}/feedback",
                cds(
                    "tellCdsService",
                    "Tells what became of cards: accepted suggestions, or why they were overridden",
                    &object("It is stored."),
                ),
            ),
        ] {
            self.paths.insert(path.to_owned(), item);
        }
    }
}

/// <https://cds-hooks.hl7.org/2.0/#calling-a-cds-service>,
/// <https://cds-hooks.hl7.org/2.0/#feedback>
fn cds(name: &str, summary: &str, answer: &Value) -> Value {
    let refusal = json!({"description": "A refusal, as OperationOutcome.", "content": {"application/fhir+json": {"schema": {"type": "object"}}}});
    json!({
        "parameters": [reference("parameters", "id")],
        "post": {
            "tags": [SERVICE],
            "summary": summary,
            "operationId": name,
            "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object"}}}},
            "responses": {"200": answer, "default": refusal},
        },
    })
}

/// A path item with the parameters that stand in its path.
pub fn item(path: &str) -> Value {
    let parameters: Vec<Value> = path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| reference("parameters", name))
        .collect();
    if parameters.is_empty() {
        return json!({});
    }
    json!({"parameters": parameters})
}
