//! The components of all parameters: query, header and path.
//! <https://hl7.org/fhir/R4/http.html>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::result_parameter::{self, ResultParameter};
use super::{SPELLED_OUT, reference, search_parameter};
use crate::fhir::definitions::Definitions;

pub fn parameters(definitions: &Definitions) -> BTreeMap<String, Value> {
    let mut all = search_parameter::components(definitions);
    for parameter in result_parameter::of_search()
        .into_iter()
        .chain([result_parameter::types()])
    {
        all.insert(parameter.name.to_owned(), result_parameter(parameter));
    }
    for object in [others(), headers(), in_path(definitions)] {
        if let Value::Object(members) = object {
            all.extend(members);
        }
    }
    all
}

fn result_parameter(parameter: ResultParameter) -> Value {
    json!({
        "name": parameter.name,
        "in": "query",
        "description": parameter.text,
        "schema": parameter.schema,
    })
}

fn others() -> Value {
    let time = |name: &str, text: &str| {
        let schema = reference("schemas", "dateTime");
        json!({"name": name, "in": "query", "description": text, "schema": schema})
    };
    json!({
        "_since": time("_since", "Only what was written at or after this time."),
        "_at": time("_at", "Only the versions that were current at some time in this one."),
        "start": time("start", "Only what concerns this date or later; what has no date always belongs."),
        "end": time("end", "Only what concerns this date or earlier; what has no date always belongs."),
        "mode": {
            "name": "mode",
            "in": "query",
            "description": "There are no TerminologyCapabilities here.",
            "schema": {"type": "string", "enum": ["full", "normative"]},
        },
        "resource-summary": {
            "name": "_summary",
            "in": "query",
            "description": "How much of the resource is shown. Not together with `_elements`.",
            "schema": {"type": "string", "enum": ["true", "text", "data", "false"]},
        },
        "search-parameters": {
            "name": "parameters",
            "in": "query",
            "description": "Further search parameters of the type, each by its own name; /fhir/metadata lists them.",
            "style": "form",
            "explode": true,
            "schema": {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
        },
    })
}

fn headers() -> Value {
    let header = |name: &str, text: &str, example: &str| {
        let schema = json!({"type": "string", "examples": [example]});
        json!({"name": name, "in": "header", "description": text, "schema": schema})
    };
    json!({
        "If-Match": header("If-Match", "Write only while this, or one of a list, is the current version (`*`: any); otherwise 412.", "W/\"3\""),
        "If-None-Match": header("If-None-Match", "Answer 304 while this is still the current version.", "W/\"3\""),
        "If-None-Match-any": {
            "name": "If-None-Match",
            "in": "header",
            "description": "`*`: write only if there is no such resource yet; otherwise 412.",
            "schema": {"type": "string", "enum": ["*"]},
        },
        "If-Modified-Since": header(
            "If-Modified-Since",
            "Answer 304 if nothing was written since. `If-None-Match` outweighs it.",
            "Sat, 21 Nov 2026 08:00:00 GMT",
        ),
        "If-None-Exist": header(
            "If-None-Exist",
            "Conditional create: search parameters without a `?`. One match: it is answered with 200 and nothing is written. Several: 412. None: the resource is created.",
            "identifier=https://clinic.example/patients|0001",
        ),
        "Prefer-return": header(
            "Prefer",
            "What a write answers: `return=representation` (the default), `return=minimal` or `return=OperationOutcome`.",
            "return=minimal",
        ),
        "Prefer-handling": header(
            "Prefer",
            "Unknown parameters: `handling=strict` (the default) refuses them with 400, `handling=lenient` leaves them out and says so in the bundle.",
            "handling=lenient",
        ),
    })
}

fn in_path(definitions: &Definitions) -> Value {
    let path = |name: &str, text: &str, schema: Value| json!({"name": name, "in": "path", "required": true, "description": text, "schema": schema});
    let one_of = |names: Vec<&str>| json!({"type": "string", "enum": names});
    let others = definitions.resource_types.iter().map(String::as_str);
    let others = others.filter(|name| !SPELLED_OUT.contains(name)).collect();
    let of_patient = definitions.compartment("Patient").into_iter();
    let of_patient = of_patient.flat_map(|c| c.members.keys().map(String::as_str));
    let of_patient = of_patient
        .filter(|name| !SPELLED_OUT.contains(name))
        .chain(["*"]);
    let all = definitions
        .resource_types
        .iter()
        .map(String::as_str)
        .chain(["*"]);
    let compartments = definitions.compartments.iter().map(|c| c.code.as_str());
    let compartments = compartments.filter(|code| *code != "Patient").collect();
    json!({
        "type": path("type", "A resource type of R4.", one_of(others)),
        "id": path("id", "The logical id.", reference("schemas", "id")),
        "version": path("version", "The number of a version, as in its ETag.", json!({"type": "integer", "format": "int64", "minimum": 1})),
        "compartment": path("compartment", "A type that has a compartment.", one_of(compartments)),
        "member": path("member", "A type, or `*` for all; 404 for one that is never in this compartment.", one_of(all.collect())),
        "patientMember": path("patientMember", "A type that can be in the compartment of a patient, or `*` for all.", one_of(of_patient.collect())),
    })
}
