//! Backend services and how they are kept out.
//! <https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html>

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use crate::keys::{TestKey, rsa, set};
use crate::on_both_stores;
use crate::support::{Backend, Reply, Server};
use crate::web::Web;

on_both_stores!(
    a_backend_service_gets_a_short_token,
    less_is_granted_than_asked_for_where_less_is_registered,
    an_assertion_counts_once_on_all_instances,
    of_many_at_the_same_time_one_wins,
    assertions_that_say_something_wrong_are_refused,
    assertions_that_are_signed_wrongly_are_refused,
    keys_by_url_are_fetched_and_rotated,
    requests_that_are_no_requests_are_refused,
);

fn error(reply: &Reply) -> String {
    assert_eq!(reply.header("Cache-Control"), "no-store");
    reply.json()["error"].as_str().unwrap().to_owned()
}

async fn a_backend_service_gets_a_short_token(server: Server) {
    let backend = Backend::register(&server, "system/*.rs").await;
    let reply = server
        .token_request(&backend.assertion(&server), "system/Patient.rs")
        .expect(200)
        .await;
    assert_eq!(reply.header("Cache-Control"), "no-store");
    let json = reply.json();
    assert_eq!(json["token_type"], "bearer");
    assert_eq!(json["scope"], "system/Patient.rs");
    assert!(json["expires_in"].as_i64().unwrap() <= 300);
    assert!(server.accepts(json["access_token"].as_str().unwrap()).await);

    let key = rsa();
    let content = json!({"client_id": "by-rsa", "scope": "system/*.rs", "jwks": set(&[key])});
    server
        .admin("POST", "/admin/clients")
        .text("application/json", &content.to_string())
        .expect(201)
        .await;
    let mut claims = backend.claims(&server);
    (claims["iss"], claims["sub"]) = (json!("by-rsa"), json!("by-rsa"));
    server
        .token_request(&key.token(&claims), "system/Patient.rs")
        .expect(200)
        .await;
}

async fn less_is_granted_than_asked_for_where_less_is_registered(server: Server) {
    let backend = Backend::register(
        &server,
        "system/Observation.rs?category=survey system/Patient.r",
    )
    .await;
    let asked = "system/*.cruds patient/*.rs openid";
    let reply = server
        .token_request(&backend.assertion(&server), asked)
        .expect(200)
        .await;
    assert_eq!(
        reply.json()["scope"],
        "system/Observation.rs?category=survey system/Patient.r"
    );
    for nothing in [
        "system/Condition.rs",
        "patient/Patient.rs",
        "user/*.rs",
        "",
        "nonsense",
        "system/Patient.sr",
    ] {
        let reply = server
            .token_request(&backend.assertion(&server), nothing)
            .expect(400)
            .await;
        assert_eq!(error(&reply), "invalid_scope", "{nothing}");
    }
}

async fn an_assertion_counts_once_on_all_instances(server: Server) {
    let second = server.second().await;
    let backend = Backend::register(&server, "system/*.rs").await;
    let assertion = backend.assertion(&server);
    server
        .token_request(&assertion, "system/*.rs")
        .expect(200)
        .await;
    for instance in [&server, &second] {
        let reply = instance
            .token_request(&assertion, "system/*.rs")
            .expect(401)
            .await;
        assert_eq!(error(&reply), "invalid_client");
    }
    // The name is the client's own: another may use the same.
    let other = Backend::register(&server, "system/*.rs").await;
    let mut claims = other.claims(&server);
    let (one, two) = (json!("same"), backend.claims(&server));
    claims["jti"] = one.clone();
    second
        .token_request(&other.key.token(&claims), "system/*.rs")
        .expect(200)
        .await;
    let mut claims = two;
    claims["jti"] = one;
    server
        .token_request(&backend.key.token(&claims), "system/*.rs")
        .expect(200)
        .await;
}

async fn of_many_at_the_same_time_one_wins(server: Server) {
    let second = server.second().await;
    let backend = Backend::register(&server, "system/*.rs").await;
    let assertion = backend.assertion(&server);
    let asked = (0..32).map(|n| {
        let instance = if n % 2 == 0 { &server } else { &second };
        instance.token_request(&assertion, "system/*.rs").send()
    });
    let replies = futures_util::future::join_all(asked).await;
    let granted = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(granted, 1);
    assert!(
        replies
            .iter()
            .all(|reply| [200, 401].contains(&reply.status))
    );
}

async fn assertions_that_say_something_wrong_are_refused(server: Server) {
    let backend = Backend::register(&server, "system/*.rs").await;
    let now = jiff::Timestamp::now().as_second();
    let endpoint = server.token_endpoint();
    for (name, value) in [
        ("iss", json!("nobody")),
        ("sub", json!("nobody")),
        ("iss", Value::Null),
        ("sub", Value::Null),
        ("aud", json!("https://other.example.org/auth/token")),
        ("aud", json!(server.base)),
        ("aud", json!(server.access_root())),
        (
            "aud",
            json!([endpoint, "https://other.example.org/auth/token"]),
        ),
        ("aud", Value::Null),
        ("exp", json!(now - 60)),
        ("exp", json!(now + 3600)),
        ("exp", json!((now + 240).to_string())),
        ("exp", Value::Null),
        ("iat", json!(now - 400)),
        ("iat", json!(now + 120)),
        ("nbf", json!(now + 120)),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("jti", json!(1)),
        ("jti", json!("x".repeat(5000))),
    ] {
        let mut claims = backend.claims(&server);
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
        let reply = server
            .token_request(&backend.key.token(&claims), "system/*.rs")
            .send()
            .await;
        assert_eq!(
            (reply.status, error(&reply).as_str()),
            (401, "invalid_client"),
            "{name} {value}"
        );
        assert!(reply.header("WWW-Authenticate").starts_with("Bearer"));
    }
    // Without iat it counts: the standard does not ask for it.
    let mut claims = backend.claims(&server);
    claims.as_object_mut().unwrap().remove("iat");
    claims["aud"] = json!([endpoint]);
    server
        .token_request(&backend.key.token(&claims), "system/*.rs")
        .expect(200)
        .await;
}

async fn assertions_that_are_signed_wrongly_are_refused(server: Server) {
    let backend = Backend::register(&server, "system/*.rs").await;
    let (foreign, p256) = (TestKey::p384("key-1"), TestKey::p256("key-1"));
    let claims = || backend.claims(&server).to_string();
    let header = |alg: &str, kid: &str| json!({"alg": alg, "kid": kid, "typ": "JWT"}).to_string();
    let key = &backend.key;
    let own = |header: Value| key.token_of(Algorithm::ES384, &header.to_string(), &claims());
    for (what, assertion) in [
        (
            "another key",
            foreign.token_of(Algorithm::ES384, &header("ES384", "key-1"), &claims()),
        ),
        (
            "ES256",
            p256.token_of(Algorithm::ES256, &header("ES256", "key-1"), &claims()),
        ),
        (
            "RS256",
            rsa().token_of(Algorithm::RS256, &header("RS256", "key-1"), &claims()),
        ),
        (
            "an unknown kid",
            own(json!({"alg": "ES384", "kid": "key-2"})),
        ),
        ("no kid", own(json!({"alg": "ES384"}))),
        ("none", own(json!({"alg": "none", "kid": "key-1"}))),
        ("HS384", own(json!({"alg": "HS384", "kid": "key-1"}))),
        (
            "crit",
            own(json!({"alg": "ES384", "kid": "key-1", "crit": ["x"]})),
        ),
        (
            "an address of its own",
            own(json!({"alg": "ES384", "kid": "key-1", "jku": "https://a.example/keys"})),
        ),
        (
            "embedded",
            foreign.token_of(
                Algorithm::ES384,
                &json!({"alg": "ES384", "jwk": foreign.jwk()}).to_string(),
                &claims(),
            ),
        ),
        ("nothing", String::from("x")),
        ("a megabyte", "a".repeat(100_000)),
    ] {
        let reply = server.token_request(&assertion, "system/*.rs").send().await;
        assert_eq!(
            (reply.status, error(&reply).as_str()),
            (401, "invalid_client"),
            "{what}"
        );
    }
}

async fn keys_by_url_are_fetched_and_rotated(server: Server) {
    let (web, key) = (Web::start(), TestKey::p384("one"));
    web.json("/keys", "cache-control: no-cache\r\n", &set(&[&key]));
    let id = format!("by-url-{}", uuid::Uuid::now_v7().simple());
    let address = format!("{}/keys", web.url);
    let content = json!({"client_id": id, "scope": "system/*.rs", "jwks_uri": address});
    server
        .admin("POST", "/admin/clients")
        .text("application/json", &content.to_string())
        .expect(201)
        .await;
    let backend = Backend { id, key };
    backend.token(&server, "system/*.rs").await;
    assert_eq!(web.asked("/keys"), 1);
    let header = |jku: &str| json!({"alg": "ES384", "kid": "one", "jku": jku}).to_string();
    let claims = || backend.claims(&server).to_string();
    let registered = backend
        .key
        .token_of(Algorithm::ES384, &header(&address), &claims());
    server
        .token_request(&registered, "system/*.rs")
        .expect(200)
        .await;
    let other = Web::start();
    other.json("/keys", "", &set(&[&backend.key]));
    let foreign = backend.key.token_of(
        Algorithm::ES384,
        &header(&format!("{}/keys", other.url)),
        &claims(),
    );
    server
        .token_request(&foreign, "system/*.rs")
        .expect(401)
        .await;
    assert_eq!(other.connections(), 0);
    // A client that publishes nothing any more has no key.
    let gone = TestKey::p384("two");
    let assertion = gone.token(&backend.claims(&server));
    server
        .token_request(&assertion, "system/*.rs")
        .expect(401)
        .await;
}

async fn requests_that_are_no_requests_are_refused(server: Server) {
    let backend = Backend::register(&server, "system/*.rs").await;
    let kind = (
        "client_assertion_type",
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    );
    let grant = ("grant_type", "client_credentials");
    let assertion = backend.assertion(&server);
    let proof = ("client_assertion", assertion.as_str());
    for (members, expected) in [
        (vec![], "invalid_request"),
        (vec![kind, proof], "invalid_request"),
        (vec![grant], "invalid_request"),
        (vec![grant, kind], "invalid_request"),
        (vec![grant, proof], "invalid_request"),
        (
            vec![grant, ("client_assertion_type", "x"), proof],
            "invalid_request",
        ),
        (vec![grant, grant, kind, proof], "invalid_request"),
        (vec![grant, kind, proof, proof], "invalid_request"),
        (
            vec![("grant_type", "password"), kind, proof],
            "unsupported_grant_type",
        ),
        (
            vec![("grant_type", "authorization_code"), kind, proof],
            "unsupported_grant_type",
        ),
        (
            vec![grant, kind, proof, ("client_secret", "x")],
            "invalid_client",
        ),
        (
            vec![grant, kind, proof, ("client_id", "another")],
            "invalid_client",
        ),
    ] {
        let reply = server.form("/auth/token", &members, None).send().await;
        assert!(
            [400, 401].contains(&reply.status),
            "{members:?}: {}",
            reply.text
        );
        assert_eq!(error(&reply), expected, "{members:?}");
    }
    let with_header = server
        .token_request(&assertion, "system/*.rs")
        .header("Authorization", "Basic eDp5");
    assert_eq!(error(&with_header.expect(400).await), "invalid_request");
    let json = json!({"grant_type": "client_credentials"}).to_string();
    let url = server.beside("/auth/token");
    let call =
        crate::support::Call(reqwest::Client::new().post(&url)).text("application/json", &json);
    assert_eq!(error(&call.expect(400).await), "invalid_request");
    let long = format!("grant_type={}", "x".repeat(1 << 20));
    let call = crate::support::Call(reqwest::Client::new().post(&url));
    let reply = call
        .text("application/x-www-form-urlencoded", &long)
        .expect(400)
        .await;
    assert_eq!(error(&reply), "invalid_request");
    // None of the refusals has used the assertion up.
    server
        .token_request(&assertion, "system/*.rs")
        .expect(200)
        .await;
}
