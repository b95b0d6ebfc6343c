//! capabilities: what this service really does, from the data it works by.
//! <https://hl7.org/fhir/R4/http.html#capabilities>

use serde_json::{Value, json};

use super::super::admission::{Closed, closed};
use super::super::answer::Answer;
use super::super::definitions::{ParamKind, SearchParam};
use super::super::engine::Engine;
use super::super::index::warning;
use super::super::operation::Level;
use super::super::outcome::{Failure, Kind};
use super::super::request::Request;
use super::super::search::near::UNSAID_KILOMETRES;
use super::super::search::{LIST, RESULT_PARAMETERS, is_searchable};
use super::super::view::View;

pub fn capabilities(engine: &Engine, request: &Request) -> Result<Answer, Failure> {
    let mut shown = request.clone();
    shown.query.retain(|(name, _)| name != "mode");
    let view = View::of_resource(&shown)?;
    match request.parameter("mode") {
        None | Some("full" | "normative") => {}
        Some(_) => {
            return Err(Failure::new(
                Kind::NotSupported,
                "mode is full or normative. There are no TerminologyCapabilities here.",
            ));
        }
    }
    let text = match engine.index.gap() {
        Some(gap) => with_gap(statement(engine), &gap).to_string(),
        None => engine
            .capabilities
            .get_or_init(|| statement(engine).to_string())
            .clone(),
    };
    view.apply(engine.definitions, Answer::content(200, text))
}

/// Clients read here what searches will tell them too.
fn with_gap(mut statement: Value, gap: &str) -> Value {
    if let Some(Value::Object(rest)) = statement.pointer_mut("/rest/0") {
        rest.insert("documentation".to_owned(), warning(gap).into());
    }
    statement
}

fn statement(engine: &Engine) -> Value {
    let types = engine.exposed_types();
    let resources: Vec<Value> = types.iter().map(|name| resource(engine, name)).collect();
    let rest = json!({
        "mode": "server",
        "security": {
            "service": [{"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                "code": "SMART-on-FHIR",
            }]}],
            "description": "Every request but this one carries a bearer token with SMART scopes; .well-known/smart-configuration tells where tokens come from.",
        },
        "resource": resources,
        "interaction": codes(&["transaction", "batch", "search-system", "history-system"]),
        "searchParam": common_params(engine),
        "compartment": engine.definitions.compartments.iter().map(|compartment| {
            format!("http://hl7.org/fhir/CompartmentDefinition/{}", compartment.code.to_lowercase())
        }).collect::<Vec<_>>(),
    });
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "publisher": "Unloop",
        "kind": "instance",
        "software": {"name": "Unloop", "version": env!("CARGO_PKG_VERSION")},
        "implementation": {
            "description": "Clinical records for practices that treat OCD with ketamine",
            "url": engine.settings.base_url,
        },
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "instantiates": [US_CORE_SERVER],
        "patchFormat": ["application/json-patch+json", "application/merge-patch+json", "application/fhir+json"],
        "rest": [with_lists(rest, [("operation", system_operations(engine))])],
    })
}

fn codes(codes: &[&str]) -> Vec<Value> {
    codes.iter().map(|code| json!({"code": code})).collect()
}

const READ: [&str; 5] = [
    "read",
    "vread",
    "history-instance",
    "history-type",
    "search-type",
];

const ALL: [&str; 9] = [
    "read",
    "vread",
    "update",
    "patch",
    "delete",
    "history-instance",
    "history-type",
    "create",
    "search-type",
];

/// Of what can be deleted and no longer stored.
const UNBUILT: [&str; 6] = [
    "read",
    "vread",
    "delete",
    "history-instance",
    "history-type",
    "search-type",
];

fn interactions(name: &str) -> &'static [&'static str] {
    match closed(name) {
        Some(Closed::Trail) => &READ,
        Some(Closed::Unbuilt) => &UNBUILT,
        None => &ALL,
    }
}

fn resource(engine: &Engine, name: &str) -> Value {
    let params: Vec<&SearchParam> = engine
        .definitions
        .search_params(name)
        .iter()
        .filter(|param| is_searchable(param))
        .collect();
    let includes: Vec<String> = params
        .iter()
        .filter(|param| param.kind == ParamKind::Reference)
        .map(|param| format!("{name}:{}", param.code))
        .collect();
    let is_open = closed(name).is_none();
    let resource = json!({
        "type": name,
        "profile": format!("http://hl7.org/fhir/StructureDefinition/{name}"),
        "interaction": codes(interactions(name)),
        "versioning": "versioned-update",
        "readHistory": true,
        "updateCreate": is_open,
        "conditionalCreate": is_open,
        "conditionalRead": "full-support",
        "conditionalUpdate": is_open,
        "conditionalDelete": if closed(name) == Some(Closed::Trail) { "not-supported" } else { "single" },
        "referencePolicy": ["literal", "logical"],
        "searchParam": params.iter().map(|param| search_param(param)).collect::<Vec<_>>(),
    });
    let reverse = reverse_includes(engine, name);
    with_lists(
        resource,
        [
            ("supportedProfile", us_core_profiles(name)),
            ("searchInclude", json!(includes)),
            ("searchRevInclude", json!(reverse)),
            ("operation", operations(engine, name)),
        ],
    )
}

/// The profiles of US Core whose resources and searches are understood here.
/// <https://hl7.org/fhir/us/core/STU6.1/>
const US_CORE_PROFILES: &str = include_str!("../definitions/data/us_core_profiles.txt");

const US_CORE_SERVER: &str = "http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server";

fn us_core_profiles(name: &str) -> Value {
    let mut lines = US_CORE_PROFILES.lines().map(|line| line.split(' '));
    let found = lines.find_map(|mut words| (words.next() == Some(name)).then_some(words));
    let url = |id| format!("http://hl7.org/fhir/us/core/StructureDefinition/{id}");
    json!(found.into_iter().flatten().map(url).collect::<Vec<_>>())
}

fn operations(engine: &Engine, name: &str) -> Value {
    let mut operations = Vec::new();
    if name == "Patient" {
        operations.push(json!({
            "name": "everything",
            "definition": "http://hl7.org/fhir/OperationDefinition/Patient-everything",
        }));
    }
    let registered = engine.operations.iter().map(|one| one.definition());
    for definition in registered.filter(|definition| definition.concerns(name)) {
        operations.push(json!({"name": definition.name, "definition": definition.url}));
    }
    operations.into()
}

fn system_operations(engine: &Engine) -> Value {
    let registered = engine.operations.iter().map(|one| one.definition());
    registered
        .filter(|definition| definition.levels.contains(&Level::System))
        .map(|definition| json!({"name": definition.name, "definition": definition.url}))
        .collect()
}

/// Adds the lists that have something in them: FHIR has no empty arrays.
fn with_lists<const N: usize>(mut object: Value, lists: [(&str, Value); N]) -> Value {
    if let Value::Object(members) = &mut object {
        for (name, list) in lists {
            if list.as_array().is_some_and(|list| !list.is_empty()) {
                members.insert(name.to_owned(), list);
            }
        }
    }
    object
}

/// References that name the type as a target. Those that may point anywhere
/// work too, and would make the statement several times as long.
fn reverse_includes(engine: &Engine, target: &str) -> Vec<String> {
    let mut reverse = Vec::new();
    for name in engine.exposed_types() {
        for param in engine.definitions.search_params(name) {
            // Those that may point at anything would be listed everywhere; a Provenance is
            // asked for with what it is about.
            let few = param.targets.len() < 20 || name == "Provenance";
            let named = few && param.targets.iter().any(|t| t == target);
            if param.kind == ParamKind::Reference && named {
                reverse.push(format!("{name}:{}", param.code));
            }
        }
    }
    reverse
}

fn search_param(param: &SearchParam) -> Value {
    let mut stated = json!({
        "name": param.code,
        "definition": param.url,
        "type": kind_code(param.kind),
    });
    if let (Some(text), Some(members)) = (own_choice(param), stated.as_object_mut()) {
        members.insert("documentation".to_owned(), text.into());
    }
    stated
}

/// What the specification leaves to the service.
fn own_choice(param: &SearchParam) -> Option<String> {
    match (param.code.as_str(), param.kind) {
        ("phonetic", _) => {
            Some("Each word sounds like a word of the name, by Double Metaphone.".to_owned())
        }
        (_, ParamKind::Special) => Some(format!(
            "Distance on a sphere; UCUM units of length; without a distance {UNSAID_KILOMETRES} km."
        )),
        _ => None,
    }
}

/// Parameters of every search, `_sort` and its kin included.
fn common_params(engine: &Engine) -> Vec<Value> {
    let mut params: Vec<Value> = engine
        .definitions
        .search_params("Basic")
        .iter()
        .filter(|param| param.code.starts_with('_') && is_searchable(param))
        .map(search_param)
        .collect();
    for name in RESULT_PARAMETERS.into_iter().chain([LIST]) {
        params.push(json!({"name": name, "type": "special"}));
    }
    params
}

/// <https://hl7.org/fhir/R4/valueset-search-param-type.html>
pub fn kind_code(kind: ParamKind) -> &'static str {
    match kind {
        ParamKind::Number => "number",
        ParamKind::Date => "date",
        ParamKind::String => "string",
        ParamKind::Token => "token",
        ParamKind::Reference => "reference",
        ParamKind::Composite => "composite",
        ParamKind::Quantity => "quantity",
        ParamKind::Uri => "uri",
        ParamKind::Special => "special",
    }
}
