//! The codes of an AuditEvent, as IHE BALP chooses them.
//! <https://profiles.ihe.net/ITI/BALP/artifacts.html>

use serde_json::{Value, json};

use super::record::Record;

const PROFILES: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.";
pub const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";

pub fn coding(system: &str, code: &str, display: &str) -> Value {
    json!({"system": system, "code": code, "display": display})
}

fn concept(system: &str, code: &str, display: &str) -> Value {
    json!({"coding": [coding(system, code, display)]})
}

pub fn rest() -> Value {
    let system = "http://terminology.hl7.org/CodeSystem/audit-event-type";
    coding(system, "rest", "Restful Operation")
}

/// <https://hl7.org/fhir/R4/valueset-system-restful-interaction.html>
pub fn subtype(interaction: &str) -> Option<Value> {
    let code = match interaction {
        "" => return None,
        "search-compartment" => "search",
        code if is_rest(code) => code,
        _ => "operation",
    };
    let system = "http://hl7.org/fhir/restful-interaction";
    Some(json!({"system": system, "code": code, "display": code}))
}

/// Whatever is none of these is the name of an operation.
pub fn is_rest(interaction: &str) -> bool {
    let codes = [
        "batch",
        "create",
        "delete",
        "history-instance",
        "history-system",
        "history-type",
        "patch",
        "read",
        "search-system",
        "search-type",
        "transaction",
        "update",
        "vread",
    ];
    codes.contains(&interaction)
}

/// <https://hl7.org/fhir/R4/valueset-audit-event-action.html>
pub fn action(interaction: &str) -> &'static str {
    match interaction {
        "create" => "C",
        "read" | "vread" | "history-instance" | "history-type" | "history-system" => "R",
        "update" | "patch" => "U",
        "delete" => "D",
        _ => "E",
    }
}

/// <https://hl7.org/fhir/R4/valueset-audit-event-outcome.html>
pub fn outcome(status: u16) -> &'static str {
    match status {
        0..400 => "0",
        400..500 => "4",
        _ => "8",
    }
}

/// Whether what was asked matters more than what the address names.
pub fn asks(interaction: &str) -> bool {
    interaction.starts_with("search") || !is_rest(interaction)
}

/// Of the client and of the server.
pub fn roles(interaction: &str) -> (Value, Value) {
    let source = || concept(DICOM, "110153", "Source Role ID");
    let destination = || concept(DICOM, "110152", "Destination Role ID");
    match action(interaction) {
        "R" => (destination(), source()),
        "D" => {
            let system = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
            let custodian = concept(system, "custodian", "Custodian");
            (concept(DICOM, "110150", "Application"), custodian)
        }
        _ => (source(), destination()),
    }
}

pub fn user_role(interaction: &str) -> Value {
    let system = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
    match action(interaction) {
        "R" | "E" => concept(system, "IRCP", "information recipient"),
        _ => concept(system, "AUT", "author (originator)"),
    }
}

pub fn application_server() -> Value {
    let system = "http://terminology.hl7.org/CodeSystem/security-source-type";
    coding(system, "4", "Application Server")
}

/// The types that `AuditEvent.agent.who` may refer to.
pub fn can_act(reference: &str) -> bool {
    let types = [
        "Device/",
        "Organization/",
        "Patient/",
        "Practitioner/",
        "PractitionerRole/",
        "RelatedPerson/",
    ];
    types.iter().any(|name| reference.starts_with(name))
}

/// <https://hl7.org/fhir/R4/v3/ActReason/cs.html>
pub fn purpose(code: &str) -> Value {
    json!({"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": code})
}

pub fn patient(id: &str) -> Value {
    json!({
        "what": {"reference": format!("Patient/{id}")},
        "type": coding(ENTITY_TYPE, "1", "Person"),
        "role": coding(OBJECT_ROLE, "1", "Patient"),
    })
}

pub fn data(reference: &str) -> Value {
    json!({
        "what": {"reference": reference},
        "type": coding(ENTITY_TYPE, "2", "System Object"),
        "role": coding(OBJECT_ROLE, "4", "Domain Resource"),
    })
}

pub fn query(base64: &str) -> Value {
    json!({
        "type": coding(ENTITY_TYPE, "2", "System Object"),
        "role": coding(OBJECT_ROLE, "24", "Query"),
        "query": base64,
    })
}

pub fn request(id: &str) -> Value {
    let system = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";
    json!({
        "what": {"identifier": {"value": id}},
        "type": {"system": system, "code": "XrequestId"},
    })
}

/// The profile that the event meets. Each is for a success, for an address
/// that is known, and for one patient at most.
pub fn profile(record: &Record, patients: usize) -> Option<String> {
    let policy = record.who.token.is_some() || record.who.grant.is_some();
    let named = match record.interaction.as_str() {
        "read" | "vread" => "Read",
        "search-type" | "search-system" | "search-compartment" => "Query",
        "create" => "Create",
        "update" | "patch" => "Update",
        "delete" if !policy => "Delete",
        _ => return None,
    };
    let whose = match patients {
        0 => "",
        1 => "Patient",
        _ => return None,
    };
    let met = outcome(record.status) == "0" && record.who.address.is_some();
    met.then(|| format!("{PROFILES}{whose}{named}"))
}
