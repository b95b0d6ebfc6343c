//! Traces and metrics reach a collector, and carry nothing of a patient.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};

use crate::support::{Database, Running, unloop, until};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Path and content of what came.
/// Path and content of each export.
type Exports = Mutex<Vec<(String, Vec<u8>)>>;
type Received = Arc<Exports>;

/// A small OTLP receiver. <https://opentelemetry.io/docs/specs/otlp/#otlphttp>
fn collector() -> (String, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let received = Received::default();
    let data = Data::from(received.clone());
    let server = HttpServer::new(move || {
        let app = App::new().app_data(data.clone());
        app.default_service(web::to(receive))
    });
    tokio::spawn(server.workers(1).listen(listener).unwrap().run());
    (format!("http://{address}"), received)
}

async fn receive(request: HttpRequest, content: Bytes, received: Data<Exports>) -> HttpResponse {
    let mut received = received.lock().unwrap();
    received.push((request.path().to_owned(), content.to_vec()));
    HttpResponse::Ok().finish()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|part| part == needle)
}

async fn use_it(server: &Running) {
    let (client, base) = (server.client(), &server.base);
    let patient = r#"{"resourceType":"Patient","id":"s3cret-id","name":[{"family":"S3cretname"}]}"#;
    let url = format!("{base}/Patient/s3cret-id");
    let put = client
        .put(&url)
        .header("Content-Type", "application/fhir+json");
    assert_eq!(put.body(patient).send().await.unwrap().status(), 201);
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let read = client.get(&url).header("traceparent", parent).send();
    assert_eq!(read.await.unwrap().status(), 200);
    for path in ["Patient?name=S3cretname", "S3crettype/1"] {
        client.get(format!("{base}/{path}")).send().await.unwrap();
    }
}

fn serve_with(name: &str, value: &str, database: &Database) -> Running {
    Running::start(
        unloop(&["serve"])
            .env("DATABASE_URL", database.url())
            .env("UNLOOP_BIND", "127.0.0.1:0")
            .env("UNLOOP_LOG", "unloop=info")
            .env("UNLOOP_LOG_FORMAT", "json")
            .env(name, value),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_and_measurements_arrive_without_content() {
    let database = Database::sqlite();
    let (endpoint, received) = collector();
    let server = serve_with("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint, &database);
    use_it(&server).await;
    server.signal("TERM");
    let (status, stderr) = server.end();
    assert_eq!(status, Some(0), "{stderr}");

    let received = received.lock().unwrap();
    let of = |path: &str| -> Vec<u8> {
        let parts = received.iter().filter(|(at, _)| at == path);
        parts.flat_map(|(_, content)| content.clone()).collect()
    };
    let (traces, metrics) = (of("/v1/traces"), of("/v1/metrics"));
    for name in [
        "unloop",
        "read Patient",
        "update Patient",
        "search-type Patient",
        "/{type}/{id}",
    ] {
        assert!(contains(&traces, name.as_bytes()), "{name} in traces");
    }
    for name in [
        "http.server.request.duration",
        "search-type",
        "Patient",
        "other",
    ] {
        assert!(contains(&metrics, name.as_bytes()), "{name} in metrics");
    }
    // The caller's trace goes on.
    let trace: Vec<u8> = (0..16)
        .map(|byte| u8::from_str_radix(&TRACE[2 * byte..2 * byte + 2], 16).unwrap())
        .collect();
    assert!(contains(&traces, &trace));
    let log = stderr.as_bytes();
    for content in [traces.as_slice(), metrics.as_slice(), log] {
        for secret in ["s3cret-id", "S3cretname", "S3crettype"] {
            assert!(!contains(content, secret.as_bytes()), "{secret}");
        }
    }
    let logged = stderr
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|line| line["target"] == "unloop::request")
        .count();
    assert_eq!(logged, 4, "{stderr}");
}

#[tokio::test]
async fn a_collector_that_is_down_costs_nothing() {
    let database = Database::sqlite();
    let server = serve_with(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "http://127.0.0.1:1",
        &database,
    );
    use_it(&server).await;
    server.stop();
}

#[tokio::test]
async fn without_the_variables_nothing_is_sent() {
    let database = Database::sqlite();
    let (endpoint, received) = collector();
    let server = Running::start(
        unloop(&["serve"])
            .env("DATABASE_URL", database.url())
            .env("UNLOOP_BIND", "127.0.0.1:0")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
            .env("OTEL_SDK_DISABLED", "true"),
    );
    use_it(&server).await;
    server.stop();
    assert!(received.lock().unwrap().is_empty());
    // The receiver itself does work.
    until("the receiver", async || {
        let sent = reqwest::Client::new().post(&endpoint).send().await;
        sent.ok()
    })
    .await;
    assert_eq!(received.lock().unwrap().len(), 1);
}
