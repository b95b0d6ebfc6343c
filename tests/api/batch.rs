//! batch. <https://hl7.org/fhir/R4/http.html#transaction>

use base64::Engine as _;
use serde_json::{Value, json};

use crate::support::{Reply, Server, example};
use example::{bundle, entry};

crate::on_both_stores!(
    every_entry_is_judged_alone,
    entries_may_be_every_interaction,
    preconditions_stand_in_the_entries,
    a_patch_comes_in_a_binary,
    a_bundle_in_a_bundle_is_refused,
    what_is_no_batch_is_refused,
    an_empty_batch_is_answered,
    an_outcome_that_is_kept_is_a_resource,
);

fn statuses(reply: &Reply) -> Vec<String> {
    let entries = reply.json()["entry"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    entries
        .iter()
        .map(|entry| entry["response"]["status"].as_str().unwrap()[..3].to_owned())
        .collect()
}

async fn every_entry_is_judged_alone(server: Server) {
    let entries = [
        entry("POST", "Patient", Some(example::patient("A"))),
        entry("GET", "Patient/nobody", None),
        entry(
            "POST",
            "Patient",
            Some(json!({"resourceType": "Observation"})),
        ),
        entry("GET", "Patinet/1", None),
        json!({"fullUrl": "urn:x"}),
        entry("FETCH", "Patient/1", None),
        entry("GET", "Patient?nmae=x", None),
        entry("POST", "Patient", Some(example::patient("B"))),
    ];
    let reply = server.bundle("batch", &entries).await;
    assert_eq!(reply.json()["type"], "batch-response");
    assert_eq!(
        statuses(&reply),
        ["201", "404", "400", "404", "400", "400", "400", "201"]
    );
    for (index, entry) in reply.json()["entry"].as_array().unwrap().iter().enumerate() {
        let outcome = &entry["response"]["outcome"];
        if entry["response"]["status"].as_str() >= Some("400") {
            let place = outcome["issue"][0]["expression"][0].as_str().unwrap();
            assert!(
                place.starts_with(&format!("Bundle.entry[{index}]")),
                "{place}"
            );
        } else {
            assert!(outcome.is_null());
            assert!(entry["response"]["location"].is_string());
            assert_eq!(entry["response"]["etag"], "W/\"1\"");
        }
    }
    assert_eq!(server.count("/Patient").await, 2);
    crate::snapshot("batch", &reply);
}

async fn entries_may_be_every_interaction(server: Server) {
    let mut patient = example::identified("1");
    patient["id"] = "p".into();
    server.put(&patient).await;
    let absolute = format!("{}/Patient/p", server.base);
    let entries = [
        entry("GET", "Patient/p", None),
        entry("HEAD", "Patient/p", None),
        entry("GET", &absolute, None),
        entry("GET", "/Patient/p", None),
        entry("GET", "Patient/p/_history/1", None),
        entry("GET", "Patient/p/_history", None),
        entry("GET", "Patient?identifier=1", None),
        entry("GET", "metadata", None),
        entry("GET", "Patient/p/$everything", None),
        entry("DELETE", "Observation/none", None),
    ];
    let reply = server.bundle("batch", &entries).await;
    assert_eq!(
        statuses(&reply),
        [
            "200", "200", "200", "200", "200", "200", "200", "200", "200", "204"
        ]
    );
    let json = reply.json();
    assert_eq!(json["entry"][0]["resource"]["id"], "p");
    assert_eq!(json["entry"][0]["response"]["etag"], "W/\"1\"");
    assert_eq!(json["entry"][6]["resource"]["type"], "searchset");
}

async fn preconditions_stand_in_the_entries(server: Server) {
    let mut patient = example::identified("1");
    patient["id"] = "p".into();
    server.put(&patient).await;
    let conditional = |mut entry: Value, name: &str, value: &str| {
        entry["request"][name] = value.into();
        entry
    };
    let put = || entry("PUT", "Patient/p", Some(patient.clone()));
    let get = || entry("GET", "Patient/p", None);
    let post = || entry("POST", "Patient", Some(patient.clone()));
    let entries = [
        conditional(put(), "ifMatch", "W/\"7\""),
        conditional(get(), "ifNoneMatch", "W/\"1\""),
        conditional(get(), "ifModifiedSince", "2999-01-01T00:00:00Z"),
        conditional(get(), "ifModifiedSince", "soon"),
        conditional(post(), "ifNoneExist", "identifier=1"),
        entry("DELETE", "Patient?identifier=none", None),
    ];
    let reply = server.bundle("batch", &entries).await;
    assert_eq!(statuses(&reply), ["412", "304", "304", "400", "200", "204"]);
    assert_eq!(server.count("/Patient").await, 1);
}

async fn a_patch_comes_in_a_binary(server: Server) {
    let mut patient = example::patient("A");
    patient["id"] = "p".into();
    server.put(&patient).await;
    let patch = json!([{"op": "replace", "path": "/gender", "value": "other"}]);
    let binary = |media_type: &str, data: &str| json!({"resourceType": "Binary", "contentType": media_type, "data": data});
    let data = base64::prelude::BASE64_STANDARD.encode(patch.to_string());
    let media_type = "application/json-patch+json";
    let entries = [
        entry("PATCH", "Patient/p", Some(binary(media_type, &data))),
        entry(
            "PATCH",
            "Patient/p",
            Some(binary("application/json", &data)),
        ),
        entry("PATCH", "Patient/p", Some(binary(media_type, "?"))),
        entry("PATCH", "Patient/p", Some(example::patient("B"))),
        entry("PATCH", "Patient/p", None),
    ];
    let reply = server.bundle("batch", &entries).await;
    assert_eq!(statuses(&reply), ["200", "415", "400", "415", "415"]);
    let read = server.get("/Patient/p").expect(200).await.json();
    assert_eq!(read["gender"], "other");
    assert_eq!(read["meta"]["versionId"], "2");
}

async fn a_bundle_in_a_bundle_is_refused(server: Server) {
    let inner = bundle(
        "batch",
        &[entry("POST", "Patient", Some(example::patient("A")))],
    );
    for url in ["/", "?", "//"] {
        let reply = server
            .bundle("batch", &[entry("POST", url, Some(inner.clone()))])
            .await;
        assert_eq!(statuses(&reply), ["400"]);
        let text =
            reply.json()["entry"][0]["response"]["outcome"]["issue"][0]["diagnostics"].to_string();
        assert!(text.contains("one level up"), "the remedy: {text}");
    }
    assert_eq!(server.count("/Patient").await, 0);
    // A bundle may be kept as a resource.
    let reply = server
        .bundle("batch", &[entry("POST", "Bundle", Some(inner))])
        .await;
    assert_eq!(statuses(&reply), ["201"]);
}

async fn what_is_no_batch_is_refused(server: Server) {
    for (content, place) in [
        (example::patient("A"), "resourceType"),
        (bundle("searchset", &[]), "Bundle.type"),
        (json!({"resourceType": "Bundle"}), "Bundle.type"),
        (
            json!({"resourceType": "Bundle", "type": "batch", "entry": {}}),
            "Bundle.entry",
        ),
    ] {
        let reply = server.call("POST", "").resource(&content).expect(400).await;
        assert_eq!(reply.json()["issue"][0]["expression"][0], place);
    }
    server.call("POST", "").expect(400).await;
    server
        .call("PUT", "")
        .resource(&bundle("batch", &[]))
        .expect(405)
        .await;
    let many = vec![entry("GET", "Patient/1", None); 10_001];
    let call = server.call("POST", "").resource(&bundle("batch", &many));
    let reply = call.expect(413).await;
    assert!(reply.diagnostics().contains("10000"), "{}", reply.text);
}

async fn an_empty_batch_is_answered(server: Server) {
    let reply = server.bundle("batch", &[]).await;
    assert!(reply.json()["entry"].is_null());
    let empty = json!({"resourceType": "Bundle", "type": "batch", "entry": []});
    let reply = server.call("POST", "/").resource(&empty).send().await;
    assert!(reply.status < 500, "{}", reply.text);
}

async fn an_outcome_that_is_kept_is_a_resource(server: Server) {
    let content = json!({
        "resourceType": "OperationOutcome", "id": "o",
        "issue": [{"severity": "information", "code": "informational"}],
    });
    server.put(&content).await;
    let reply = server
        .bundle("batch", &[entry("GET", "OperationOutcome/o", None)])
        .await
        .json();
    assert_eq!(reply["entry"][0]["resource"]["id"], "o");
    assert!(reply["entry"][0]["response"]["outcome"].is_null());
}
