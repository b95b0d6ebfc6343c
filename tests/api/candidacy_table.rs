//! What changes the patient for whom every criterion is met, row by row.

use serde_json::{Value, json};

use crate::candidacy::{SNOMED, active, answers, condition, screen, sertraline, session, total};
use crate::support::example;
use crate::vitals::pressure;

const ICD10: &str = "http://hl7.org/fhir/sid/icd-10-cm";

/// A criterion, what changes the patient for whom everything is met, and what
/// the criterion is then.
pub type Row = (&'static str, Value, &'static str);

fn gone(kind: &str, id: &str) -> Value {
    json!({"delete": format!("/{kind}/{id}")})
}

fn said(link: &'static str) -> Value {
    answers("later", "2026-11-16", &[(link, false)])
}

fn silent() -> Value {
    let mut silent = answers("q", "2026-11-15", &[]);
    silent.as_object_mut().unwrap().remove("item");
    silent
}

fn patient(birth: Option<&str>) -> Value {
    let mut patient = example::patient("Sands");
    patient["id"] = "p".into();
    match birth {
        Some(birth) => patient["birthDate"] = birth.into(),
        None => drop(patient.as_object_mut().unwrap().remove("birthDate")),
    }
    patient
}

fn with(mut content: Value, name: &str, value: Value) -> Value {
    content[name] = value;
    content
}

fn unclear() -> Value {
    let mut unclear = sertraline("2025-01-01", "2025-06-30");
    unclear.as_object_mut().unwrap().remove("dosage");
    unclear
}

fn allergy() -> Value {
    json!({"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/p"},
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]},
        "code": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6130"}]}})
}

fn procedure(code: &str, system: &str) -> Value {
    json!({"resourceType": "Procedure", "id": "e", "status": "completed",
        "subject": {"reference": "Patient/p"}, "code": {"coding": [{"system": system, "code": code}]}})
}

fn of_the_person() -> Vec<Row> {
    vec![
        ("age", patient(Some("2008-11-21")), "met"),
        ("age", patient(Some("2008-11-22")), "not-met"),
        ("age", patient(Some("2008")), "unknown"),
        ("age", patient(None), "unknown"),
        ("ocd", active("ocd", ICD10, "F42.2"), "met"),
        ("ocd", active("ocd", ICD10, "F42.3"), "unknown"),
        (
            "ocd",
            condition("ocd", SNOMED, "191736004", "resolved", "confirmed"),
            "unknown",
        ),
        (
            "ocd",
            condition("ocd", SNOMED, "191736004", "remission", "confirmed"),
            "unknown",
        ),
        (
            "ocd",
            condition("ocd", SNOMED, "191736004", "inactive", "confirmed"),
            "unknown",
        ),
        (
            "ocd",
            condition("ocd", SNOMED, "191736004", "active", "refuted"),
            "not-met",
        ),
        (
            "ocd",
            condition("ocd", SNOMED, "191736004", "active", "provisional"),
            "unknown",
        ),
        ("ocd", gone("Condition", "ocd"), "unknown"),
        ("severity", total("y", 16, "2026-11-10"), "met"),
        ("severity", total("y", 15, "2026-11-10"), "not-met"),
        ("severity", total("later", 12, "2026-11-12"), "not-met"),
        (
            "severity",
            with(total("y", 27, "2026-11-10"), "status", "preliminary".into()),
            "unknown",
        ),
        ("severity", gone("Observation", "y"), "unknown"),
        ("sri-trial", sertraline("2025-01-01", "2025-06-30"), "met"),
        (
            "sri-trial",
            sertraline("2025-06-01", "2025-06-14"),
            "not-met",
        ),
        ("sri-trial", unclear(), "unknown"),
        ("sri-trial", gone("MedicationStatement", "ssri"), "unknown"),
    ]
}

fn of_the_questionnaire() -> Vec<Row> {
    vec![
        ("erp", said("erp"), "not-met"),
        ("erp", silent(), "unknown"),
        ("function", said("function"), "not-met"),
        ("function", silent(), "unknown"),
        ("therapy", said("therapy"), "not-met"),
        ("therapy", silent(), "unknown"),
        ("psychosis", active("x", SNOMED, "58214004"), "not-met"),
        ("psychosis", active("x", ICD10, "F20.0"), "not-met"),
        (
            "psychosis",
            condition("x", SNOMED, "58214004", "resolved", "confirmed"),
            "met",
        ),
        (
            "psychosis",
            condition("x", SNOMED, "58214004", "active", "unconfirmed"),
            "unknown",
        ),
        ("psychosis", said("psychosis"), "not-met"),
        ("psychosis", silent(), "unknown"),
        (
            "erp",
            procedure("erp", "https://unloop.dev/fhir/CodeSystem/programme"),
            "met",
        ),
    ]
}

fn of_measurements() -> Vec<Row> {
    vec![
        ("blood-pressure", pressure("b", "140", "90"), "met"),
        ("blood-pressure", pressure("b", "141", "80"), "not-met"),
        ("blood-pressure", pressure("b", "130", "91"), "not-met"),
        (
            "blood-pressure",
            with(
                pressure("b", "128", "82"),
                "effectiveDateTime",
                "2026-09-01".into(),
            ),
            "unknown",
        ),
        ("blood-pressure", pressure("b", "310", "82"), "unknown"),
        ("blood-pressure", gone("Observation", "b"), "unknown"),
        ("substance-use", active("x", SNOMED, "7200002"), "not-met"),
        ("substance-use", active("x", ICD10, "F17.200"), "met"),
        ("substance-use", said("substance-use"), "not-met"),
        ("substance-use", silent(), "unknown"),
        ("suicidality", screen("2026-09-01"), "unknown"),
        ("suicidality", gone("Observation", "c"), "unknown"),
    ]
}

fn of_the_session() -> Vec<Row> {
    vec![
        (
            "companion",
            session("s", &[("PART", "RelatedPerson/r", "tentative")]),
            "not-met",
        ),
        ("companion", gone("Appointment", "s"), "unknown"),
        (
            "driver",
            session("s", &[("PART", "RelatedPerson/r", "accepted")]),
            "not-met",
        ),
        ("driver", gone("Appointment", "s"), "unknown"),
        (
            "supervision",
            session("s", &[("ESC", "RelatedPerson/r", "accepted")]),
            "not-met",
        ),
        ("supervision", gone("Appointment", "s"), "unknown"),
        ("bipolar", active("x", SNOMED, "13746004"), "not-met"),
        ("bipolar", active("x", ICD10, "F31.9"), "not-met"),
        (
            "label-contraindication",
            condition("x", SNOMED, "1386000", "resolved", "confirmed"),
            "not-met",
        ),
        ("label-contraindication", allergy(), "not-met"),
        (
            "label-contraindication",
            said("label-contraindication"),
            "not-met",
        ),
        ("label-contraindication", silent(), "unknown"),
        ("pregnancy", active("x", SNOMED, "77386006"), "not-met"),
        ("pregnancy", said("pregnancy"), "not-met"),
        ("pregnancy", silent(), "unknown"),
    ]
}

pub fn table() -> Vec<Row> {
    let all = [
        of_the_person(),
        of_the_questionnaire(),
        of_measurements(),
        of_the_session(),
    ];
    all.concat()
}
