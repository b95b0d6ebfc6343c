//! The resources of the examples. All are invented; of rating scales there is
//! the score alone, never the wording of an item.

use serde_json::{Value, json};

fn meta() -> Value {
    json!({"versionId": "1", "lastUpdated": "2026-11-21T08:00:00.000000Z"})
}

pub fn patient() -> Value {
    json!({
        "resourceType": "Patient",
        "id": "example",
        "meta": meta(),
        "identifier": [{"system": "https://clinic.example/patients", "value": "0001"}],
        "name": [{"use": "official", "family": "Beispiel", "given": ["Ada"]}],
        "telecom": [{"system": "email", "value": "ada@clinic.example", "use": "home"}],
        "gender": "female",
        "birthDate": "1990-04",
    })
}

pub fn practitioner() -> Value {
    json!({
        "resourceType": "Practitioner",
        "id": "example",
        "meta": meta(),
        "identifier": [{"system": "https://clinic.example/staff", "value": "17"}],
        "name": [{"family": "Muster", "given": ["Kim"]}],
    })
}

pub fn medication_statement() -> Value {
    let medicine = json!({
        "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
        "code": "36437",
        "display": "sertraline",
    });
    json!({
        "resourceType": "MedicationStatement",
        "id": "example",
        "meta": meta(),
        "status": "active",
        "medicationCodeableConcept": {"coding": [medicine]},
        "subject": {"reference": "Patient/example"},
        "effectivePeriod": {"start": "2026-02-01"},
        "dosage": [{
            "text": "150 mg once a day",
            "doseAndRate": [{"doseQuantity": {
                "value": 150,
                "unit": "mg",
                "system": "http://unitsofmeasure.org",
                "code": "mg",
            }}],
        }],
    })
}

pub fn observation() -> Value {
    let category = json!({
        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
        "code": "survey",
    });
    json!({
        "resourceType": "Observation",
        "id": "example",
        "meta": meta(),
        "status": "final",
        "category": [{"coding": [category]}],
        "code": {
            "coding": [{"system": "https://clinic.example/scores", "code": "ybocs-total"}],
            "text": "Y-BOCS total score",
        },
        "subject": {"reference": "Patient/example"},
        "effectiveDateTime": "2026-11-20T14:30:00Z",
        "valueQuantity": {
            "value": 24,
            "unit": "score",
            "system": "http://unitsofmeasure.org",
            "code": "{score}",
        },
    })
}

pub fn appointment() -> Value {
    json!({
        "resourceType": "Appointment",
        "id": "example",
        "meta": meta(),
        "status": "booked",
        "serviceType": [{"text": "Ketamine session"}],
        "start": "2026-11-24T09:00:00Z",
        "end": "2026-11-24T11:00:00Z",
        "participant": [
            {"actor": {"reference": "Patient/example"}, "status": "accepted"},
            {"actor": {"reference": "Practitioner/example"}, "status": "accepted"},
        ],
    })
}
