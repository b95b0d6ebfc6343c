//! What finds a resource and what doesn't, for each parameter type.
//! <https://hl7.org/fhir/R4/search.html#ptypes>

use serde_json::{Value, json};

use super::judge::{finds, matches, plan};
use unloop::fhir::search::Compartment;

pub fn check(resource: &Value, found: &[&str], missed: &[&str]) {
    for url in found {
        assert!(finds(url, resource), "{url} should find it");
    }
    for url in missed {
        assert!(!finds(url, resource), "{url} should not find it");
    }
}

fn patient() -> Value {
    json!({
        "resourceType": "Patient",
        "id": "p1",
        "meta": {
            "profile": ["http://example.org/profile|1.0"],
            "tag": [{"system": "http://example.org/tags", "code": "trial"}],
            "source": "http://example.org/ehr"
        },
        "active": true,
        "name": [
            {"family": "Núñez  Ibáñez", "given": ["María", "José"], "prefix": ["Dr."]},
            {"text": "Mary N."}
        ],
        "telecom": [
            {"system": "phone", "value": "555-0100"},
            {"system": "email", "value": "Maria@Example.org"}
        ],
        "gender": "female",
        "birthDate": "1985-03",
        "address": [{"line": ["1 Main Street"], "city": "Ghent", "postalCode": "9000"}],
        "identifier": [
            {"system": "http://example.org/mrn", "value": "A-1"},
            {"value": "bare"},
            {"system": "http://example.org/empty"}
        ],
        "generalPractitioner": [
            {"reference": "Practitioner/d1"},
            {"identifier": {"system": "http://example.org/npi", "value": "77"}}
        ],
        "extension": [{
            "url": "http://hl7.org/fhir/StructureDefinition/patient-extensions-Patient-mothersMaidenName",
            "valueString": "Peeters"
        }]
    })
}

#[test]
fn strings_start_with_without_case_and_accents() {
    check(
        &patient(),
        &[
            "Patient?name=nun",
            "Patient?family=NÚÑEZ ibanez",
            "Patient?given=maria",
            "Patient?given=jos,xxx",
            "Patient?name=Mary",
            "Patient?name=dr",
            "Patient?family:contains=ibá",
            "Patient?family:exact=Núñez  Ibáñez",
            "Patient?address=1 main",
            "Patient?address-city=GHENT",
            "Patient?address-postalcode=9000",
            "Patient?mothersMaidenName=peet",
            "Patient?family:missing=false",
            "Patient?name=nun&given=jose",
        ],
        &[
            "Patient?name=ibanez",
            "Patient?given=nunez",
            "Patient?family:exact=Nunez",
            "Patient?family:exact=núñez  ibáñez",
            "Patient?family:missing=true",
            "Patient?address-country:missing=false",
            "Patient?name=nun&given=peter",
        ],
    );
}

#[test]
fn tokens_have_four_forms() {
    check(
        &patient(),
        &[
            "Patient?identifier=A-1",
            "Patient?identifier=http://example.org/mrn|A-1",
            "Patient?identifier=http://example.org/mrn|",
            "Patient?identifier=http://example.org/empty|",
            "Patient?identifier=|bare",
            "Patient?identifier=bare",
            "Patient?identifier=x,A-1",
            "Patient?identifier:not=x",
            "Patient?gender=female",
            "Patient?gender=|female",
            "Patient?gender=FEMALE",
            "Patient?active=true",
            "Patient?phone=555-0100",
            "Patient?telecom=555-0100",
            "Patient?email=maria@example.org",
            "Patient?deceased=false",
            "Patient?gender:missing=false",
            "Patient?language:missing=true",
        ],
        &[
            "Patient?identifier=|A-1",
            "Patient?identifier=http://example.org/other|A-1",
            "Patient?identifier=a-1",
            "Patient?identifier:not=A-1",
            "Patient?identifier:not=x,A-1",
            "Patient?gender=male",
            "Patient?gender:not=female",
            "Patient?active=false",
            "Patient?phone=maria@example.org",
            "Patient?deceased=true",
            "Patient?gender:missing=true",
        ],
    );
}

#[test]
fn every_resource_has_id_time_and_meta() {
    check(
        &patient(),
        &[
            "Patient?_id=p1",
            "Patient?_id=x,p1",
            "Patient?_lastUpdated=2024",
            "Patient?_lastUpdated=ge2024-01-01T00:00:00Z",
            "Patient?_tag=trial",
            "Patient?_tag=http://example.org/tags|trial",
            "Patient?_profile=http://example.org/profile",
            "Patient?_profile=http://example.org/profile|1.0",
            "Patient?_source=http://example.org/ehr",
            "Patient?_security:missing=true",
            "?_id=p1",
            "?_tag=trial&_type=Patient,Observation",
            "?_type=Patient,Practitioner&name=nun",
        ],
        &[
            "Patient?_id=p2",
            "Patient?_lastUpdated=lt2024",
            "Patient?_tag=other",
            "Patient?_profile=http://example.org/profile|2.0",
            "Observation",
            "?_type=Observation&_tag=trial",
            "?_type=Practitioner,Person&name=nun",
        ],
    );
}

#[test]
fn deceased_is_true_for_a_date_and_for_true() {
    let with = |name: &str, value: Value| {
        let mut resource = json!({"resourceType": "Patient", "id": "p"});
        resource[name] = value;
        resource
    };
    for resource in [
        with("deceasedBoolean", json!(true)),
        with("deceasedDateTime", json!("2020")),
    ] {
        check(
            &resource,
            &["Patient?deceased=true"],
            &["Patient?deceased=false"],
        );
    }
    let alive = with("deceasedBoolean", json!(false));
    check(
        &alive,
        &["Patient?deceased=false"],
        &["Patient?deceased=true"],
    );
    check(
        &with("deceasedDateTime", json!("2020")),
        &[
            "Patient?death-date=2020",
            "Patient?death-date=ge2019&death-date=lt2021",
        ],
        &["Patient?death-date=2020-01", "Patient?death-date=gt2020"],
    );
}

fn observation() -> Value {
    json!({
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "category": [{"coding": [{"system": "http://example.org/category", "code": "vital-signs"}]}],
        "code": {"coding": [
            {"system": "http://loinc.org", "code": "8480-6"},
            {"system": "http://snomed.info/sct", "code": "271649006"}
        ]},
        "subject": {"reference": "http://localhost:8080/fhir/Patient/p1/_history/3"},
        "performer": [{"reference": "Practitioner/d1"}, {"reference": "http://other.org/fhir/Practitioner/d9"}],
        "encounter": {"reference": "Encounter/e1"},
        "effectiveDateTime": "2020-05-17T10:00:00Z",
        "valueString": "Quiet",
        "derivedFrom": [{"reference": "#inside"}]
    })
}

#[test]
fn references_are_one_text_for_each_target() {
    check(
        &observation(),
        &[
            "Observation?subject=p1",
            "Observation?subject=Patient/p1",
            "Observation?subject=http://localhost:8080/fhir/Patient/p1",
            "Observation?subject:Patient=p1",
            "Observation?patient=p1",
            "Observation?patient=Patient/p1",
            "Observation?patient=Patient/x,Patient/p1",
            "Observation?performer=d1",
            "Observation?performer=http://other.org/fhir/Practitioner/d9",
            "Observation?encounter=e1&subject=p1",
            "Observation?patient:missing=false",
            "Observation?derived-from:missing=true",
        ],
        &[
            "Observation?subject=p2",
            "Observation?subject=Group/p1",
            "Observation?subject:Group=p1",
            "Observation?subject=http://other.org/fhir/Patient/p1",
            "Observation?patient=p2",
            "Observation?performer=d9",
            "Observation?performer=Patient/d1",
            "Observation?encounter=e1&subject=p2",
            "Observation?patient:missing=true",
        ],
    );
    check(
        &patient(),
        &[
            "Patient?general-practitioner=d1",
            "Patient?general-practitioner:identifier=http://example.org/npi|77",
            "Patient?general-practitioner:identifier=77",
        ],
        &["Patient?general-practitioner:identifier=http://example.org/npi|78"],
    );
}

#[test]
fn a_group_is_no_owner() {
    let mut resource = observation();
    resource["subject"] = json!({"reference": "Group/g1"});
    check(
        &resource,
        &[
            "Observation?subject=g1",
            "Observation?subject=Group/g1",
            "Observation?patient:missing=true",
        ],
        &["Observation?patient=g1", "Observation?subject=Patient/g1"],
    );
}

#[test]
fn dates_compare_with_their_precision() {
    check(
        &observation(),
        &[
            "Observation?date=2020-05-17",
            "Observation?date=ge2020-05&date=le2020-05-17",
            "Observation?date=2019,2020",
            "Observation?date=sa2020-05-16",
            "Observation?date=ap2020-06",
            "Observation?date=ne2019",
            "Observation?date:missing=false",
            "Observation?status=final&category=vital-signs&code=http://loinc.org|8480-6",
            "Observation?code=271649006",
            "Observation?value-string=qui",
        ],
        &[
            "Observation?date=2020-05-18",
            "Observation?date=gt2020-05-17",
            "Observation?date=ne2020",
            "Observation?date=eb2020-05-17",
            "Observation?date:missing=true",
            "Observation?value-date:missing=false",
            "Observation?code=http://snomed.info/sct|8480-6",
        ],
    );
}

#[test]
fn uris_and_canonicals_are_exact() {
    let library = json!({
        "resourceType": "Library", "id": "l1", "url": "http://example.org/Library/one",
        "relatedArtifact": [{"type": "depends-on", "resource": "http://example.org/Library/two|2.1"}]
    });
    check(
        &library,
        &[
            "Library?url=http://example.org/Library/one",
            "Library?depends-on=http://example.org/Library/two",
            "Library?depends-on=http://example.org/Library/two|2.1",
        ],
        &[
            "Library?url=http://example.org/Library",
            "Library?url=http://example.org/library/one",
            "Library?depends-on=http://example.org/Library/two|2.0",
            "Library?successor=http://example.org/Library/two",
        ],
    );
}

#[test]
fn compartments_have_what_refers_to_their_owner() {
    let inside = |code: &str, id: &str, resource: &Value| {
        let compartment = Compartment {
            code: code.to_owned(),
            id: id.to_owned(),
        };
        let resource_type = resource["resourceType"].as_str();
        matches(
            &plan(resource_type, "", Some(&compartment)).filter,
            resource,
        )
    };
    assert!(inside("Patient", "p1", &observation()));
    assert!(inside("Practitioner", "d1", &observation()));
    assert!(inside("Encounter", "e1", &observation()));
    assert!(inside("Patient", "p1", &patient()));
    assert!(!inside("Patient", "p2", &observation()));
    assert!(
        !inside("Practitioner", "d9", &observation()),
        "that one is elsewhere"
    );
    assert!(!inside("Patient", "d1", &observation()));
}

/// A resource that isn't what its definition says must not break anything.
#[test]
fn nonsense_gives_no_rows_and_no_panic() {
    let resource = json!({
        "resourceType": "Observation", "id": 3, "status": {}, "code": "x", "category": [null, 1, {"coding": 3}],
        "subject": [{"reference": ""}], "performer": {"reference": 5}, "effectiveDateTime": "soon",
        "effectivePeriod": [[]], "valueString": "\u{0}", "component": [[{"code": {}}]],
        "identifier": [{"system": "", "value": ""}], "encounter": null
    });
    check(
        &resource,
        &["Observation"],
        &["Observation?date=ge0001", "Observation?subject=x"],
    );
}

#[test]
fn long_texts_are_found_by_their_beginning() {
    let name = "é".repeat(300);
    let resource = json!({"resourceType": "Organization", "id": "o", "name": name});
    let start = format!("Organization?name={}", "e".repeat(256));
    check(
        &resource,
        &[&start, &format!("Organization?name:exact={name}")],
        &[],
    );
}

#[test]
fn the_first_entry_of_a_bundle_is_its_composition() {
    let bundle = json!({
        "resourceType": "Bundle", "id": "b", "type": "document",
        "entry": [{"resource": {"resourceType": "Composition", "id": "c1"}}, {"resource": {"resourceType": "Patient", "id": "p"}}]
    });
    check(
        &bundle,
        &["Bundle?composition=c1"],
        &["Bundle?composition=p"],
    );
}
