//! Files in, everything accounted for, and out again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Output;

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::support::{Database, describe, shared, succeed, text, unloop};

pub type Counts = BTreeMap<String, usize>;

/// The hospitals, the practitioners and three patients.
fn synthea() -> Option<Vec<PathBuf>> {
    let folder = shared("fhir/synthea")?;
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort_by_key(|path| fs::metadata(path).unwrap().len());
    files.truncate(5);
    Some(files)
}

pub fn types_in_files(files: &[PathBuf]) -> Counts {
    let mut counts = Counts::new();
    for path in files {
        let mut content = String::new();
        let mut reader = GzDecoder::new(File::open(path).unwrap());
        reader.read_to_string(&mut content).unwrap();
        let bundle: Value = serde_json::from_str(&content).unwrap();
        for entry in bundle["entry"].as_array().unwrap() {
            let name = entry["resource"]["resourceType"].as_str().unwrap();
            *counts.entry(name.to_owned()).or_default() += 1;
        }
    }
    counts
}

pub fn types_in_lines(lines: &str) -> Counts {
    let mut counts = Counts::new();
    for line in lines.lines() {
        let resource: Value = serde_json::from_str(line).unwrap();
        let name = resource["resourceType"].as_str().unwrap();
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    counts
}

pub fn import(url: &str, paths: &[&Path]) -> Output {
    let mut command = unloop(&["import"]);
    command.args(paths).env("DATABASE_URL", url);
    command.output().unwrap()
}

pub fn export(url: &str) -> String {
    succeed(unloop(&["export"]).env("DATABASE_URL", url))
}

/// What the report says of a type: created, updated, unchanged, deleted, failed.
pub fn row(output: &Output, name: &str) -> Vec<usize> {
    let report = text(&output.stdout);
    let line = report
        .lines()
        .find(|line| line.split_whitespace().next() == Some(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {}", describe(output)));
    let numbers = line.split_whitespace().skip(1);
    numbers.map(|number| number.parse().unwrap()).collect()
}

fn a_bad_file_in_the_middle_costs_no_other(url: &str) {
    let Some(files) = synthea() else { return };
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("below");
    fs::create_dir(&below).unwrap();
    for path in &files {
        fs::copy(path, below.join(path.file_name().unwrap())).unwrap();
    }
    fs::write(below.join("M_bad.json"), "{\"resourceType\": ").unwrap();
    fs::write(below.join("notes.txt"), "not for import").unwrap();
    let expected = types_in_files(&files);
    let total: usize = expected.values().sum();

    let output = import(url, &[folder.path()]);
    assert_eq!(output.status.code(), Some(1), "{}", describe(&output));
    let report = text(&output.stdout);
    let bad: Vec<_> = report
        .lines()
        .filter(|l| l.contains("M_bad.json"))
        .collect();
    assert_eq!(bad.len(), 1, "{report}");
    assert!(bad[0].contains("line 1"), "{report}");
    for (name, count) in &expected {
        assert_eq!(row(&output, name), [*count, 0, 0, 0, 0], "{name}");
    }
    let again = format!("creates {total} resources again");
    assert!(report.contains(&again), "{report}");
    assert_eq!(types_in_lines(&export(url)), expected);

    fs::remove_file(below.join("M_bad.json")).unwrap();
    let second = import(url, &[folder.path()]);
    assert_eq!(second.status.code(), Some(0), "{}", describe(&second));
    assert_eq!(row(&second, "total"), [total, 0, 0, 0, 0]);
    assert_eq!(export(url).lines().count(), 2 * total);
}

#[test]
fn bundles_on_sqlite() {
    a_bad_file_in_the_middle_costs_no_other(&Database::sqlite().url());
}

#[tokio::test]
async fn bundles_on_postgres() {
    if let Some(database) = Database::postgres().await {
        a_bad_file_in_the_middle_costs_no_other(&database.url());
    }
}

#[test]
fn an_export_can_be_imported_and_repeated() {
    let Some(files) = synthea() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (Database::sqlite(), Database::sqlite());
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    assert!(import(&first.url(), &paths).status.success());
    let file = folder.path().join("all.ndjson");
    let mut command = unloop(&["export", "--out", file.to_str().unwrap()]);
    assert_eq!(succeed(command.env("DATABASE_URL", first.url())), "");
    let lines = fs::read_to_string(&file).unwrap();

    let output = import(&second.url(), &[&file]);
    assert!(output.status.success(), "{}", describe(&output));
    let total = lines.lines().count();
    assert_eq!(row(&output, "total"), [total, 0, 0, 0, 0]);
    assert!(!text(&output.stdout).contains("again"));
    let output = import(&second.url(), &[&file]);
    assert_eq!(row(&output, "total")[0], 0);
    assert_eq!(row(&output, "total")[4], 0);
    assert_eq!(without_meta(&export(&second.url())), without_meta(&lines));
}

fn without_meta(lines: &str) -> Vec<Value> {
    let parsed = lines.lines().map(|line| {
        let mut resource: Value = serde_json::from_str(line).unwrap();
        resource["meta"].take();
        resource
    });
    parsed.collect()
}

#[test]
fn every_form_of_file_and_every_bad_line_is_accounted_for() {
    let database = Database::sqlite();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| fs::write(folder.path().join(name), content).unwrap();
    write(
        "lines.ndjson",
        "{\"resourceType\":\"Patient\",\"id\":\"a\",\"gender\":\"male\"}\n\n{bad\n\
         {\"resourceType\":\"Patient\",\"birthDate\":5}\n{\"resourceType\":\"Nope\"}\n\
         {\"resourceType\":\"Patient\",\"id\":\"a\",\"gender\":\"female\"}\n\
         {\"resourceType\":\"Patient\"}",
    );
    write(
        "one.json",
        r#"{"resourceType":"Basic","id":"b","code":{"text":"x"}}"#,
    );
    write(
        "some.json",
        r#"{"resourceType":"Bundle","type":"collection","entry":[
            {"fullUrl":"urn:uuid:5a1d3b0e-8a1c-4d5f-9c3e-2b7a6f0e1d2c",
             "resource":{"resourceType":"Organization","name":"x"}},
            {"fullUrl":"http://example.org/Location/l",
             "resource":{"resourceType":"Location","id":"l","managingOrganization":
               {"reference":"urn:uuid:5a1d3b0e-8a1c-4d5f-9c3e-2b7a6f0e1d2c"}}}]}"#,
    );
    write(
        "conditional.json",
        r#"{"resourceType":"Bundle","type":"transaction","entry":[{"resource":
            {"resourceType":"Practitioner","identifier":[{"system":"urn:x","value":"1"}]},
            "request":{"method":"POST","url":"Practitioner",
                       "ifNoneExist":"identifier=urn:x|1"}}]}"#,
    );
    let packed = File::create(folder.path().join("packed.ndjson.gz")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
    writeln!(packed, r#"{{"resourceType":"Device","id":"d"}}"#).unwrap();
    packed.finish().unwrap();

    let output = import(&database.url(), &[folder.path()]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(row(&output, "Patient"), [2, 1, 0, 0, 1]);
    for name in [
        "Basic",
        "Organization",
        "Location",
        "Device",
        "Practitioner",
    ] {
        assert_eq!(row(&output, name), [1, 0, 0, 0, 0], "{name}");
    }
    let report = text(&output.stdout);
    for expected in [
        "ndjson: line 3: ",
        "ndjson: line 4: birthDate: ",
        "ndjson: line 5: ",
    ] {
        assert!(report.contains(expected), "{expected} in {report}");
    }
    let output = import(&database.url(), &[&folder.path().join("conditional.json")]);
    assert_eq!(row(&output, "Practitioner"), [0, 0, 1, 0, 0]);
    assert!(!text(&output.stdout).contains("again"));

    let exported = export(&database.url());
    let find = |name: &str| {
        let line = exported.lines().find(|line| line.contains(name)).unwrap();
        serde_json::from_str::<Value>(line).unwrap()
    };
    assert_eq!(find(r#""id":"a""#)["gender"], "female");
    let organization = find(r#""resourceType":"Organization""#);
    assert_eq!(
        find(r#""id":"l""#)["managingOrganization"]["reference"],
        format!("Organization/{}", organization["id"].as_str().unwrap())
    );
}

/// What requests may not write, an import may not either; what others measure
/// is nothing to it.
#[test]
fn scores_are_judged_like_those_of_requests() {
    let database = Database::sqlite();
    let folder = tempfile::tempdir().unwrap();
    let score = |id: &str, system: &str, code: &str, value: i64| {
        serde_json::json!({"resourceType": "Observation", "id": id, "status": "final",
            "code": {"coding": [{"system": system, "code": code}]},
            "subject": {"reference": "Patient/p"}, "performer": [{"reference": "Practitioner/d"}],
            "effectiveDateTime": "2026-01-01", "valueInteger": value})
    };
    let own = "https://unloop.dev/fhir/CodeSystem/measures";
    let lines = [
        score("wrong", own, "ybocs-item-1", 5),
        score("right", own, "ybocs-item-1", 4),
        score("foreign", "http://loinc.org", "89209-1", 63),
    ];
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    let file = folder.path().join("scores.ndjson");
    fs::write(&file, lines.join("\n")).unwrap();
    let output = import(&database.url(), &[&file]);
    assert!(!output.status.success());
    assert!(
        describe(&output).contains("Y-BOCS-II"),
        "{}",
        describe(&output)
    );
    let exported = export(&database.url());
    assert_eq!(
        types_in_lines(&exported),
        Counts::from([("Observation".to_owned(), 2)])
    );
}

/// A trail that can be taken in from a file is nobody's word.
#[test]
fn no_file_adds_to_the_audit_trail() {
    let database = Database::sqlite();
    let folder = tempfile::tempdir().unwrap();
    let event = json!({"resourceType": "AuditEvent", "id": "made-up",
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
        "recorded": "2026-01-01T00:00:00Z", "agent": [{"requestor": true}],
        "source": {"observer": {"display": "somebody"}}});
    let patient = |id: &str| json!({"resourceType": "Patient", "id": id});
    let entry = |resource: &Value| {
        let (name, id) = (&resource["resourceType"], &resource["id"]);
        let url = format!("{}/{}", name.as_str().unwrap(), id.as_str().unwrap());
        json!({"resource": resource, "request": {"method": "PUT", "url": url}})
    };
    let bundle = |kind: &str, id: &str| {
        let entries = [entry(&patient(id)), entry(&event)];
        json!({"resourceType": "Bundle", "type": kind, "entry": entries}).to_string()
    };
    let mut nameless = event.clone();
    nameless.as_object_mut().unwrap().remove("id");
    for (file, content, kept) in [
        (
            "lines.ndjson",
            format!("{}\n{event}\n{nameless}\n", patient("line")),
            true,
        ),
        ("one.json", event.to_string(), false),
        ("batch.json", bundle("batch", "batch"), true),
        (
            "transaction.json",
            bundle("transaction", "transaction"),
            false,
        ),
        ("collection.json", bundle("collection", "collection"), true),
    ] {
        let path = folder.path().join(file);
        fs::write(&path, content).unwrap();
        let told = import(&database.url(), &[&path]);
        assert_eq!(told.status.code(), Some(1), "{file}: {}", describe(&told));
        assert!(
            describe(&told).contains("AuditEvent"),
            "{file}: {}",
            describe(&told)
        );
        let id = file.split('.').next().unwrap().trim_end_matches('s');
        let there = export(&database.url()).contains(&format!("\"id\":\"{id}\""));
        assert_eq!(there, kept, "{file}");
    }
    let trail =
        succeed(unloop(&["export", "--types", "AuditEvent"]).env("DATABASE_URL", database.url()));
    assert!(
        !trail.contains("made-up") && !trail.contains("somebody"),
        "{trail}"
    );
}

#[test]
fn paths_that_cannot_be_are_named() {
    let database = Database::sqlite();
    let folder = tempfile::tempdir().unwrap();
    let text_file = folder.path().join("a.txt");
    fs::write(&text_file, "").unwrap();
    for path in [folder.path().join("missing.json"), text_file] {
        let output = import(&database.url(), &[&path]);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(path.to_str().unwrap()));
    }
}
