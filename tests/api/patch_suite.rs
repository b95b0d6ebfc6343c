//! The JSON Patch cases of the FHIR community's test suite, against the very
//! function that PATCH uses.

use serde_json::Value;
use unloop::fhir::definitions::r4;
use unloop::fhir::engine::Limits;
use unloop::fhir::interaction::patch;
use unloop::fhir::interaction::patch_bound::DocumentBound;
use unloop::fhir::request::Content;

use crate::support::shared;

/// Cases whose demand RFC 6902 does not make, each with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

#[test]
fn the_cases_of_the_test_suite_hold() {
    let Some(path) = shared("fhir/suites/patch/json-patch-tests.json") else {
        return;
    };
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut findings = Vec::new();
    let mut run = 0;
    for case in &cases {
        let comment = case["comment"].as_str().unwrap_or("");
        let excepted = EXCEPTIONS.iter().any(|(name, _)| *name == comment);
        if case["disabled"] == true || case.get("patch").is_none() || excepted {
            continue;
        }
        run += 1;
        if let Some(finding) = finding(case) {
            findings.push(format!("{comment}: {finding}"));
        }
    }
    assert!(run > 10, "only {run} cases");
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

fn finding(case: &Value) -> Option<String> {
    let result = patched(case);
    match (result, case.get("error")) {
        (Ok(document), None) => {
            let expected = case.get("expected").unwrap_or(&case["doc"]);
            (document != *expected).then(|| format!("{document} instead of {expected}"))
        }
        (Err(error), None) => Some(format!("refused: {error}")),
        (Ok(document), Some(error)) => Some(format!("{document} instead of the error {error}")),
        (Err(_), Some(_)) => None,
    }
}

fn patched(case: &Value) -> Result<Value, String> {
    let texts = |failure: unloop::fhir::outcome::Failure| failure.issues[0].text.clone();
    let operations =
        patch::operations(r4(), &Content::JsonPatch(case["patch"].clone())).map_err(texts)?;
    let bound = DocumentBound::from_limits(&Limits::default());
    patch::apply(r4(), case["doc"].clone(), &operations, &bound).map_err(texts)
}
