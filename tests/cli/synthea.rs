//! The whole Synthea set: nothing is lost, and every reference leads somewhere.

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;

use crate::import::{export, import, row, types_in_files, types_in_lines};
use crate::support::{Database, describe, shared};

/// 158 patients with their hospitals and practitioners.
const FILES: usize = 160;

fn the_whole_set_is_imported(url: &str) {
    let Some(folder) = shared("fhir/synthea") else {
        return;
    };
    let files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files.len(), FILES);
    let expected = types_in_files(&files);
    let output = import(url, &[Path::new(&folder)]);
    assert!(output.status.success(), "{}", describe(&output));
    for (name, count) in &expected {
        assert_eq!(row(&output, name), [*count, 0, 0, 0, 0], "{name}");
    }
    let lines = export(url);
    let mut stored = types_in_lines(&lines);
    // What the service found about the medicines; no file has any.
    assert!(!expected.contains_key("DetectedIssue"));
    assert!(
        stored
            .remove("DetectedIssue")
            .is_some_and(|found| found > 0)
    );
    assert_eq!(stored, expected);
    every_reference_resolves(&lines);
}

fn every_reference_resolves(lines: &str) {
    let resources: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let here: HashSet<String> = resources
        .iter()
        .map(|resource| {
            let [name, id] = ["resourceType", "id"].map(|key| resource[key].as_str().unwrap());
            format!("{name}/{id}")
        })
        .collect();
    let mut references = Vec::new();
    for resource in &resources {
        collect(resource, &mut references);
    }
    assert!(references.len() > resources.len());
    // The rules by which a finding was made are named by their canonical address.
    references.retain(|reference| !reference.starts_with("https://unloop.dev/fhir/Library/"));
    for reference in references {
        assert!(here.contains(reference), "{reference} leads nowhere");
    }
}

/// The texts of all references but those to contained resources.
fn collect<'v>(value: &'v Value, references: &mut Vec<&'v str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(text) if name == "reference" && !text.starts_with('#') => {
                        references.push(text);
                    }
                    _ => collect(member, references),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn on_sqlite() {
    the_whole_set_is_imported(&Database::sqlite().url());
}

#[tokio::test]
async fn on_postgres() {
    if let Some(database) = Database::postgres().await {
        the_whole_set_is_imported(&database.url());
    }
}
