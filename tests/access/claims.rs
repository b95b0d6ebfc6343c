//! What the claims of a token must be. <https://www.rfc-editor.org/rfc/rfc7519#section-4.1>

use std::sync::{Arc, Mutex};

use jsonwebtoken::Algorithm;
use serde_json::json;
use unloop::access::token::{KeySet, Refusal, Verifier};

use super::judge::{
    AUDIENCE, Fixed, ISSUER, NOW, assert_refused, at, claims, issuer, judged, with,
};
use super::keys::{TestKey, set};

#[tokio::test]
async fn the_launch_context_is_read() {
    let key = TestKey::p384("k");
    let mut claims = with("patient", json!("p-1"));
    claims["fhirUser"] = json!("Practitioner/d-1");
    claims["unloop_grant"] = json!("g-1");
    let verified = judged(&key, &key.token(&claims)).await.unwrap();
    assert_eq!(verified.patient.as_deref(), Some("p-1"));
    assert_eq!(verified.fhir_user.as_deref(), Some("Practitioner/d-1"));
    // Grants are this service's own: nobody else can name one.
    assert_eq!(verified.grant, None);
}

#[tokio::test]
async fn times_count_and_are_whole_numbers() {
    let key = TestKey::p384("k");
    for (name, value) in [
        ("exp", json!(null)),
        ("iat", json!(null)),
        ("exp", json!(NOW - 31)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!((NOW + 300).to_string())),
        ("exp", json!("never")),
        ("exp", json!([NOW + 300])),
        ("exp", json!({"$gt": 0})),
        ("exp", json!(true)),
        ("exp", json!(1e300)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(1_800_000_300.5)),
        ("iat", json!((NOW - 10).to_string())),
        ("iat", json!(NOW + 31)),
        ("nbf", json!(NOW + 31)),
        ("nbf", json!(NOW.to_string())),
        ("nbf", json!(false)),
        ("nbf", json!([])),
    ] {
        let what = format!("{name} {value}");
        assert_refused(&key, &key.token(&with(name, value)), &what).await;
    }
    for (name, value) in [
        ("exp", NOW - 29),
        ("nbf", NOW + 29),
        ("iat", NOW + 29),
        ("nbf", NOW),
    ] {
        let mut claims = with(name, json!(value));
        if name == "exp" {
            claims["iat"] = json!(NOW - 300);
        }
        assert!(
            judged(&key, &key.token(&claims)).await.is_ok(),
            "{name} {value}"
        );
    }
}

#[tokio::test]
async fn the_audience_must_be_this_service() {
    let key = TestKey::p384("k");
    for aud in [
        json!(null),
        json!(""),
        json!("https://other.example.org/fhir"),
        json!("https://records.example.org/fhir/"),
        json!("https://records.example.org"),
        json!("HTTPS://RECORDS.EXAMPLE.ORG/fhir"),
        json!([]),
        json!(["https://other.example.org/fhir", "account"]),
        json!([AUDIENCE, 1]),
        json!([[AUDIENCE]]),
        json!({"aud": AUDIENCE}),
        json!(7),
    ] {
        let what = format!("aud {aud}");
        assert_refused(&key, &key.token(&with("aud", aud)), &what).await;
    }
    let one = json!([AUDIENCE]);
    assert!(judged(&key, &key.token(&with("aud", one))).await.is_ok());
}

#[tokio::test]
async fn two_audiences_are_for_others_tokens_only() {
    let key = TestKey::p384("k");
    let token = key.token(&with("aud", json!(["account", AUDIENCE])));
    assert!(judged(&key, &token).await.is_ok());
    let keys = Mutex::new(Arc::new(KeySet::usable(&set(&[&key])).unwrap()));
    let own = Fixed {
        name: ISSUER,
        built_in: true,
        keys,
    };
    let refused = Verifier::new(vec![Arc::new(own)])
        .verify(&token, at(NOW))
        .await;
    assert!(matches!(refused, Err(Refusal::Invalid(_))));
}

#[tokio::test]
async fn a_claim_that_stands_twice_is_refused() {
    let key = TestKey::p384("k");
    let header = r#"{"alg":"ES384","kid":"k"}"#;
    for name in ["aud", "exp", "iss", "sub", "scope"] {
        let claims = claims();
        let twice = format!(
            r#"{{"{name}":{},{}"#,
            claims[name],
            &claims.to_string()[1..]
        );
        let token = key.token_of(Algorithm::ES384, header, &twice);
        assert_refused(&key, &token, name).await;
    }
    let twice = r#"{"alg":"none","alg":"ES384","kid":"k"}"#;
    let token = key.token_of(Algorithm::ES384, twice, &claims().to_string());
    assert_refused(&key, &token, "alg twice").await;
}

#[tokio::test]
async fn issuer_and_subject_are_required() {
    let key = TestKey::p384("k");
    for (name, value) in [
        ("iss", json!(null)),
        ("iss", json!("https://id.example.org/")),
        ("iss", json!("https://attacker.example")),
        ("iss", json!([ISSUER])),
        ("iss", json!([ISSUER, "https://attacker.example"])),
        ("sub", json!(null)),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("sub", json!(["user-1"])),
        ("sub", json!("x".repeat(10_000))),
        ("scope", json!(["system/*.rs"])),
        ("scope", json!({})),
        ("client_id", json!(1)),
        ("jti", json!(1)),
        ("patient", json!(["p-1", "p-2"])),
        ("fhirUser", json!({})),
        (
            "cnf",
            json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
        ),
    ] {
        let what = format!("{name} {value}");
        assert_refused(&key, &key.token(&with(name, value)), &what).await;
    }
}

#[tokio::test]
async fn an_issuer_vouches_for_itself_only() {
    let (one, other) = (TestKey::p384("k"), TestKey::p384("k"));
    let verifier = Verifier::new(vec![
        issuer(ISSUER, &set(&[&one])),
        issuer("https://other.example.org", &set(&[&other])),
    ]);
    assert!(
        verifier
            .verify(&one.token(&claims()), at(NOW))
            .await
            .is_ok()
    );
    assert!(
        verifier
            .verify(&other.token(&claims()), at(NOW))
            .await
            .is_err()
    );
    let foreign = with("iss", json!("https://other.example.org"));
    assert!(
        verifier
            .verify(&other.token(&foreign), at(NOW))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_known_token_ends_with_its_time_and_with_its_key() {
    let key = TestKey::p384("k");
    let issuer = issuer(ISSUER, &set(&[&key]));
    let verifier = Verifier::new(vec![issuer.clone()]);
    let token = key.token(&claims());
    for _ in 0..3 {
        assert!(verifier.verify(&token, at(NOW)).await.is_ok());
    }
    assert!(verifier.verify(&token, at(NOW + 331)).await.is_err());
    assert!(verifier.verify(&token, at(NOW)).await.is_ok());
    let rotated = set(&[&TestKey::p384("new")]);
    *issuer.keys.lock().unwrap() = Arc::new(KeySet::usable(&rotated).unwrap());
    assert!(verifier.verify(&token, at(NOW)).await.is_err());
}
