//! Identity providers: discovery, rotation, one that is down, one that lies.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use unloop::access::issuer::{External, Pace};
use unloop::access::outbound::Outbound;
use unloop::access::token::{Now, Refusal, Verified, Verifier};

use super::keys::{TestKey, set};
use super::web::Web;

const AUDIENCE: &str = "https://records.example.org/fhir";
const HOUR: Duration = Duration::from_secs(3600);
const EAGER: Pace = Pace {
    shortest: Duration::ZERO,
    longest: HOUR,
};
const CALM: Pace = Pace {
    shortest: HOUR,
    longest: HOUR,
};

fn trusting(web: &Web, pace: Pace) -> Verifier {
    let outbound = Arc::new(Outbound::new(true).unwrap());
    Verifier::new(vec![Arc::new(External::new(
        &web.url, AUDIENCE, None, outbound, pace,
    ))])
}

fn token(web: &Web, key: &TestKey) -> String {
    let now = Now::under(1).seconds;
    key.token(&json!({
        "iss": web.url, "aud": AUDIENCE, "sub": "user-1", "iat": now, "exp": now + 300,
    }))
}

async fn ask(verifier: &Verifier, token: &str) -> Result<Arc<Verified>, Refusal> {
    verifier.verify(token, Now::under(1)).await
}

fn unavailable(judged: &Result<Arc<Verified>, Refusal>) -> bool {
    matches!(judged, Err(Refusal::Unavailable(_)))
}

#[tokio::test]
async fn keys_are_found_by_discovery_and_kept() {
    let (web, key) = (Web::start(), TestKey::p384("k"));
    web.issue("cache-control: max-age=600\r\n", &set(&[&key]));
    let verifier = trusting(&web, EAGER);
    for _ in 0..5 {
        let verified = ask(&verifier, &token(&web, &key)).await.unwrap();
        assert_eq!(verified.issuer, web.url);
        assert!(!verified.built_in);
    }
    assert_eq!(web.asked("/keys"), 1);
}

#[tokio::test]
async fn an_unknown_key_is_looked_up() {
    let (web, old, new) = (Web::start(), TestKey::p384("old"), TestKey::p256("new"));
    web.issue("cache-control: max-age=600\r\n", &set(&[&old]));
    let verifier = trusting(&web, EAGER);
    let early = token(&web, &old);
    assert!(ask(&verifier, &early).await.is_ok());
    web.issue("cache-control: max-age=600\r\n", &set(&[&old, &new]));
    assert!(ask(&verifier, &token(&web, &new)).await.is_ok());
    assert!(ask(&verifier, &early).await.is_ok());
    // The old key is taken back: what it signed ends with it.
    web.issue("cache-control: max-age=600\r\n", &set(&[&new]));
    assert!(
        ask(&verifier, &token(&web, &TestKey::p256("third")))
            .await
            .is_err()
    );
    assert!(ask(&verifier, &early).await.is_err());
}

#[tokio::test]
async fn unknown_keys_do_not_make_the_issuer_suffer() {
    let (web, key) = (Web::start(), TestKey::p384("k"));
    web.issue("", &set(&[&key]));
    let verifier = trusting(&web, CALM);
    assert!(ask(&verifier, &token(&web, &key)).await.is_ok());
    for n in 0..20 {
        let guess = TestKey::p256(&format!("guess-{n}"));
        let judged = ask(&verifier, &token(&web, &guess)).await;
        assert!(matches!(judged, Err(Refusal::Invalid(_))), "{judged:?}");
    }
    assert_eq!(web.asked("/keys"), 1);
}

#[tokio::test]
async fn many_at_once_ask_once() {
    let (web, key) = (Web::start(), TestKey::p384("k"));
    web.issue("", &set(&[&key]));
    let verifier = trusting(&web, CALM);
    let tokens: Vec<String> = (0..32).map(|_| token(&web, &key)).collect();
    let asked = tokens.iter().map(|token| ask(&verifier, token));
    let judged = futures_util::future::join_all(asked).await;
    assert!(judged.iter().all(Result::is_ok));
    assert_eq!(web.asked("/keys"), 1);
}

#[tokio::test]
async fn stale_keys_are_renewed_and_a_removed_one_ends() {
    let (web, old, new) = (Web::start(), TestKey::p384("old"), TestKey::p384("new"));
    web.issue("cache-control: no-cache\r\n", &set(&[&old]));
    let verifier = trusting(&web, EAGER);
    let token = token(&web, &old);
    assert!(ask(&verifier, &token).await.is_ok());
    web.issue("cache-control: no-cache\r\n", &set(&[&new]));
    // The renewal goes on behind the requests.
    while ask(&verifier, &token).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn old_keys_hold_while_the_issuer_is_down() {
    let (web, key) = (Web::start(), TestKey::p384("k"));
    web.issue("cache-control: no-cache\r\n", &set(&[&key]));
    let verifier = trusting(&web, EAGER);
    assert!(ask(&verifier, &token(&web, &key)).await.is_ok());
    web.go_down();
    for _ in 0..5 {
        assert!(ask(&verifier, &token(&web, &key)).await.is_ok());
    }
    let judged = ask(&verifier, &token(&web, &TestKey::p384("new"))).await;
    assert!(matches!(judged, Err(Refusal::Invalid(_))), "{judged:?}");
}

#[tokio::test]
async fn an_issuer_that_never_answered_lets_nobody_in() {
    let (web, key) = (Web::start(), TestKey::p384("k"));
    web.go_down();
    let verifier = trusting(&web, EAGER);
    let token = token(&web, &key);
    assert!(unavailable(&ask(&verifier, &token).await));
    // Keys are not believed for ever.
    let never = Pace {
        shortest: Duration::ZERO,
        longest: Duration::ZERO,
    };
    let (web, key) = (Web::start(), TestKey::p384("k"));
    web.issue("", &set(&[&key]));
    assert!(unavailable(
        &ask(&trusting(&web, never), &super::external::token(&web, &key)).await
    ));
}

#[tokio::test]
async fn discovery_must_name_the_issuer_it_was_asked_for() {
    let (web, key) = (Web::start(), TestKey::p384("k"));
    web.issue("", &set(&[&key]));
    for issuer in [
        json!("https://attacker.example"),
        json!(format!("{}/", web.url)),
        Value::Null,
    ] {
        let configuration = json!({"issuer": issuer, "jwks_uri": format!("{}/keys", web.url)});
        web.json("/.well-known/openid-configuration", "", &configuration);
        assert!(unavailable(
            &ask(&trusting(&web, EAGER), &token(&web, &key)).await
        ));
    }
    assert_eq!(web.asked("/keys"), 0);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (web, inside, key) = (Web::start(), Web::start(), TestKey::p384("k"));
    web.issue("", &set(&[&key]));
    inside.issue("", &set(&[&key]));
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        web.raw(
            "/keys",
            status,
            &format!("location: {}/keys\r\n", inside.url),
            "",
        );
        assert!(unavailable(
            &ask(&trusting(&web, EAGER), &token(&web, &key)).await
        ));
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn answers_that_are_large_or_no_keys_are_refused() {
    let (web, key) = (Web::start(), TestKey::p384("k"));
    web.issue("", &set(&[&key]));
    let large = format!(r#"{{"keys":[],"x":"{}"}}"#, "x".repeat(1 << 20));
    let deep = format!(r#"{{"keys":{}{}}}"#, "[".repeat(3000), "]".repeat(3000));
    for content in [
        large.as_str(),
        &deep,
        "",
        "<html>",
        "[]",
        r#"{"keys":[]}"#,
        r#"{"keys":[],"keys":[]}"#,
    ] {
        web.raw("/keys", "200 OK", "", content);
        assert!(unavailable(
            &ask(&trusting(&web, EAGER), &token(&web, &key)).await
        ));
    }
    for address in ["file:///etc/passwd", "/keys", "ftp://127.0.0.1/keys", ""] {
        let configuration = json!({"issuer": web.url, "jwks_uri": address});
        web.json("/.well-known/openid-configuration", "", &configuration);
        assert!(unavailable(
            &ask(&trusting(&web, EAGER), &token(&web, &key)).await
        ));
    }
}

/// By address, and by a name that leads there.
/// Issue 12, C5: what an issuer may grant at most stands in the settings.
#[tokio::test]
async fn c5_tokens_of_an_issuer_stay_below_its_ceiling() {
    let (web, key) = (Web::start(), TestKey::p384("k"));
    web.issue("cache-control: max-age=600\r\n", &set(&[&key]));
    let outbound = Arc::new(Outbound::new(true).unwrap());
    let ceiling = Some("user/*.rs patient/Observation.rs");
    let issuer = External::new(&web.url, AUDIENCE, ceiling, outbound, EAGER);
    let verifier = Verifier::new(vec![Arc::new(issuer)]);
    let now = Now::under(1).seconds;
    for (asked, granted) in [
        ("system/*.cruds", ""),
        ("user/*.cruds", "user/*.rs"),
        ("patient/*.rs openid", "patient/Observation.rs"),
    ] {
        let token = key.token(&json!({"iss": web.url, "aud": AUDIENCE, "sub": "user-1",
            "iat": now, "exp": now + 300, "scope": asked}));
        assert_eq!(
            ask(&verifier, &token).await.unwrap().scope,
            granted,
            "{asked}"
        );
    }
}

#[tokio::test]
async fn this_machine_is_not_asked_unless_that_is_allowed() {
    let web = Web::start();
    web.json("/keys", "", &json!({"keys": []}));
    let port = web.url.rsplit_once(':').unwrap().1.to_owned();
    let outbound = Outbound::new(false).unwrap();
    for host in [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
    ] {
        for scheme in ["http", "https"] {
            let asked = outbound
                .json(&format!("{scheme}://{host}:{port}/keys"))
                .await;
            assert!(asked.is_err(), "{scheme} {host}");
        }
    }
    assert_eq!(web.connections(), 0);
    assert!(
        Outbound::new(true)
            .unwrap()
            .json(&format!("{}/keys", web.url))
            .await
            .is_ok()
    );
}
