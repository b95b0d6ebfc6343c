//! <https://hl7.org/fhir/R4/http.html#delete>, `#cdelete`

use crate::support::{Server, example};

crate::on_both_stores!(
    what_is_deleted_is_gone,
    deleting_again_and_deleting_nothing_succeed,
    a_delete_stays_in_the_history,
    a_stale_delete_is_refused,
    a_conditional_delete_takes_one,
    prefer_can_ask_for_an_outcome,
);

async fn what_is_deleted_is_gone(server: Server) {
    let path = server.create(&example::identified("1")).await.path();
    let reply = server.call("DELETE", &path).expect(204).await;
    assert_eq!(reply.text, "");
    server.get(&path).expect(410).await;
    assert_eq!(server.count("/Patient").await, 0);
    assert_eq!(server.count("/Patient?identifier=1").await, 0);
}

async fn deleting_again_and_deleting_nothing_succeed(server: Server) {
    let path = server.create(&example::patient("A")).await.path();
    server.call("DELETE", &path).expect(204).await;
    server.call("DELETE", &path).expect(204).await;
    server.call("DELETE", "/Patient/nobody").expect(204).await;
    server.get("/Patient/nobody").expect(404).await;
    // The second one changed nothing.
    let history = server.get(&format!("{path}/_history")).expect(200).await;
    assert_eq!(history.json()["entry"].as_array().unwrap().len(), 2);
    server.call("DELETE", "/Patinet/1").expect(404).await;
}

async fn a_delete_stays_in_the_history(server: Server) {
    let path = server.create(&example::patient("A")).await.path();
    server.call("DELETE", &path).expect(204).await;
    let history = server.get(&format!("{path}/_history")).expect(200).await;
    let entry = &history.json()["entry"][0];
    assert_eq!(entry["request"]["method"], "DELETE");
    assert!(entry["resource"].is_null());
}

async fn a_stale_delete_is_refused(server: Server) {
    let made = server.create(&example::patient("A")).await;
    let delete = |tag: &str| server.call("DELETE", &made.path()).header("If-Match", tag);
    let reply = delete("W/\"2\"").expect(412).await;
    assert!(reply.diagnostics().contains("W/\"1\""));
    delete("W/\"1\"").expect(204).await;
}

async fn a_conditional_delete_takes_one(server: Server) {
    let one = server.create(&example::identified("1")).await;
    server.create(&example::identified("2")).await;
    server.create(&example::identified("2")).await;
    let delete = |query: &str| server.call("DELETE", &format!("/Patient{query}"));
    delete("?identifier=1").expect(204).await;
    server.get(&one.path()).expect(410).await;
    delete("?identifier=1").expect(204).await;
    let reply = delete("?identifier=2").expect(412).await;
    assert_eq!(reply.code(), "multiple-matches");
    assert_eq!(server.count("/Patient").await, 2);
    let reply = delete("").expect(400).await;
    assert!(reply.diagnostics().contains("match everything"));
    delete("?nmae=x").expect(400).await;
    assert_eq!(server.count("/Patient").await, 2);
}

async fn prefer_can_ask_for_an_outcome(server: Server) {
    let path = server.create(&example::patient("A")).await.path();
    let delete = server.call("DELETE", &path);
    let delete = delete.header("Prefer", "return=OperationOutcome");
    let reply = delete.expect(200).await;
    assert_eq!(reply.json()["resourceType"], "OperationOutcome");
    assert_eq!(reply.json()["issue"][0]["severity"], "information");
}
