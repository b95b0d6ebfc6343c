//! An OperationOutcome as lines for the report: place and text.

use serde_json::Value;

use crate::fhir::outcome::Failure;

pub fn of_failure(failure: &Failure) -> String {
    of_outcome(&failure.to_json()).join("; ")
}

/// One line for each issue.
pub fn of_outcome(outcome: &Value) -> Vec<String> {
    let issues = outcome.get("issue").and_then(Value::as_array);
    issues.into_iter().flatten().map(line).collect()
}

fn line(issue: &Value) -> String {
    let text = |pointer: &str| issue.pointer(pointer).and_then(Value::as_str);
    let what = text("/diagnostics").or_else(|| text("/details/text"));
    let what = what.or_else(|| text("/code")).unwrap_or("refused");
    match text("/expression/0") {
        Some(place) => format!("{place}: {what}"),
        None => what.to_owned(),
    }
}
