//! The JSON form: every departure is told with its place.
//! <https://hl7.org/fhir/R4/json.html>
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::print_stderr, clippy::string_slice)]

use serde_json::{Map, Value, json};

use crate::support::{places, problems};

#[test]
fn a_sound_resource_has_no_problem() {
    let sound = json!({
        "resourceType": "Patient",
        "id": "a.b-1",
        "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},
        "contained": [{"resourceType": "Organization", "id": "o", "active": true}],
        "active": true,
        "_active": {"extension": [{"url": "urn:x", "valueCode": "y"}]},
        "name": [{"given": ["A", null, "C"], "_given": [null, {"id": "g"}, null]}],
        "_birthDate": {"extension": [{"url": "urn:x", "valueDateTime": "2020"}]},
        "deceasedBoolean": false,
        "_deceasedBoolean": {"id": "d"},
        "multipleBirthInteger": 2,
        "contact": [{"name": {"family": "B"}, "modifierExtension": [{"url": "urn:x"}]}]
    });
    assert_eq!(problems(&sound), []);
    let bundle = json!({
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": sound}, {"resource": {"resourceType": "Parameters",
            "parameter": [{"name": "p", "resource": sound, "part": [{"name": "q", "valueUri": "u"}]}]}}]
    });
    assert_eq!(problems(&bundle), []);
}

/// (what is merged into a Patient, the places told)
#[expect(clippy::too_many_lines, reason = "a table")]
fn patients() -> Vec<(Value, Vec<&'static str>)> {
    vec![
        (json!({"nme": []}), vec!["Patient.nme"]),
        (json!({"_nme": {}}), vec!["Patient.nme"]),
        (json!({"a b": 1}), vec!["Patient"]),
        (json!({"deceased": true}), vec!["Patient.deceased"]),
        (
            json!({"deceasedString": "x"}),
            vec!["Patient.deceasedString"],
        ),
        (json!({"name": {"family": "x"}}), vec!["Patient.name"]),
        (json!({"name": []}), vec!["Patient.name"]),
        (json!({"name": [{}]}), vec!["Patient.name[0]"]),
        (json!({"name": ["x"]}), vec!["Patient.name[0]"]),
        (json!({"name": [null]}), vec!["Patient.name[0]"]),
        (
            json!({"name": [[{"family": "x"}]]}),
            vec!["Patient.name[0]"],
        ),
        (
            json!({"name": [{"family": ["x"]}]}),
            vec!["Patient.name[0].family"],
        ),
        (
            json!({"name": [{"given": "x"}]}),
            vec!["Patient.name[0].given"],
        ),
        (
            json!({"name": [{"given": ["x", 1]}]}),
            vec!["Patient.name[0].given[1]"],
        ),
        (
            json!({"name": [{"given": ["x", null]}]}),
            vec!["Patient.name[0].given[1]"],
        ),
        (
            json!({"name": [{"given": ["x", null], "_given": [{"id": "i"}, null]}]}),
            vec!["Patient.name[0].given[1]"],
        ),
        (
            json!({"name": [{"given": ["x", "y"], "_given": [{"id": "i"}]}]}),
            vec!["Patient.name[0].given"],
        ),
        (
            json!({"name": [{"_given": [null]}]}),
            vec!["Patient.name[0].given[0]"],
        ),
        (
            json!({"name": [{"_given": {"id": "i"}}]}),
            vec!["Patient.name[0].given"],
        ),
        (
            json!({"name": [{"given": [{"x": 1}]}]}),
            vec!["Patient.name[0].given[0]"],
        ),
        (json!({"_name": [{"id": "i"}]}), vec!["Patient.name"]),
        (json!({"active": "true"}), vec!["Patient.active"]),
        (json!({"active": 1}), vec!["Patient.active"]),
        (json!({"active": null}), vec!["Patient.active"]),
        (
            json!({"active": null, "_active": {"id": "i"}}),
            vec!["Patient.active"],
        ),
        (json!({"_active": "x"}), vec!["Patient.active"]),
        (json!({"_active": {}}), vec!["Patient.active"]),
        (json!({"_active": null}), vec!["Patient.active"]),
        (json!({"_active": [{"id": "i"}]}), vec!["Patient.active"]),
        (
            json!({"_active": {"value": true}}),
            vec!["Patient.active.value"],
        ),
        (json!({"birthDate": 1970}), vec!["Patient.birthDate"]),
        (json!({"birthDate": ""}), vec!["Patient.birthDate"]),
        (json!({"birthDate": {}}), vec!["Patient.birthDate"]),
        (json!({"gender": "a\u{0}b"}), vec!["Patient.gender"]),
        (
            json!({"multipleBirthInteger": "2"}),
            vec!["Patient.multipleBirth"],
        ),
        (
            json!({"deceasedBoolean": true, "deceasedDateTime": "2020"}),
            vec!["Patient.deceased"],
        ),
        (
            json!({"_deceasedBoolean": {"id": "x"}, "deceasedDateTime": "2020"}),
            vec!["Patient.deceased"],
        ),
        (
            json!({"maritalStatus": null}),
            vec!["Patient.maritalStatus"],
        ),
        (json!({"maritalStatus": "M"}), vec!["Patient.maritalStatus"]),
        (
            json!({"maritalStatus": [{"text": "M"}]}),
            vec!["Patient.maritalStatus"],
        ),
        (json!({"id": "a/b"}), vec!["Patient.id"]),
        (json!({"id": 7}), vec!["Patient.id"]),
        (json!({"id": ""}), vec!["Patient.id"]),
        (
            json!({"extension": [{"valueString": "x"}]}),
            vec!["Patient.extension[0].url"],
        ),
        (
            json!({"extension": [{"url": "urn:x", "valueString": "x", "valueInteger": 1}]}),
            vec!["Patient.extension[0].value"],
        ),
        (
            json!({"extension": [{"url": "urn:x", "valuePatient": "x"}]}),
            vec!["Patient.extension[0].valuePatient"],
        ),
        (
            json!({"text": {"status": "empty", "div": {"p": 1}}}),
            vec!["Patient.text.div"],
        ),
        (
            json!({"contained": {"resourceType": "Location"}}),
            vec!["Patient.contained"],
        ),
        (
            json!({"contained": [{"id": "x"}]}),
            vec!["Patient.contained[0]"],
        ),
        (
            json!({"contained": [{"resourceType": "HumanName"}]}),
            vec!["Patient.contained[0]"],
        ),
        (
            json!({"contained": [{"resourceType": "Location", "wrong": 1}]}),
            vec!["Patient.contained[0].wrong"],
        ),
        (
            json!({"contained": [{"resourceType": "Location",
                "contained": [{"resourceType": "Location", "id": "x"}]}]}),
            vec!["Patient.contained[0].contained"],
        ),
        (
            json!({"contact": [{"name": {"resourceType": "HumanName"}}]}),
            vec!["Patient.contact[0].name.resourceType"],
        ),
        (
            json!({"nme": 1, "active": "x", "contact": [{"gnder": "x"}]}),
            vec!["Patient.nme", "Patient.active", "Patient.contact[0].gnder"],
        ),
    ]
}

#[test]
fn every_departure_is_told_with_its_place() {
    for (change, expected) in patients() {
        let mut patient = json!({"resourceType": "Patient"});
        let fields = patient.as_object_mut().expect("an object");
        fields.extend(change.as_object().cloned().expect("an object"));
        assert_eq!(places(&patient), expected, "{change}");
    }
}

#[test]
fn the_type_of_the_document_is_known() {
    for document in [
        json!({}),
        json!({"resourceType": 1}),
        json!({"resourceType": "patient"}),
        json!({"resourceType": "DomainResource"}),
        json!({"resourceType": "HumanName"}),
    ] {
        assert_eq!(places(&document), ["Resource"], "{document}");
    }
}

#[test]
fn resources_within_bundles_and_parameters_are_checked() {
    let bundle = json!({"resourceType": "Bundle", "type": "batch", "entry": [
        {"resource": {"resourceType": "Observation", "status": "final", "code": {"text": "x"},
            "valueQuantity": {"value": "7"}}},
        {"resource": {"active": true}},
        {"resource": null}
    ]});
    assert_eq!(
        places(&bundle),
        [
            "Bundle.entry[0].resource.value.value",
            "Bundle.entry[1].resource",
            "Bundle.entry[2].resource"
        ]
    );
    let parameters = json!({"resourceType": "Parameters",
        "parameter": [{"name": "x", "part": [{"name": "y", "resource": {"resourceType": "X"}}]}]});
    assert_eq!(
        places(&parameters),
        ["Parameters.parameter[0].part[0].resource"]
    );
}

#[test]
fn a_message_names_the_json_property_and_the_remedy() {
    let text = |document: Value| problems(&document).remove(0).text;
    let wrong = json!({"resourceType": "Observation", "valueInteger": "1"});
    let told = text(wrong);
    assert!(
        told.contains("`valueInteger`") && told.contains("without quotes"),
        "{told}"
    );
    let bare = json!({"resourceType": "Observation", "value": "1"});
    assert!(text(bare).contains("`valueQuantity`"));
}

#[test]
fn nesting_and_numbers_of_problems_are_bounded() {
    let mut extension = json!({"url": "urn:x", "valueString": "x"});
    for _ in 0..400 {
        extension = json!({"url": "urn:x", "extension": [extension]});
    }
    let deep = json!({"resourceType": "Patient", "extension": [extension]});
    assert_eq!(problems(&deep).len(), 1);
    let many: Map<String, Value> = (0..5000)
        .map(|i| (format!("x{i}"), json!(1)))
        .chain([("resourceType".to_owned(), json!("Patient"))])
        .collect();
    assert!(problems(&Value::Object(many)).len() < 300);
}

/// "The id ... SHALL be unique within the set of contained resources"; one that holds others in
/// a Bundle has a set of its own. <https://hl7.org/fhir/R4/references.html#contained>
#[test]
fn contained_resources_have_ids_of_their_own() {
    let practitioner = |id: &str| json!({"resourceType": "Practitioner", "id": id});
    let patient = |contained: Value| {
        json!({"resourceType": "Patient", "contained": contained,
            "generalPractitioner": [{"reference": "#a"}, {"reference": "#b"}]})
    };
    let twice = patient(json!([
        practitioner("a"),
        practitioner("b"),
        practitioner("a")
    ]));
    assert_eq!(places(&twice), ["Patient.contained[2].id"]);
    let once = patient(json!([practitioner("a"), practitioner("b")]));
    assert_eq!(problems(&once), []);
    let bundle = json!({"resourceType": "Bundle", "type": "collection",
        "entry": [{"resource": once}, {"resource": once}, {"resource": twice}]});
    assert_eq!(
        places(&bundle),
        ["Bundle.entry[2].resource.contained[2].id"]
    );
}
