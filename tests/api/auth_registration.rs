//! Clients are registered by administrators, and shut out by them.
//! <https://www.rfc-editor.org/rfc/rfc7591>

use serde_json::{Value, json};

use crate::keys::{TestKey, rsa, set};
use crate::on_both_stores;
use crate::support::{Backend, Server};

on_both_stores!(
    registrations_are_checked,
    only_administrators_register,
    a_disabled_client_is_shut_out_at_once,
);

async fn registrations_are_checked(server: Server) {
    let jwk = TestKey::p384("k").jwk();
    let mut private = jwk.clone();
    private["d"] = json!("AAAA");
    let mut nameless = jwk.clone();
    nameless.as_object_mut().unwrap().remove("kid");
    let good = json!({"client_id": "good", "client_name": "EHR", "scope": "system/*.rs", "jwks": {"keys": [jwk]}});
    let with = |name: &str, value: Value| {
        let mut content = good.clone();
        content[name] = value;
        content
    };
    for (content, status) in [
        (json!([]), 400),
        (json!({}), 400),
        (with("jwks", json!({"keys": []})), 400),
        (with("jwks", json!({"keys": [private]})), 400),
        (with("jwks", json!({"keys": [nameless]})), 400),
        (with("jwks", json!({"keys": [jwk, jwk]})), 400),
        (with("jwks", Value::Null), 400),
        (with("jwks_uri", json!("https://ehr.example.org/keys")), 400),
        (with("scope", json!("")), 400),
        (with("scope", json!("system/Patient.sr")), 400),
        (with("scope", json!("system/Nothing.rs")), 400),
        (with("client_id", json!("a b")), 400),
        (with("client_id", json!("")), 400),
        (with("client_id", json!("x".repeat(200))), 400),
        (with("client_name", json!("a\nb")), 400),
        (with("client_secret", json!("x")), 400),
        (with("disabled", json!(false)), 400),
    ] {
        let call = server
            .admin("POST", "/admin/clients")
            .text("application/json", &content.to_string());
        let reply = call.send().await;
        assert_eq!(reply.status, status, "{content}: {}", reply.text);
    }
    for address in [
        "file:///etc/passwd",
        "ftp://x.example/keys",
        "https://u:p@x.example/keys",
        "keys",
    ] {
        let content = json!({"scope": "system/*.rs", "jwks_uri": address}).to_string();
        server
            .admin("POST", "/admin/clients")
            .text("application/json", &content)
            .expect(400)
            .await;
    }
    let add = || {
        server
            .admin("POST", "/admin/clients")
            .text("application/json", &good.to_string())
    };
    assert_eq!(add().expect(201).await.json()["client_id"], "good");
    add().expect(422).await;
    let listed = server
        .admin("GET", "/admin/clients")
        .expect(200)
        .await
        .json();
    assert_eq!(listed["clients"].as_array().unwrap().len(), 1);
}

async fn only_administrators_register(server: Server) {
    let content = json!({"scope": "system/*.rs", "jwks": set(&[rsa()])}).to_string();
    for (method, path) in [
        ("GET", "/admin/clients"),
        ("POST", "/admin/clients"),
        ("DELETE", "/admin/clients/x"),
    ] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let call = || {
            let builder = reqwest::Client::new().request(method.clone(), server.beside(path));
            crate::support::Call(builder).text("application/json", &content)
        };
        let reply = call().expect(401).await;
        assert!(reply.header("WWW-Authenticate").starts_with("Bearer"));
        let reply = call().header("Authorization", "Bearer x").expect(401).await;
        assert!(reply.header("WWW-Authenticate").contains("invalid_token"));
        for scope in [
            "system/*.rs",
            "system/Patient.cruds",
            "system/*.cruds?_id=1",
        ] {
            let token = server.issue(scope).await;
            call()
                .header("Authorization", &format!("Bearer {token}"))
                .expect(403)
                .await;
        }
    }
    server
        .admin("DELETE", "/admin/clients/nobody")
        .expect(404)
        .await;
}

async fn a_disabled_client_is_shut_out_at_once(server: Server) {
    let second = server.second().await;
    let backend = Backend::register(&server, "system/*.rs").await;
    let token = backend.token(&server, "system/*.rs").await;
    assert!(server.accepts(&token).await && second.accepts(&token).await);
    let path = format!("/admin/clients/{}", backend.id);
    let reply = server.admin("DELETE", &path).expect(200).await;
    assert_eq!(reply.json()["disabled"], true);
    assert!(!second.accepts(&token).await && !server.accepts(&token).await);
    for instance in [&server, &second] {
        let reply = instance
            .token_request(&backend.assertion(&server), "system/*.rs")
            .expect(401)
            .await;
        assert_eq!(reply.json()["error"], "invalid_client");
    }
}
