//! Chains and reverse chains on both stores.
//! <https://hl7.org/fhir/R4/search.html#chaining>, <https://hl7.org/fhir/R4/search.html#has>

use serde_json::{Value, json};

use super::judge::object;
use super::world::World;

fn resources() -> Vec<Value> {
    let reference = |to: &str| json!({"reference": to});
    let observation = |id: &str, subject: &str, code: &str, value: u32| {
        json!({
            "resourceType": "Observation", "id": id, "subject": reference(subject),
            "performer": [reference("Practitioner/d1")], "encounter": reference("Encounter/e1"),
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value}
        })
    };
    vec![
        json!({"resourceType": "Organization", "id": "top", "name": "Unloop Group"}),
        json!({"resourceType": "Organization", "id": "clinic", "name": "Clinic", "partOf": reference("Organization/top")}),
        json!({"resourceType": "Practitioner", "id": "d1", "name": [{"family": "Who"}]}),
        json!({"resourceType": "Patient", "id": "p1", "name": [{"family": "Adler"}], "gender": "female",
            "identifier": [{"system": "http://x.org", "value": "1"}],
            "managingOrganization": reference("Organization/clinic"), "generalPractitioner": [reference("Practitioner/d1")]}),
        json!({"resourceType": "Patient", "id": "p2", "name": [{"family": "Brown"}], "gender": "male",
            "managingOrganization": reference("Organization/top")}),
        json!({"resourceType": "Patient", "id": "p3", "name": [{"family": "Adams"}]}),
        json!({"resourceType": "Group", "id": "g1", "code": {"coding": [{"code": "herd"}]}}),
        json!({"resourceType": "Device", "id": "dv", "deviceName": [{"name": "Adler scale"}]}),
        json!({"resourceType": "Encounter", "id": "e1", "status": "finished", "subject": reference("Patient/p1")}),
        observation("o1", "Patient/p1", "a", 5),
        observation("o2", "http://localhost:8080/fhir/Patient/p2", "a", 50),
        observation("o3", "Patient/p2/_history/4", "b", 500),
        observation("o4", "Group/g1", "b", 1),
        observation("o5", "Patient/absent", "b", 1),
        observation("o6", "http://elsewhere.org/fhir/Patient/p1", "b", 1),
        json!({"resourceType": "Provenance", "id": "v1", "target": [reference("Observation/o3")],
            "agent": [{"who": reference("Practitioner/d1")}]}),
        json!({"resourceType": "Provenance", "id": "v2", "target": [reference("Patient/p3")],
            "agent": [{"who": reference("Organization/top")}]}),
    ]
}

const CASES: [(&str, &[&str]); 34] = [
    ("Observation?subject:Patient.name=Adler", &["o1"]),
    ("Observation?subject.name=Brown", &["o2", "o3"]),
    ("Observation?patient.name=ad,br", &["o1", "o2", "o3"]),
    ("Observation?patient.gender:not=male", &["o1"]),
    (
        "Observation?subject:Patient.identifier=http://x.org|1",
        &["o1"],
    ),
    ("Observation?subject:Group.code=herd", &["o4"]),
    ("Observation?subject:Patient._id=p2&code=b", &["o3"]),
    (
        "Observation?patient.name:missing=false",
        &["o1", "o2", "o3"],
    ),
    ("Observation?patient.gender:missing=true", &[]),
    ("Observation?patient.organization.name=clinic", &["o1"]),
    (
        "Observation?patient.organization.partof.name=unloop",
        &["o1"],
    ),
    (
        "Observation?encounter.patient.organization.partof.name=unloop",
        &["o1", "o2", "o3", "o4", "o5", "o6"],
    ),
    (
        "Observation?performer:Practitioner.family=who&code=a",
        &["o1", "o2"],
    ),
    ("Observation?performer:Practitioner.family=nobody", &[]),
    (
        "Observation?subject:Patient.general-practitioner:Practitioner.family=who",
        &["o1"],
    ),
    ("Encounter?subject:Patient.family=adler", &["e1"]),
    ("Patient?organization.name=unloop", &["p2"]),
    ("Patient?_has:Observation:patient:code=a", &["p1", "p2"]),
    (
        "Patient?_has:Observation:subject:code=http://loinc.org|b",
        &["p2"],
    ),
    (
        "Patient?_has:Observation:patient:code=a&_has:Observation:patient:code=b",
        &["p2"],
    ),
    (
        "Patient?_has:Observation:patient:code=a&gender=female",
        &["p1"],
    ),
    (
        "Patient?_has:Observation:patient:code-value-quantity=a$gt40",
        &["p2"],
    ),
    (
        "Patient?_has:Observation:patient:_has:Provenance:target:agent=Practitioner/d1",
        &["p2"],
    ),
    (
        "Patient?_has:Observation:patient:_has:Provenance:target:agent:Practitioner.family=who",
        &["p2"],
    ),
    (
        "Patient?_has:Provenance:target:agent=Organization/top",
        &["p3"],
    ),
    (
        "Practitioner?_has:Patient:general-practitioner:family=adler",
        &["d1"],
    ),
    (
        "Practitioner?_has:Patient:general-practitioner:family=brown",
        &[],
    ),
    (
        "Practitioner?_has:Observation:performer:patient.family=brown",
        &["d1"],
    ),
    (
        "Organization?_has:Patient:organization:gender=male",
        &["top"],
    ),
    (
        "Organization?_has:Organization:partof:_has:Patient:organization:name=adler",
        &["top"],
    ),
    ("Group?_has:Observation:subject:code=b", &["g1"]),
    (
        "Observation?subject:Patient._has:Provenance:target:agent=top",
        &[],
    ),
    (
        "Observation?subject:Patient._has:Encounter:subject:status=finished",
        &["o1"],
    ),
    ("Provenance?target:Observation.code=b", &["v1"]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chains_follow_references_in_both_directions() {
    let resources: Vec<_> = resources().into_iter().map(object).collect();
    let world = World::new(&resources).await;
    for (url, expected) in CASES {
        for (store, found) in world.search(url).await {
            assert_eq!(found, expected, "{url} on {store}");
        }
    }
}
