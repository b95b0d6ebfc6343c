//! A grant from its making to its end, over HTTP and across two instances.

use serde_json::{Value, json};
use unloop::access::grant::{Invite, Invites};

use crate::support::{Server, deed};

crate::on_both_stores!(
    from_the_invitation_to_the_end,
    the_entry_that_may_not_be_written_is_named,
);

const FOR_ALL: &str = "patient/Observation.rs patient/Observation.c";

async fn people(server: &Server) {
    for patient in ["a", "b"] {
        let content = json!({"resourceType": "Patient", "id": patient});
        server
            .call("PUT", &format!("/Patient/{patient}"))
            .resource(&content)
            .expect(201)
            .await;
        server.create(&score(patient)).await;
    }
    let therapist = json!({"resourceType": "Practitioner", "id": "t"});
    server
        .call("PUT", "/Practitioner/t")
        .resource(&therapist)
        .expect(201)
        .await;
}

fn score(patient: &str) -> Value {
    json!({"resourceType": "Observation", "status": "final", "code": {"text": "score"},
        "subject": {"reference": format!("Patient/{patient}")}})
}

pub async fn grant(server: &Server) -> String {
    let ends = jiff::Timestamp::now().as_second() + 3600;
    let asked = json!({"practitioner": "t", "patients": ["a"], "scope": FOR_ALL, "ends": ends});
    let sent = server
        .client
        .post(server.beside("/admin/grants"))
        .json(&asked)
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), 201);
    let made: Value = sent.json().await.unwrap();
    made["id"].as_str().unwrap().to_owned()
}

async fn redeem(server: &Server, code: &str) -> Result<String, Value> {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "urn:unloop:grant-type:invite")
        .append_pair("code", code)
        .finish();
    let call = reqwest::Client::new()
        .post(server.beside("/auth/token"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(form);
    let sent = call.send().await.unwrap();
    let good = sent.status() == 200;
    let answer: Value = sent.json().await.unwrap();
    match answer["access_token"].as_str() {
        Some(token) if good => Ok(token.to_owned()),
        _ => Err(answer),
    }
}

async fn status(server: &Server, token: &str, path: &str) -> u16 {
    let call = reqwest::Client::new().get(format!("{}{path}", server.base));
    call.bearer_auth(token)
        .send()
        .await
        .unwrap()
        .status()
        .as_u16()
}

pub async fn token(server: &Server, grant: &str) -> String {
    let invite = Invite {
        grant: grant.to_owned(),
        token_ttl: 600,
    };
    let now = jiff::Timestamp::now().as_second();
    let code = Invites::new(server.store.clone())
        .make(&invite, 60, now, &deed("grant-invite"))
        .await
        .unwrap();
    let token = redeem(server, &code).await.unwrap();
    let again = redeem(server, &code).await.unwrap_err();
    assert_eq!(again["error"], "invalid_grant");
    token
}

async fn from_the_invitation_to_the_end(server: Server) {
    people(&server).await;
    let other = server.second().await;
    let outsider = reqwest::Client::new().get(server.beside("/admin/grants"));
    assert_eq!(outsider.send().await.unwrap().status(), 401);

    let id = grant(&server).await;
    let therapist = token(&server, &id).await;
    for instance in [&server, &other] {
        assert_eq!(
            status(instance, &therapist, "/Observation?subject=Patient/a").await,
            200
        );
        assert_eq!(status(instance, &therapist, "/Patient/a").await, 403);
        assert_eq!(status(instance, &therapist, "/metadata").await, 200);
    }
    let call = reqwest::Client::new().get(format!("{}/Observation?_total=accurate", other.base));
    let found: Value = call
        .bearer_auth(&therapist)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(found["total"], 1, "of the patient who consented");

    let address = server.beside(&format!("/admin/grants/{id}"));
    assert_eq!(
        server.client.delete(address).send().await.unwrap().status(),
        200
    );
    for instance in [&other, &server] {
        assert_eq!(status(instance, &therapist, "/Observation").await, 401);
    }

    // The Consent is taken back through one instance; the other one knows.
    let id = grant(&server).await;
    let therapist = token(&other, &id).await;
    assert_eq!(status(&other, &therapist, "/Observation").await, 200);
    let consents = server
        .get("/Consent?status=active")
        .expect(200)
        .await
        .json();
    let mut consent = consents["entry"][0]["resource"].clone();
    consent["status"] = json!("inactive");
    let path = format!("/Consent/{}", consent["id"].as_str().unwrap());
    server
        .call("PUT", &path)
        .resource(&consent)
        .expect(200)
        .await;
    assert_eq!(status(&other, &therapist, "/Observation").await, 401);
}

async fn the_entry_that_may_not_be_written_is_named(server: Server) {
    people(&server).await;
    let therapist = token(&server, &grant(&server).await).await;
    let entry = |patient: &str| json!({"request": {"method": "POST", "url": "Observation"}, "resource": score(patient)});
    let bundle =
        json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry("a"), entry("b")]});
    let call = reqwest::Client::new()
        .post(&server.base)
        .bearer_auth(&therapist);
    let call = call
        .header("Content-Type", "application/fhir+json")
        .body(bundle.to_string());
    let sent = call.send().await.unwrap();
    assert_eq!(sent.status(), 403);
    let outcome: Value = sent.json().await.unwrap();
    let place = outcome["issue"][0]["expression"][0].as_str().unwrap();
    assert!(place.starts_with("Bundle.entry[1]"), "{outcome}");
    let all = server
        .get("/Observation?_summary=count")
        .expect(200)
        .await
        .json();
    assert_eq!(all["total"], 2, "nothing of the transaction was written");
}
