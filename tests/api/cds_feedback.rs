//! What became of cards. <https://cds-hooks.hl7.org/2.0/#feedback>

use serde_json::{Value, json};
use unloop::access::issuer::TokenTerms;

use crate::audit::recorded;
use crate::cds_hooks::{SIGN, asked, cards, opened, order, send, with_course};
use crate::medication::{coded, with_patient};
use crate::support::{Reply, Server};

const WHEN: &str = "2026-11-21T10:00:00Z";
const V3_ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// A card on tranylcypromine, with a suggestion.
async fn given(server: &Server) -> Value {
    let orders = [order("m", coded("10734"))];
    with_course(server).await;
    cards(server, SIGN, &asked("order-sign", &orders, &[])).await[0].clone()
}

async fn tell(server: &Server, service: &str, feedback: &[Value]) -> Reply {
    let content = json!({"feedback": feedback});
    send(server, &format!("{service}/feedback"), &content).await
}

fn overridden(card: &Value) -> Value {
    json!({"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": WHEN,
        "overrideReason": {"reason": {"system": V3_ACT_CODE, "code": "5"}, "userComment": "asked the prescriber"}})
}

fn accepted(card: &Value) -> Value {
    json!({"card": card["uuid"], "outcome": "accepted", "outcomeTimestamp": WHEN,
        "acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}]})
}

async fn kept(server: &Server, card: &Value) -> Value {
    let uuid = card["uuid"].as_str().unwrap();
    let entry = server.store.get("cds-card", uuid).await.unwrap().unwrap();
    let body: Value = serde_json::from_str(&entry.body).unwrap();
    assert_eq!(entry.expires.is_none(), body.get("feedback").is_some());
    body
}

/// The reasons of cards are codes of a published system.
async fn feedback_is_kept_with_its_card(server: Server) {
    with_patient(&server).await;
    let (one, other) = (given(&server).await, given(&server).await);
    assert_eq!(one["overrideReasons"][0]["system"], V3_ACT_CODE);
    assert_ne!(one["uuid"], other["uuid"]);
    assert!(kept(&server, &one).await.get("feedback").is_none());
    let mut seen = 0;
    recorded(&server, &mut seen).await;

    let reply = tell(&server, SIGN, &[overridden(&one), accepted(&other)]).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let first = kept(&server, &one).await;
    assert_eq!(first["patient"], "p");
    assert_eq!(first["service"], SIGN);
    assert!(
        first["rule"]
            .as_str()
            .unwrap()
            .ends_with("#maoi-irreversible")
    );
    assert_eq!(first["feedback"]["outcome"], "overridden");
    assert_eq!(first["feedback"]["reason"], "5");
    assert_eq!(first["feedback"]["comment"], "asked the prescriber");
    assert_eq!(first["feedback"]["decided"], WHEN);
    let second = kept(&server, &other).await;
    assert_eq!(second["feedback"]["outcome"], "accepted");
    assert_eq!(
        second["feedback"]["accepted"][0],
        other["suggestions"][0]["uuid"]
    );

    let rows = recorded(&server, &mut seen).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["do"], "cds-feedback");
    assert_eq!(rows[0]["patients"], json!(["p"]));
    assert!(
        !rows[0].to_string().contains("prescriber"),
        "content is not in the trail"
    );

    // Who changes the mind says so.
    assert_eq!(tell(&server, SIGN, &[accepted(&one)]).await.status, 200);
    let changed = kept(&server, &one).await;
    assert_eq!(changed["feedback"]["outcome"], "accepted");
    assert!(changed["feedback"].get("reason").is_none());
}

async fn what_is_no_feedback_is_refused_with_place_and_remedy(server: Server) {
    with_patient(&server).await;
    let (card, other) = (given(&server).await, given(&server).await);
    let right = overridden(&card);
    let with = |name: &str, value: Value| {
        let mut wrong = right.clone();
        match value {
            Value::Null => drop(wrong.as_object_mut().unwrap().remove(name)),
            value => wrong[name] = value,
        }
        wrong
    };
    let elsewhere = json!({"reason": {"system": V3_ACT_CODE, "code": "999"}});
    let suggestion = json!([{"id": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"}]);
    let mut foreign = accepted(&card);
    foreign["acceptedSuggestions"] = suggestion.clone();
    for (wrong, place) in [
        (with("card", Value::Null), "card"),
        (with("card", json!("1")), "card"),
        (
            with("card", json!("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea")),
            "card",
        ),
        (with("outcome", json!("ignored")), "outcome"),
        (with("outcome", json!("accepted")), "acceptedSuggestions"),
        (with("outcomeTimestamp", Value::Null), "outcomeTimestamp"),
        (
            with("outcomeTimestamp", json!("yesterday")),
            "outcomeTimestamp",
        ),
        (with("overrideReason", elsewhere), "overrideReason"),
        (with("overrideReason", json!({})), "overrideReason"),
        (
            with("overrideReason", json!({"userComment": "x".repeat(5_000)})),
            "overrideReason",
        ),
        (
            with("acceptedSuggestions", suggestion),
            "acceptedSuggestions",
        ),
        (foreign, "acceptedSuggestions"),
        (json!("overridden"), ""),
    ] {
        let reply = tell(&server, SIGN, &[accepted(&other), wrong.clone()]).await;
        assert_eq!(reply.status, 400, "{wrong}: {}", reply.text);
        let issues = reply.json()["issue"].as_array().unwrap().clone();
        let places: Vec<&str> = issues
            .iter()
            .map(|one| one["expression"][0].as_str().unwrap())
            .collect();
        let expected = format!("feedback[1].{place}");
        let expected = expected.trim_end_matches('.');
        assert!(
            places.iter().any(|found| found.starts_with(expected)),
            "{wrong}: {places:?}"
        );
        assert!(
            kept(&server, &other).await.get("feedback").is_none(),
            "all of it or nothing"
        );
    }
    let twice = tell(&server, SIGN, &[right.clone(), right.clone()]).await;
    assert_eq!(twice.status, 400, "{}", twice.text);
    for content in [
        json!({}),
        json!({"feedback": []}),
        json!({"feedback": {}}),
        json!([]),
    ] {
        let reply = send(&server, &format!("{SIGN}/feedback"), &content).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
    }
    assert_eq!(
        tell(&server, "none", std::slice::from_ref(&right))
            .await
            .status,
        404
    );
}

async fn nobody_answers_the_cards_of_others(server: Server) {
    with_patient(&server).await;
    let card = given(&server).await;
    let right = overridden(&card);
    // The card is one of another service.
    let reply = tell(&server, "ketamine-medication-check", &[right]).await;
    assert_eq!(reply.status, 400, "{}", reply.text);
    let content = json!({"feedback": [overridden(&card)]}).to_string();
    let url = server.beside(&format!("/cds-services/{SIGN}/feedback"));
    let terms = TokenTerms {
        subject: "somebody else".to_owned(),
        scope: "system/*.cruds".to_owned(),
        ttl: 3600,
        ..TokenTerms::default()
    };
    let other = server.issue_as(&terms).await;
    for (token, status) in [(None, 401), (Some(other), 400)] {
        let mut call = reqwest::Client::new().post(&url).body(content.clone());
        if let Some(token) = token {
            call = call.bearer_auth(token);
        }
        assert_eq!(call.send().await.unwrap().status().as_u16(), status);
    }
    assert!(kept(&server, &card).await.get("feedback").is_none());
}

/// Also where it has nothing to say.
async fn every_call_is_recorded(server: Server) {
    with_patient(&server).await;
    let mut seen = 0;
    recorded(&server, &mut seen).await;
    for (service, content) in [
        (SIGN, asked("order-sign", &[], &[])),
        ("ocd-progress", opened()),
    ] {
        assert!(cards(&server, service, &content).await.is_empty());
        let rows = recorded(&server, &mut seen).await;
        let of_call = rows.iter().find(|row| row["do"] == "cds-service").unwrap();
        assert_eq!(of_call["sent"], format!("POST /cds-services/{service}"));
        assert_eq!(of_call["patients"], json!(["p"]));
    }
}

crate::on_both_stores!(
    feedback_is_kept_with_its_card,
    what_is_no_feedback_is_refused_with_place_and_remedy,
    nobody_answers_the_cards_of_others,
    every_call_is_recorded,
);
