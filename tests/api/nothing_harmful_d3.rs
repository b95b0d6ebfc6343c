//! Issue 12, D3: content costs nothing before it is known that its sender may do this,
//! and little while it is read.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::support::{Call, Server};

crate::on_both_stores!(
    d3_who_may_create_nothing_is_refused_before_the_content_is_parsed,
    d3_who_may_patch_nothing_is_refused_before_the_content_is_parsed,
    d3_wide_content_is_given_up_while_it_is_read,
    d3_content_that_unpacks_beyond_the_limit_is_refused,
    d3_wide_content_is_given_up_by_every_route,
);

fn zipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn send(server: &Server, method: &str, path: &str, token: &str, body: Vec<u8>) -> Call {
    let method = method.parse().unwrap();
    let call = reqwest::Client::new().request(method, path_of(server, path));
    Call(call.bearer_auth(token).body(body))
        .header("Content-Type", "application/fhir+json")
        .header("Content-Encoding", "gzip")
}

fn path_of(server: &Server, path: &str) -> String {
    match path.is_empty() || path.starts_with("/Pat") {
        true => format!("{}{path}", server.base),
        false => server.beside(path),
    }
}

/// No JSON at all: who parses it says 400.
async fn d3_who_may_create_nothing_is_refused_before_the_content_is_parsed(server: Server) {
    let token = server.issue("system/Patient.rs").await;
    for (method, path) in [
        ("POST", "/Patient"),
        ("PUT", "/Patient/1"),
        ("PUT", "/Patient?_id=1"),
    ] {
        let reply = send(&server, method, path, &token, zipped("{{{"))
            .expect(403)
            .await;
        assert_eq!(reply.code(), "forbidden");
    }
    let other = server.issue("system/Observation.c").await;
    send(&server, "POST", "/Patient", &other, zipped("{{{"))
        .expect(403)
        .await;
    let may = server.issue("system/Patient.c").await;
    send(&server, "POST", "/Patient", &may, zipped("{{{"))
        .expect(400)
        .await;
}

async fn d3_who_may_patch_nothing_is_refused_before_the_content_is_parsed(server: Server) {
    let token = server.issue("system/Patient.crds").await;
    send(&server, "PATCH", "/Patient/1", &token, zipped("[[["))
        .expect(403)
        .await;
}

fn wide(values: usize) -> String {
    format!(
        r#"{{"resourceType":"Patient","name":[{}{{}}]}}"#,
        "{},".repeat(values)
    )
}

async fn d3_wide_content_is_given_up_while_it_is_read(server: Server) {
    let token = server.issue("system/*.cruds").await;
    let reply = send(&server, "POST", "/Patient", &token, zipped(&wide(600_000)))
        .expect(413)
        .await;
    assert!(reply.diagnostics().contains("values"), "{}", reply.text);
}

async fn d3_content_that_unpacks_beyond_the_limit_is_refused(server: Server) {
    let token = server.issue("system/*.cruds").await;
    let bomb = format!(
        r#"{{"resourceType":"Basic","id":"{}"}}"#,
        " ".repeat(64 << 20)
    );
    let reply = send(&server, "POST", "/Patient", &token, zipped(&bomb))
        .expect(413)
        .await;
    assert!(reply.diagnostics().contains("bytes"), "{}", reply.text);
}

async fn d3_wide_content_is_given_up_by_every_route(server: Server) {
    let token = server.issue("system/*.cruds").await;
    let wide = zipped(&wide(600_000));
    for path in [
        "",
        "/Patient/$validate",
        "/Patient/1/$plan-course",
        "/cds-services/ketamine-medication-check-sign",
    ] {
        let reply = send(&server, "POST", path, &token, wide.clone())
            .send()
            .await;
        assert_eq!(reply.status, 413, "{path}: {}", reply.text);
    }
    let batch = json!({"resourceType": "Bundle", "type": "batch"});
    server.call("POST", "").resource(&batch).expect(200).await;
}
