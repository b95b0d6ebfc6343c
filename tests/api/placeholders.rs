//! References that only a transaction can resolve are stored by nobody: a record that names its
//! patient by a condition or a placeholder would be found by no search for that patient.
//! <https://hl7.org/fhir/R4/http.html#trules>

use serde_json::{Value, json};

use crate::support::{Server, example};

crate::on_both_stores!(
    conditional_references_are_resolved_or_refused,
    entries_of_a_batch_do_not_know_of_each_other,
    a_transaction_has_whom_its_placeholders_mean,
);

const ONE: &str = "urn:uuid:0b5c1c3e-6a0f-4a53-8c39-0d3c1b3f5a01";
const OTHER: &str = "urn:uuid:0b5c1c3e-6a0f-4a53-8c39-0d3c1b3f5a02";
const CONDITION: &str = "Patient?identifier=http://h|1";

fn patient() -> Value {
    json!({"resourceType": "Patient", "identifier": [{"system": "http://h", "value": "1"}]})
}

fn observation(subject: &str) -> Value {
    let mut one = example::observation(subject, "2026-01-02");
    one.as_object_mut().unwrap().remove("id");
    one
}

async fn conditional_references_are_resolved_or_refused(server: Server) {
    server.create(&patient()).await;
    let mut named = observation(CONDITION);
    for (method, path) in [
        ("POST", "/Observation"),
        ("PUT", "/Observation?status=final"),
    ] {
        let reply = server.call(method, path).resource(&named).expect(400).await;
        assert!(
            reply.diagnostics().contains("transaction"),
            "{}",
            reply.text
        );
    }
    named["id"] = "o".into();
    server
        .call("PUT", "/Observation/o")
        .resource(&named)
        .expect(400)
        .await;
    let entry = example::entry("PUT", "Observation/o", Some(named.clone()));
    let batch = server.bundle("batch", std::slice::from_ref(&entry)).await;
    assert_eq!(
        batch.json()["entry"][0]["response"]["status"],
        "400 Bad Request"
    );

    server
        .put(&json!({"resourceType": "Basic", "id": "b", "code": {"text": "x"}}))
        .await;
    let change = json!([{"op": "add", "path": "/subject", "value": {"reference": CONDITION}}]);
    server
        .call("PATCH", "/Basic/b")
        .patch(&change)
        .expect(400)
        .await;
    assert_eq!(server.count("/Observation").await, 0);

    server.bundle("transaction", &[entry]).await;
    assert_eq!(
        server
            .count("/Observation?patient.identifier=http://h|1")
            .await,
        1
    );
}

async fn entries_of_a_batch_do_not_know_of_each_other(server: Server) {
    let batch = [
        example::posted(ONE, patient()),
        example::posted(OTHER, observation(ONE)),
    ];
    let reply = server.bundle("batch", &batch).await.json();
    assert_eq!(reply["entry"][0]["response"]["status"], "201 Created");
    assert_eq!(reply["entry"][1]["response"]["status"], "400 Bad Request");
    let text = reply["entry"][1]["response"]["outcome"].to_string();
    assert!(
        text.contains("transaction") && text.contains("Bundle.entry[1]"),
        "{text}"
    );
    assert_eq!(server.count("/Observation").await, 0);
}

async fn a_transaction_has_whom_its_placeholders_mean(server: Server) {
    let open = [
        example::posted(ONE, patient()),
        example::posted("urn:uuid:1", observation(OTHER)),
    ];
    let bundle = example::bundle("transaction", &open);
    let reply = server.call("POST", "").resource(&bundle).expect(400).await;
    assert!(reply.text.contains("Bundle.entry[1]"), "{}", reply.text);
    assert_eq!(server.count("/Patient").await, 0);
    let whole = [
        example::posted(OTHER, patient()),
        example::posted(ONE, observation(OTHER)),
    ];
    server.bundle("transaction", &whole).await;
    assert_eq!(
        server
            .count("/Observation?patient.identifier=http://h|1")
            .await,
        1
    );
}
