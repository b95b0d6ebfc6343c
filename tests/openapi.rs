//! The committed OpenAPI document is the one that the definitions give, and it
//! holds together. <https://spec.openapis.org/oas/v3.1.0>

#![allow(clippy::indexing_slicing, clippy::string_slice, clippy::panic)]

use std::collections::HashSet;
use std::path::PathBuf;

use serde_json::Value;
use unloop::clinical::OPERATIONS;
use unloop::fhir::definitions::r4;
use unloop::fhir::search::{RESULT_PARAMETERS, is_searchable};
use unloop::http::openapi::document;

const SPELLED_OUT: [&str; 4] = [
    "Appointment",
    "MedicationStatement",
    "Observation",
    "Patient",
];

fn committed() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("openapi/openapi.json")
}

fn generated() -> String {
    let mut text = serde_json::to_string_pretty(&document(r4(), OPERATIONS)).expect("a JSON value");
    text.push('\n');
    text
}

/// Visits every value of the document.
fn visit<'v>(value: &'v Value, seen: &mut dyn FnMut(&'v Value)) {
    seen(value);
    match value {
        Value::Object(members) => members.values().for_each(|value| visit(value, seen)),
        Value::Array(items) => items.iter().for_each(|value| visit(value, seen)),
        _ => {}
    }
}

/// Names of the query parameters of an operation.
fn query_parameters(document: &Value, path: &str, verb: &str) -> HashSet<String> {
    let parameters = document["paths"][path][verb]["parameters"].as_array();
    parameters
        .unwrap_or_else(|| panic!("{verb} {path} has parameters"))
        .iter()
        .map(|parameter| {
            let pointer = parameter["$ref"].as_str().expect("a reference");
            document.pointer(&pointer[1..]).expect("a component")
        })
        .filter(|parameter| parameter["in"] == "query")
        .map(|parameter| parameter["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn the_committed_document_is_the_generated_one() {
    let generated = generated();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(committed(), &generated).expect("openapi/ can be written");
    }
    let committed = std::fs::read_to_string(committed()).unwrap_or_default();
    let line = committed
        .lines()
        .zip(generated.lines())
        .position(|(old, new)| old != new);
    assert!(
        committed == generated,
        "openapi/openapi.json is not what the definitions give (first difference: line {}). \
         Rewrite it with: UPDATE_OPENAPI=1 cargo test --test openapi",
        line.map_or("at the end".to_owned(), |line| (line + 1).to_string()),
    );
}

#[test]
fn the_document_stays_below_a_megabyte() {
    assert!(generated().len() < 1_000_000);
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document(r4(), OPERATIONS);
    visit(&document, &mut |value| {
        if let Some(pointer) = value.get("$ref").and_then(Value::as_str) {
            assert!(document.pointer(&pointer[1..]).is_some(), "{pointer}");
        }
    });
}

#[test]
fn every_component_is_used() {
    let document = document(r4(), OPERATIONS);
    let mut used = HashSet::new();
    visit(&document, &mut |value| {
        if let Some(pointer) = value.get("$ref").and_then(Value::as_str) {
            used.insert(pointer);
        }
    });
    // Their statuses are described; operations name them by `default`.
    let described = ["Forbidden", "MethodNotAllowed"];
    for (room, components) in document["components"].as_object().expect("rooms") {
        // Named by operations, not referred to.
        if room == "securitySchemes" {
            continue;
        }
        for name in components.as_object().expect("components").keys() {
            let pointer = format!("#/components/{room}/{name}");
            let known = used.contains(pointer.as_str()) || described.contains(&name.as_str());
            assert!(known, "{pointer} is not used");
        }
    }
}

#[test]
fn operation_ids_are_unique() {
    let document = document(r4(), OPERATIONS);
    let mut seen = HashSet::new();
    visit(&document["paths"], &mut |value| {
        if let Some(id) = value.get("operationId").and_then(Value::as_str) {
            assert!(seen.insert(id.to_owned()), "{id} twice");
        }
    });
    assert!(seen.len() > 70, "{}", seen.len());
}

#[test]
fn a_search_lists_every_parameter_the_service_can_search_by() {
    let document = document(r4(), OPERATIONS);
    for name in SPELLED_OUT {
        let listed = query_parameters(&document, &format!("/fhir/{name}"), "get");
        let params = r4().search_params(name).iter();
        for param in params.filter(|param| is_searchable(param)) {
            assert!(listed.contains(&param.code), "{name}: {}", param.code);
        }
        let form = &document["components"]["schemas"][format!("{name}-search")]["properties"];
        for code in &listed {
            assert!(form.get(code).is_some(), "{name} form: {code}");
        }
    }
}

#[test]
fn a_system_search_lists_every_result_parameter() {
    let listed = query_parameters(&document(r4(), OPERATIONS), "/fhir", "get");
    for name in RESULT_PARAMETERS {
        assert!(listed.contains(name), "{name}");
    }
}

#[test]
fn every_type_has_every_interaction() {
    let document = document(r4(), OPERATIONS);
    for of in SPELLED_OUT.iter().copied().chain(["{type}"]) {
        for (below, verbs) in [
            ("", ["get", "post", "put", "patch", "delete"].as_slice()),
            ("/_search", &["post"]),
            ("/_history", &["get"]),
            ("/{id}", &["get", "put", "patch", "delete"]),
            ("/{id}/_history", &["get"]),
            ("/{id}/_history/{version}", &["get"]),
        ] {
            let item = &document["paths"][format!("/fhir/{of}{below}")];
            for verb in verbs {
                assert!(item.get(verb).is_some(), "{verb} /fhir/{of}{below}");
            }
        }
    }
    let types = &document["components"]["parameters"]["type"]["schema"]["enum"];
    let others = types.as_array().expect("an enum").len();
    assert_eq!(others + SPELLED_OUT.len(), r4().resource_types.len());
}

#[test]
fn schemas_say_what_the_element_tables_say() {
    let document = document(r4(), OPERATIONS);
    let schemas = &document["components"]["schemas"];
    let observation = &schemas["Observation"];
    assert_eq!(
        observation["required"],
        serde_json::json!(["resourceType", "status", "code"])
    );
    let properties = &observation["properties"];
    assert_eq!(
        properties["valueQuantity"]["$ref"],
        "#/components/schemas/Quantity"
    );
    assert!(properties.get("_valueString").is_some());
    assert!(properties.get("_valueQuantity").is_none());
    assert!(properties.get("value").is_none());
    assert_eq!(properties["component"]["type"], "array");
    assert_eq!(
        properties["component"]["items"]["$ref"],
        "#/components/schemas/Observation.component"
    );
    let medication = &schemas["MedicationStatement"]["oneOf"];
    assert_eq!(medication.as_array().map(Vec::len), Some(2));
}
