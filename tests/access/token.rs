//! Signatures, algorithms and keys: RFC 8725, and the attacks on it.

use aws_lc_rs::hmac;
use jsonwebtoken::Algorithm;
use serde_json::json;
use unloop::access::token::{KeySet, Verifier};

use super::judge::{ISSUER, NOW, assert_refused, at, claims, issuer, judged, verifier, with};
use super::keys::{TestKey, b64, rsa, set};

#[tokio::test]
async fn every_accepted_algorithm_is_accepted() {
    let (p256, p384) = (TestKey::p256("a"), TestKey::p384("b"));
    for (key, algorithm) in [
        (&p256, Algorithm::ES256),
        (&p384, Algorithm::ES384),
        (rsa(), Algorithm::RS256),
        (rsa(), Algorithm::RS384),
        (rsa(), Algorithm::PS256),
        (rsa(), Algorithm::PS384),
    ] {
        let header = json!({"alg": format!("{algorithm:?}"), "kid": key.kid});
        let token = key.token_of(algorithm, &header.to_string(), &claims().to_string());
        let verified = judged(key, &token).await.unwrap();
        assert_eq!(verified.subject, "user-1");
        assert_eq!(verified.client.as_deref(), Some("ehr"));
        assert_eq!(verified.token_id.as_deref(), Some("t-1"));
        assert_eq!(verified.scope, "system/*.rs");
        assert_eq!(verified.expires, NOW + 300);
    }
}

#[tokio::test]
async fn no_signature_and_none_are_refused() {
    let key = TestKey::p384("k");
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = json!({"alg": alg, "kid": "k"}).to_string();
        let message = format!("{}.{}", b64(header), b64(claims().to_string()));
        assert_refused(&key, &format!("{message}."), alg).await;
        assert_refused(&key, &message, alg).await;
        let signed = key.sign(Algorithm::ES384, message.as_bytes());
        assert_refused(&key, &format!("{message}.{}", b64(signed)), alg).await;
    }
    let token = key.token(&claims());
    let (message, _) = token.rsplit_once('.').unwrap();
    assert_refused(&key, &format!("{message}."), "no signature").await;
    assert_refused(&key, &format!("{message}.{}", b64([0; 96])), "zeros").await;
    assert_refused(&key, &format!("{message}.{}", b64([0; 1])), "short").await;
}

#[tokio::test]
async fn a_mac_made_with_the_public_key_is_refused() {
    let key = rsa();
    let jwk = key.jwk();
    let secrets = [
        jwk.to_string(),
        jwk["n"].as_str().unwrap().to_owned(),
        set(&[key]).to_string(),
    ];
    for secret in secrets {
        let header = json!({"alg": "HS256", "kid": "rsa"}).to_string();
        let message = format!("{}.{}", b64(header), b64(claims().to_string()));
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&secret, message.as_bytes());
        assert_refused(key, &format!("{message}.{}", b64(tag)), "HS256").await;
    }
}

#[tokio::test]
async fn symmetric_and_unknown_algorithms_are_refused() {
    let key = rsa();
    for alg in [
        "HS384", "HS512", "RS512", "PS512", "ES512", "EdDSA", "ES256K", "rs256", "RS256 ",
    ] {
        let header = json!({"alg": alg, "kid": "rsa"}).to_string();
        let token = key.token_of(Algorithm::RS256, &header, &claims().to_string());
        assert_refused(key, &token, alg).await;
    }
    for header in [
        json!({"kid": "rsa"}),
        json!({"alg": ["RS256"]}),
        json!({"alg": 1}),
        json!([]),
    ] {
        let token = key.token_of(Algorithm::RS256, &header.to_string(), &claims().to_string());
        assert_refused(key, &token, "no alg").await;
    }
}

#[tokio::test]
async fn an_algorithm_of_another_key_type_is_refused() {
    let (p256, p384) = (TestKey::p256("k"), TestKey::p384("k"));
    let header = |alg: &str| json!({"alg": alg, "kid": "k"}).to_string();
    let claims = claims().to_string();
    let token = rsa().token_of(Algorithm::RS256, &header("RS256"), &claims);
    assert_refused(&p384, &token, "RS256 where ES384 is expected").await;
    let token = p256.token_of(Algorithm::ES256, &header("ES384"), &claims);
    assert_refused(&p256, &token, "ES384 by a key on P-256").await;
    let token = p384.token_of(Algorithm::ES384, &header("ES256"), &claims);
    assert_refused(&p384, &token, "ES256 by a key on P-384").await;
    let token = p384.token_of(Algorithm::ES384, &header("RS384"), &claims);
    assert_refused(&p384, &token, "RS384 by an EC key").await;
}

#[tokio::test]
async fn a_key_that_is_for_one_algorithm_is_for_no_other() {
    let mut set = set(&[rsa()]);
    set["keys"][0]["alg"] = "RS384".into();
    let verifier = Verifier::new(vec![issuer(ISSUER, &set)]);
    for (algorithm, accepted) in [
        (Algorithm::RS384, true),
        (Algorithm::RS256, false),
        (Algorithm::PS384, false),
    ] {
        let header = json!({"alg": format!("{algorithm:?}"), "kid": "rsa"}).to_string();
        let token = rsa().token_of(algorithm, &header, &claims().to_string());
        assert_eq!(
            verifier.verify(&token, at(NOW)).await.is_ok(),
            accepted,
            "{algorithm:?}"
        );
    }
}

#[tokio::test]
async fn keys_and_addresses_in_the_header_are_not_used() {
    let (key, foreign) = (TestKey::p384("k"), TestKey::p384("k"));
    for (name, value) in [
        ("jwk", foreign.jwk()),
        ("jku", json!("https://attacker.example/keys")),
        ("x5u", json!("https://attacker.example/chain.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
    ] {
        for kid in [Some("k"), Some("other"), None] {
            let mut header = json!({"alg": "ES384", name: value});
            if let Some(kid) = kid {
                header["kid"] = kid.into();
            }
            let token =
                foreign.token_of(Algorithm::ES384, &header.to_string(), &claims().to_string());
            assert_refused(&key, &token, name).await;
        }
        let header = json!({"alg": "ES384", "kid": "k", name: value});
        let token = key.token_of(Algorithm::ES384, &header.to_string(), &claims().to_string());
        assert!(judged(&key, &token).await.is_ok(), "{name} is ignored");
    }
}

#[tokio::test]
async fn a_kid_is_a_name_and_nothing_else() {
    let key = TestKey::p384("k");
    for kid in [
        json!("../../../../dev/null"),
        json!("/dev/null"),
        json!("file:///etc/passwd"),
        json!("k' OR '1'='1"),
        json!("k\u{0}"),
        json!("K"),
        json!(""),
        json!("k ".repeat(4000)),
        json!(["k"]),
        json!({"k": "k"}),
        json!(1),
        json!(null),
    ] {
        let header = json!({"alg": "ES384", "kid": kid}).to_string();
        let token = key.token_of(Algorithm::ES384, &header, &claims().to_string());
        assert_refused(&key, &token, &header).await;
    }
}

#[tokio::test]
async fn without_a_kid_there_must_be_one_key_only() {
    let (one, other) = (TestKey::p384("one"), TestKey::p384("other"));
    let header = json!({"alg": "ES384"}).to_string();
    let token = one.token_of(Algorithm::ES384, &header, &claims().to_string());
    assert!(
        verifier(&[&one, rsa()])
            .verify(&token, at(NOW))
            .await
            .is_ok()
    );
    assert!(
        verifier(&[&one, &other])
            .verify(&token, at(NOW))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn critical_extensions_and_other_kinds_are_refused() {
    let key = TestKey::p384("k");
    for (name, value) in [
        ("crit", json!(["b64"])),
        ("crit", json!([])),
        ("crit", json!("exp")),
        ("typ", json!("dpop+jwt")),
        ("typ", json!("logout+jwt")),
        ("typ", json!("secevent+jwt")),
        ("typ", json!("JWE")),
        ("typ", json!(1)),
    ] {
        let header = json!({"alg": "ES384", "kid": "k", "b64": false, name: value}).to_string();
        let token = key.token_of(Algorithm::ES384, &header, &claims().to_string());
        assert_refused(&key, &token, &header).await;
    }
    for kind in ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"] {
        let header = json!({"alg": "ES384", "kid": "k", "typ": kind}).to_string();
        let token = key.token_of(Algorithm::ES384, &header, &claims().to_string());
        assert!(judged(&key, &token).await.is_ok(), "{kind}");
    }
}

/// Identity providers may address several services; this one addresses itself only.
#[tokio::test]
async fn a_changed_token_is_refused() {
    let key = TestKey::p384("k");
    let token = key.token(&claims());
    let parts: Vec<&str> = token.split('.').collect();
    let raised = b64(with("scope", json!("system/*.cruds")).to_string());
    assert_refused(
        &key,
        &format!("{}.{raised}.{}", parts[0], parts[2]),
        "claims",
    )
    .await;
    for odd in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{token}"),
        format!("{token}="),
        format!("{}.{}==.{}", parts[0], parts[1], parts[2]),
        format!(
            "{}.{}.{}",
            parts[0],
            parts[1],
            &parts[2][..parts[2].len() - 1]
        ),
        format!("{}.{}.{}A", parts[0], parts[1], parts[2]),
        // A JWE has five parts.
        format!("{token}.a.b"),
    ] {
        assert_refused(&key, &odd, &odd).await;
    }
    let deep = format!("{}{}{}", r#"{"a":"#, "[".repeat(5000), "]".repeat(5000));
    let token = key.token_of(Algorithm::ES384, r#"{"alg":"ES384","kid":"k"}"#, &deep);
    assert_refused(&key, &token, "deep").await;
}

/// What was believed once is looked up, but not beyond its time or its keys.
#[test]
fn keys_that_cannot_be_used_are_left_out_or_refused() {
    let good = TestKey::p384("good").jwk();
    let small = json!({"kty": "RSA", "kid": "s", "n": b64([0xff; 128]), "e": "AQAB"});
    let mut private = good.clone();
    private["d"] = json!(b64([1; 48]));
    let mut encryption = good.clone();
    encryption["use"] = json!("enc");
    let mut off_length = good.clone();
    off_length["x"] = json!(b64([1; 47]));
    let mut foreign = good.clone();
    foreign["alg"] = json!("RS256");
    let octets = json!({"kty": "oct", "kid": "o", "k": b64([7; 32])});
    let edwards = json!({"kty": "OKP", "crv": "Ed25519", "x": b64([7; 32])});
    for bad in [
        small,
        private,
        encryption,
        off_length,
        foreign,
        octets,
        edwards,
        json!({}),
    ] {
        let set = json!({"keys": [bad, good]});
        assert!(
            KeySet::usable(&set)
                .unwrap()
                .find(None, Algorithm::ES384)
                .is_some()
        );
        assert!(KeySet::strict(&set).is_err(), "{set}");
        assert!(KeySet::usable(&json!({"keys": [bad]})).is_err());
    }
    for none in [
        json!({}),
        json!({"keys": []}),
        json!({"keys": {}}),
        json!([]),
        json!(null),
    ] {
        assert!(KeySet::usable(&none).is_err());
        assert!(KeySet::strict(&none).is_err());
    }
    assert!(KeySet::strict(&json!({"keys": [good]})).is_ok());
}
