//! <https://hl7.org/fhir/R4/http.html#update>, `#upsert`, `#concurrency`

use serde_json::json;

use crate::support::{Server, example};

crate::on_both_stores!(
    an_update_makes_a_new_version,
    an_update_of_nothing_creates_under_that_id,
    the_id_is_in_the_content_too,
    a_stale_if_match_is_refused,
    if_none_match_keeps_what_is_there,
    an_update_brings_back_what_was_deleted,
    the_versions_count_on,
    prefer_decides_on_the_content,
);

async fn an_update_makes_a_new_version(server: Server) {
    let made = server.create(&example::patient("Old")).await;
    let mut content = made.json();
    content["name"][0]["family"] = "New".into();
    let update = server.call("PUT", &made.path()).resource(&content);
    let reply = update.expect(200).await;
    assert_eq!(reply.header("ETag"), "W/\"2\"");
    assert!(reply.headers.contains_key("Last-Modified"));
    assert_eq!(reply.json()["meta"]["versionId"], "2");
    assert_eq!(reply.json()["name"][0]["family"], "New");
    let read = server.get(&made.path()).expect(200).await;
    assert_eq!(read.text, reply.text);
    let updated = |json: &serde_json::Value| json["meta"]["lastUpdated"].to_string();
    assert!(updated(&reply.json()) > updated(&made.json()));
}

async fn an_update_of_nothing_creates_under_that_id(server: Server) {
    let mut patient = example::patient("A");
    patient["id"] = "A-1.b".into();
    let update = server.call("PUT", "/Patient/A-1.b").resource(&patient);
    let reply = update.expect(201).await;
    assert_eq!(reply.id(), "A-1.b");
    assert_eq!(reply.header("ETag"), "W/\"1\"");
    let location = format!("{}/Patient/A-1.b/_history/1", server.base);
    assert_eq!(reply.header("Location"), location);
    // Ids are case-sensitive.
    server.get("/Patient/a-1.b").expect(404).await;
    crate::snapshot("update_as_create", &reply);
}

async fn the_id_is_in_the_content_too(server: Server) {
    let mut patient = example::patient("A");
    let update = server.call("PUT", "/Patient/p").resource(&patient);
    let reply = update.expect(400).await;
    assert!(reply.diagnostics().contains("\"id\": \"p\""), "the remedy");
    assert_eq!(reply.json()["issue"][0]["expression"][0], "Patient.id");

    patient["id"] = "q".into();
    let update = server.call("PUT", "/Patient/p").resource(&patient);
    let reply = update.expect(400).await;
    assert!(reply.diagnostics().contains("not the one in the address"));
    patient["id"] = 7.into();
    let update = server.call("PUT", "/Patient/7").resource(&patient);
    update.expect(400).await;
    patient["id"] = "a_b".into();
    let update = server.call("PUT", "/Patient/a_b").resource(&patient);
    let reply = update.expect(400).await;
    assert!(reply.diagnostics().contains("1 to 64"), "{}", reply.text);
    let mut other = example::observation("Patient/p", "2026");
    other["id"] = "p".into();
    let update = server.call("PUT", "/Patient/p").resource(&other);
    assert!(update.expect(400).await.diagnostics().contains("Patient"));
    server.get("/Patient/p").expect(404).await;
}

async fn a_stale_if_match_is_refused(server: Server) {
    let made = server.create(&example::patient("A")).await;
    let update = |tag: &str| {
        let call = server.call("PUT", &made.path()).header("If-Match", tag);
        call.resource(&made.json())
    };
    update("W/\"1\"").expect(200).await;
    let reply = update("W/\"1\"").expect(412).await;
    assert_eq!(reply.code(), "conflict");
    assert!(reply.diagnostics().contains("W/\"2\""), "the current one");
    update("\"2\"").expect(200).await;
    let reply = update("yesterday").expect(412).await;
    assert!(reply.diagnostics().contains("If-Match"));
    assert_eq!(
        server.get(&made.path()).expect(200).await.header("ETag"),
        "W/\"3\""
    );
    // Nothing there has no version.
    let mut patient = example::patient("A");
    patient["id"] = "none".into();
    let update = server.call("PUT", "/Patient/none");
    let update = update.header("If-Match", "W/\"1\"").resource(&patient);
    update.expect(412).await;
}

async fn if_none_match_keeps_what_is_there(server: Server) {
    let mut patient = example::patient("A");
    patient["id"] = "p".into();
    let update = || {
        let call = server.call("PUT", "/Patient/p");
        call.header("If-None-Match", "*").resource(&patient)
    };
    update().expect(201).await;
    assert_eq!(update().expect(412).await.code(), "conflict");
}

async fn an_update_brings_back_what_was_deleted(server: Server) {
    let made = server.create(&example::patient("A")).await;
    server.call("DELETE", &made.path()).expect(204).await;
    let update = server.call("PUT", &made.path()).resource(&made.json());
    let reply = update.expect(201).await;
    assert_eq!(reply.header("ETag"), "W/\"3\"");
    server.get(&made.path()).expect(200).await;
    assert_eq!(server.count("/Patient").await, 1);
}

async fn the_versions_count_on(server: Server) {
    let made = server.create(&example::patient("A")).await;
    for version in 2..8 {
        let update = server.call("PUT", &made.path()).resource(&made.json());
        let reply = update.expect(200).await;
        assert_eq!(reply.header("ETag"), format!("W/\"{version}\""));
    }
    // What the client says of version and time does not count.
    let mut content = made.json();
    content["meta"] = json!({"versionId": "99", "lastUpdated": "1999-01-01T00:00:00Z"});
    let update = server.call("PUT", &made.path()).resource(&content);
    assert_eq!(update.expect(200).await.json()["meta"]["versionId"], "8");
}

async fn prefer_decides_on_the_content(server: Server) {
    let made = server.create(&example::patient("A")).await;
    let update = |prefer: &str| {
        let call = server.call("PUT", &made.path()).header("Prefer", prefer);
        call.resource(&made.json()).expect(200)
    };
    let reply = update("return=minimal").await;
    assert_eq!((reply.text.as_str(), reply.header("ETag")), ("", "W/\"2\""));
    let reply = update("return=OperationOutcome").await;
    assert_eq!(reply.json()["resourceType"], "OperationOutcome");
}
