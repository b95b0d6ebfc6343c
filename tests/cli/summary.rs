//! One page on a patient, for a person.

use std::fs;

use crate::support::{Database, describe, text, unloop};

#[test]
fn a_page_tells_of_medicines_scores_and_what_is_open() {
    let database = Database::sqlite();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records.ndjson");
    let patient = r#"{"resourceType":"Patient","id":"p","name":[{"given":["Alder"],"family":"Fictitious"}],"gender":"female","birthDate":"1988-04-12"}"#;
    let medicine = r#"{"resourceType":"MedicationStatement","id":"m","status":"active","subject":{"reference":"Patient/p"},"medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"10734","display":"tranylcypromine"}]}}"#;
    let score = |id: &str, day: &str, points: u8| {
        format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"coding":[{{"system":"https://unloop.dev/fhir/CodeSystem/measures","code":"ybocs-total"}}]}},"method":{{"coding":[{{"system":"http://snomed.info/sct","code":"840418002"}}]}},"subject":{{"reference":"Patient/p"}},"performer":[{{"reference":"Patient/p"}}],"effectiveDateTime":"{day}","valueInteger":{points}}}"#
        )
    };
    let lines = [
        patient.to_owned(),
        medicine.to_owned(),
        score("a", "2026-01-10", 32),
        score("b", "2026-03-10", 12),
    ];
    fs::write(&file, lines.join("\n")).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = unloop(arguments);
        command
            .env("DATABASE_URL", database.url())
            .output()
            .unwrap()
    };
    let imported = run(&["import", file.to_str().unwrap()]);
    assert!(imported.status.success(), "{}", describe(&imported));
    let output = run(&["patient", "summary", "p"]);
    assert!(output.status.success(), "{}", describe(&output));
    let page = text(&output.stdout);
    for said in [
        "Alder Fictitious (Patient/p), female, born 1988-04-12",
        "Medicines with ketamine: contraindicated",
        "tranylcypromine (MedicationStatement/m)",
        "32 12",
        "62.5 % below the baseline",
        "Criteria: needs-information",
        "none planned",
        "high     tranylcypromine with ketamine",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!run(&["patient", "summary", "nobody"]).status.success());
}
