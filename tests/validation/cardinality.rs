//! <https://hl7.org/fhir/R4/conformance-rules.html#cardinality>

use serde_json::{Value, json};

use crate::support::{problems, told};

fn required(place: &str) -> (String, String) {
    ("required".to_owned(), place.to_owned())
}

#[test]
fn what_is_missing_is_told_everywhere_at_once() {
    let bundle = json!({"resourceType": "Bundle", "entry": [
        {"resource": {"resourceType": "Observation",
            "contained": [{"resourceType": "Condition", "id": "c"}],
            "component": [{"valueInteger": 1}]}},
        {"link": [{"url": "urn:x"}], "request": {"method": "GET"}}
    ]});
    let expected = [
        "Bundle.entry[0].resource.contained[0].subject",
        "Bundle.entry[0].resource.component[0].code",
        "Bundle.entry[0].resource.status",
        "Bundle.entry[0].resource.code",
        "Bundle.entry[1].link[0].relation",
        "Bundle.entry[1].request.url",
        "Bundle.type",
    ];
    assert_eq!(told(&bundle), expected.map(required));
}

#[test]
fn a_choice_is_there_by_any_of_its_types() {
    let statement = |medication: Value| {
        let mut resource = json!({"resourceType": "MedicationStatement", "status": "active",
            "subject": {"reference": "Patient/1"}});
        let members = resource.as_object_mut().unwrap();
        members.extend(medication.as_object().cloned().unwrap());
        resource
    };
    for right in [
        json!({"medicationCodeableConcept": {"text": "ketamine"}}),
        json!({"medicationReference": {"reference": "Medication/1"}}),
    ] {
        assert_eq!(problems(&statement(right)), []);
    }
    let missing = problems(&statement(json!({})));
    assert_eq!(missing.len(), 1);
    assert!(
        missing[0]
            .text
            .contains("`medicationCodeableConcept`, `medicationReference`")
    );
    let bare = told(&statement(json!({"medication": {"text": "x"}})));
    let place = "MedicationStatement.medication";
    assert_eq!(bare, [("structure".to_owned(), place.to_owned())]);
}

/// <https://hl7.org/fhir/R4/extensibility.html>: an element may have extensions
/// in place of its value.
#[test]
fn a_primitive_of_extensions_alone_is_there() {
    let absent = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
    let observation = json!({"resourceType": "Observation", "code": {"text": "x"},
        "_status": {"extension": [{"url": absent, "valueCode": "unknown"}]}});
    assert_eq!(problems(&observation), []);
}
