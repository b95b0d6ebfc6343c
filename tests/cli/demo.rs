//! The first thing a newcomer runs.

use std::process::Command;

use serde_json::Value;

use crate::support::{Running, unloop};

#[test]
fn three_callers_see_what_they_may() {
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = Running::start(
        unloop(&["demo"])
            .env("TMPDIR", temporary.path())
            .env("UNLOOP_BIND", "127.0.0.1:0"),
    );
    // What is printed is a script, but for the lines between the requests.
    let mut lines = Vec::new();
    loop {
        let line = demo.line();
        if line.starts_with("Ctrl-C") {
            break;
        }
        lines.extend(line.strip_prefix("  ").map(str::to_owned));
    }
    let mut variables = Vec::new();
    let mut answers = Vec::new();
    for line in lines {
        if line.starts_with("curl") {
            assert!(line.contains(&demo.base), "{line}");
            let script = format!("{}\n{line} -s", variables.join("\n")).replace("   #", " -s #");
            let answer = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert!(answer.status.success(), "{line}: {}", answer.status);
            answers.push(serde_json::from_slice::<Value>(&answer.stdout).unwrap());
        } else {
            variables.push(line);
        }
    }
    assert_eq!((variables.len(), answers.len()), (3, 7));
    assert_eq!(answers[0]["resourceType"], "Patient");
    assert_eq!(types(&answers[1]), ["MedicationStatement", "Patient"]);
    assert_eq!(said(&answers[2], "overall"), "contraindicated");
    assert_eq!(said(&answers[3], "overall"), "relapse");
    // The therapist: the scores and the sessions of one patient, and nothing else.
    assert_eq!(types(&answers[4]), ["Observation"; 3]);
    let newest = &answers[4]["entry"][0]["resource"]["valueQuantity"]["value"];
    assert_eq!(newest.to_string(), "19");
    assert_eq!(types(&answers[5]), ["Appointment"]);
    assert_eq!(answers[6]["issue"][0]["code"], "forbidden");
    demo.stop();
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

fn types(bundle: &Value) -> Vec<&str> {
    let entries = bundle["entry"].as_array().unwrap().iter();
    entries
        .map(|entry| entry["resource"]["resourceType"].as_str().unwrap())
        .collect()
}

/// The code of a parameter.
fn said<'a>(answer: &'a Value, name: &str) -> &'a str {
    let parameters = answer["parameter"].as_array().unwrap();
    let found = parameters.iter().find(|one| one["name"] == name);
    found.unwrap()["valueCode"].as_str().unwrap()
}
