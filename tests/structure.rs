//! The input check against the JSON form of the specification: every official
//! example passes, every departure is told with its place.
//! <https://hl7.org/fhir/R4/json.html>
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::print_stderr, clippy::string_slice)]

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use unloop::fhir::definitions::r4;
use unloop::fhir::outcome::Issue;
use unloop::fhir::validate::structure::check;

fn problems(document: &Value) -> Vec<Issue> {
    check(r4(), document.as_object().expect("an object"))
}

fn places(document: &Value) -> Vec<String> {
    let issues = problems(document).into_iter();
    issues.filter_map(|i| i.expression).collect()
}

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
            json!({"contained": {"resourceType": "Basic"}}),
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
            json!({"contained": [{"resourceType": "Basic", "wrong": 1}]}),
            vec!["Patient.contained[0].wrong"],
        ),
        (
            json!({"contained": [{"resourceType": "Basic",
                "contained": [{"resourceType": "Basic", "id": "x"}]}]}),
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
        {"resource": {"resourceType": "Observation", "valueQuantity": {"value": "7"}}},
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

/// Official files that break the specification: (file, place, why).
const UNSOUND: [(&str, &str, &str); 1] = [(
    "package/SearchParameter-questionnaireresponse-extensions-QuestionnaireResponse-item-subject.json",
    "SearchParameter.id",
    "its id has 67 characters, 3 more than an id may have",
)];

#[test]
fn every_official_example_passes() {
    let Some(package) = shared("fhir/definitions/hl7.fhir.r4.examples-4.0.1.tgz") else {
        return;
    };
    let file = std::fs::File::open(package).expect("a readable package");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let (mut checked, mut unsound) = (0, Vec::new());
    for entry in archive.entries().expect("a tar file") {
        let mut entry = entry.expect("an entry");
        let name = entry.path().expect("a path").display().to_string();
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("UTF-8");
        let Ok(Value::Object(file)) = serde_json::from_str(&text) else {
            continue;
        };
        if file.contains_key("resourceType") {
            checked += 1;
            let places = places(&Value::Object(file));
            unsound.extend(places.into_iter().map(|place| (name.clone(), place)));
        }
    }
    assert!(checked > 2000, "{checked} examples");
    let known = UNSOUND.map(|(name, place, _)| (name.to_owned(), place.to_owned()));
    assert_eq!(unsound, known);
}

fn shared(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("UNLOOP_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let found = folder.join(path);
    if found.exists() {
        return Some(found);
    }
    let ci = std::env::var("CI").is_ok_and(|v| v == "true");
    assert!(!ci, "{path} must be there in CI");
    eprintln!("skipped: no {path} in {}", folder.display());
    None
}
