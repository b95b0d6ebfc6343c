//! Small resources to test with.

use serde_json::{Value, json};

pub const MRN: &str = "http://example.org/mrn";

pub fn patient(family: &str) -> Value {
    json!({
        "resourceType": "Patient",
        "active": true,
        "name": [{"family": family, "given": ["Peter", "James"]}],
        "gender": "male",
        "birthDate": "1974-12-25",
    })
}

/// A patient with a record number.
pub fn identified(number: &str) -> Value {
    let mut patient = patient("Identified");
    patient["identifier"] = json!([{"system": MRN, "value": number}]);
    patient
}

/// An observation of the subject at a time.
pub fn observation(subject: &str, time: &str) -> Value {
    json!({
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": subject},
        "effectiveDateTime": time,
    })
}

/// One entry of a batch or transaction.
pub fn entry(method: &str, url: &str, resource: Option<Value>) -> Value {
    let mut entry = json!({"request": {"method": method, "url": url}});
    if let Some(resource) = resource {
        entry["resource"] = resource;
    }
    entry
}

/// A POST of a resource that others refer to by `full_url`.
pub fn posted(full_url: &str, resource: Value) -> Value {
    let url = resource["resourceType"].as_str().unwrap().to_owned();
    let mut entry = entry("POST", &url, Some(resource));
    entry["fullUrl"] = full_url.into();
    entry
}

/// `kind`: batch or transaction.
pub fn bundle(kind: &str, entries: &[Value]) -> Value {
    let mut bundle = json!({"resourceType": "Bundle", "type": kind});
    if !entries.is_empty() {
        bundle["entry"] = entries.into();
    }
    bundle
}
