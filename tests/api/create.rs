//! <https://hl7.org/fhir/R4/http.html#create>

use serde_json::json;

use crate::support::Server;

crate::on_both_stores!(a_create_answers_201_with_location_and_etag, smoke);

async fn a_create_answers_201_with_location_and_etag(server: Server) {
    let reply = server
        .call("POST", "/Patient")
        .resource(&json!({"resourceType": "Patient", "id": "mine", "active": true}))
        .expect(201)
        .await;
    let id = reply.id();
    assert_ne!(id, "mine", "the client's id is ignored");
    assert_eq!(reply.header("ETag"), "W/\"1\"");
    assert_eq!(
        reply.header("Location"),
        format!("{}/Patient/{id}/_history/1", server.base)
    );
    assert_eq!(reply.json()["meta"]["versionId"], "1");
    let read = server.get(&format!("/Patient/{id}")).expect(200).await;
    assert_eq!(read.text, reply.text);
}

async fn smoke(server: Server) {
    for path in [
        "/metadata",
        "/Patient?name=x",
        "/Patient",
        "/?_type=Patient",
        "/_history",
        "/Observation?date=ge2020&code=a|b&_sort=-date,code&_include=Observation:subject&_revinclude=Provenance:target",
    ] {
        let r = server.get(path).send().await;
        eprintln!(
            "{path} -> {} {} {}",
            r.status,
            r.text.len(),
            &r.text[..r.text.len().min(600)]
        );
        assert_eq!(r.status, 200);
    }
}
