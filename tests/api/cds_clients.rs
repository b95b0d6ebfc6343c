//! EHRs that sign their calls. <https://cds-hooks.hl7.org/2.0/#trusting-cds-clients>

use aws_lc_rs::hmac;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use crate::audit::recorded;
use crate::candidacy::total;
use crate::cds_hooks::{SIGN, asked, opened, order, with_course};
use crate::keys::{TestKey, b64, rsa, set};
use crate::medication::{coded, statement, with_patient};
use crate::support::{Reply, Server};

/// Every server of these tests trusts it, as the client `ehr`.
const EHR: &str = "https://ehr.example.org";

/// Registers the EHR as a client.
async fn registered(server: &Server, scope: &str, keys: &[&TestKey]) {
    register(
        server,
        &json!({"client_id": "ehr", "scope": scope, "jwks": set(keys)}),
    )
    .await;
}

async fn register(server: &Server, content: &Value) {
    let call = server.admin("POST", "/admin/clients");
    call.text("application/json", &content.to_string())
        .expect(201)
        .await;
}

fn url(server: &Server, service: &str) -> String {
    format!("{}/cds-services/{service}", server.access_root())
}

/// As the standard wants them.
fn claims(server: &Server, service: &str) -> Value {
    let now = jiff::Timestamp::now().as_second();
    json!({"iss": EHR, "aud": url(server, service), "iat": now, "exp": now + 240,
        "jti": uuid::Uuid::now_v7().to_string()})
}

async fn call(server: &Server, service: &str, token: &str, content: &Value) -> Reply {
    let address = server.beside(&format!("/cds-services/{service}"));
    let call = reqwest::Client::new().post(address).bearer_auth(token);
    let call = crate::support::Call(call.body(content.to_string()));
    call.send().await
}

fn signing() -> Value {
    asked("order-sign", &[order("m", coded("10734"))], &[])
}

async fn a_call_is_let_in_once_as_the_registered_client(server: Server) {
    with_patient(&server).await;
    with_course(&server).await;
    let key = TestKey::p384("key-1");
    registered(&server, "system/*.rs", &[&key, rsa()]).await;
    let mut seen = 0;
    recorded(&server, &mut seen).await;
    for key in [&key, rsa()] {
        let token = key.token(&claims(&server, SIGN));
        let reply = call(&server, SIGN, &token, &signing()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.json()["cards"][0]["indicator"], "critical");
        let again = call(&server, SIGN, &token, &signing()).await;
        assert_eq!(again.status, 401, "{}", again.text);
        assert!(again.header("www-authenticate").contains("invalid_token"));
        // Nor with another instance.
        let second = server.second().await;
        assert_eq!(call(&second, SIGN, &token, &signing()).await.status, 401);
    }
    let rows = recorded(&server, &mut seen).await;
    let of_call = rows.iter().find(|row| row["do"] == "cds-service").unwrap();
    assert_eq!(of_call["who"]["issuer"], EHR);
    assert_eq!(of_call["who"]["client"], "ehr");
    assert!(of_call["who"]["token"].is_string());
}

/// The client's scopes, and of them those of systems: software has no patient and no user.
async fn the_registered_scopes_bound_what_a_call_reads(server: Server) {
    with_patient(&server).await;
    with_course(&server).await;
    server.put(&total("a", 30, "2026-08-01")).await;
    server.put(&total("b", 18, "2026-10-01")).await;
    server.put(&statement("m", coded("10734"))).await;
    let key = TestKey::p384("key-1");
    registered(
        &server,
        "system/Patient.rs system/MedicationStatement.rs user/*.cruds",
        &[&key],
    )
    .await;
    let token = key.token(&claims(&server, "ocd-progress"));
    let reply = call(&server, "ocd-progress", &token, &opened()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(
        reply.json(),
        json!({"cards": []}),
        "it may not see the scores"
    );

    let ketamine = asked("order-sign", &[order("k", coded("6130"))], &[]);
    let token = key.token(&claims(&server, SIGN));
    let reply = call(&server, SIGN, &token, &ketamine).await;
    let cards = reply.json()["cards"].to_string();
    assert!(
        cards.contains("Not checked"),
        "part of the medicines is hidden: {cards}"
    );

    // Such a token opens nothing else.
    let token = key.token(&claims(&server, SIGN));
    let read = reqwest::Client::new().get(format!("{}/Patient/p", server.base));
    let read = read.bearer_auth(token).send().await.unwrap();
    assert_eq!(read.status().as_u16(), 401);
}

async fn feedback_is_signed_too(server: Server) {
    with_patient(&server).await;
    with_course(&server).await;
    let key = TestKey::p384("key-1");
    registered(&server, "system/*.rs", &[&key]).await;
    let token = key.token(&claims(&server, SIGN));
    let card = call(&server, SIGN, &token, &signing()).await.json()["cards"][0].clone();
    let feedback = json!({"feedback": [{"card": card["uuid"], "outcome": "overridden",
        "outcomeTimestamp": "2026-11-21T10:00:00Z"}]});
    let address = format!("{SIGN}/feedback");
    // For the address that is called, or for the service that it belongs to.
    for audience in [SIGN, &address] {
        let token = key.token(&claims(&server, audience));
        let reply = call(&server, &address, &token, &feedback).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    let token = key.token(&claims(&server, &address));
    assert_eq!(call(&server, SIGN, &token, &signing()).await.status, 401);
}

async fn whatever_else_is_signed_is_refused(server: Server) {
    with_patient(&server).await;
    with_course(&server).await;
    let (key, other) = (TestKey::p384("key-1"), TestKey::p384("key-1"));
    let weak = TestKey::p256("key-2");
    registered(&server, "system/*.rs", &[&key, &weak]).await;
    let right = claims(&server, SIGN);
    let now = jiff::Timestamp::now().as_second();
    let with = |name: &str, value: Value| {
        let mut wrong = right.clone();
        wrong["jti"] = uuid::Uuid::now_v7().to_string().into();
        match value {
            Value::Null => drop(wrong.as_object_mut().unwrap().remove(name)),
            value => wrong[name] = value,
        }
        key.token(&wrong)
    };
    let header = |header: Value| {
        let claims = claims(&server, SIGN).to_string();
        key.token_of(Algorithm::ES384, &header.to_string(), &claims)
    };
    let base = server.base.clone();
    let root = server.access_root();
    for (token, why) in [
        (
            with("aud", json!("https://elsewhere.example.org/cds-services/x")),
            "another service's address",
        ),
        (
            with("aud", json!(url(&server, "ocd-progress"))),
            "another service of this one",
        ),
        (with("aud", json!(root)), "this server, and no service"),
        (with("aud", json!(base)), "the FHIR base"),
        (
            with(
                "aud",
                json!([url(&server, SIGN), "https://elsewhere.example.org"]),
            ),
            "others too",
        ),
        (with("aud", Value::Null), "nobody"),
        (with("exp", json!(now - 60)), "expired"),
        (with("exp", json!(now + 3_600)), "an hour"),
        (with("exp", Value::Null), "for ever"),
        (with("iat", Value::Null), "of no time"),
        (with("iat", json!(now + 600)), "of the future"),
        (with("jti", Value::Null), "could be used again"),
        (
            with("iss", json!("https://unknown.example.org")),
            "an unknown issuer",
        ),
        (with("iss", json!("ehr")), "the client's id is no issuer"),
        (with("iss", json!(format!("{EHR}/"))), "nearly the issuer"),
        (
            other.token(&claims(&server, SIGN)),
            "another key of the same name",
        ),
        (weak.token(&claims(&server, SIGN)), "ES256"),
        (header(json!({"alg": "ES384", "typ": "JWT"})), "no kid"),
        (
            header(json!({"alg": "ES384", "typ": "JWT", "kid": "key-9"})),
            "an unknown kid",
        ),
        (
            header(
                json!({"alg": "ES384", "typ": "JWT", "kid": "key-1", "jku": "https://ehr.example.org/keys"}),
            ),
            "a jku that is not registered",
        ),
        (
            header(json!({"alg": "ES384", "typ": "dpop+jwt", "kid": "key-1"})),
            "a proof of another kind",
        ),
        (
            header(json!({"alg": "none", "typ": "JWT", "kid": "key-1"})),
            "no algorithm",
        ),
        (by_secret(&right, &key), "HS256 with the public key"),
    ] {
        let reply = call(&server, SIGN, &token, &signing()).await;
        assert_eq!(reply.status, 401, "{why}: {}", reply.text);
        assert!(!reply.text.contains("cards"), "{why}");
    }
    // Nothing of it has used the right one up.
    let reply = call(&server, SIGN, &key.token(&right), &signing()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

fn by_secret(claims: &Value, key: &TestKey) -> String {
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": key.kid});
    let message = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
    let secret = hmac::Key::new(hmac::HMAC_SHA256, key.jwk().to_string().as_bytes());
    let signature = hmac::sign(&secret, message.as_bytes());
    format!("{message}.{}", b64(signature.as_ref()))
}

/// The address of the keys is registered; no token brings another one.
async fn keys_come_from_the_registered_address_alone(server: Server) {
    with_patient(&server).await;
    with_course(&server).await;
    let (key, stranger) = (TestKey::p384("key-1"), TestKey::p384("key-1"));
    let (web, evil) = (crate::web::Web::start(), crate::web::Web::start());
    web.json("/keys", "", &set(&[&key]));
    evil.json("/keys", "", &set(&[&stranger]));
    let address = format!("{}/keys", web.url);
    register(
        &server,
        &json!({"client_id": "ehr", "scope": "system/*.rs", "jwks_uri": address}),
    )
    .await;
    let token = |key: &TestKey, jku: &str| {
        let header = json!({"alg": "ES384", "typ": "JWT", "kid": "key-1", "jku": jku});
        let claims = claims(&server, SIGN).to_string();
        key.token_of(Algorithm::ES384, &header.to_string(), &claims)
    };
    let reply = call(&server, SIGN, &token(&key, &address), &signing()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let listed_nowhere = format!("{}/keys", evil.url);
    let reply = call(
        &server,
        SIGN,
        &token(&stranger, &listed_nowhere),
        &signing(),
    )
    .await;
    assert_eq!(reply.status, 401, "{}", reply.text);
    assert_eq!(evil.connections(), 0, "nobody asks there");
}

/// Without a registration, and from the end of it on.
async fn a_client_that_is_not_registered_or_disabled_is_refused(server: Server) {
    with_patient(&server).await;
    with_course(&server).await;
    let key = TestKey::p384("key-1");
    let token = key.token(&claims(&server, SIGN));
    assert_eq!(call(&server, SIGN, &token, &signing()).await.status, 401);
    registered(&server, "system/*.rs", &[&key]).await;
    let reply = call(&server, SIGN, &token, &signing()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    server
        .admin("DELETE", "/admin/clients/ehr")
        .expect(200)
        .await;
    let token = key.token(&claims(&server, SIGN));
    assert_eq!(call(&server, SIGN, &token, &signing()).await.status, 401);
}

crate::on_both_stores!(
    a_call_is_let_in_once_as_the_registered_client,
    the_registered_scopes_bound_what_a_call_reads,
    feedback_is_signed_too,
    whatever_else_is_signed_is_refused,
    keys_come_from_the_registered_address_alone,
    a_client_that_is_not_registered_or_disabled_is_refused,
);
