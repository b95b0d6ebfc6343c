//! JSON Patch. <https://hl7.org/fhir/R4/http.html#patch>

use serde_json::{Value, json};

use crate::support::{Reply, Server, example};

crate::on_both_stores!(
    every_operation_does_what_it_says,
    a_patch_is_all_or_nothing,
    a_failing_test_changes_nothing,
    identity_is_not_patched,
    what_is_no_patch_is_refused,
    the_result_must_be_r4,
    if_match_guards_a_patch,
    a_conditional_patch_takes_one,
    a_patch_of_nothing_is_not_found,
    patches_at_once_all_count,
);

async fn patch(server: &Server, path: &str, operations: Value, status: u16) -> Reply {
    let call = server.call("PATCH", path).patch(&operations);
    call.expect(status).await
}

async fn every_operation_does_what_it_says(server: Server) {
    let path = server.create(&example::patient("A")).await.path();
    let cases = [
        (
            json!([{"op": "add", "path": "/telecom", "value": [{"system": "phone", "value": "1"}]}]),
            "/telecom/0/value",
            json!("1"),
        ),
        (
            json!([{"op": "add", "path": "/telecom/-", "value": {"system": "phone", "value": "2"}}]),
            "/telecom/1/value",
            json!("2"),
        ),
        (
            json!([{"op": "add", "path": "/telecom/0", "value": {"system": "phone", "value": "0"}}]),
            "/telecom/0/value",
            json!("0"),
        ),
        (
            json!([{"op": "replace", "path": "/name/0/family", "value": "B"}]),
            "/name/0/family",
            json!("B"),
        ),
        (
            json!([{"op": "remove", "path": "/name/0/given/0"}]),
            "/name/0/given",
            json!(["James"]),
        ),
        (
            json!([{"op": "move", "from": "/telecom/0", "path": "/telecom/2"}]),
            "/telecom/2/value",
            json!("0"),
        ),
        (
            json!([{"op": "copy", "from": "/name/0", "path": "/name/-"}]),
            "/name/1/family",
            json!("B"),
        ),
        (
            json!([{"op": "test", "path": "/active", "value": true}, {"op": "replace", "path": "/active", "value": false}]),
            "/active",
            json!(false),
        ),
        (
            json!([{"op": "add", "path": "/meta/tag", "value": [{"code": "x"}]}]),
            "/meta/tag/0/code",
            json!("x"),
        ),
        (
            json!([{"op": "add", "path": "/_birthDate", "value": {"id": "b"}}]),
            "/_birthDate/id",
            json!("b"),
        ),
    ];
    for (number, (operations, pointer, value)) in cases.into_iter().enumerate() {
        let reply = patch(&server, &path, operations, 200).await;
        assert_eq!(
            reply.json().pointer(pointer),
            Some(&value),
            "{}",
            reply.text
        );
        assert_eq!(reply.header("ETag"), format!("W/\"{}\"", number + 2));
        assert_eq!(server.get(&path).expect(200).await.text, reply.text);
    }
    assert_eq!(
        server.count("/Patient?family=B").await,
        1,
        "the index follows"
    );
}

async fn a_patch_is_all_or_nothing(server: Server) {
    let made = server.create(&example::patient("A")).await;
    let operations = json!([
        {"op": "replace", "path": "/gender", "value": "other"},
        {"op": "remove", "path": "/nothing"},
    ]);
    let reply = patch(&server, &made.path(), operations, 422).await;
    assert!(reply.diagnostics().contains("Operation 1"), "the place");
    assert!(reply.diagnostics().contains("/nothing"), "the place");
    assert_eq!(server.get(&made.path()).expect(200).await.text, made.text);
    crate::snapshot("patch_refused", &reply);
}

async fn a_failing_test_changes_nothing(server: Server) {
    let made = server.create(&example::patient("A")).await;
    for (path, value) in [
        ("/gender", json!("female")),
        ("/active", json!("true")),
        ("/nope", json!(null)),
    ] {
        let operations = json!([
            {"op": "remove", "path": "/name"},
            {"op": "test", "path": path, "value": value},
        ]);
        let reply = patch(&server, &made.path(), operations, 422).await;
        assert!(reply.diagnostics().contains(path), "{}", reply.text);
    }
    assert_eq!(server.get(&made.path()).expect(200).await.text, made.text);
}

async fn identity_is_not_patched(server: Server) {
    let made = server.create(&example::patient("A")).await;
    for operation in [
        json!({"op": "replace", "path": "/id", "value": "other"}),
        json!({"op": "remove", "path": "/id"}),
        json!({"op": "replace", "path": "/resourceType", "value": "Person"}),
        json!({"op": "replace", "path": "", "value": 7}),
    ] {
        let reply = patch(&server, &made.path(), json!([operation]), 422).await;
        assert_eq!(reply.code(), "business-rule", "{}", reply.text);
    }
    for operation in [
        json!({"op": "remove", "path": "/resourceType"}),
        json!({"op": "replace", "path": "", "value": {}}),
    ] {
        let call = server
            .call("PATCH", &made.path())
            .patch(&json!([operation]));
        let reply = call.send().await;
        assert!(matches!(reply.status, 400 | 422), "{}", reply.text);
    }
    // Version and time are the service's own.
    let operation = json!({"op": "replace", "path": "/meta/versionId", "value": "9"});
    let reply = patch(&server, &made.path(), json!([operation]), 200).await;
    assert_eq!(reply.json()["meta"]["versionId"], "2");
}

async fn what_is_no_patch_is_refused(server: Server) {
    let path = server.create(&example::patient("A")).await.path();
    for content in [
        json!({}),
        json!([7]),
        json!([{"op": "add"}]),
        json!([{"op": "merge", "path": "/a"}]),
        json!([{"op": "add", "path": "a", "value": 1}]),
        json!([{"op": "add", "path": "/a"}]),
        json!([{"op": "move", "path": "/a"}]),
    ] {
        let call = server.call("PATCH", &path).patch(&content);
        let reply = call.expect(400).await;
        assert!(reply.diagnostics().contains("JSON Patch"), "{}", reply.text);
    }
    let call = server.call("PATCH", &path).resource(&example::patient("B"));
    let reply = call.expect(415).await;
    assert!(reply.diagnostics().contains("application/json-patch+json"));
    server.call("PATCH", &path).expect(415).await;
}

async fn the_result_must_be_r4(server: Server) {
    let made = server.create(&example::patient("A")).await;
    for operation in [
        json!({"op": "add", "path": "/colour", "value": "green"}),
        json!({"op": "replace", "path": "/active", "value": "yes"}),
        json!({"op": "replace", "path": "/name", "value": "A"}),
    ] {
        let call = server
            .call("PATCH", &made.path())
            .patch(&json!([operation]));
        let reply = call.send().await;
        assert!(
            matches!(reply.status, 400 | 422),
            "{operation}: {}",
            reply.text
        );
    }
    assert_eq!(server.get(&made.path()).expect(200).await.text, made.text);
}

async fn if_match_guards_a_patch(server: Server) {
    let path = server.create(&example::patient("A")).await.path();
    let operations = json!([{"op": "replace", "path": "/gender", "value": "other"}]);
    for (tag, status) in [("W/\"1\"", 200), ("W/\"1\"", 412), ("W/\"2\"", 200)] {
        let call = server.call("PATCH", &path).header("If-Match", tag);
        call.patch(&operations).expect(status).await;
    }
}

async fn a_conditional_patch_takes_one(server: Server) {
    let made = server.create(&example::identified("1")).await;
    server.create(&example::identified("2")).await;
    server.create(&example::identified("2")).await;
    let operations = json!([{"op": "replace", "path": "/gender", "value": "other"}]);
    let reply = patch(&server, "/Patient?identifier=1", operations.clone(), 200).await;
    assert_eq!(reply.id(), made.id());
    assert_eq!(reply.json()["gender"], "other");
    let reply = patch(&server, "/Patient?identifier=2", operations.clone(), 412).await;
    assert_eq!(reply.code(), "multiple-matches");
    patch(&server, "/Patient?identifier=3", operations.clone(), 404).await;
    patch(&server, "/Patient", operations, 400).await;
}

async fn a_patch_of_nothing_is_not_found(server: Server) {
    let operations = json!([{"op": "add", "path": "/active", "value": true}]);
    patch(&server, "/Patient/nobody", operations.clone(), 404).await;
    let path = server.create(&example::patient("A")).await.path();
    server.call("DELETE", &path).expect(204).await;
    patch(&server, &path, operations, 410).await;
}

/// Without If-Match a lost race is tried again, so no addition is lost.
async fn patches_at_once_all_count(server: Server) {
    let path = server.create(&example::patient("A")).await.path();
    let operations = json!([{"op": "add", "path": "/name/-", "value": {"family": "B"}}]);
    let calls = (0..8).map(|_| patch(&server, &path, operations.clone(), 200));
    futures_util::future::join_all(calls).await;
    let names = server.get(&path).expect(200).await.json()["name"].clone();
    assert_eq!(names.as_array().unwrap().len(), 9);
}
