//! A2 of issue 12, at the session: a screen above low by any spelling, a panel without a
//! value, and item 9 of PHQ-9 above 0 on the day are never "go".

use serde_json::{Value, json};

use crate::appointments::concept;
use crate::candidacy::{SNOMED, active};
use crate::readiness::{everything, screen, state};
use crate::support::Server;

crate::on_both_stores!(
    only_a_screen_of_the_day_that_is_understood_is_low,
    what_is_above_low_holds_until_a_clinician_screens_again,
    item_nine_of_phq_9_above_zero_on_the_day_is_never_go,
);

fn answered(code: &str) -> Value {
    concept("http://loinc.org", code)[0].clone()
}

async fn only_a_screen_of_the_day_that_is_understood_is_low(server: Server) {
    everything(&server, "home").await;
    let time = "2020-03-01T08:00:00Z";
    let mut content = screen("risk", time, "risk-low");
    for (value, expected) in [
        (answered("LA9194-7"), "go"),
        (answered("LA6751-7"), "hold"),
        (answered("LA9193-9"), "hold"),
        (json!({"text": "High risk"}), "hold"),
        (json!({"text": "fine, thank you"}), "unknown"),
    ] {
        content["valueCodeableConcept"] = value.clone();
        server.put(&content).await;
        assert_eq!(state(&server, "suicidality").await, expected, "{value}");
    }
    content
        .as_object_mut()
        .unwrap()
        .remove("valueCodeableConcept");
    server.put(&content).await;
    assert_eq!(state(&server, "suicidality").await, "unknown");
    // A panel whose items say nothing.
    content["code"] = concept("http://loinc.org", "93373-9")[0].clone();
    server.put(&content).await;
    assert_eq!(state(&server, "suicidality").await, "unknown");
    // Of yesterday.
    server
        .put(&screen("risk", "2020-02-29T22:00:00Z", "risk-low"))
        .await;
    assert_eq!(state(&server, "suicidality").await, "unknown");
    // And an active condition of it.
    server.put(&screen("risk", time, "risk-low")).await;
    assert_eq!(state(&server, "suicidality").await, "go");
    server.put(&active("si", SNOMED, "6471006")).await;
    assert_eq!(state(&server, "suicidality").await, "hold");
}

async fn what_is_above_low_holds_until_a_clinician_screens_again(server: Server) {
    everything(&server, "home").await;
    server
        .put(&screen("before", "2020-02-28T08:00:00Z", "risk-high"))
        .await;
    // The screen of the day is a clinician's.
    assert_eq!(state(&server, "suicidality").await, "go");
    let mut own = screen("risk", "2020-03-01T08:00:00Z", "risk-low");
    own["performer"] = json!([{"reference": "Patient/p"}]);
    server.put(&own).await;
    assert_eq!(state(&server, "suicidality").await, "hold");
}

async fn item_nine_of_phq_9_above_zero_on_the_day_is_never_go(server: Server) {
    everything(&server, "home").await;
    let mut item = screen("phq", "2020-03-01T07:00:00Z", "risk-low");
    item["code"] = concept("http://loinc.org", "44260-8")[0].clone();
    for (answer, expected) in [
        ("LA6568-5", "go"),
        ("LA6569-3", "hold"),
        ("LA6571-9", "hold"),
    ] {
        item["valueCodeableConcept"] = answered(answer);
        server.put(&item).await;
        assert_eq!(state(&server, "suicidality").await, expected, "{answer}");
    }
    // As a component of the questionnaire's panel.
    let component = json!({"code": item["code"], "valueCodeableConcept": answered("LA6570-1")});
    let mut panel = item.clone();
    panel
        .as_object_mut()
        .unwrap()
        .remove("valueCodeableConcept");
    panel["code"] = concept("http://loinc.org", "44249-1")[0].clone();
    panel["component"] = json!([component]);
    server.put(&panel).await;
    assert_eq!(state(&server, "suicidality").await, "hold");
    // As an answer of a questionnaire.
    panel["component"][0]["valueCodeableConcept"] = answered("LA6568-5");
    server.put(&panel).await;
    assert_eq!(state(&server, "suicidality").await, "go");
    let response = json!({"resourceType": "QuestionnaireResponse", "id": "qr", "status": "completed",
        "subject": {"reference": "Patient/p"}, "authored": "2020-03-01T07:30:00Z",
        "item": [{"linkId": "/44260-8", "answer": [{"valueCoding": {"system": "http://loinc.org", "code": "LA6569-3"}}]}]});
    server.put(&response).await;
    assert_eq!(state(&server, "suicidality").await, "hold");
}
