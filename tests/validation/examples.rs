//! What is published as sound passes.

use std::io::Read;

use serde_json::Value;

use crate::support::{each_official_example, problems, shared};

/// The bundles of all definitions are larger; they repeat what has files of its own.
const LARGEST: u64 = 4_000_000;

/// Official files that break the specification: (beginning of the file's name,
/// end of the place without indexes, what the specification says).
const UNSOUND: [(&str, &str, &str); 11] = [
    (
        "DeviceMetric-example",
        "DeviceMetric.parent.reference",
        "DeviceMetric.parent is a Reference(Device), not to a DeviceDefinition",
    ),
    (
        "DeviceUseStatement-example",
        "DeviceUseStatement.reasonReference.reference",
        "reasonReference: Condition, Observation, DiagnosticReport, DocumentReference, Media; no Procedure",
    ),
    ("ig-r4", "", "the same content as ImplementationGuide-fhir"),
    (
        "ImplementationGuide-fhir",
        "ImplementationGuide.name",
        "ImplementationGuide.name is 1..1",
    ),
    (
        "ImplementationGuide-fhir",
        "ImplementationGuide.status",
        "ImplementationGuide.status is 1..1",
    ),
    (
        "ImplementationGuide-fhir",
        "manifest.resource.reference.reference",
        "an id has up to 64 characters, this one 67",
    ),
    (
        "MedicationRequest-medrx0301",
        "dispenseRequest.performer.reference",
        "dispenseRequest.performer is a Reference(Organization), not to a Practitioner",
    ),
    (
        "Observation-clinical-gender",
        "Observation.performer.reference",
        "performer: Practitioner, PractitionerRole, Organization, CareTeam, Patient, RelatedPerson; no Encounter",
    ),
    (
        "Questionnaire-qs1",
        "item.linkId",
        "Questionnaire.item.linkId is 1..1",
    ),
    (
        "SearchParameter-",
        "SearchParameter.base",
        "SearchParameter.base is 1..*",
    ),
    (
        "SearchParameter-questionnaireresponse-extensions-",
        "SearchParameter.id",
        "an id has up to 64 characters, this one 67",
    ),
];

#[test]
fn every_official_example_passes() {
    let mut refused = Vec::new();
    let mut met = [false; UNSOUND.len()];
    each_official_example(LARGEST, |name, resource| {
        for issue in problems(resource) {
            let place = issue.expression.unwrap_or_default();
            let bare = without_indexes(&place);
            let known = UNSOUND
                .iter()
                .position(|(file, end, _)| name.starts_with(file) && bare.ends_with(end));
            match known {
                Some(index) => met[index] = true,
                None => refused.push(format!("{name} {place}: {} {}", issue.code, issue.text)),
            }
        }
    });
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    let sound = UNSOUND.iter().zip(met).filter(|(_, met)| !met);
    let sound: Vec<_> = sound.map(|((file, place, _), _)| (file, place)).collect();
    let is_there = shared("fhir/definitions").is_some();
    assert!(sound.is_empty() || !is_there, "now sound: {sound:?}");
}

fn without_indexes(place: &str) -> String {
    let parts = place.split('.');
    let names = parts.map(|part| part.split('[').next().unwrap_or_default());
    names.collect::<Vec<_>>().join(".")
}

#[test]
fn every_synthea_resource_passes() {
    let Some(folder) = shared("fhir/synthea") else {
        return;
    };
    let mut files = 0;
    for file in std::fs::read_dir(folder).expect("a folder") {
        let file = std::fs::File::open(file.expect("a file").path()).expect("readable");
        let mut text = String::new();
        let mut unpacked = flate2::read::GzDecoder::new(file);
        unpacked.read_to_string(&mut text).expect("UTF-8");
        let bundle: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(problems(&bundle), []);
        files += 1;
    }
    assert!(files > 150, "{files} files");
}

/// Requests and answers that the OpenAPI document shows.
#[test]
fn every_example_of_the_openapi_document_passes() {
    let document = unloop::http::openapi::document(
        unloop::fhir::definitions::r4(),
        unloop::clinical::OPERATIONS,
    );
    let examples = document["components"]["examples"].as_object().unwrap();
    let values = examples
        .iter()
        .map(|(name, example)| (name, &example["value"]));
    let resources = values.filter(|(_, value)| value.get("resourceType").is_some());
    let judged: Vec<_> = resources
        .map(|(name, value)| (name, problems(value)))
        .collect();
    assert!(judged.len() > 5, "{} examples", judged.len());
    for (name, problems) in judged {
        assert_eq!(problems, [], "{name}");
    }
}
