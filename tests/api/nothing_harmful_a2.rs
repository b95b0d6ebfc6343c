//! A screen above low, or one that nobody understands, is never met in candidacy (issue
//! 12, A2).

use serde_json::{Value, json};

use crate::candidacy::{SNOMED, active, asked, condition, criterion, overall, with_everything};
use crate::support::Server;
use crate::vitals::vital;

crate::on_both_stores!(
    a2_a_screen_above_low_is_never_met,
    a2_an_active_condition_of_ideation_or_attempt_is_never_met,
    a2_the_gravest_screen_of_the_horizon_counts,
);

pub const ICD10: &str = "http://hl7.org/fhir/sid/icd-10-cm";
pub const LOINC: &str = "http://loinc.org";
pub const OWN: &str = "https://unloop.dev/fhir/CodeSystem/measures";

pub fn coded(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": system, "code": code}]})
}

pub fn observed(id: &str, code: &str, day: &str, value: (&str, Value)) -> Value {
    let mut content = vital(id, &[code]);
    content["category"] = json!([{"text": "survey"}]);
    content["effectiveDateTime"] = day.into();
    content[value.0] = value.1;
    content
}

pub async fn status(server: &Server, id: &str) -> (String, String) {
    let (status, effect, _) = criterion(&asked(server, "").await, id);
    (status, effect)
}

async fn a2_a_screen_above_low_is_never_met(server: Server) {
    with_everything(&server).await;
    let item = |code: &str, answer: &str| json!({"code": coded(LOINC, code), "valueCodeableConcept": coded(LOINC, answer)});
    let level = "93374-7";
    let concept = "valueCodeableConcept";
    for (code, value, expected) in [
        (level, (concept, coded(LOINC, "LA9194-7")), "met"),
        (
            level,
            (concept, coded("urn:oid:2.16.840.1.113883.6.1", "LA9194-7")),
            "met",
        ),
        (level, (concept, coded(OWN, "risk-low")), "met"),
        (level, (concept, coded(OWN, "risk-high")), "not-met"),
        (level, (concept, coded(OWN, "risk-moderate")), "not-met"),
        (level, (concept, coded(LOINC, "LA9193-9")), "not-met"),
        (level, (concept, coded(LOINC, "LA6751-7")), "not-met"),
        (level, (concept, json!({"text": "High risk"})), "not-met"),
        (level, ("valueString", "high".into()), "not-met"),
        (level, ("valueString", "declined".into()), "unknown"),
        (
            level,
            ("dataAbsentReason", json!({"text": "refused"})),
            "unknown",
        ),
        (
            "93373-9",
            ("note", json!([{"text": "see letter"}])),
            "unknown",
        ),
        (
            "93373-9",
            ("component", json!([item("93249-1", "LA33-6")])),
            "not-met",
        ),
        (
            "93373-9",
            ("component", json!([item("93249-1", "LA32-8")])),
            "unknown",
        ),
        ("44260-8", ("valueInteger", 2.into()), "not-met"),
        ("44260-8", (concept, coded(LOINC, "LA6571-9")), "not-met"),
        ("44260-8", ("valueInteger", 0.into()), "met"),
        (
            "44249-1",
            ("component", json!([item("44260-8", "LA6569-3")])),
            "not-met",
        ),
    ] {
        let content = observed("later", code, "2026-11-19", value);
        server.put(&content).await;
        let answer = asked(&server, "").await;
        let (found, _, evidence) = criterion(&answer, "suicidality");
        assert_eq!(found, expected, "{content}");
        assert_eq!(
            overall(&answer) == "eligible-for-review",
            found == "met",
            "{content}"
        );
        let told = evidence.contains(&"Observation/later".to_owned());
        assert!(told || expected == "met", "{content}: {evidence:?}");
    }
}

async fn a2_an_active_condition_of_ideation_or_attempt_is_never_met(server: Server) {
    with_everything(&server).await;
    for (system, code) in [
        (SNOMED, "6471006"),
        (SNOMED, "82313006"),
        (ICD10, "R45.851"),
        (ICD10, "T14.91XA"),
        ("urn:oid:2.16.840.1.113883.6.90", "R45.851"),
    ] {
        server.put(&active("x", system, code)).await;
        assert_eq!(status(&server, "suicidality").await.0, "not-met", "{code}");
    }
    server
        .put(&condition("x", SNOMED, "6471006", "resolved", "confirmed"))
        .await;
    assert_eq!(status(&server, "suicidality").await.0, "met");
    server.put(&active("x", "http://ehr.example", "SI")).await;
    assert_eq!(status(&server, "suicidality").await.0, "unknown");
}

async fn a2_the_gravest_screen_of_the_horizon_counts(server: Server) {
    with_everything(&server).await;
    // The low one of the 18th is later than this one, and both are told.
    let high = ("valueCodeableConcept", coded(OWN, "risk-high"));
    server
        .put(&observed("high", "93374-7", "2026-11-12", high.clone()))
        .await;
    assert_eq!(status(&server, "suicidality").await.0, "not-met");
    server
        .put(&observed("high", "93374-7", "2026-10-12", high.clone()))
        .await;
    assert_eq!(status(&server, "suicidality").await.0, "met");
    let mut draft = observed("high", "93374-7", "2026-11-20", high);
    draft["status"] = "preliminary".into();
    server.put(&draft).await;
    assert_eq!(status(&server, "suicidality").await.0, "not-met");
    draft["status"] = "entered-in-error".into();
    server.put(&draft).await;
    assert_eq!(status(&server, "suicidality").await.0, "met");
}
