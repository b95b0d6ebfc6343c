//! Start, answers, and an end that finishes what is in flight.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::support::{Database, Running, describe, unloop, until};

#[tokio::test]
async fn it_answers_and_ends_on_either_signal() {
    let database = Database::sqlite();
    for signal in ["TERM", "INT"] {
        let server = Running::serve(&database.url());
        // The client keeps its connection, which must not delay the end.
        let client = reqwest::Client::new();
        let metadata = client.get(format!("{}/metadata", server.base)).send().await;
        let metadata: Value = metadata.unwrap().json().await.unwrap();
        assert_eq!(metadata["resourceType"], "CapabilityStatement");
        assert_eq!(metadata["implementation"]["url"], server.base);
        server.signal(signal);
        let (status, stderr) = server.end();
        assert_eq!(status, Some(0), "{stderr}");
    }
}

#[tokio::test]
async fn a_request_in_flight_is_finished() {
    let database = Database::sqlite();
    let server = Running::serve(&database.url());
    let token = server.token();
    let patient = r#"{"resourceType":"Patient","id":"late"}"#;
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(
        stream,
        "PUT /fhir/Patient/late HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/fhir+json\r\n\
         Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        patient.len()
    )
    .unwrap();
    // Now the handler waits for the content.
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    server.signal("TERM");
    let address = server.address().to_owned();
    until("the end of listening", async || {
        TcpStream::connect(&address).is_err().then_some(())
    })
    .await;
    stream.write_all(patient.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let (status, stderr) = server.end();
    assert_eq!(status, Some(0), "{stderr}");

    let again = Running::serve(&database.url());
    let read = again.client().get(format!("{}/Patient/late", again.base));
    let read = read.send().await;
    assert_eq!(read.unwrap().status(), 200);
    again.stop();
}

#[test]
fn a_stuck_request_does_not_hold_up_the_end() {
    let database = Database::sqlite();
    let server = Running::start(
        unloop(&["serve"])
            .env("DATABASE_URL", database.url())
            .env("UNLOOP_BIND", "127.0.0.1:0")
            .env("UNLOOP_SHUTDOWN_SECONDS", "1"),
    );
    let token = server.token();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(
        stream,
        "POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/fhir+json\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n",
    )
    .unwrap();
    stream.read_exact(&mut [0; 25]).unwrap();
    server.stop();
}

#[test]
fn a_taken_port_is_named() {
    let database = Database::sqlite();
    let server = Running::serve(&database.url());
    let second = unloop(&["serve"])
        .env("DATABASE_URL", database.url())
        .env("UNLOOP_BIND", server.address())
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = describe(&second);
    assert!(
        said.contains("UNLOOP_BIND") && said.contains(server.address()),
        "{said}"
    );
    server.stop();
}

#[tokio::test]
async fn narrowed_types_and_limits_reach_the_api() {
    let database = Database::sqlite();
    let server = Running::start(
        unloop(&["serve"])
            .env("DATABASE_URL", database.url())
            .env("UNLOOP_BIND", "127.0.0.1:0")
            .env("UNLOOP_BASE_URL", "https://records.example.org/r4/")
            .env("UNLOOP_TYPES", "Patient, Observation")
            .env("UNLOOP_MAX_BODY_BYTES", "2000"),
    );
    let client = server.client();
    let status = async |path: &str| {
        let sent = client.get(format!("{}/{path}", server.base)).send().await;
        sent.unwrap().status().as_u16()
    };
    assert_eq!(status("Patient").await, 200);
    assert_eq!(status("Encounter").await, 404);
    let large = client
        .post(format!("{}/Patient", server.base))
        .header("Content-Type", "application/fhir+json")
        .body(" ".repeat(2001))
        .send();
    assert_eq!(large.await.unwrap().status(), 413);
    let created = client
        .post(format!("{}/Patient", server.base))
        .header("Content-Type", "application/fhir+json")
        .body(r#"{"resourceType":"Patient"}"#)
        .send();
    let created = created.await.unwrap();
    let location = created.headers()["location"].to_str().unwrap();
    assert!(
        location.starts_with("https://records.example.org/r4/Patient/"),
        "{location}"
    );
    server.stop();
}

/// A new version of the Library tells when the rules changed, a start does not.
#[tokio::test]
async fn the_rules_in_force_are_published_when_they_change() {
    let database = Database::sqlite();
    let other = tempfile::tempdir().unwrap();
    let source = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/clinical/knowledge/sri.toml"
    );
    let rules = std::fs::read_to_string(source).unwrap();
    std::fs::write(
        other.path().join("sri.toml"),
        format!("{rules}\n# Changed.\n"),
    )
    .unwrap();
    let version = async |knowledge: Option<&std::path::Path>| {
        let mut command = unloop(&["serve"]);
        command.env("DATABASE_URL", database.url());
        command.env("UNLOOP_BIND", "127.0.0.1:0");
        if let Some(folder) = knowledge {
            command.env("UNLOOP_KNOWLEDGE_DIR", folder);
        }
        let server = Running::start(&mut command);
        let url = format!("{}/Library/medication-compatibility", server.base);
        let reply = server.client().get(url).send().await.unwrap();
        let library: serde_json::Value =
            serde_json::from_str(&reply.text().await.unwrap()).unwrap();
        server.stop();
        library["meta"]["versionId"].as_str().unwrap().to_owned()
    };
    assert_eq!(version(None).await, "1");
    assert_eq!(version(None).await, "1");
    assert_eq!(version(Some(other.path())).await, "2");
    assert_eq!(version(Some(other.path())).await, "2");
}
