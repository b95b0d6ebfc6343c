//! `_include` and `_revinclude`. <https://hl7.org/fhir/R4/search.html#include>

use serde_json::json;
use unloop::fhir::search::Include;
use unloop::store::{ResourceKey, Scope};

use super::judge::{catalogue, matches, object, query};

fn includes(url: &str) -> Vec<Include> {
    query(Some("Observation"), url).expect("valid").includes
}

#[test]
fn included_resources_are_those_here() {
    let observation = object(json!({
        "resourceType": "Observation", "id": "o",
        "subject": {"reference": "Patient/p1"},
        "encounter": {"reference": "http://localhost:8080/fhir/Encounter/e1"},
        "performer": [
            {"reference": "Practitioner/d1"},
            {"reference": "Patient/p1"},
            {"reference": "http://other.org/fhir/Practitioner/d9"},
            {"reference": "#inside"},
            {"reference": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}
        ]
    }));
    let catalogue = catalogue();
    let included = |url: &str| -> Vec<String> {
        let keys = catalogue.included(&[("Observation", &observation)], &includes(url));
        keys.iter().map(ToString::to_string).collect()
    };
    assert_eq!(included("_include=Observation:subject"), ["Patient/p1"]);
    assert_eq!(included("_include=Observation:encounter"), ["Encounter/e1"]);
    assert_eq!(
        included("_include=Observation:performer"),
        ["Practitioner/d1", "Patient/p1"]
    );
    assert_eq!(
        included("_include=Observation:performer:Practitioner"),
        ["Practitioner/d1"]
    );
    assert_eq!(
        included("_include=Observation:patient&_include=Observation:subject"),
        ["Patient/p1"]
    );
    assert_eq!(included("_include=Encounter:subject"), Vec::<String>::new());
    let mut all = included("_include=*");
    all.sort();
    assert_eq!(all, ["Encounter/e1", "Patient/p1", "Practitioner/d1"]);
    assert!(includes("_include:iterate=Observation:subject")[0].iterate);
}

#[test]
fn revincludes_find_what_refers_to_the_matches() {
    let catalogue = catalogue();
    let revincludes = query(
        Some("Patient"),
        "_revinclude=Observation:subject&_revinclude=Encounter:location",
    )
    .expect("valid")
    .revincludes;
    let matched = [
        ResourceKey::new("Patient", "p1"),
        ResourceKey::new("Patient", "p2"),
    ];
    let plans = catalogue.revincluded(&matched, &revincludes, &Scope::everything(), 100);
    let finds = |resource| plans.iter().any(|plan| matches(&plan.filter, &resource));
    assert!(finds(
        json!({"resourceType": "Observation", "id": "a", "subject": {"reference": "Patient/p2"}})
    ));
    assert!(!finds(
        json!({"resourceType": "Observation", "id": "a", "subject": {"reference": "Patient/p3"}})
    ));
    assert!(!finds(
        json!({"resourceType": "Condition", "id": "a", "subject": {"reference": "Patient/p2"}})
    ));
    assert!(
        catalogue
            .revincluded(&[], &revincludes, &Scope::everything(), 100)
            .is_empty()
    );
}
