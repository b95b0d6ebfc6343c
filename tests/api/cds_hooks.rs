//! CDS Hooks, by requests as the specification has them.
//! <https://cds-hooks.hl7.org/2.0/>

use serde_json::{Value, json};

use crate::candidacy::total;
use crate::medication::{coded, statement, with_patient};
use crate::readiness;
use crate::support::{Reply, Server};

pub const SELECT: &str = "ketamine-medication-check";
pub const SIGN: &str = "ketamine-medication-check-sign";

pub fn order(id: &str, medicine: Value) -> Value {
    json!({"resourceType": "MedicationRequest", "id": id, "status": "draft", "intent": "order",
        "subject": {"reference": "Patient/p"}, "medicationCodeableConcept": medicine})
}

pub fn asked(hook: &str, orders: &[Value], selections: &[&str]) -> Value {
    let entries: Vec<Value> = orders
        .iter()
        .map(|order| json!({"resource": order}))
        .collect();
    let mut context = json!({
        "userId": "Practitioner/d", "patientId": "p",
        "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": entries},
    });
    if hook == "order-select" {
        context["selections"] = json!(selections);
    }
    json!({"hook": hook, "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "context": context})
}

pub async fn send(server: &Server, service: &str, content: &Value) -> Reply {
    let url = server.beside(&format!("/cds-services/{service}"));
    let call = server.call("POST", &url);
    call.text("application/json", &content.to_string())
        .send()
        .await
}

pub async fn cards(server: &Server, service: &str, content: &Value) -> Vec<Value> {
    let reply = send(server, service, content).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let cards = reply.json()["cards"].as_array().unwrap().clone();
    for card in &cards {
        assert!(
            card["summary"].as_str().unwrap().chars().count() < 140,
            "{card}"
        );
        assert!(["info", "warning", "critical"].contains(&card["indicator"].as_str().unwrap()));
        assert!(card["source"]["label"].is_string(), "{card}");
    }
    cards
}

/// Those about medicines; with ketamine there are others, of candidacy and readiness.
pub async fn medicine_cards(server: &Server, content: &Value) -> Vec<Value> {
    let mut found = cards(server, SIGN, content).await;
    found.retain(|card| card["source"]["label"] == "Unloop: medicines with ketamine");
    found
}

/// A course of the programme that runs: without one, orders are no concern of ours.
pub async fn with_course(server: &Server) {
    server
        .put(
            &json!({"resourceType": "EpisodeOfCare", "id": "course", "status": "active",
            "identifier": [{"system": "https://unloop.dev/fhir/course", "value": "p/1"}],
            "patient": {"reference": "Patient/p"}}),
        )
        .await;
}

async fn discovery_is_for_everybody(server: Server) {
    let url = server.beside("/cds-services");
    let found = reqwest::get(&url).await.unwrap();
    assert_eq!(found.status().as_u16(), 200);
    let found: Value = serde_json::from_str(&found.text().await.unwrap()).unwrap();
    let services = found["services"].as_array().unwrap();
    let hooks: Vec<&str> = services
        .iter()
        .map(|one| one["hook"].as_str().unwrap())
        .collect();
    assert_eq!(
        hooks,
        [
            "order-select",
            "order-sign",
            "patient-view",
            "appointment-book"
        ]
    );
    let url = server.beside(&format!("/cds-services/{SIGN}"));
    let nobody = reqwest::Client::new()
        .post(&url)
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(nobody.status().as_u16(), 401);
}

async fn an_order_gets_the_verdict_of_the_rules(server: Server) {
    with_patient(&server).await;
    with_course(&server).await;
    let orders = [order("m", coded("10734")), order("e", coded("321988"))];
    let found = cards(&server, SIGN, &asked("order-sign", &orders, &[])).await;
    assert_eq!(found.len(), 1, "what goes together is no card: {found:?}");
    assert_eq!(found[0]["indicator"], "critical");
    assert!(
        found[0]["detail"].as_str().unwrap().contains("Source: "),
        "{found:?}"
    );
    assert!(
        found[0]["links"][0]["url"]
            .as_str()
            .unwrap()
            .ends_with("#maoi-irreversible")
    );
    let action = &found[0]["suggestions"][0]["actions"][0];
    assert_eq!(
        (&action["type"], &action["resourceId"]),
        (&"delete".into(), &"MedicationRequest/m".into())
    );
    assert!(!found[0]["overrideReasons"].as_array().unwrap().is_empty());

    // Only what is selected.
    let select = |chosen: &'static str| asked("order-select", &orders, &[chosen]);
    assert!(
        cards(&server, SELECT, &select("MedicationRequest/e"))
            .await
            .is_empty()
    );
    assert_eq!(
        cards(&server, SELECT, &select("MedicationRequest/m"))
            .await
            .len(),
        1
    );

    let odd = asked(
        "order-sign",
        &[order("o", json!({"text": "mysterin"}))],
        &[],
    );
    let found = cards(&server, SIGN, &odd).await;
    assert_eq!(found[0]["indicator"], "info");
    assert!(
        found[0]["summary"]
            .as_str()
            .unwrap()
            .contains("not-checked")
    );
    assert_eq!(
        server.count("/MedicationRequest").await,
        0,
        "nothing is stored"
    );
}

/// Ketamine is ordered: what the patient takes is looked at.
async fn ketamine_meets_what_the_patient_takes(server: Server) {
    with_patient(&server).await;
    server.put(&statement("m", coded("10734"))).await;
    let mut ask = asked("order-sign", &[order("k", coded("6130"))], &[]);
    let stored = medicine_cards(&server, &ask).await;
    assert_eq!(stored[0]["indicator"], "critical", "{stored:?}");
    assert!(
        stored[0].get("suggestions").is_none(),
        "it is no order of this call"
    );
    // What the caller sends along is used instead.
    let taken = json!({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": statement("x", coded("321988"))}]});
    ask["prefetch"] = json!({"medications": taken});
    assert!(medicine_cards(&server, &ask).await.is_empty());
    ask["prefetch"]["medications"]["link"] = json!([{"relation": "next", "url": "http://x"}]);
    let part = medicine_cards(&server, &ask).await;
    assert!(
        part[0]["summary"]
            .as_str()
            .unwrap()
            .starts_with("Not checked"),
        "{part:?}"
    );
    // Of somebody unknown nothing is known, which is no silence.
    let mut other = asked("order-sign", &[order("k", coded("6130"))], &[]);
    other["context"]["patientId"] = "nobody".into();
    let found = medicine_cards(&server, &other).await;
    assert!(
        found[0]["summary"]
            .as_str()
            .unwrap()
            .starts_with("Not checked"),
        "{found:?}"
    );
}

async fn what_is_no_call_is_refused(server: Server) {
    let right = asked("order-sign", &[], &[]);
    assert!(cards(&server, SIGN, &right).await.is_empty());
    for (name, value) in [
        ("hook", json!("patient-view")),
        ("hookInstance", json!("1")),
        ("context", Value::Null),
        ("context", json!({"patientId": "p"})),
        ("context", json!({"draftOrders": {}})),
    ] {
        let mut wrong = right.clone();
        wrong[name] = value;
        let reply = send(&server, SIGN, &wrong).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
    }
    assert_eq!(send(&server, "none", &right).await.status, 404);
    assert_eq!(send(&server, SIGN, &json!([])).await.status, 400);
}

pub fn opened() -> Value {
    json!({"hook": "patient-view", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/d", "patientId": "p"}})
}

/// 30 to 18 is a reduction by 40 %.
async fn the_course_of_the_scores_is_told(server: Server) {
    with_patient(&server).await;
    server
        .put(&json!({"resourceType": "Practitioner", "id": "d"}))
        .await;
    let call = opened();
    assert!(cards(&server, "ocd-progress", &call).await.is_empty());
    server.put(&total("a", 30, "2026-08-01")).await;
    server.put(&total("b", 18, "2026-10-01")).await;
    let found = cards(&server, "ocd-progress", &call).await;
    let summary = found[0]["summary"].as_str().unwrap();
    assert!(summary.starts_with("Y-BOCS 18, reduced by 40"), "{summary}");
    assert_eq!(found[0]["indicator"], "info");

    let blind = server.issue("system/Patient.r").await;
    let url = server.beside("/cds-services/ocd-progress");
    let reply = reqwest::Client::new()
        .post(&url)
        .bearer_auth(&blind)
        .body(call.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status().as_u16(), 200);
    assert_eq!(reply.text().await.unwrap(), r#"{"cards":[]}"#);
}

async fn a_session_that_is_held_is_told(server: Server) {
    readiness::everything(&server, "home").await;
    let booked = |appointments: &[Value]| {
        let entries: Vec<Value> = appointments
            .iter()
            .map(|one| json!({"resource": one}))
            .collect();
        json!({"hook": "appointment-book", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": {"userId": "Practitioner/d", "patientId": "p",
                "appointments": {"resourceType": "Bundle", "type": "collection", "entry": entries}}})
    };
    let session = readiness::session("home");
    let found = cards(
        &server,
        "session-readiness",
        &booked(std::slice::from_ref(&session)),
    )
    .await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["indicator"], "warning");
    assert!(found[0]["summary"].as_str().unwrap().starts_with("Hold"));
    let detail = found[0]["detail"].as_str().unwrap();
    assert!(detail.contains("- candidacy: unknown."), "{detail}");
    // Years later no blood pressure is of the last hour.
    assert!(detail.contains("- blood-pressure: unknown."), "{detail}");
    assert!(!detail.contains("- companion:"), "{detail}");

    // What is not stored here is not checked, and other appointments are none of ours.
    let mut unknown = session.clone();
    unknown["id"] = "elsewhere".into();
    let mut other = session;
    other.as_object_mut().unwrap().remove("serviceType");
    let found = cards(&server, "session-readiness", &booked(&[unknown, other])).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let summary = found[0]["summary"].as_str().unwrap();
    assert!(summary.ends_with("is not checked"), "{summary}");
}

crate::on_both_stores!(
    the_course_of_the_scores_is_told,
    a_session_that_is_held_is_told,
    discovery_is_for_everybody,
    an_order_gets_the_verdict_of_the_rules,
    ketamine_meets_what_the_patient_takes,
    what_is_no_call_is_refused,
);
