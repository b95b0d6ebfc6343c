//! What the transport bears: rates, slow clients, pages of other sites, TLS.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::support::{Database, Running, describe, succeed, unloop};
use crate::tokens::audit_events;

fn serve(database: &Database, settings: &[(&str, &str)]) -> Running {
    let mut command = unloop(&["serve"]);
    command
        .env("DATABASE_URL", database.url())
        .env("UNLOOP_BIND", "127.0.0.1:0")
        .envs(settings.iter().copied());
    Running::start(&mut command)
}

#[tokio::test]
async fn whoever_asks_too_much_waits() {
    let database = Database::sqlite();
    let server = serve(&database, &[("UNLOOP_RATE_ADDRESS", "1")]);
    let metadata = format!("{}/metadata", server.base);
    let mut replies = Vec::new();
    for _ in 0..8 {
        replies.push(reqwest::get(&metadata).await.unwrap());
    }
    assert_eq!(replies[0].status(), 200);
    let refused = replies.into_iter().find(|reply| reply.status() == 429);
    let refused = refused.expect("eight at once are more than one a second");
    let wait: u64 = refused.headers()["Retry-After"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=10).contains(&wait));
    let outcome: Value = refused.json().await.unwrap();
    assert_eq!(outcome["issue"][0]["code"], "throttled");
    let live = format!("http://{}/health/live", server.address());
    assert_eq!(
        reqwest::get(live).await.unwrap().status(),
        200,
        "orchestrators may ask"
    );
}

#[tokio::test]
async fn a_flood_does_not_fill_the_trail() {
    let database = Database::sqlite();
    let server = serve(&database, &[("UNLOOP_RATE_ADDRESS", "1")]);
    let mut refused = 0;
    for _ in 0..40 {
        let reply = reqwest::get(format!("{}/Patient?flood=1", server.base))
            .await
            .unwrap();
        refused += u64::from(reply.status() == 429);
    }
    assert!(refused > 10, "{refused}");
    server.stop();
    let server = serve(&database, &[]);
    let events = audit_events(&server, "outcome=4").await;
    let told: Vec<&str> = events
        .iter()
        .filter_map(|event| event["outcomeDesc"].as_str())
        .filter(|told| told.starts_with("HTTP status 429"))
        .collect();
    let more = format!(
        "HTTP status 429, for {} more requests of this sender since the first was recorded",
        refused - 1
    );
    assert_eq!(told, ["HTTP status 429", more.as_str()]);
}

#[tokio::test]
async fn a_flood_without_tokens_does_not_fill_the_trail() {
    let database = Database::sqlite();
    let limits = [("UNLOOP_RATE_ADDRESS", "0"), ("UNLOOP_RATE_AUTH", "0")];
    let server = serve(&database, &limits);
    let client = reqwest::Client::new();
    let fhir = format!("{}/Patient", server.base);
    let auth = server.base.replace("/fhir", "/auth/introspect");
    for n in 0..30 {
        let guess = client.get(&fhir).bearer_auth(format!("guess-{n}"));
        assert_eq!(guess.send().await.unwrap().status(), 401);
        let form = client.post(&auth).bearer_auth(format!("guess-{n}"));
        let form = form
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body("token=x");
        assert_eq!(form.send().await.unwrap().status(), 401);
    }
    server.stop();
    let server = serve(&database, &[]);
    let events = audit_events(&server, "outcome=4").await;
    let told = |event: &Value| event["outcomeDesc"].as_str().map(str::to_owned);
    let mut told: Vec<String> = events.iter().filter_map(told).collect();
    told.retain(|told| told.starts_with("HTTP status 401"));
    let more = "HTTP status 401, for 59 more requests of this sender since the first was recorded";
    assert_eq!(told, ["HTTP status 401", more]);
}

#[tokio::test]
async fn content_that_does_not_arrive_is_not_waited_for() {
    let database = Database::sqlite();
    let server = serve(&database, &[("UNLOOP_BODY_SECONDS", "1")]);
    let token = server.token();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(
        stream,
        "POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/fhir+json\r\n\
         Content-Length: 1000\r\n\r\n{{\"resourceType\""
    )
    .unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 408");
}

/// Issue 12, D2: a disk that is nearly full takes only what is cheap and known.
#[tokio::test]
async fn d2_a_disk_that_is_nearly_full_refuses_the_anonymous_and_the_expensive() {
    let database = Database::sqlite();
    let server = serve(
        &database,
        &[("UNLOOP_DISK_RESERVE_BYTES", "1000000000000000")],
    );
    let client = server.client();
    let url = |path: &str| format!("{}{path}", server.base);
    let anonymous = reqwest::get(url("/Patient/1")).await.unwrap();
    assert_eq!(anonymous.status(), 503);
    assert!(anonymous.headers().contains_key("Retry-After"));
    for path in ["/_history", "/Patient?_revinclude=*"] {
        let refused = client.get(url(path)).send().await.unwrap();
        assert_eq!(refused.status(), 503, "{path}");
        let outcome: Value = refused.json().await.unwrap();
        let told = outcome["issue"][0]["diagnostics"].as_str().unwrap();
        assert!(told.contains("disk"), "{told}");
    }
    for path in ["/Patient?_count=1", "/metadata"] {
        let answered = client.get(url(path)).send().await.unwrap();
        assert_eq!(answered.status(), 200, "{path}");
    }
}

/// Issue 12, D2: a caller whose batch had more entries than requests that fit waits.
#[tokio::test]
async fn d2_entries_of_a_batch_cost_like_requests() {
    let database = Database::sqlite();
    let server = serve(&database, &[("UNLOOP_RATE_CALLER", "10")]);
    let client = server.client();
    let entry = serde_json::json!({"request": {"method": "GET", "url": "Patient/1"}});
    let batch = |entries: usize| {
        let batch = serde_json::json!({"resourceType": "Bundle", "type": "batch", "entry": vec![entry.clone(); entries]});
        let post = client.post(&server.base).body(batch.to_string());
        post.header("Content-Type", "application/fhir+json").send()
    };
    assert_eq!(batch(5).await.unwrap().status(), 200);
    assert_eq!(batch(2_000).await.unwrap().status(), 200);
    let refused = batch(1).await.unwrap();
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["Retry-After"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(wait > 60, "{wait}");
}

#[tokio::test]
async fn pages_of_other_sites_are_answered_where_that_is_set() {
    let database = Database::sqlite();
    let ours = "https://app.example.org";
    let ask = async |server: &Running, origin: &str| {
        let client = reqwest::Client::new();
        let request = client.get(format!("{}/metadata", server.base));
        let reply = request.header("Origin", origin).send().await.unwrap();
        assert_eq!(reply.headers()["X-Content-Type-Options"], "nosniff");
        assert_eq!(reply.headers()["X-Frame-Options"], "DENY");
        let allowed = reply.headers().get("Access-Control-Allow-Origin");
        allowed.map(|origin| origin.to_str().unwrap().to_owned())
    };
    let open = serve(&database, &[("UNLOOP_CORS_ORIGINS", ours)]);
    assert_eq!(ask(&open, ours).await.as_deref(), Some(ours));
    assert_eq!(ask(&open, "https://evil.example").await, None);
    let closed = serve(&database, &[]);
    assert_eq!(ask(&closed, ours).await, None);
}

#[tokio::test]
async fn tls_by_itself() {
    let database = Database::sqlite();
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());

    let settings = [("UNLOOP_TLS_CERT", certificate), ("UNLOOP_TLS_KEY", key)];
    let server = serve(&database, &settings);
    assert!(server.base.starts_with("https://"), "{}", server.base);
    let root = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([root])
        .build()
        .unwrap();
    let reply = client
        .get(format!("{}/metadata", server.base))
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
    assert!(reply.headers().contains_key("Strict-Transport-Security"));
    let mut health = unloop(&["health"]);
    health.env("UNLOOP_BIND", server.address()).envs(settings);
    assert_eq!(succeed(&mut health).trim_end(), "ready");
    drop(server);

    // A key that is none, and one without its certificate.
    for wrong in [
        &[
            ("UNLOOP_TLS_CERT", certificate),
            ("UNLOOP_TLS_KEY", certificate),
        ][..],
        &[("UNLOOP_TLS_KEY", key)],
    ] {
        let mut command = unloop(&["serve"]);
        command
            .env("DATABASE_URL", database.url())
            .envs(wrong.iter().copied());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", describe(&output));
    }
}
