//! <https://hl7.org/fhir/R4/references.html#literal>

use serde_json::{Value, json};

use crate::support::{places, problems};

/// `Encounter.serviceProvider` is a Reference(Organization).
fn provider(reference: Value) -> Value {
    json!({
        "resourceType": "Encounter",
        "status": "planned",
        "class": {"code": "AMB"},
        "contained": [
            {"resourceType": "Organization", "id": "o", "name": "x"},
            {"resourceType": "Location", "id": "l"}
        ],
        "serviceProvider": reference
    })
}

#[test]
fn allowed_types_and_what_cannot_be_judged_pass() {
    for right in [
        json!({"reference": "Organization/1"}),
        json!({"reference": "Organization/1/_history/2"}),
        json!({"reference": "https://example.org/fhir/Organization/1"}),
        json!({"reference": "Organization?identifier=a|b"}),
        json!({"reference": "#o"}),
        json!({"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}),
        json!({"reference": "https://example.org/anything"}),
        json!({"reference": "Organization/1", "type": "Organization"}),
        json!({"type": "http://hl7.org/fhir/StructureDefinition/Organization", "display": "x"}),
        json!({"identifier": {"value": "1"}}),
        json!({"display": "x"}),
    ] {
        assert_eq!(problems(&provider(right.clone())), [], "{right}");
    }
}

#[test]
fn other_types_are_told() {
    let literal = "Encounter.serviceProvider.reference";
    for wrong in [
        json!({"reference": "Patient/1"}),
        json!({"reference": "Patient/1/_history/2"}),
        json!({"reference": "https://example.org/fhir/Patient/1"}),
        json!({"reference": "Patient?identifier=a|b"}),
        json!({"reference": "#l"}),
        json!({"reference": "#"}),
        json!({"reference": "Organisation/1"}),
        json!({"reference": "Organization/a_b"}),
        json!({"reference": "Organization/"}),
        json!({"reference": "Organization"}),
        json!({"reference": "o"}),
        json!({"reference": "Organisation?identifier=a|b"}),
        json!({"reference": "Organization/1", "type": "Endpoint"}),
    ] {
        let told = places(&provider(wrong.clone()));
        assert_eq!(told.last().map(String::as_str), Some(literal), "{wrong}");
    }
    let told = places(&provider(json!({"type": "Patient", "display": "x"})));
    assert_eq!(told, ["Encounter.serviceProvider.type"]);
}

#[test]
fn where_any_resource_may_stand_any_type_passes() {
    let basic = json!({"resourceType": "Basic", "code": {"text": "x"},
        "subject": {"reference": "Slot/1"}});
    assert_eq!(problems(&basic), []);
}
