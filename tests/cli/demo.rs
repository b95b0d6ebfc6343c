//! The first thing a newcomer runs.

use std::process::Command;

use serde_json::Value;

use crate::support::{Running, unloop};

#[test]
fn its_three_requests_work_and_nothing_stays_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = Running::start(
        unloop(&["demo"])
            .env("TMPDIR", temporary.path())
            .env("UNLOOP_BIND", "127.0.0.1:0"),
    );
    let mut requests = Vec::new();
    loop {
        let line = demo.line();
        if line.starts_with("Ctrl-C") {
            break;
        }
        requests.extend(line.trim().strip_prefix("curl '").map(str::to_owned));
    }
    assert_eq!(requests.len(), 3);
    let mut found = Vec::new();
    for request in requests {
        let url = request.trim_end_matches('\'');
        assert!(url.starts_with(&demo.base), "{url}");
        let answer = Command::new("curl").args(["-sf", url]).output().unwrap();
        assert!(answer.status.success(), "{url}: {}", answer.status);
        let answer: Value = serde_json::from_slice(&answer.stdout).unwrap();
        found.push(answer);
    }
    assert_eq!(found[0]["resourceType"], "Patient");
    let scores = found[1]["entry"].as_array().unwrap();
    assert_eq!(scores.len(), 3);
    assert_eq!(
        scores[0]["resource"]["valueQuantity"]["value"].to_string(),
        "19"
    );
    let types: Vec<_> = found[2]["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["resource"]["resourceType"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["MedicationStatement", "Patient"]);
    demo.stop();
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}
