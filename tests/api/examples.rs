//! Every official R4 example goes in and comes back unchanged, but for the
//! version and the time in `meta`. Numbers are compared as text.

use std::io::Read as _;

use serde_json::{Value, json};

use crate::support::{Server, example, shared};

crate::on_both_stores!(every_official_example_comes_back_unchanged);

const PACKAGE: &str = "fhir/definitions/hl7.fhir.r4.examples-4.0.1.tgz";

/// Larger than what the service takes at once: the package's definitions bundled
/// by kind. Each of their entries is an example of its own.
const TOO_LARGE: u64 = 4 << 20;
const TOO_LARGE_FILES: usize = 8;

/// Examples that break the specification and are refused, by the beginning of
/// their names; `tests/validation/examples.rs` and `tests/fhirpath/invariants.rs` have
/// the places and the sentences.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "package/ActivityDefinition-blood-tubes-supply.json",
        "the narrative is white space",
    ),
    (
        "package/ActivityDefinition-heart-valve-replacement.json",
        "the narrative is white space",
    ),
    // The audit trail is written by the service alone.
    ("package/AuditEvent-", "nobody writes AuditEvents"),
    (
        "package/EventDefinition-example.json",
        "the narrative is white space",
    ),
    (
        "package/Questionnaire-zika-virus-exposure-assessment.json",
        "the narrative is white space",
    ),
    (
        "package/StructureDefinition-Definition.json",
        "neither abstract nor with a base",
    ),
    (
        "package/StructureDefinition-Event.json",
        "neither abstract nor with a base",
    ),
    (
        "package/StructureDefinition-FiveWs.json",
        "neither abstract nor with a base",
    ),
    (
        "package/StructureDefinition-Request.json",
        "neither abstract nor with a base",
    ),
    ("package/DeviceMetric-example.json", "parent is a Device"),
    (
        "package/DeviceUseStatement-example.json",
        "a reason is no Procedure",
    ),
    ("package/ig-r4.json", "no name and no status"),
    (
        "package/ImplementationGuide-fhir.json",
        "no name and no status",
    ),
    (
        "package/MedicationRequest-medrx0301.json",
        "a dispenser is an Organization",
    ),
    (
        "package/Observation-clinical-gender.json",
        "a performer is no Encounter",
    ),
    ("package/Questionnaire-qs1.json", "items without linkId"),
    (
        "package/SearchParameter-codesystem-extensions-",
        "some without base",
    ),
    (
        "package/SearchParameter-questionnaireresponse-extensions-",
        "one id has 67 characters",
    ),
    (
        "package/SearchParameter-valueset-extensions-",
        "some without base",
    ),
    ("package/Subscription-example", "no notifications yet (B11)"),
];

const IN_ONE_BATCH: usize = 100;

/// Bytes of one batch; the largest examples go alone.
const MOST_BYTES: usize = 3 << 20;

/// `(file name, resource)` of every resource in the package.
fn examples() -> Option<Vec<(String, Value)>> {
    let file = std::fs::File::open(shared(PACKAGE)?).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let (mut found, mut too_large) = (Vec::new(), 0);
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        if entry.size() > TOO_LARGE {
            too_large += 1;
            continue;
        }
        let mut text = String::new();
        if !name.ends_with(".json") || entry.read_to_string(&mut text).is_err() {
            continue;
        }
        let Ok(content) = serde_json::from_str::<Value>(&text) else {
            continue;
        };
        if content["resourceType"].is_string() {
            found.push((name, content));
        }
    }
    assert_eq!(too_large, TOO_LARGE_FILES);
    assert!(found.len() > 2500, "only {} examples", found.len());
    Some(found)
}

async fn every_official_example_comes_back_unchanged(server: Server) {
    let Some(examples) = examples() else {
        return;
    };
    let mut findings = Vec::new();
    for batch in batches(examples) {
        findings.extend(round_trip(&server, &batch).await);
    }
    findings.retain(|finding| !EXCEPTIONS.iter().any(|(name, _)| finding.starts_with(name)));
    let count = findings.len();
    findings.truncate(40);
    assert!(findings.is_empty(), "{count}:\n{}", findings.join("\n"));
}

/// No batch has one identity twice, so that none waits for another.
fn batches(examples: Vec<(String, Value)>) -> Vec<Vec<(String, Value)>> {
    let mut batches: Vec<Vec<(String, Value)>> = Vec::new();
    let mut bytes = 0;
    for (name, content) in examples {
        let size = content.to_string().len();
        bytes += size;
        let full = batches
            .last()
            .is_none_or(|batch| batch.len() >= IN_ONE_BATCH);
        if full || bytes > MOST_BYTES {
            batches.push(Vec::new());
            bytes = size;
        }
        batches.last_mut().unwrap().push((name, content));
    }
    batches
}

async fn round_trip(server: &Server, batch: &[(String, Value)]) -> Vec<String> {
    let writes: Vec<Value> = batch.iter().map(|(_, content)| write(content)).collect();
    let written = server.bundle("batch", &writes).await.json();
    let mut findings = Vec::new();
    let mut reads = Vec::new();
    for (number, (name, content)) in batch.iter().enumerate() {
        let response = &written["entry"][number]["response"];
        match response["location"].as_str() {
            Some(location) => {
                let address = location.trim_start_matches(&server.base);
                reads.push((example::entry("GET", address, None), name, content));
            }
            None => findings.push(format!("{name}: {response}")),
        }
    }
    let gets: Vec<Value> = reads.iter().map(|(get, ..)| get.clone()).collect();
    let answers = server.bundle("batch", &gets).await.json();
    for (number, (_, name, content)) in reads.into_iter().enumerate() {
        let found = comparable(answers["entry"][number]["resource"].clone(), content);
        let sent = comparable(content.clone(), content);
        if found != sent {
            findings.push(format!("{name}: {}", difference(&sent, &found, "")));
        }
    }
    findings
}

/// PUT under its own id, which some examples lack.
fn write(content: &Value) -> Value {
    let kind = content["resourceType"].as_str().unwrap();
    match content["id"].as_str() {
        Some(id) => example::entry("PUT", &format!("{kind}/{id}"), Some(content.clone())),
        None => example::entry("POST", kind, Some(content.clone())),
    }
}

/// Without version, time, an empty meta and an id that was not sent.
fn comparable(mut content: Value, sent: &Value) -> Value {
    let Some(members) = content.as_object_mut() else {
        return content;
    };
    if sent.get("id").is_none() {
        members.shift_remove("id");
    }
    if let Some(meta) = members.get_mut("meta").and_then(Value::as_object_mut) {
        meta.shift_remove("versionId");
        meta.shift_remove("lastUpdated");
    }
    // An infant's length is implausible in a programme for adults, and flagged.
    let own = |tag: &Value| tag["system"] == "https://unloop.dev/fhir/CodeSystem/data-quality";
    if let Some(meta) = members.get_mut("meta").and_then(Value::as_object_mut)
        && let Some(tags) = meta.get_mut("tag").and_then(Value::as_array_mut)
    {
        tags.retain(|tag| !own(tag));
        if tags.is_empty() {
            meta.shift_remove("tag");
        }
    }
    if members.get("meta") == Some(&json!({})) {
        members.shift_remove("meta");
    }
    content
}

/// The first place where the two differ.
fn difference(sent: &Value, found: &Value, place: &str) -> String {
    match (sent, found) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, value) in a {
                let other = b.get(name).unwrap_or(&Value::Null);
                if value != other {
                    return difference(value, other, &format!("{place}.{name}"));
                }
            }
            let more = b.keys().find(|name| !a.contains_key(*name));
            format!("{place} has {more:?} too")
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let at = (0..a.len()).find(|at| a[*at] != b[*at]).unwrap();
            difference(&a[at], &b[at], &format!("{place}[{at}]"))
        }
        _ => format!("{place}: {sent} became {found}"),
    }
}
