//! Documents that keep an invariant beside documents that break it and no other:
//! `violations.ndjson`, one pair to a line.

use serde_json::{Value, json};
use unloop::fhir::definitions::r4;
use unloop::fhir::outcome::Issue;
use unloop::fhir::validate::{invariant, structure};

fn issues(document: &Value) -> Vec<Issue> {
    invariant::check(r4(), document.as_object().unwrap())
}

/// The keys of what a document breaks.
fn broken(document: &Value) -> Vec<String> {
    let key = |issue: Issue| issue.text.split(' ').next().unwrap().to_owned();
    issues(document).into_iter().map(key).collect()
}

#[test]
fn each_invariant_tells_its_breach_and_nothing_else() {
    let mut wrong = Vec::new();
    for line in include_str!("violations.ndjson").lines() {
        let pair: Value = serde_json::from_str(line).unwrap();
        let key = pair["invariant"].as_str().unwrap();
        let found = broken(&pair["kept"]);
        if !found.is_empty() {
            wrong.push(format!("{key}: {} breaks {found:?}", pair["kept"]));
        }
        let found = broken(&pair["broken"]);
        if found != [key] {
            wrong.push(format!("{key}: {} breaks {found:?}", pair["broken"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_breach_names_its_place_and_the_invariant() {
    let patient = json!({
        "resourceType": "Patient",
        "contact": [{"name": {"text": "x"}}, {"gender": "other"}]
    });
    let issues = issues(&patient);
    let [issue] = issues.as_slice() else {
        panic!("{issues:?}");
    };
    assert_eq!(issue.code, "invariant");
    assert_eq!(issue.expression.as_deref(), Some("Patient.contact[1]"));
    assert!(issue.text.contains("pat-1"), "{}", issue.text);
}

#[test]
fn documents_made_to_hold_the_service_up_are_cut_off() {
    let code = json!({"coding": [{"system": "s", "code": "a"}]});
    let components: Vec<Value> = (0..2000).map(|_| json!({"code": code})).collect();
    let codings: Vec<Value> = (0..2000).map(|i| json!({"code": i.to_string()})).collect();
    let found = issues(&json!({
        "resourceType": "Observation",
        "code": {"coding": codings},
        "valueString": "y",
        "component": components
    }));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code, "too-long");
    let names: Vec<Value> = (0..5000).map(|_| json!({"id": "a"})).collect();
    let found = issues(&json!({"resourceType": "Patient", "name": names}));
    assert_eq!(found.len(), 100);
}

/// Content whose structure is refused elsewhere must not bring this check down.
#[test]
fn unsound_structure_is_no_panic() {
    let odd = [
        json!({"resourceType": "Patient", "name": [null, [[{"id": "x"}]], 1], "contact": {"gender": []}}),
        json!({"resourceType": "Observation", "code": 1, "valueString": {"a": []}, "component": "x"}),
        json!({"resourceType": "Encounter", "period": {"start": 1, "end": "x"}}),
        json!({"resourceType": "Encounter", "period": [{"start": "2020", "end": "x"}]}),
        json!({"resourceType": "Bundle", "type": [], "entry": [{"resource": {"resourceType": "Nope"}}]}),
        json!({"resourceType": "Patient", "contained": {"id": 1}, "_active": [null, {"id": "x"}]}),
        json!({"resourceType": "Patient", "contained": [1, [], {"id": 1}]}),
        json!({"resourceType": 1}),
    ];
    for document in odd {
        let refused = structure::check(r4(), document.as_object().unwrap());
        assert!(!refused.is_empty(), "{document}");
        issues(&document);
    }
}
