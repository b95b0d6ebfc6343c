//! Introspection, revocation, and the keys that sign.
//! <https://www.rfc-editor.org/rfc/rfc7662>, <https://www.rfc-editor.org/rfc/rfc7009>

use serde_json::json;
use unloop::access::issuer::{TokenTerms, Tokens};

use crate::on_both_stores;
use crate::support::{Backend, Call, Server, deed};

on_both_stores!(
    introspection_tells_of_the_launch_context,
    introspection_is_for_whom_the_token_belongs_to,
    a_revoked_token_ends_on_every_instance,
    revoking_is_for_whom_the_token_belongs_to,
    an_operators_token_counts_as_long_as_it_is_listed,
    rotation_keeps_live_tokens,
    a_stolen_key_ends_its_tokens,
);

fn terms(scope: &str) -> TokenTerms {
    TokenTerms {
        subject: "operator".to_owned(),
        scope: scope.to_owned(),
        ttl: 600,
        ..TokenTerms::default()
    }
}

async fn introspection_tells_of_the_launch_context(server: Server) {
    let token = server
        .issue_as(&TokenTerms {
            patient: Some("p-1".to_owned()),
            fhir_user: Some("Practitioner/d-1".to_owned()),
            ..terms("patient/*.rs user/*.rs")
        })
        .await;
    let asked = server.admin("POST", "/auth/introspect");
    let form = format!("token={token}");
    let json = asked
        .text("application/x-www-form-urlencoded", &form)
        .expect(200)
        .await
        .json();
    assert_eq!(json["active"], true);
    assert_eq!(json["scope"], "patient/*.rs user/*.rs");
    assert_eq!(json["patient"], "p-1");
    assert_eq!(json["fhirUser"], "Practitioner/d-1");
    assert_eq!(json["iss"], server.access_root());
    assert_eq!(json["sub"], "operator");
    assert!(json["exp"].as_i64().unwrap() > 0);
}

async fn introspection_is_for_whom_the_token_belongs_to(server: Server) {
    let (one, other) = (
        Backend::register(&server, "system/*.rs").await,
        Backend::register(&server, "system/*.rs").await,
    );
    let token = one.token(&server, "system/*.rs").await;
    let ask = |backend: &Backend, token: &str| {
        let assertion = backend.assertion(&server);
        server.form("/auth/introspect", &[("token", token)], Some(&assertion))
    };
    let own = ask(&one, &token).expect(200).await.json();
    assert_eq!(
        (&own["active"], &own["client_id"]),
        (&json!(true), &json!(one.id))
    );
    let inactive = json!({"active": false});
    assert_eq!(ask(&other, &token).expect(200).await.json(), inactive);
    assert_eq!(ask(&one, "nonsense").expect(200).await.json(), inactive);
    assert_eq!(
        ask(&one, &server.issue("system/*.rs").await)
            .expect(200)
            .await
            .json(),
        inactive
    );
    server
        .form("/auth/introspect", &[("token", &token)], None)
        .expect(401)
        .await;
    let assertion = one.assertion(&server);
    server
        .form("/auth/introspect", &[], Some(&assertion))
        .expect(400)
        .await;
}

async fn a_revoked_token_ends_on_every_instance(server: Server) {
    let second = server.second().await;
    let backend = Backend::register(&server, "system/*.rs").await;
    let token = backend.token(&server, "system/*.rs").await;
    let untouched = backend.token(&server, "system/*.rs").await;
    assert!(server.accepts(&token).await && second.accepts(&token).await);
    for _ in 0..2 {
        let assertion = backend.assertion(&server);
        server
            .form("/auth/revoke", &[("token", &token)], Some(&assertion))
            .expect(200)
            .await;
    }
    assert!(!second.accepts(&token).await && !server.accepts(&token).await);
    assert!(second.accepts(&untouched).await && server.accepts(&untouched).await);
}

async fn revoking_is_for_whom_the_token_belongs_to(server: Server) {
    let (one, other) = (
        Backend::register(&server, "system/*.rs").await,
        Backend::register(&server, "system/*.rs").await,
    );
    let token = one.token(&server, "system/*.rs").await;
    let revoke = |backend: &Backend, token: &str| {
        let assertion = backend.assertion(&server);
        server.form("/auth/revoke", &[("token", token)], Some(&assertion))
    };
    let reply = revoke(&other, &token).expect(400).await;
    assert_eq!(reply.json()["error"], "unauthorized_client");
    assert!(server.accepts(&token).await);
    revoke(&one, "nonsense").expect(200).await;
    server
        .form("/auth/revoke", &[("token", &token)], None)
        .expect(401)
        .await;
    let call = Call(reqwest::Client::new().post(server.beside("/auth/revoke")));
    let call = call.header("Authorization", &format!("Bearer {token}"));
    call.text(
        "application/x-www-form-urlencoded",
        &format!("token={token}"),
    )
    .expect(200)
    .await;
    assert!(!server.accepts(&token).await);
}

async fn an_operators_token_counts_as_long_as_it_is_listed(server: Server) {
    let second = server.second().await;
    let tokens = Tokens::new(server.store.clone());
    let label = Some("nightly".to_owned());
    let token = server
        .issue_as(&TokenTerms {
            label,
            ..terms("system/*.rs")
        })
        .await;
    let listed = tokens.list().await.unwrap();
    let own = listed
        .iter()
        .find(|token| token.label.as_deref() == Some("nightly"))
        .unwrap();
    assert_eq!(own.scope, "system/*.rs");
    assert!(second.accepts(&token).await);
    tokens.revoke(&own.id, &deed("token-revoke")).await.unwrap();
    assert!(!second.accepts(&token).await && !server.accepts(&token).await);
    let deed = deed("token-revoke");
    assert!(tokens.revoke("nobody", &deed).await.is_err());
}

async fn rotation_keeps_live_tokens(server: Server) {
    let second = server.second().await;
    let (long, backend) = (
        server.issue_as(&terms("system/*.rs")).await,
        Backend::register(&server, "system/*.rs").await,
    );
    let short = backend.token(&server, "system/*.rs").await;
    let now = second.access.gate.now().await.unwrap().seconds;
    let built_in = &second.access.server.as_ref().unwrap().built_in;
    for _ in 0..3 {
        let deed = deed("key-rotate");
        built_in.rotate(now, false, &deed).await.unwrap();
    }
    assert!(server.accepts(&long).await && server.accepts(&short).await);
    let keys = built_in.keys().await.unwrap();
    assert_eq!(keys.len(), 4);
    assert_eq!(keys.iter().filter(|key| key.ends.is_none()).count(), 1);
    // Kept until the last listed token of each has expired.
    assert!(
        keys.iter()
            .filter_map(|key| key.ends)
            .any(|ends| ends > now + 600)
    );
    let published = Call(reqwest::Client::new().get(server.beside("/.well-known/jwks.json")));
    assert_eq!(
        published.expect(200).await.json()["keys"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    assert!(
        second
            .accepts(&backend.token(&server, "system/*.rs").await)
            .await
    );
}

async fn a_stolen_key_ends_its_tokens(server: Server) {
    let second = server.second().await;
    let token = server.issue_as(&terms("system/*.rs")).await;
    assert!(second.accepts(&token).await);
    let now = server.access.gate.now().await.unwrap().seconds;
    server
        .access
        .server
        .as_ref()
        .unwrap()
        .built_in
        .rotate(now, true, &deed("key-rotate"))
        .await
        .unwrap();
    assert!(!second.accepts(&token).await && !server.accepts(&token).await);
    assert!(second.accepts(&server.issue("system/*.rs").await).await);
}
