//! The demo's clinic as one transaction. Every resource has an id of its own,
//! so that the printed requests always find theirs.
//!
//! Y-BOCS appears as a total only: its items are others' property.

use serde_json::{Map, Value, json};

use super::people::{Medication, PEOPLE, Person};

const MEASURES: &str = "https://unloop.dev/fhir/CodeSystem/measures";
const SNOMED: &str = "http://snomed.info/sct";
const LOINC: &str = "http://loinc.org";
const UCUM: &str = "http://unitsofmeasure.org";
const PSYCHIATRIST: &str = "Practitioner/demo-psychiatrist";
const THERAPIST: &str = "Practitioner/demo-therapist";

pub fn transaction() -> Map<String, Value> {
    let mut resources = clinic();
    for person in PEOPLE {
        resources.extend(records(person));
    }
    let entries = resources.into_iter().map(entry).collect();
    let mut bundle = Map::new();
    bundle.insert("resourceType".into(), "Bundle".into());
    bundle.insert("type".into(), "transaction".into());
    bundle.insert("entry".into(), Value::Array(entries));
    bundle
}

fn entry(resource: Value) -> Value {
    let text = |name: &str| {
        resource
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let url = format!("{}/{}", text("resourceType"), text("id"));
    json!({"request": {"method": "PUT", "url": url}, "resource": resource})
}

fn clinic() -> Vec<Value> {
    vec![
        json!({
            "resourceType": "Organization", "id": "demo-clinic", "active": true,
            "name": "Demo Clinic (fictitious)"
        }),
        practitioner("demo-psychiatrist", "Willow", "Dr."),
        practitioner("demo-therapist", "Yew", "Mx."),
    ]
}

fn practitioner(id: &str, given: &str, prefix: &str) -> Value {
    json!({
        "resourceType": "Practitioner", "id": id, "active": true,
        "name": [{"family": "Fictitious", "given": [given], "prefix": [prefix]}]
    })
}

fn records(person: &Person) -> Vec<Value> {
    let mut all = vec![patient(person), condition(person), appointment(person)];
    let numbered = |index: usize, what: &str| format!("{}-{what}-{}", person.id, index + 1);
    for (index, medication) in person.medication.iter().enumerate() {
        all.push(statement(person, numbered(index, "medication"), medication));
    }
    for (index, rating) in person.ratings.iter().enumerate() {
        let measured = [
            ("ybocs-total", Some(rating.total)),
            ("cgi-severity", Some(rating.severity)),
            ("cgi-improvement", rating.improvement),
        ];
        for (code, value) in measured {
            let id = numbered(index, code);
            all.extend(value.map(|value| score(person, &id, rating.at, code, value)));
        }
    }
    if let [first, _, ..] = person.ratings {
        all.extend(dose(person, first.at));
    }
    for (index, pressure) in person.pressures.iter().enumerate() {
        all.push(blood_pressure(person, numbered(index, "bp"), *pressure));
    }
    all
}

/// The first dose, on the day after the rating that change is measured from.
fn dose(person: &Person, rated: &str) -> Option<Value> {
    let day: jiff::civil::Date = rated.get(..10)?.parse().ok()?;
    let day = day.tomorrow().ok()?;
    let coding = json!([{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6130", "display": "Ketamine"}]);
    Some(json!({
        "resourceType": "MedicationAdministration", "id": format!("{}-dose", person.id), "status": "completed",
        "medicationCodeableConcept": {"coding": coding, "text": "Ketamine"},
        "subject": subject(person), "effectiveDateTime": format!("{day}T10:00:00Z")
    }))
}

fn subject(person: &Person) -> Value {
    let name = format!("{} {}", person.given, person.family);
    json!({"reference": format!("Patient/{}", person.id), "display": name})
}

fn patient(person: &Person) -> Value {
    json!({
        "resourceType": "Patient", "id": person.id, "active": true,
        "identifier": [{"system": "https://unloop.dev/fhir/demo-patients", "value": person.id}],
        "name": [{"use": "official", "family": person.family, "given": [person.given]}],
        "gender": person.gender, "birthDate": person.birth_date,
        "generalPractitioner": [{"reference": PSYCHIATRIST}],
        "managingOrganization": {"reference": "Organization/demo-clinic"}
    })
}

fn condition(person: &Person) -> Value {
    let clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical";
    let verified = "http://terminology.hl7.org/CodeSystem/condition-ver-status";
    json!({
        "resourceType": "Condition", "id": format!("{}-ocd", person.id),
        "clinicalStatus": {"coding": [{"system": clinical, "code": "active"}]},
        "verificationStatus": {"coding": [{"system": verified, "code": "confirmed"}]},
        "code": {
            "coding": [
                {"system": SNOMED, "code": "191736004", "display": "Obsessive-compulsive disorder"},
                {"system": "http://hl7.org/fhir/sid/icd-10", "code": "F42"}
            ],
            "text": "Obsessive-compulsive disorder"
        },
        "subject": subject(person), "onsetDateTime": person.onset,
        "asserter": {"reference": PSYCHIATRIST}
    })
}

fn statement(person: &Person, id: String, medication: &Medication) -> Value {
    let rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm";
    let drug = medication.drug;
    let dose = json!({"value": medication.daily_mg, "unit": "mg", "system": UCUM, "code": "mg"});
    let mut concept = json!({"text": drug.name});
    if let (false, Some(members)) = (drug.rxnorm.is_empty(), concept.as_object_mut()) {
        let coding = json!([{"system": rxnorm, "code": drug.rxnorm, "display": drug.name}]);
        members.insert("coding".to_owned(), coding);
    }
    json!({
        "resourceType": "MedicationStatement", "id": id, "status": "active",
        "medicationCodeableConcept": concept,
        "subject": subject(person),
        "effectivePeriod": {"start": medication.since},
        "informationSource": {"reference": PSYCHIATRIST},
        "dosage": [{
            "text": format!("{} mg a day", medication.daily_mg),
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": dose}]
        }]
    })
}

fn score(person: &Person, id: &str, date: &str, code: &str, value: u8) -> Value {
    let category = "http://terminology.hl7.org/CodeSystem/observation-category";
    let mut score = json!({
        "resourceType": "Observation", "id": id, "status": "final",
        "category": [{"coding": [{"system": category, "code": "survey"}]}],
        "code": {"coding": [{"system": MEASURES, "code": code}]},
        "subject": subject(person), "effectiveDateTime": date,
        "performer": [{"reference": THERAPIST}],
        "valueQuantity": {"value": value, "unit": "score", "system": UCUM, "code": "{score}"}
    });
    if let ("ybocs-total", Some(members)) = (code, score.as_object_mut()) {
        let method = json!({"coding": [{"system": SNOMED, "code": "840418002"}]});
        members.insert("method".to_owned(), method);
    }
    score
}

fn blood_pressure(person: &Person, id: String, measured: (&str, u16, u16)) -> Value {
    let category = "http://terminology.hl7.org/CodeSystem/observation-category";
    let (date, systolic, diastolic) = measured;
    json!({
        "resourceType": "Observation", "id": id, "status": "final",
        "meta": {"profile": ["http://hl7.org/fhir/StructureDefinition/bp"]},
        "category": [{"coding": [{"system": category, "code": "vital-signs"}]}],
        "code": {
            "coding": [{"system": LOINC, "code": "85354-9"}],
            "text": "Blood pressure"
        },
        "subject": subject(person), "effectiveDateTime": date,
        "performer": [{"reference": PSYCHIATRIST}],
        "component": [
            pressure("8480-6", "Systolic blood pressure", systolic),
            pressure("8462-4", "Diastolic blood pressure", diastolic)
        ]
    })
}

fn pressure(code: &str, text: &str, value: u16) -> Value {
    let unit = "mm[Hg]";
    json!({
        "code": {"coding": [{"system": LOINC, "code": code}], "text": text},
        "valueQuantity": {"value": value, "unit": "mmHg", "system": UCUM, "code": unit}
    })
}

fn appointment(person: &Person) -> Value {
    let (start, end) = person.appointment;
    let participant = |actor: Value| json!({"actor": actor, "status": "accepted"});
    json!({
        "resourceType": "Appointment", "id": format!("{}-session", person.id),
        "status": "booked", "description": "Session",
        "start": start, "end": end,
        "participant": [
            participant(subject(person)),
            participant(json!({"reference": PSYCHIATRIST})),
            participant(json!({"reference": THERAPIST}))
        ]
    })
}
