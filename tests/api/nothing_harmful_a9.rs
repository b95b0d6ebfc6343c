//! A9 of issue 12: mania at its threshold, a serious adverse event that is not resolved, a
//! consent to something else, and an override that was given before the medicine changed:
//! each holds the session with its reason.

use serde_json::{Value, json};

use crate::appointments::concept;
use crate::medication::{coded, statement};
use crate::readiness::{ask, consent, everything, reason, state, state_of};
use crate::support::Server;

crate::on_both_stores!(
    mania_at_its_threshold_holds,
    a_serious_event_that_is_not_resolved_holds,
    a_consent_to_something_else_holds,
    an_override_ends_with_what_it_was_given_for,
);

const MEASURES: &str = "https://unloop.dev/fhir/CodeSystem/measures";

fn altman(id: &str, time: &str, points: i64) -> Value {
    json!({"resourceType": "Observation", "id": id, "status": "final",
        "code": concept(MEASURES, "altman-total")[0], "subject": {"reference": "Patient/p"},
        "effectiveDateTime": time, "valueInteger": points,
        "performer": [{"reference": "Practitioner/d"}]})
}

async fn mania_at_its_threshold_holds(server: Server) {
    everything(&server, "home").await;
    for (points, expected) in [(18, "hold"), (6, "hold"), (5, "go")] {
        server
            .put(&altman("a", "2020-02-25T08:00:00Z", points))
            .await;
        let reply = ask(&server).await;
        assert_eq!(state_of(&reply, "mania"), expected, "{points}");
    }
    // Also where the last one is old, or another one of its time says otherwise.
    server.put(&altman("a", "2019-06-01T08:00:00Z", 12)).await;
    assert_eq!(state(&server, "mania").await, "hold");
    server.put(&altman("b", "2020-02-26", 3)).await;
    assert_eq!(state(&server, "mania").await, "go");
    server.put(&altman("c", "2020-02-26T09:00:00Z", 9)).await;
    assert_eq!(state(&server, "mania").await, "hold");
    let mut open = altman("c", "2020-02-27T09:00:00Z", 3);
    open["status"] = "preliminary".into();
    server.put(&open).await;
    assert_eq!(state(&server, "mania").await, "unknown");
}

async fn a_serious_event_that_is_not_resolved_holds(server: Server) {
    everything(&server, "home").await;
    let seriousness = "http://terminology.hl7.org/CodeSystem/adverse-event-seriousness";
    let outcome = "http://terminology.hl7.org/CodeSystem/adverse-event-outcome";
    let mut event = json!({"resourceType": "AdverseEvent", "id": "e", "actuality": "actual",
        "subject": {"reference": "Patient/p"}, "event": {"text": "Fall"}, "date": "2020-01-01"});
    server.put(&event).await;
    assert_eq!(state(&server, "adverse-events").await, "unknown");
    for (code, expected) in [
        ("Serious", "hold"),
        ("SeriousIsLifeThreatening", "hold"),
        ("Non-serious", "go"),
    ] {
        event["seriousness"] = concept(seriousness, code)[0].clone();
        server.put(&event).await;
        assert_eq!(state(&server, "adverse-events").await, expected, "{code}");
    }
    event["seriousness"] = concept(seriousness, "Serious")[0].clone();
    for (code, expected) in [
        ("ongoing", "hold"),
        ("recovering", "hold"),
        ("fatal", "hold"),
        ("resolved", "go"),
        ("resolvedWithSequelae", "go"),
    ] {
        event["outcome"] = concept(outcome, code)[0].clone();
        server.put(&event).await;
        assert_eq!(state(&server, "adverse-events").await, expected, "{code}");
    }
}

async fn a_consent_to_something_else_holds(server: Server) {
    everything(&server, "home").await;
    let dental = json!([{"text": "Dental extraction"}]);
    for (member, value, expected) in [
        ("category", dental.clone(), "hold"),
        (
            "category",
            json!([{"text": "Treatment with esketamine"}]),
            "go",
        ),
        ("category", json!([{"text": "No ketamine"}]), "hold"),
        (
            "category",
            json!([{"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6130"}]}]),
            "go",
        ),
        ("provision", json!({"code": dental}), "hold"),
        ("provision", json!({"code": [{"text": "Ketamine"}]}), "go"),
        (
            "provision",
            json!({"provision": [{"type": "deny", "code": [{"text": "at home"}]}]}),
            "unknown",
        ),
        ("status", json!("rejected"), "hold"),
    ] {
        let mut content = consent();
        content[member] = value.clone();
        server.put(&content).await;
        assert_eq!(state(&server, "consent").await, expected, "{value}");
    }
}

fn tranylcypromine(dose: i64) -> Value {
    let mut content = statement("m", coded("10734"));
    content["dosage"] = json!([{"doseAndRate": [{"doseQuantity": {"value": dose, "unit": "mg"}}]}]);
    content
}

async fn override_it(server: &Server) {
    let path = "/DetectedIssue?patient=Patient/p";
    let found = server.get(path).expect(200).await.json();
    let mut issue = found["entry"][0]["resource"].clone();
    issue["mitigation"] = json!([{"action": {"text": "Seen by the prescriber"},
        "author": {"reference": "Practitioner/d"}}]);
    server.put(&issue).await;
}

/// A higher dose, another route, another status: each is judged anew.
async fn an_override_ends_with_what_it_was_given_for(server: Server) {
    everything(&server, "clinic").await;
    server.put(&tranylcypromine(10)).await;
    assert_eq!(state(&server, "medicines").await, "hold");
    override_it(&server).await;
    assert_eq!(state(&server, "medicines").await, "go");
    // The same again changes nothing.
    server.put(&tranylcypromine(10)).await;
    assert_eq!(state(&server, "medicines").await, "go");
    let mut routed = tranylcypromine(60);
    routed["dosage"][0]["route"] = json!({"text": "into a vein"});
    let mut other = routed.clone();
    other["status"] = "on-hold".into();
    for changed in [tranylcypromine(60), routed, other] {
        server.put(&changed).await;
        let reply = ask(&server).await;
        assert_eq!(state_of(&reply, "medicines"), "hold", "{changed}");
        let said = reason(&reply, "medicines");
        assert!(said.contains("before the medicine"), "{said}");
        override_it(&server).await;
        assert_eq!(state(&server, "medicines").await, "go", "{changed}");
    }
    // Nobody overrides in the future.
    let path = "/DetectedIssue?patient=Patient/p";
    let found = server.get(path).expect(200).await.json();
    let mut issue = found["entry"][0]["resource"].clone();
    issue["mitigation"][0]["date"] = "2099-01-01".into();
    let id = issue["id"].as_str().unwrap().to_owned();
    let call = server.call("PUT", &format!("/DetectedIssue/{id}"));
    call.resource(&issue).expect(422).await;
}
