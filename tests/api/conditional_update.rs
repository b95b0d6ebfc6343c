//! <https://hl7.org/fhir/R4/http.html#cond-update>: its five cases, and more.

use serde_json::Value;

use crate::support::{Reply, Server, example};

crate::on_both_stores!(
    no_match_and_no_id_creates,
    no_match_and_an_id_creates_under_it,
    one_match_is_updated,
    one_match_with_another_id_is_refused,
    many_matches_are_refused,
    a_condition_must_be_one,
    if_match_counts_too,
);

async fn update(server: &Server, content: &Value, status: u16) -> Reply {
    let path = format!("/Patient?identifier={}|1", example::MRN);
    let call = server.call("PUT", &path).resource(content);
    call.expect(status).await
}

async fn no_match_and_no_id_creates(server: Server) {
    let reply = update(&server, &example::identified("1"), 201).await;
    assert_eq!(reply.header("ETag"), "W/\"1\"");
    assert!(
        reply
            .header("Location")
            .ends_with(&format!("{}/_history/1", reply.path()))
    );
    server.get(&reply.path()).expect(200).await;
}

async fn no_match_and_an_id_creates_under_it(server: Server) {
    let mut patient = example::identified("1");
    patient["id"] = "mine".into();
    let reply = update(&server, &patient, 201).await;
    assert_eq!(reply.id(), "mine");
    // An id that another resource has is not taken from it.
    let mut other = example::identified("2");
    other["id"] = "other".into();
    server.put(&other).await;
    server.call("DELETE", "/Patient/mine").expect(204).await;
    other["identifier"][0]["value"] = "1".into();
    let reply = update(&server, &other, 409).await;
    assert!(reply.diagnostics().contains("in use"), "{}", reply.text);
    // What was deleted comes back.
    let reply = update(&server, &patient, 201).await;
    assert_eq!(reply.header("ETag"), "W/\"3\"");
}

async fn one_match_is_updated(server: Server) {
    let made = server.create(&example::identified("1")).await;
    let mut patient = example::identified("1");
    patient["gender"] = "other".into();
    let reply = update(&server, &patient, 200).await;
    assert_eq!(reply.id(), made.id());
    assert_eq!(reply.json()["meta"]["versionId"], "2");
    assert_eq!(reply.json()["gender"], "other");
    patient["id"] = made.id().into();
    let reply = update(&server, &patient, 200).await;
    assert_eq!(reply.json()["meta"]["versionId"], "3");
    assert_eq!(server.count("/Patient").await, 1);
}

async fn one_match_with_another_id_is_refused(server: Server) {
    let made = server.create(&example::identified("1")).await;
    let mut patient = example::identified("1");
    patient["id"] = "other".into();
    let reply = update(&server, &patient, 400).await;
    assert!(reply.diagnostics().contains("another id"));
    assert_eq!(reply.json()["issue"][0]["expression"][0], "Patient.id");
    let read = server.get(&made.path()).expect(200).await;
    assert_eq!(read.text, made.text);
}

async fn many_matches_are_refused(server: Server) {
    server.create(&example::identified("1")).await;
    server.create(&example::identified("1")).await;
    let reply = update(&server, &example::identified("1"), 412).await;
    assert_eq!(reply.code(), "multiple-matches");
    assert!(reply.diagnostics().contains("more specific"), "the remedy");
}

async fn a_condition_must_be_one(server: Server) {
    for (path, says) in [
        ("/Patient", "no search parameter"),
        ("/Patient?_format=json", "no search parameter"),
        ("/Patient?nmae=x", "`nmae`"),
    ] {
        let call = server.call("PUT", path).resource(&example::patient("A"));
        let reply = call.expect(400).await;
        assert!(reply.diagnostics().contains(says), "{}", reply.text);
    }
    let url = "/Observation?identifier=1";
    let call = server.call("PUT", url).resource(&example::patient("A"));
    call.expect(400).await;
}

async fn if_match_counts_too(server: Server) {
    server.create(&example::identified("1")).await;
    let path = format!("/Patient?identifier={}|1", example::MRN);
    for (tag, status) in [("W/\"1\"", 200), ("W/\"1\"", 412), ("W/\"2\"", 200)] {
        let call = server.call("PUT", &path).header("If-Match", tag);
        call.resource(&example::identified("1"))
            .expect(status)
            .await;
    }
    let call = server.call("PUT", "/Patient?identifier=none");
    let call = call.header("If-Match", "W/\"1\"");
    call.resource(&example::identified("2")).expect(412).await;
}
