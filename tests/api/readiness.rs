//! `Appointment/{id}/$session-readiness`: everything has to be known and right.

use serde_json::{Value, json};

use crate::appointments::{appointment, concept, participant, with_people};
use crate::candidacy::{SNOMED, active, all_answers, condition};
use crate::course::parts;
use crate::medication::{coded, statement};
use crate::support::{Reply, Server};

crate::on_both_stores!(
    nothing_known_holds_the_session,
    each_reason_holds_the_session,
    criteria_of_candidacy_count,
    an_override_with_a_reason_counts,
    what_the_caller_may_not_see_holds_the_session,
    a_session_of_two_patients_is_not_judged,
    only_sessions_are_asked_about,
);

const SETTING: &str = "https://unloop.dev/fhir/CodeSystem/session-setting";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
const LEVELS: &str = "https://unloop.dev/fhir/CodeSystem/measures";

/// On the first of March 2020, from nine o'clock UTC.
pub fn session(setting: &str) -> Value {
    let mut content = appointment(
        "ketamine-session",
        "booked",
        ("09:00", "11:30"),
        &["Patient/p"],
    );
    let kind = if setting == "home" { "PART" } else { "ESC" };
    let mut companion = participant("RelatedPerson/c");
    companion["required"] = "required".into();
    companion["type"] = concept(PARTICIPATION, kind);
    content["participant"]
        .as_array_mut()
        .unwrap()
        .push(companion);
    content["serviceCategory"] = concept(SETTING, setting);
    content["start"] = "2020-03-01T09:00:00Z".into();
    content["end"] = "2020-03-01T11:30:00Z".into();
    content["id"] = "session".into();
    content
}

pub fn consent() -> Value {
    json!({"resourceType": "Consent", "id": "consent", "status": "active",
        "scope": concept("http://terminology.hl7.org/CodeSystem/consentscope", "treatment")[0],
        "category": [{"text": "Ketamine"}], "patient": {"reference": "Patient/p"},
        "policy": [{"uri": "https://example.org/consent"}]})
}

fn half(code: &str, value: i64) -> Value {
    json!({"code": concept("http://loinc.org", code)[0], "valueQuantity":
        {"value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}})
}

pub fn pressure(id: &str, time: &str, systolic: i64, diastolic: i64) -> Value {
    json!({"resourceType": "Observation", "id": id, "status": "final",
        "category": concept("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs"),
        "code": concept("http://loinc.org", "85354-9")[0],
        "subject": {"reference": "Patient/p"}, "effectiveDateTime": time,
        "component": [half("8480-6", systolic), half("8462-4", diastolic)]})
}

pub fn screen(id: &str, time: &str, level: &str) -> Value {
    json!({"resourceType": "Observation", "id": id, "status": "final",
        "code": concept("http://loinc.org", "93374-7")[0],
        "subject": {"reference": "Patient/p"}, "effectiveDateTime": time,
        "performer": [{"reference": "Practitioner/d"}],
        "valueCodeableConcept": concept(LEVELS, level)[0]})
}

/// Somebody has asked, and the patient takes nothing.
pub fn none_taken() -> Value {
    statement(
        "none",
        json!({"coding": [{"system": SNOMED, "code": "787481004"}]}),
    )
}

pub async fn everything(server: &Server, setting: &str) {
    with_people(server).await;
    server.put(&session(setting)).await;
    server.put(&consent()).await;
    server.put(&none_taken()).await;
    server
        .put(&pressure("bp", "2020-03-01T08:30:00Z", 124, 78))
        .await;
    for sign in [
        vital("hr", "2020-03-01T08:30:00Z", "8867-4", 72, "/min"),
        vital("o2", "2020-03-01T08:30:00Z", "2708-6", 98, "%"),
    ] {
        server.put(&sign).await;
    }
    server
        .put(&screen("risk", "2020-03-01T08:00:00Z", "risk-low"))
        .await;
}

/// Heart rate, saturation and the like.
pub fn vital(id: &str, time: &str, code: &str, value: i64, unit: &str) -> Value {
    json!({"resourceType": "Observation", "id": id, "status": "final",
        "category": concept("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs"),
        "code": concept("http://loinc.org", code)[0],
        "subject": {"reference": "Patient/p"}, "effectiveDateTime": time,
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}})
}

/// `id state` of all checks, in order.
pub fn checks(reply: &Reply) -> Vec<String> {
    let checks = parts(reply, "check");
    let text = |part: &Value| part["valueCode"].as_str().unwrap().to_owned();
    let lines = checks
        .iter()
        .map(|check| format!("{} {}", text(&check["part"][0]), text(&check["part"][1])));
    lines.collect()
}

/// Five minutes before the start.
pub async fn ask(server: &Server) -> Reply {
    ask_at(server, "2020-03-01T08:55:00Z").await
}

pub async fn ask_at(server: &Server, at: &str) -> Reply {
    server
        .get(&format!(
            "/Appointment/session/$session-readiness?at={}",
            at.replace('+', "%2B")
        ))
        .expect(200)
        .await
}

/// The reason of a check.
pub fn reason(reply: &Reply, id: &str) -> String {
    let checks = parts(reply, "check");
    let check = checks
        .iter()
        .find(|check| check["part"][0]["valueCode"] == id)
        .unwrap();
    check["part"][2]["valueString"].as_str().unwrap().to_owned()
}

pub async fn state(server: &Server, id: &str) -> String {
    state_of(&ask(server).await, id)
}

pub fn state_of(reply: &Reply, id: &str) -> String {
    let lines = checks(reply);
    let line = lines
        .iter()
        .find_map(|line| line.strip_prefix(&format!("{id} ")));
    line.unwrap().to_owned()
}

async fn nothing_known_holds_the_session(server: Server) {
    with_people(&server).await;
    server.put(&session("home")).await;
    let reply = ask(&server).await;
    assert_eq!(parts(&reply, "overall")[0]["valueCode"], "hold");
    assert_eq!(
        checks(&reply),
        [
            "booked go",
            "patient go",
            "companion go",
            "consent hold",
            "medicines unknown",
            "blood-pressure unknown",
            "heart-rate go",
            "oxygen-saturation go",
            "candidacy unknown",
            "suicidality unknown",
            "mania go",
            "adverse-events go",
        ]
    );
}

async fn each_reason_holds_the_session(server: Server) {
    everything(&server, "home").await;
    for id in [
        "booked",
        "companion",
        "consent",
        "medicines",
        "blood-pressure",
        "suicidality",
    ] {
        assert_eq!(state(&server, id).await, "go", "{id}");
    }
    // 140/90 is the limit at home; the limit itself is not above it.
    for (systolic, diastolic, expected) in [(140, 90, "go"), (141, 80, "hold"), (120, 91, "hold")] {
        server
            .put(&pressure("bp", "2020-03-01T08:30:00Z", systolic, diastolic))
            .await;
        assert_eq!(
            state(&server, "blood-pressure").await,
            expected,
            "{systolic}/{diastolic}"
        );
    }
    // The last one counts; one of the day before yesterday does not.
    server
        .put(&pressure("bp", "2020-03-01T08:05:00Z", 180, 80))
        .await;
    server
        .put(&pressure("later", "2020-03-01T08:45:00Z", 120, 80))
        .await;
    assert_eq!(state(&server, "blood-pressure").await, "go");
    for id in ["bp", "later"] {
        server
            .put(&pressure(id, "2020-02-28T08:45:00Z", 120, 80))
            .await;
    }
    assert_eq!(state(&server, "blood-pressure").await, "unknown");
    // Nor does one that was measured later than what is asked about.
    server
        .put(&pressure("bp", "2020-03-01T09:30:00Z", 120, 80))
        .await;
    assert_eq!(state(&server, "blood-pressure").await, "unknown");

    for level in ["risk-moderate", "risk-high"] {
        server
            .put(&screen("risk", "2020-03-01T08:00:00Z", level))
            .await;
        assert_eq!(state(&server, "suicidality").await, "hold");
    }
    server
        .put(&screen("risk", "2020-02-29T10:00:00Z", "risk-low"))
        .await;
    assert_eq!(state(&server, "suicidality").await, "unknown");

    let mut consent = consent();
    consent["provision"] = json!({"period": {"end": "2020-02-01"}});
    server.put(&consent).await;
    assert_eq!(state(&server, "consent").await, "hold");
    consent["provision"] = json!({"type": "deny"});
    server.put(&consent).await;
    assert_eq!(state(&server, "consent").await, "hold");

    let mut session = session("home");
    session["participant"][1]["status"] = "needs-action".into();
    server.put(&session).await;
    assert_eq!(state(&server, "companion").await, "hold");
    session["status"] = "cancelled".into();
    server.put(&session).await;
    assert_eq!(state(&server, "booked").await, "hold");
}

/// Each of them is asked by `$ketamine-candidacy`; those that block hold a session too.
async fn criteria_of_candidacy_count(server: Server) {
    everything(&server, "home").await;
    server
        .put(&json!({"resourceType": "Patient", "id": "p", "birthDate": "1990-04-02"}))
        .await;
    server.put(&active("ocd", SNOMED, "191736004")).await;
    assert_eq!(state(&server, "candidacy").await, "unknown");
    server.put(&all_answers("q", "2020-02-15", &[])).await;
    let reply = ask(&server).await;
    let all = checks(&reply);
    assert!(all.iter().all(|line| line.ends_with(" go")), "{all:?}");
    assert_eq!(parts(&reply, "overall")[0]["valueCode"], "go");

    // Who is better is not turned away by a code.
    let remission = condition("ocd", SNOMED, "191736004", "remission", "confirmed");
    server.put(&remission).await;
    let reply = ask(&server).await;
    let check = &parts(&reply, "check")[8]["part"];
    assert_eq!(check[1]["valueCode"], "unknown", "{check}");
    let reason = check[2]["valueString"].as_str().unwrap();
    assert!(reason.contains("a clinician decides"), "{reason}");
    server.put(&active("ocd", SNOMED, "191736004")).await;

    server.put(&active("m", SNOMED, "69322001")).await;
    let reply = ask(&server).await;
    assert_eq!(parts(&reply, "overall")[0]["valueCode"], "hold");
    let check = &parts(&reply, "check")[8]["part"];
    assert_eq!(
        (&check[0]["valueCode"], &check[1]["valueCode"]),
        (&json!("candidacy"), &json!("hold"))
    );
    let reason = check[2]["valueString"].as_str().unwrap();
    assert!(reason.starts_with("Not met: psychosis."), "{reason}");
}

async fn an_override_with_a_reason_counts(server: Server) {
    everything(&server, "clinic").await;
    server
        .put(&statement("odd", json!({"text": "something unheard of"})))
        .await;
    assert_eq!(state(&server, "medicines").await, "unknown");
    server
        .call("DELETE", "/MedicationStatement/odd")
        .expect(204)
        .await;
    // Tranylcypromine, an irreversible MAO inhibitor.
    server.put(&statement("m", coded("10734"))).await;
    assert_eq!(state(&server, "medicines").await, "hold");
    let found = server
        .get("/DetectedIssue?patient=Patient/p")
        .expect(200)
        .await
        .json();
    let mut issue = found["entry"][0]["resource"].clone();
    issue["mitigation"] = json!([{"action": {"text": "Paused, seen by the prescriber"},
        "author": {"reference": "Practitioner/d"}}]);
    server.put(&issue).await;
    assert_eq!(state(&server, "medicines").await, "go");
}

async fn what_the_caller_may_not_see_holds_the_session(server: Server) {
    everything(&server, "home").await;
    server.put(&statement("m", coded("36437"))).await;
    let all = [
        "Consent",
        "MedicationStatement",
        "MedicationRequest",
        "AllergyIntolerance",
        "DetectedIssue",
        "Observation",
        "Appointment",
    ];
    for (hidden, id) in [
        ("Consent", "consent"),
        ("MedicationStatement", "medicines"),
        ("Observation", "blood-pressure"),
        ("Observation", "suicidality"),
    ] {
        let rights = all.iter().filter(|name| **name != hidden);
        let scope: Vec<String> = rights.map(|name| format!("system/{name}.rs")).collect();
        let token = server.issue(&scope.join(" ")).await;
        let reply = reqwest::Client::new()
            .get(format!(
                "{}/Appointment/session/$session-readiness?at=2020-03-01T08:55:00Z",
                server.base
            ))
            .header("Authorization", format!("Bearer {token}"))
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status().as_u16(), 200);
        let text = reply.text().await.unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        let checks = json["parameter"].as_array().unwrap();
        let check = checks
            .iter()
            .find(|one| one["part"][0]["valueCode"] == id)
            .unwrap();
        assert_eq!(
            check["part"][1]["valueCode"], "unknown",
            "{hidden}: {check}"
        );
    }
}

/// C4: neither is judged for the other, and nothing is told of either.
async fn a_session_of_two_patients_is_not_judged(server: Server) {
    everything(&server, "home").await;
    let mut other = crate::support::example::patient("Other");
    other["id"] = "other".into();
    server.put(&other).await;
    let mut shared = session("home");
    let people = shared["participant"].as_array_mut().unwrap();
    people.push(participant("Patient/other"));
    server.put(&shared).await;
    for operation in ["$session-readiness", "$session-monitor"] {
        let url = format!("/Appointment/session/{operation}");
        let reply = server.get(&url).expect(422).await;
        let text = reply.diagnostics();
        assert!(text.contains("more than one patient"), "{text}");
    }
}

async fn only_sessions_are_asked_about(server: Server) {
    with_people(&server).await;
    let mut other = appointment("integration", "booked", ("09:00", "10:00"), &["Patient/p"]);
    other["id"] = "other".into();
    server.put(&other).await;
    server
        .get("/Appointment/other/$session-readiness")
        .expect(422)
        .await;
    server
        .get("/Appointment/none/$session-readiness")
        .expect(404)
        .await;
}
