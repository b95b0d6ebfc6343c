//! While the index is rebuilt a token for some records goes on reading what it
//! names by an id: by what the resource says, never by rows of yesterday.

use serde_json::json;
use unloop::access::issuer::TokenTerms;
use unloop::store::Claim;

use crate::on_both_stores;
use crate::support::Server;

on_both_stores!(what_is_named_is_judged_by_itself,);

async fn what_is_named_is_judged_by_itself(server: Server) {
    for patient in ["one", "two"] {
        server
            .put(&json!({"resourceType": "Patient", "id": patient}))
            .await;
    }
    for id in ["kept", "moved", "other"] {
        server.put(&score(id, "survey")).await;
    }
    server.put(&score("gone", "survey")).await;
    server.put(&score("kept", "survey")).await;
    server.call("DELETE", "/Observation/gone").expect(204).await;
    // The rows say otherwise than the content, as rows of another program may.
    for (id, from, to) in [
        ("moved", "Patient/one", "Patient/two"),
        ("other", "survey", "laboratory"),
    ] {
        let sql = format!(
            "UPDATE resource SET body = replace(body, '{from}', '{to}') WHERE type = 'Observation' AND id = '{id}'"
        );
        server.execute(&sql).await;
    }
    server
        .execute("UPDATE index_state SET form = 1, place = NULL")
        .await;
    server.engine.look_at_index().await.unwrap();
    let foreign = ask(&server, "one", "/Observation/kept").await;
    assert_eq!(foreign, 503, "nobody here knows what those rows mean");
    server.store.claim_index(Claim::Outdated).await.unwrap();
    server.engine.look_at_index().await.unwrap();
    for (patient, path, status) in [
        ("one", "/Observation/kept", 200),
        ("two", "/Observation/kept", 404),
        ("one", "/Observation/kept/_history/1", 200),
        ("two", "/Observation/kept/_history/1", 404),
        ("one", "/Observation/moved", 404),
        ("one", "/Observation/moved/_history/1", 404),
        ("two", "/Observation/moved", 200),
        ("one", "/Observation/other", 404),
        ("one", "/Observation/gone", 404),
        ("one", "/Observation/nothing", 404),
        ("one", "/Patient/one", 200),
        ("one", "/Patient/two", 404),
        // What is not named cannot be judged by itself.
        ("one", "/Observation", 503),
        ("one", "/Observation/kept/_history", 503),
        ("one", "/Patient/one/$everything", 503),
        ("one", "/Condition/nothing", 403),
    ] {
        assert_eq!(
            ask(&server, patient, path).await,
            status,
            "{patient} {path}"
        );
    }
    while server.engine.rebuild_piece().await.unwrap() > 0 {}
    server.engine.look_at_index().await.unwrap();
    for (patient, path, status) in [
        ("one", "/Observation/kept", 200),
        ("one", "/Observation/moved", 404),
        ("two", "/Observation/moved", 200),
        ("one", "/Observation", 200),
    ] {
        assert_eq!(
            ask(&server, patient, path).await,
            status,
            "{patient} {path}"
        );
    }
}

fn score(id: &str, category: &str) -> serde_json::Value {
    let system = "http://terminology.hl7.org/CodeSystem/observation-category";
    json!({"resourceType": "Observation", "id": id, "status": "final",
        "category": [{"coding": [{"system": system, "code": category}]}],
        "code": {"text": "score"}, "subject": {"reference": "Patient/one"}})
}

async fn ask(server: &Server, patient: &str, path: &str) -> u16 {
    let terms = TokenTerms {
        subject: "tester".to_owned(),
        scope: "patient/Observation.rs?category=survey patient/Patient.rs".to_owned(),
        patient: Some(patient.to_owned()),
        ttl: 3600,
        ..TokenTerms::default()
    };
    let token = server.issue_as(&terms).await;
    let call = reqwest::Client::new().get(format!("{}{path}", server.base));
    call.bearer_auth(token)
        .send()
        .await
        .unwrap()
        .status()
        .as_u16()
}
