//! Issue 12, D4: what costs too much says so with a 4xx and a remedy.

use serde_json::{Value, json};

use crate::support::Server;

crate::on_both_stores!(
    d4_includes_that_bring_more_than_fits_are_too_costly,
    d4_what_is_too_costly_leaves_the_service_as_it_was,
);

/// A chain of large resources: each include brings the next.
async fn chain(server: &Server, links: usize) {
    let text = "x".repeat(1 << 20);
    for number in 0..links {
        let mut content = json!({"resourceType": "Basic", "id": format!("link-{number}"), "code": {"text": text, "coding": [{"display": text}, {"display": text}]}});
        if number > 0 {
            content["subject"] = json!({"reference": format!("Basic/link-{}", number - 1)});
        }
        server.put(&content).await;
    }
}

async fn d4_includes_that_bring_more_than_fits_are_too_costly(server: Server) {
    chain(&server, 30).await;
    for path in [
        "/Basic?_id=link-0&_include:iterate=*&_revinclude:iterate=*&_count=1",
        "/Basic?_id=link-29&_include:iterate=Basic:subject",
    ] {
        let reply = server.get(path).expect(422).await;
        assert_eq!(reply.code(), "too-costly", "{path}");
        assert!(!reply.diagnostics().is_empty());
    }
}

async fn d4_what_is_too_costly_leaves_the_service_as_it_was(server: Server) {
    chain(&server, 30).await;
    let path = "/Basic?_id=link-0&_include:iterate=*&_revinclude:iterate=*&_count=1";
    for _ in 0..6 {
        server.get(path).expect(422).await;
    }
    let read: Value = server.get("/Basic/link-0").expect(200).await.json();
    assert_eq!(read["id"], "link-0");
    server.get("/Basic?_count=1").expect(200).await;
}
