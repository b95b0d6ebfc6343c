//! transaction. <https://hl7.org/fhir/R4/http.html#trules>

use serde_json::{Value, json};

use crate::support::{Reply, Server, example};
use example::{bundle, entry, posted};

crate::on_both_stores!(
    all_or_nothing,
    a_transaction_goes_delete_post_put_get,
    conditional_entries_count_as_what_they_match,
    one_identity_is_written_once,
    prefer_decides_on_the_contents,
    five_thousand_entries_work,
    an_empty_transaction_is_answered,
    a_stale_entry_stops_all,
);

/// Refused, and nothing was written.
async fn refused(server: &Server, entries: &[Value], status: u16, index: usize) -> Reply {
    let before = server.get("/_history?_count=1000").expect(200).await;
    let before = before.json()["entry"].clone();
    let call = server
        .call("POST", "")
        .resource(&bundle("transaction", entries));
    let reply = call.expect(status).await;
    let place = reply.json()["issue"][0]["expression"][0]
        .as_str()
        .unwrap_or("")
        .to_owned();
    let named = format!("Bundle.entry[{index}]");
    assert!(place.starts_with(&named), "{named}: {}", reply.text);
    let after = server.get("/_history?_count=1000").expect(200).await;
    assert_eq!(after.json()["entry"], before);
    reply
}

async fn all_or_nothing(server: Server) {
    let good = || entry("POST", "Patient", Some(example::patient("A")));
    for (bad, status) in [
        (
            entry(
                "POST",
                "Patient",
                Some(json!({"resourceType": "Observation"})),
            ),
            400,
        ),
        (entry("POST", "Patinet", Some(example::patient("B"))), 404),
        (entry("PUT", "Patient/p", Some(example::patient("B"))), 400),
        (entry("POST", "Patient", None), 400),
        (entry("PATCH", "Patient/nobody", None), 415),
        (entry("DELETE", "Patient", None), 400),
        (
            entry("PUT", "Patient?nmae=x", Some(example::patient("B"))),
            400,
        ),
        (entry("POST", "", Some(bundle("batch", &[]))), 400),
        (json!({"resource": {"resourceType": "Patient"}}), 400),
        (json!(7), 400),
        (json!({"request": {"method": "POST"}}), 400),
        (
            json!({"request": {"method": "POST", "url": "Patient"}, "resource": 7}),
            400,
        ),
    ] {
        refused(&server, &[good(), good(), bad, good()], status, 2).await;
    }
    assert_eq!(server.count("/Patient").await, 0);
    let reply = server
        .bundle("transaction", &[good(), good(), good()])
        .await;
    assert_eq!(reply.json()["type"], "transaction-response");
    assert_eq!(server.count("/Patient").await, 3);
    crate::snapshot("transaction", &reply);
}

async fn a_transaction_goes_delete_post_put_get(server: Server) {
    for id in ["gone", "kept"] {
        let mut patient = example::identified(id);
        patient["id"] = id.into();
        server.put(&patient).await;
    }
    let mut kept = example::identified("kept");
    kept["id"] = "kept".into();
    kept["gender"] = "other".into();
    let entries = [
        entry("GET", "Patient?_sort=_lastUpdated", None),
        entry("PUT", "Patient/kept", Some(kept)),
        entry("POST", "Patient", Some(example::identified("new"))),
        entry("DELETE", "Patient/gone", None),
        entry("GET", "Patient/kept", None),
    ];
    // B9: a read that cannot be answered refuses the whole transaction.
    let mut with_gone = entries.to_vec();
    with_gone.push(entry("GET", "Patient/gone", None));
    let refused = server.call("POST", "").resource(&json!({
        "resourceType": "Bundle", "type": "transaction", "entry": with_gone}));
    let refused = refused.expect(410).await.json();
    assert_eq!(refused["issue"][0]["expression"][0], "Bundle.entry[5]");
    server.get("/Patient/gone").expect(200).await;
    let reply = server.bundle("transaction", &entries).await.json();
    let entries = reply["entry"].as_array().unwrap();
    let status =
        |index: usize| entries[index]["response"]["status"].as_str().unwrap()[..3].to_owned();
    let statuses: Vec<String> = (0..5).map(status).collect();
    // Answers stand in the order of the bundle, reads see what was written.
    assert_eq!(statuses, ["200", "200", "201", "204", "200"]);
    assert_eq!(entries[0]["resource"]["total"], 2);
    assert_eq!(entries[4]["resource"]["gender"], "other");
    assert_eq!(entries[4]["resource"]["meta"]["versionId"], "2");
}

async fn conditional_entries_count_as_what_they_match(server: Server) {
    for id in ["a", "b", "c"] {
        let mut patient = example::identified(id);
        patient["id"] = id.into();
        server.put(&patient).await;
    }
    let create = |number: &str| {
        let mut entry = entry("POST", "Patient", Some(example::identified(number)));
        entry["request"]["ifNoneExist"] = format!("identifier={number}").into();
        entry
    };
    let entries = [
        create("a"),
        create("new"),
        entry(
            "PUT",
            "Patient?identifier=b",
            Some(example::identified("b")),
        ),
        entry(
            "PUT",
            "Patient?identifier=other",
            Some(example::identified("other")),
        ),
        entry("DELETE", "Patient?identifier=c", None),
        entry("DELETE", "Patient?identifier=nobody", None),
    ];
    let reply = server.bundle("transaction", &entries).await.json();
    let status = |index: usize| {
        reply["entry"][index]["response"]["status"]
            .as_str()
            .unwrap()[..3]
            .to_owned()
    };
    let statuses: Vec<String> = (0..6).map(status).collect();
    assert_eq!(statuses, ["200", "201", "200", "201", "204", "204"]);
    let location = reply["entry"][0]["response"]["location"].as_str().unwrap();
    assert!(location.ends_with("/Patient/a/_history/1"));
    server.get("/Patient/c").expect(410).await;
    assert_eq!(server.count("/Patient").await, 4);

    let mut twin = example::identified("a");
    twin["id"] = "twin".into();
    server.put(&twin).await;
    let reply = refused(&server, &[create("new2"), create("a")], 412, 1).await;
    assert_eq!(reply.code(), "multiple-matches");
    let put = entry(
        "PUT",
        "Patient?identifier=a",
        Some(example::identified("a")),
    );
    refused(&server, &[create("new2"), put], 412, 1).await;
    let delete = entry("DELETE", "Patient?identifier=a", None);
    refused(&server, &[delete], 412, 0).await;
}

async fn one_identity_is_written_once(server: Server) {
    let mut patient = example::identified("1");
    patient["id"] = "p".into();
    server.put(&patient).await;
    let put = || entry("PUT", "Patient/p", Some(patient.clone()));
    let by_condition = || {
        let content = Some(example::identified("1"));
        entry("PUT", "Patient?identifier=1", content)
    };
    let delete = || entry("DELETE", "Patient/p", None);
    let fresh = |url: &str| entry("PUT", url, Some(example::identified("2")));
    for twice in [
        [put(), put()],
        [put(), delete()],
        [put(), by_condition()],
        [by_condition(), delete()],
        [delete(), entry("DELETE", "Patient?identifier=1", None)],
        [fresh("Patient?identifier=2"), fresh("Patient?identifier=2")],
    ] {
        let reply = refused(&server, &twice, 400, 1).await;
        assert!(
            reply.diagnostics().contains("nother entry"),
            "{}",
            reply.text
        );
    }
    let create = || {
        let mut entry = entry("POST", "Patient", Some(example::identified("3")));
        entry["request"]["ifNoneExist"] = "identifier=3".into();
        entry
    };
    refused(&server, &[create(), create()], 400, 1).await;
    let url = "urn:uuid:0b5c1c3e-6a0f-4a53-8c39-0d3c1b3f5a01";
    let same = || posted(url, example::patient("A"));
    let reply = refused(&server, &[same(), same()], 400, 1).await;
    assert!(reply.diagnostics().contains("fullUrl"), "{}", reply.text);
}

async fn prefer_decides_on_the_contents(server: Server) {
    let entries = [entry("POST", "Patient", Some(example::patient("A")))];
    let send = |prefer: &str| {
        let call = server.call("POST", "").header("Prefer", prefer);
        call.resource(&bundle("transaction", &entries)).expect(200)
    };
    let entry = |reply: Reply| reply.json()["entry"][0].clone();
    let minimal = entry(send("return=minimal").await);
    assert!(minimal["resource"].is_null() && minimal["response"]["outcome"].is_null());
    let whole = entry(send("return=representation").await);
    assert_eq!(whole["resource"]["resourceType"], "Patient");
    let outcome = entry(send("return=OperationOutcome").await);
    assert_eq!(
        outcome["response"]["outcome"]["resourceType"],
        "OperationOutcome"
    );
}

async fn five_thousand_entries_work(server: Server) {
    let patient = "urn:uuid:0b5c1c3e-6a0f-4a53-8c39-0d3c1b3f5a01";
    let mut entries = vec![posted(patient, example::identified("1"))];
    for number in 1..5000 {
        let time = format!("2026-01-01T{:02}:{:02}:00Z", number / 60 % 24, number % 60);
        let url = format!("urn:uuid:00000000-0000-4000-8000-{number:012}");
        entries.push(posted(&url, example::observation(patient, &time)));
    }
    let call = server.call("POST", "").header("Prefer", "return=minimal");
    let call = call.resource(&bundle("transaction", &entries));
    let reply = call.expect(200).await.json();
    assert_eq!(reply["entry"].as_array().unwrap().len(), 5000);
    let location = reply["entry"][0]["response"]["location"].as_str().unwrap();
    let patient = location.split('/').rev().nth(2).unwrap();
    let path = format!("/Observation?subject=Patient/{patient}");
    assert_eq!(server.count(&path).await, 4999);
    let reads = vec![entry("GET", &format!("Patient/{patient}"), None); 5000];
    let reply = server.bundle("batch", &reads).await.json();
    assert_eq!(reply["entry"].as_array().unwrap().len(), 5000);
}

async fn an_empty_transaction_is_answered(server: Server) {
    let reply = server.bundle("transaction", &[]).await;
    assert!(reply.json()["entry"].is_null());
    assert!(server.get("/_history").expect(200).await.json()["entry"].is_null());
}

async fn a_stale_entry_stops_all(server: Server) {
    let mut patient = example::patient("A");
    patient["id"] = "p".into();
    server.put(&patient).await;
    let mut put = entry("PUT", "Patient/p", Some(patient));
    put["request"]["ifMatch"] = "W/\"7\"".into();
    let post = || entry("POST", "Patient", Some(example::patient("B")));
    let reply = refused(&server, &[post(), put, post()], 412, 1).await;
    assert!(reply.diagnostics().contains("W/\"1\""), "{}", reply.text);
    let mut delete = entry("DELETE", "Patient/p", None);
    delete["request"]["ifMatch"] = "W/\"7\"".into();
    refused(&server, &[post(), post(), delete], 412, 2).await;
}
