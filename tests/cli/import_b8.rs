//! B8: `unloop import` takes real pages: entries are told apart, and a document stays whole.
//! B3, B4 and B11 hold for it as for requests.
//! <https://hl7.org/fhir/R4/bundle.html>

use std::fs;

use serde_json::{Value, json};

use super::import::{export, import, row};
use super::support::{Database, describe, text};

const SOURCE: &str = "http://source.example/fhir";
const INNER: &str = "urn:uuid:0b5c1c3e-6a0f-4a53-8c39-0d3c1b3f5a01";

fn entry(resource: &Value, mode: &str) -> Value {
    let [name, id] = ["resourceType", "id"].map(|name| resource[name].as_str().unwrap());
    json!({"fullUrl": format!("{SOURCE}/{name}/{id}"), "resource": resource, "search": {"mode": mode}})
}

fn observation(id: &str, subject: &str) -> Value {
    json!({"resourceType": "Observation", "id": id, "status": "final", "code": {"text": "x"},
        "subject": {"reference": subject}})
}

fn page() -> Value {
    let patient = json!({"resourceType": "Patient", "id": "p", "gender": "male"});
    let mut bad = observation("bad", "Patient/p");
    bad["status"] = "wrong".into();
    let mut part = observation("part", "Patient/p");
    part["meta"] = json!({"tag": [{"code": "SUBSETTED"}]});
    json!({"resourceType": "Bundle", "type": "searchset", "total": 2, "entry": [
        entry(&patient, "match"),
        entry(&observation("relative", "Patient/p"), "match"),
        entry(&observation("absolute", &format!("{SOURCE}/Patient/p")), "match"),
        entry(&observation("near", "./Patient/p/"), "match"),
        entry(&patient, "include"),
        entry(&bad, "match"),
        entry(&part, "match"),
        {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "informational"}]},
            "search": {"mode": "outcome"}},
        {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "informational"}]}},
        {"fullUrl": "http://source.example/fhir/Patient/gone"},
        {"fullUrl": INNER, "resource": {"resourceType": "Organization", "name": "x"}},
        entry(&json!({"resourceType": "Location", "id": "l", "managingOrganization": {"reference": INNER}}), "match"),
        entry(&observation("placeholder", "urn:uuid:0b5c1c3e-6a0f-4a53-8c39-0d3c1b3f5a09"), "match"),
    ]})
}

fn stored(lines: &str, pattern: &str) -> Value {
    let line = lines.lines().find(|line| line.contains(pattern));
    let line = line.unwrap_or_else(|| panic!("no {pattern} in {lines}"));
    serde_json::from_str(line).unwrap()
}

fn a_page_loses_no_good_entry(url: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.json");
    fs::write(&file, format!("\u{feff}{}", page())).unwrap();
    let output = import(url, &[&file]);
    assert_eq!(output.status.code(), Some(1), "{}", describe(&output));
    assert_eq!(row(&output, "Patient"), [1, 0, 0, 0, 0]);
    assert_eq!(row(&output, "Observation"), [3, 0, 0, 0, 3]);
    assert_eq!(row(&output, "Organization"), [1, 0, 0, 0, 0]);
    assert_eq!(row(&output, "Location"), [1, 0, 0, 0, 0]);
    let report = text(&output.stdout);
    for line in [
        "entry 5 (Observation/bad): status: ",
        "entry 6 (Observation/part): meta.tag: ",
        "entry 9: has no resource",
        "entry 12 (Observation/placeholder): a reference is a placeholder",
    ] {
        assert!(report.contains(line), "{line} in {report}");
    }
    assert!(report.contains("creates 1 resource again"), "{report}");
    let lines = export(url);
    for id in ["relative", "absolute", "near"] {
        let one = stored(&lines, &format!(r#""id":"{id}""#));
        assert_eq!(one["subject"]["reference"], "Patient/p", "{id}");
    }
    let organization = stored(&lines, r#""resourceType":"Organization""#);
    let location = stored(&lines, r#""id":"l""#);
    let expected = format!("Organization/{}", organization["id"].as_str().unwrap());
    assert_eq!(location["managingOrganization"]["reference"], expected);
}

#[test]
fn a_page_loses_no_good_entry_on_sqlite() {
    a_page_loses_no_good_entry(&Database::sqlite().url());
}

#[tokio::test]
async fn a_page_loses_no_good_entry_on_postgres() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    a_page_loses_no_good_entry(&database.url());
}

#[test]
fn two_contents_of_one_resource_are_told() {
    let database = Database::sqlite();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.json");
    let of = |gender: &str| json!({"resourceType": "Patient", "id": "p", "gender": gender});
    let page = json!({"resourceType": "Bundle", "type": "searchset", "entry": [
        entry(&of("male"), "match"), entry(&of("female"), "include")]});
    fs::write(&file, page.to_string()).unwrap();
    let output = import(&database.url(), &[&file]);
    assert_eq!(output.status.code(), Some(1), "{}", describe(&output));
    let report = text(&output.stdout);
    assert!(
        report.contains("entry 1 (Patient/p): another content"),
        "{report}"
    );
    assert_eq!(
        stored(&export(&database.url()), "Patient")["gender"],
        "male"
    );
}

/// IPS and ISiK: what a document says of itself stays as it was signed.
#[test]
fn a_document_with_inner_placeholders_stays_whole() {
    let database = Database::sqlite();
    let folder = tempfile::tempdir().unwrap();
    let document = json!({"resourceType": "Bundle", "id": "ips", "type": "document",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:0b5c1c3e-6a0f-4a53-8c39-0d3c1b3f5a00"},
        "timestamp": "2026-01-02T03:04:05Z", "entry": [
            {"fullUrl": "urn:uuid:0b5c1c3e-6a0f-4a53-8c39-0d3c1b3f5a02", "resource": {
                "resourceType": "Composition", "status": "final", "type": {"text": "x"}, "title": "x",
                "date": "2026-01-02", "author": [{"display": "x"}], "subject": {"reference": INNER}}},
            {"fullUrl": INNER, "resource": {"resourceType": "Patient", "gender": "male"}}]});
    fs::write(folder.path().join("a.json"), document.to_string()).unwrap();
    let mut line = document.clone();
    line["id"] = "line".into();
    fs::write(folder.path().join("b.ndjson"), format!("\u{feff}{line}\n")).unwrap();
    let mut sent = document.clone();
    sent["id"] = "sent".into();
    let transaction = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": sent, "request": {"method": "PUT", "url": "Bundle/sent"}}]});
    fs::write(folder.path().join("c.json"), transaction.to_string()).unwrap();
    let page = json!({"resourceType": "Bundle", "type": "searchset", "entry": [
        {"fullUrl": INNER, "resource": {"resourceType": "Patient", "gender": "female"}},
        {"fullUrl": format!("{SOURCE}/Bundle/paged"), "resource": {
            "resourceType": "Bundle", "id": "paged", "type": "document",
            "identifier": document["identifier"], "timestamp": document["timestamp"], "entry": document["entry"]}}]});
    fs::write(folder.path().join("d.json"), page.to_string()).unwrap();
    let output = import(&database.url(), &[folder.path()]);
    assert_eq!(output.status.code(), Some(0), "{}", describe(&output));
    let lines = export(&database.url());
    for id in ["ips", "line", "sent", "paged"] {
        let one = stored(&lines, &format!(r#""id":"{id}""#));
        assert_eq!(one["entry"], document["entry"], "{id}");
    }
}

#[test]
fn problems_of_a_transaction_name_the_resource() {
    let database = Database::sqlite();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.json");
    let put = |id: &str, subject: &str| json!({"resource": observation(id, subject), "request": {"method": "PUT", "url": format!("Observation/{id}")}});
    let subscription = json!({"resourceType": "Subscription", "id": "s", "status": "requested", "reason": "x",
        "criteria": "Observation", "channel": {"type": "rest-hook"}});
    let entries = [
        put("a", "Patient/1"),
        put("b", "Patient/1?x=1"),
        json!({"resource": subscription, "request": {"method": "PUT", "url": "Subscription/s"}}),
    ];
    for kind in ["transaction", "batch"] {
        let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": entries});
        fs::write(&file, bundle.to_string()).unwrap();
        let output = import(&database.url(), &[&file]);
        let report = text(&output.stdout);
        assert!(
            report.contains("Observation/b: Bundle.entry[1].resource.subject.reference"),
            "{report}"
        );
        let created = usize::from(kind == "batch");
        assert_eq!(row(&output, "Observation")[0], created, "{report}");
    }
    let report = text(&import(&database.url(), &[&file]).stdout);
    assert!(report.contains("Subscription is not supported"), "{report}");
}
