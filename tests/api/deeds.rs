//! What is done to those who may see records is in the trail by the very commit
//! that does it: without its row there is no change.

use serde_json::{Value, json};
use unloop::access::grant::{Invite, Invites};
use unloop::access::issuer::TokenTerms;
use unloop::access::token::Now;

use crate::keys::TestKey;
use crate::on_both_stores;
use crate::support::{Server, deed};

on_both_stores!(
    clients_and_their_rows_share_their_fate,
    grants_and_their_rows_share_their_fate,
    tokens_and_their_rows_share_their_fate,
);

/// Whatever decides on access.
async fn registry(server: &Server) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for kind in ["key", "token", "client", "grant", "invite"] {
        for entry in server.store.list(kind).await.unwrap() {
            all.push((entry.key.id, entry.body));
        }
    }
    all
}

/// Records of what was done under this name, with its status.
async fn told(server: &Server, name: &str) -> Vec<Value> {
    let mut told = Vec::new();
    for chain in server.store.chains().await.unwrap() {
        for row in server
            .store
            .chain(&chain.end.writer, 0, 10_000)
            .await
            .unwrap()
        {
            let record: Value = serde_json::from_str(&row.record).unwrap();
            if record["do"] == name {
                told.push(record);
            }
        }
    }
    told
}

/// Tries it without a trail, which changes nothing, and then with one, which
/// has one row of it. `act` says whether it was done.
async fn only_with_its_row(
    server: &Server,
    name: &str,
    mut act: impl AsyncFnMut() -> bool,
) -> Value {
    let before = registry(server).await;
    let consents = server.count("/Consent?status=active").await;
    let known = told(server, name).await.len();
    server
        .execute("ALTER TABLE audit RENAME TO elsewhere")
        .await;
    assert!(!act().await, "{name} without a trail");
    assert_eq!(registry(server).await, before, "{name} without its row");
    server
        .execute("ALTER TABLE elsewhere RENAME TO audit")
        .await;
    assert_eq!(server.count("/Consent?status=active").await, consents);
    assert!(act().await, "{name}");
    assert_ne!(registry(server).await, before, "{name}");
    let mut rows = told(server, name).await;
    assert_eq!(rows.len(), known + 1, "{name}: {rows:?}");
    rows.pop().unwrap()
}

async fn admin(server: &Server, method: &str, path: &str, content: &Value) -> (u16, Value) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let call = server.client.request(method, server.beside(path));
    let sent = call.json(content).send().await.unwrap();
    (sent.status().as_u16(), sent.json().await.unwrap())
}

async fn clients_and_their_rows_share_their_fate(server: Server) {
    let jwks = json!({"keys": [TestKey::p384("k").jwk()]});
    let client = json!({"client_id": "ehr", "scope": "system/*.rs", "jwks": jwks});
    let add = async || admin(&server, "POST", "/admin/clients", &client).await.0 == 201;
    let row = only_with_its_row(&server, "client-add", add).await;
    assert_eq!((&row["id"], &row["status"]), (&json!("ehr"), &json!(201)));
    assert!(row["who"]["subject"].is_string(), "{row}");
    let disable = async || {
        admin(&server, "DELETE", "/admin/clients/ehr", &json!({}))
            .await
            .0
            == 200
    };
    let row = only_with_its_row(&server, "client-disable", disable).await;
    assert_eq!((&row["id"], &row["status"]), (&json!("ehr"), &json!(200)));
    // What changes nothing, and what is refused, is told too, once each.
    assert!(disable().await);
    assert!(!add().await);
    assert_eq!(told(&server, "client-disable").await.len(), 2);
    let refused = told(&server, "client-add").await.pop().unwrap();
    assert_eq!(refused["status"], 422, "{refused}");
}

async fn grants_and_their_rows_share_their_fate(server: Server) {
    for content in [
        json!({"resourceType": "Patient", "id": "a"}),
        json!({"resourceType": "Practitioner", "id": "t"}),
    ] {
        server.put(&content).await;
    }
    let ends = jiff::Timestamp::now().as_second() + 3600;
    let asked = json!({"practitioner": "t", "patients": ["a"], "ends": ends,
        "scope": "patient/Observation.rs"});
    let mut grant = String::new();
    let add = async || {
        let (status, made) = admin(&server, "POST", "/admin/grants", &asked).await;
        grant = made["id"].as_str().unwrap_or_default().to_owned();
        status == 201
    };
    let row = only_with_its_row(&server, "grant-add", add).await;
    assert_eq!(row["id"], grant.as_str());
    assert_eq!(row["patients"], json!(["a"]));

    let invites = Invites::new(server.store.clone());
    let invite = Invite {
        grant: grant.clone(),
        token_ttl: 600,
    };
    let now = jiff::Timestamp::now().as_second();
    let mut code = String::new();
    let invited = async || {
        let made = invites.make(&invite, 60, now, &deed("grant-invite")).await;
        code = made.unwrap_or_default();
        !code.is_empty()
    };
    let row = only_with_its_row(&server, "grant-invite", invited).await;
    assert_eq!(row["id"], grant.as_str());

    let redeem = async || {
        let form = [
            ("grant_type", "urn:unloop:grant-type:invite"),
            ("code", &code),
        ];
        let call = reqwest::Client::new().post(server.beside("/auth/token"));
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let call = call.header("Content-Type", "application/x-www-form-urlencoded");
        call.body(form).send().await.unwrap().status() == 200
    };
    // A code is not used up by a token that was never told.
    let row = only_with_its_row(&server, "token-issue", redeem).await;
    assert_eq!(row["patients"], json!(["a"]));
    assert_eq!(row["who"]["grant"], grant.as_str());
    assert!(!redeem().await, "used up");

    let path = format!("/admin/grants/{grant}");
    let revoke = async || admin(&server, "DELETE", &path, &json!({})).await.0 == 200;
    let row = only_with_its_row(&server, "grant-revoke", revoke).await;
    assert_eq!(row["patients"], json!(["a"]));
    assert_eq!(server.count("/Consent?status=active").await, 0);
}

async fn tokens_and_their_rows_share_their_fate(server: Server) {
    let built_in = &server.access.server.as_ref().unwrap().built_in;
    let terms = TokenTerms {
        subject: "tester".to_owned(),
        scope: "system/*.rs".to_owned(),
        ttl: 3600,
        ..TokenTerms::default()
    };
    let now = Now::under(server.store.epoch().await.unwrap());
    let mut token = None;
    let issue = async || {
        let issued = built_in.issue(&terms, now, &deed("token-issue")).await;
        token = issued.ok();
        token.is_some()
    };
    let row = only_with_its_row(&server, "token-issue", issue).await;
    let token = token.unwrap();
    assert_eq!(row["id"], token.id.as_str());

    let rotate = async || {
        let deed = deed("key-rotate");
        let rotated = built_in.rotate(now.seconds, false, &deed).await;
        rotated.is_ok()
    };
    only_with_its_row(&server, "key-rotate", rotate).await;

    let revoke = async || {
        let call = reqwest::Client::new().post(server.beside("/auth/revoke"));
        let call = call.header("Content-Type", "application/x-www-form-urlencoded");
        let call = call.bearer_auth(&token.token);
        let form = format!("token={}", token.token);
        call.body(form).send().await.unwrap().status() == 200
    };
    let row = only_with_its_row(&server, "token-revoke", revoke).await;
    assert_eq!(row["id"], token.id.as_str());
    assert_eq!(row["who"]["token"], token.id.as_str());
}
