//! Issue 12, D1: no patch makes a document that grows, nests or costs without bound,
//! by any way in.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::support::{Reply, Server};

crate::on_both_stores!(
    d1_forty_copies_that_double_a_document_are_refused,
    d1_copies_that_nest_a_document_are_refused,
    d1_a_hundred_thousand_operations_are_refused,
    d1_a_fhirpath_patch_has_as_few_operations,
    d1_patches_in_bundles_have_the_same_bounds,
    d1_all_patches_of_a_bundle_share_one_bound,
    d1_a_small_patch_still_works,
);

async fn patient(server: &Server) -> String {
    let content =
        json!({"resourceType": "Patient", "name": [{"family": "Ax", "text": "x".repeat(1_000)}]});
    server
        .call("POST", "/Patient")
        .resource(&content)
        .expect(201)
        .await
        .path()
}

/// Each copies the whole list into itself: the document doubles.
fn doubling(times: usize) -> Value {
    let copy = json!({"op": "copy", "from": "/name", "path": "/name/-"});
    Value::Array(vec![copy; times])
}

fn doubling_of_items(times: usize) -> Value {
    let copy = json!({"op": "copy", "from": "/contained", "path": "/contained/0/contained"});
    let begin = json!({"op": "add", "path": "/contained",
        "value": [{"resourceType": "Basic", "contained": []}]});
    Value::Array([vec![begin], vec![copy; times]].concat())
}

async fn unchanged(server: &Server, path: &str) {
    let read = server.get(path).expect(200).await;
    assert_eq!(read.json()["meta"]["versionId"], "1");
    assert!(read.text.len() < 2_000);
}

fn is_refused(reply: &Reply) {
    assert!([413, 422].contains(&reply.status), "{}", reply.text);
    assert!(!reply.diagnostics().is_empty());
}

async fn d1_forty_copies_that_double_a_document_are_refused(server: Server) {
    let path = patient(&server).await;
    let reply = server
        .call("PATCH", &path)
        .patch(&doubling(40))
        .expect(413)
        .await;
    assert!(
        reply.diagnostics().contains("Nothing was changed"),
        "{}",
        reply.text
    );
    let by_search = format!("/Patient?_id={}", path.rsplit('/').next().unwrap());
    is_refused(
        &server
            .call("PATCH", &by_search)
            .patch(&doubling(40))
            .send()
            .await,
    );
    unchanged(&server, &path).await;
}

async fn d1_copies_that_nest_a_document_are_refused(server: Server) {
    let path = patient(&server).await;
    is_refused(
        &server
            .call("PATCH", &path)
            .patch(&doubling_of_items(200))
            .send()
            .await,
    );
    let moves: Vec<Value> = (0..500)
        .map(|n| json!({"op": "add", "path": format!("/name{}", "/0".repeat(n)), "value": [[]]}))
        .collect();
    is_refused(
        &server
            .call("PATCH", &path)
            .patch(&json!(moves))
            .send()
            .await,
    );
    unchanged(&server, &path).await;
}

async fn d1_a_hundred_thousand_operations_are_refused(server: Server) {
    let path = patient(&server).await;
    let add = json!({"op": "add", "path": "/name/0", "value": {}});
    for (times, what) in [
        (20_000, add),
        (1_001, json!({"op": "test", "path": "/id", "value": "x"})),
    ] {
        let reply = server
            .call("PATCH", &path)
            .patch(&json!(vec![what; times]))
            .expect(413)
            .await;
        assert!(reply.diagnostics().contains("Split it"), "{}", reply.text);
    }
    unchanged(&server, &path).await;
}

fn fhirpath(times: usize) -> Value {
    let part = |name: &str, value: &str| json!({"name": name, "valueString": value});
    let operation = json!({"name": "operation", "part": [
        {"name": "type", "valueCode": "add"}, part("path", "Patient"), part("name", "name"),
        {"name": "value", "valueHumanName": {"family": "y"}}]});
    json!({"resourceType": "Parameters", "parameter": vec![operation; times]})
}

async fn d1_a_fhirpath_patch_has_as_few_operations(server: Server) {
    let path = patient(&server).await;
    let send = |content: Value| server.call("PATCH", &path).resource(&content);
    is_refused(&send(fhirpath(1_001)).send().await);
    unchanged(&server, &path).await;
    send(fhirpath(20)).expect(200).await;
}

fn entry(path: &str, patch: &Value) -> Value {
    let data = BASE64_STANDARD.encode(patch.to_string());
    json!({"request": {"method": "PATCH", "url": path.trim_start_matches('/')},
        "resource": {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}})
}

async fn d1_patches_in_bundles_have_the_same_bounds(server: Server) {
    let path = patient(&server).await;
    let hostile = [
        doubling(40),
        json!(vec![json!({"op": "remove", "path": "/x"}); 2_000]),
    ];
    for patch in &hostile {
        let bundle =
            |kind| json!({"resourceType": "Bundle", "type": kind, "entry": [entry(&path, patch)]});
        is_refused(
            &server
                .call("POST", "")
                .resource(&bundle("transaction"))
                .send()
                .await,
        );
        let answered = server
            .call("POST", "")
            .resource(&bundle("batch"))
            .expect(200)
            .await;
        let status = answered.json()["entry"][0]["response"]["status"].to_string();
        assert!(status.contains("413"), "{status}");
    }
    unchanged(&server, &path).await;
}

async fn d1_all_patches_of_a_bundle_share_one_bound(server: Server) {
    let path = patient(&server).await;
    let test = json!(vec![
        json!({"op": "test", "path": "/resourceType", "value": "Patient"});
        999
    ]);
    let entries: Vec<Value> = (0..30).map(|_| entry(&path, &test)).collect();
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": entries});
    let answered = server.call("POST", "").resource(&batch).expect(200).await;
    let mut told = String::new();
    for entry in answered.json()["entry"].as_array().unwrap() {
        write!(told, "{} ", entry["response"]["outcome"]).unwrap();
    }
    assert!(told.contains("too-costly"), "{told}");
}

async fn d1_a_small_patch_still_works(server: Server) {
    let path = patient(&server).await;
    let patch = json!([
        {"op": "copy", "from": "/name/0", "path": "/name/-"},
        {"op": "move", "from": "/name/0", "path": "/name/1"},
        {"op": "replace", "path": "/name/0/family", "value": "Z"}]);
    let patched = server
        .call("PATCH", &path)
        .patch(&patch)
        .expect(200)
        .await
        .json();
    assert_eq!(patched["name"].as_array().unwrap().len(), 2);
}
