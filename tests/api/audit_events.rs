//! AuditEvents: made of the trail's records, valid, searchable, and nobody's to write.
//! <https://profiles.ihe.net/ITI/BALP/>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use unloop::fhir::definitions::r4;
use unloop::fhir::validate;
use unloop::store::{AuditRow, Commit};

use crate::on_both_stores;
use crate::support::Server;

on_both_stores!(
    accesses_become_audit_events,
    each_access_becomes_one_event_once,
    patients_are_found_however_they_were_met,
    nobody_writes_audit_events,
    a_search_behind_a_burst_does_its_share_and_misses_nothing,
);

fn patient(id: &str) -> Value {
    json!({"resourceType": "Patient", "id": id})
}

fn weight(id: &str, patient: &str) -> Value {
    json!({
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"text": "weight"},
        "subject": {"reference": format!("Patient/{patient}")},
    })
}

/// What a search for AuditEvents finds, oldest first; all of it is valid.
async fn found(server: &Server, query: &str) -> Vec<Value> {
    let page = server.get(&format!("/AuditEvent?_count=1000&_sort=date&{query}"));
    let page = page.expect(200).await.json();
    let entries = page["entry"].as_array().cloned().unwrap_or_default();
    let events: Vec<Value> = entries
        .iter()
        .map(|entry| entry["resource"].clone())
        .collect();
    for event in &events {
        let issues = validate::check(r4(), event.as_object().unwrap());
        assert!(issues.is_empty(), "{issues:?} {event:#}");
    }
    events
}

fn entities<'e>(event: &'e Value, role: &str) -> Vec<&'e Value> {
    let entities = event["entity"].as_array().into_iter().flatten();
    entities
        .filter(|entity| entity["role"]["code"] == role)
        .collect()
}

fn profile(name: &str) -> Value {
    let base = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.";
    json!([format!("{base}{name}")])
}

async fn accesses_become_audit_events(server: Server) {
    server.put(&patient("p1")).await;
    server.put(&weight("o1", "p1")).await;
    server
        .get("/Observation/o1")
        .header("X-Request-Id", "r1")
        .expect(200)
        .await;
    server
        .get("/Observation?patient=p1&code:text=wei")
        .expect(200)
        .await;
    server.get("/Observation/nobody").expect(404).await;
    server.call("DELETE", "/Observation/o1").expect(204).await;

    let reads = found(&server, "subtype=read&outcome=0").await;
    let read = &reads[0];
    assert_eq!(read["meta"]["profile"], profile("PatientRead"));
    assert_eq!(
        (&read["action"], &read["type"]["code"]),
        (&json!("R"), &json!("rest"))
    );
    assert_eq!(
        entities(read, "4")[0]["what"]["reference"],
        "Observation/o1/_history/1"
    );
    assert_eq!(entities(read, "1")[0]["what"]["reference"], "Patient/p1");
    let agents = read["agent"].as_array().unwrap();
    let roles = |n: usize| agents[n]["type"]["coding"][0]["code"].as_str().unwrap();
    assert_eq!((roles(0), roles(1)), ("110152", "110153"));
    assert_eq!(
        agents[0]["network"],
        json!({"address": "127.0.0.1", "type": "2"})
    );
    assert_eq!(
        agents
            .iter()
            .filter(|agent| agent["requestor"] == true)
            .count(),
        1
    );
    let request = read["entity"].as_array().unwrap().last().unwrap();
    assert_eq!(request["type"]["code"], "XrequestId");
    assert_eq!(request["what"]["identifier"]["value"], "r1");

    let searches = found(&server, "subtype=search-type&entity=Patient/p1").await;
    let search = &searches[0];
    assert_eq!(search["meta"]["profile"], profile("PatientQuery"));
    let query = entities(search, "24")[0]["query"].as_str().unwrap();
    let query = String::from_utf8(STANDARD.decode(query).unwrap()).unwrap();
    assert_eq!(query, "GET Observation?patient=p1&code:text=wei");

    let refused = found(&server, "subtype=read&outcome=4").await;
    assert_eq!(refused[0]["outcomeDesc"], "HTTP status 404");
    assert_eq!(
        entities(&refused[0], "4")[0]["what"]["reference"],
        "Observation/nobody"
    );
    // The profile of a delete has no place for the token, which is named here.
    let deleted = found(&server, "action=D&patient=Patient/p1").await;
    assert_eq!(deleted[0]["action"], "D");
    assert_eq!(deleted[0]["meta"].get("profile"), None);
    assert_eq!(found(&server, "action=C,U&patient=p1").await.len(), 2);
}

async fn each_access_becomes_one_event_once(server: Server) {
    for n in 0..30 {
        server.get(&format!("/Patient/{n}")).expect(404).await;
    }
    // Many who ask at once find all of it, none of it twice.
    let all = (0..8).map(|_| found(&server, "subtype=read"));
    for events in futures_util::future::join_all(all).await {
        assert_eq!(events.len(), 30);
    }
    let history = server
        .get("/AuditEvent/_history?_count=1000")
        .expect(200)
        .await;
    let versions = history.json()["entry"].as_array().unwrap().clone();
    assert!(
        versions
            .iter()
            .all(|entry| entry["resource"]["meta"]["versionId"] == "1")
    );
    // The searches above were accesses too.
    assert_eq!(found(&server, "subtype=search-type").await.len(), 8);
}

async fn patients_are_found_however_they_were_met(server: Server) {
    for id in ["p1", "p2", "p3"] {
        server.put(&patient(id)).await;
        server.put(&weight(&format!("o-{id}"), id)).await;
    }
    // o-p3 becomes p2's: whoever reads the past meets p3 all the same.
    server.put(&weight("o-p3", "p2")).await;
    let accesses = [
        (
            "/Observation?_id=o-p1,o-p2",
            "search-type",
            vec!["p1", "p2"],
        ),
        ("/Observation/o-p3/_history/1", "vread", vec!["p3"]),
        (
            "/Observation/o-p3/_history",
            "history-instance",
            vec!["p2", "p3"],
        ),
        ("/Patient/p1/$everything", "operation", vec!["p1"]),
        ("/Patient/p1/Condition", "search", vec!["p1"]),
        ("/Patient?_summary=count", "search-type", vec![]),
        (
            "/Observation?subject=Patient/p2&status=unknown",
            "search-type",
            vec!["p2"],
        ),
    ];
    for (address, subtype, expected) in accesses {
        server.get(address).expect(200).await;
        let events = found(&server, &format!("subtype={subtype}")).await;
        let of_searches = |event: &&Value| {
            let queries = entities(event, "24");
            let text = queries
                .first()
                .map(|query| query["query"].as_str().unwrap());
            let text = text.map(|text| String::from_utf8(STANDARD.decode(text).unwrap()).unwrap());
            text.is_none_or(|text| text == format!("GET {}", &address[1..]))
        };
        let event = events.iter().rfind(of_searches).unwrap();
        let mut patients: Vec<&str> = entities(event, "1")
            .into_iter()
            .map(|entity| entity["what"]["reference"].as_str().unwrap())
            .collect();
        patients.sort_unstable();
        let expected: Vec<String> = expected.iter().map(|id| format!("Patient/{id}")).collect();
        assert_eq!(patients, expected, "{address}");
    }
}

async fn nobody_writes_audit_events(server: Server) {
    server.get("/Patient/x").expect(404).await;
    let events = found(&server, "").await;
    let id = events[0]["id"].as_str().unwrap();
    let address = format!("/AuditEvent/{id}");
    let mut changed = events[0].clone();
    changed["outcome"] = json!("0");
    for (method, address) in [
        ("POST", "/AuditEvent".to_owned()),
        ("PUT", address.clone()),
        ("PUT", "/AuditEvent?outcome=4".to_owned()),
        ("DELETE", address.clone()),
        ("DELETE", "/AuditEvent?outcome=4".to_owned()),
    ] {
        let refused = server
            .call(method, &address)
            .resource(&changed)
            .expect(405)
            .await;
        assert!(refused.diagnostics().contains("AuditEvent"));
    }
    let patch = json!([{"op": "replace", "path": "/outcome", "value": "0"}]);
    server
        .call("PATCH", &address)
        .patch(&patch)
        .expect(405)
        .await;

    let entry = |method: &str, url: &str| {
        json!({
            "resource": changed.clone(),
            "request": {"method": method, "url": url},
        })
    };
    let mut unless = entry("POST", "AuditEvent");
    unless["request"]["ifNoneExist"] = json!("outcome=8");
    let patching = json!({
        "resource": {"resourceType": "Binary", "contentType": "application/json-patch+json",
            "data": STANDARD.encode(patch.to_string())},
        "request": {"method": "PATCH", "url": &address[1..]},
    });
    for entry in [
        entry("POST", "AuditEvent"),
        entry("PUT", &address[1..]),
        entry("PUT", "AuditEvent?outcome=4"),
        entry("PUT", "AuditEvent/of-my-own"),
        entry("DELETE", &address[1..]),
        entry("DELETE", "AuditEvent?outcome=4"),
        unless,
        patching,
    ] {
        let batch = server
            .bundle("batch", std::slice::from_ref(&entry))
            .await
            .json();
        let status = batch["entry"][0]["response"]["status"].as_str().unwrap();
        assert!(status.starts_with("405"), "{status}");
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
        server.call("POST", "").resource(&bundle).expect(405).await;
    }
    server.get("/AuditEvent/of-my-own").expect(404).await;
    // What stands beside it in a transaction goes with it.
    let beside = json!({"resource": patient("beside"), "request": {"method": "PUT", "url": "Patient/beside"}});
    for entries in [
        [beside.clone(), entry("POST", "AuditEvent")],
        [entry("PUT", "AuditEvent/of-my-own"), beside.clone()],
    ] {
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
        server.call("POST", "").resource(&bundle).expect(405).await;
        server.get("/Patient/beside").expect(404).await;
    }
    let now = server.get(&address).expect(200).await.json();
    assert_eq!(
        (&now["outcome"], &now["meta"]["versionId"]),
        (&json!("4"), &json!("1"))
    );
}

async fn a_search_behind_a_burst_does_its_share_and_misses_nothing(server: Server) {
    let row = |n: usize| AuditRow {
        record: format!(r#"{{"do":"read","status":404,"who":{{}},"base":"b","sent":"GET {n}"}}"#),
    };
    let burst = Commit {
        audit: (0..2_300).map(row).collect(),
        ..Commit::default()
    };
    server.store.commit(burst).await.unwrap();
    let mut refused = 0;
    let found = loop {
        let reply = server
            .get("/AuditEvent?outcome=4&_summary=count")
            .send()
            .await;
        if reply.status != 503 {
            break reply;
        }
        refused += 1;
        assert!(refused < 10, "each does a share of it");
        assert_eq!(reply.header("Retry-After"), "1");
        assert_eq!(reply.json()["issue"][0]["code"], "transient");
    };
    assert_eq!(refused, 2, "1000, 1000, and the rest");
    // Those that were refused are accesses too.
    assert_eq!(found.json()["total"], 2_300, "{}", found.text);
    let log = server
        .get("/AuditEvent?outcome=8&_summary=count")
        .expect(200)
        .await;
    assert_eq!(log.json()["total"], 2, "{}", log.text);
}
