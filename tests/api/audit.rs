//! The audit trail: every access leaves a record, and none is answered without.

use serde_json::{Value, json};

use crate::on_both_stores;
use crate::support::Server;

on_both_stores!(
    every_access_leaves_one_record,
    refusals_leave_records_too,
    entries_are_recorded_one_by_one,
    what_is_no_access_is_not_recorded,
    without_the_trail_nothing_is_shown_or_written,
);

fn patient(id: &str) -> Value {
    json!({"resourceType": "Patient", "id": id, "name": [{"family": "Secret"}]})
}

fn weight(id: &str, patient: &str) -> Value {
    json!({
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"text": "secret"},
        "subject": {"reference": format!("Patient/{patient}")},
    })
}

/// What was recorded since the last look, oldest first.
pub async fn recorded(server: &Server, seen: &mut usize) -> Vec<Value> {
    let mut all = Vec::new();
    for chain in server.store.chains().await.unwrap() {
        let rows = server.store.chain(&chain.end.writer, 0, 10_000).await;
        all.extend(rows.unwrap());
    }
    let new: Vec<Value> = all[*seen..]
        .iter()
        .map(|row| serde_json::from_str(&row.record).unwrap())
        .collect();
    *seen = all.len();
    for record in &new {
        assert!(!record.to_string().contains("ecret"), "{record}");
        assert_eq!(record["who"]["address"], "127.0.0.1", "{record}");
    }
    new
}

/// `interaction type id status`
fn told(record: &Value) -> String {
    let text = |name: &str| match record[name].as_str() {
        None | Some("") => "-".to_owned(),
        Some(text) => text.to_owned(),
    };
    format!(
        "{} {} {} {}",
        text("do"),
        text("type"),
        text("id"),
        record["status"]
    )
}

async fn every_access_leaves_one_record(server: Server) {
    let mut seen = 0;
    server.put(&patient("p1")).await;
    server.put(&weight("o1", "p1")).await;
    let writes = recorded(&server, &mut seen).await;
    assert_eq!(told(&writes[0]), "update Patient p1 200");
    assert_eq!(told(&writes[1]), "update Observation o1 200");
    assert_eq!(writes[1]["written"], json!(["Observation/o1"]));
    assert_eq!(writes[1]["patients"], json!(["p1"]));
    assert_eq!(writes.len(), 2);

    let cases = [
        ("/Observation/o1", "read Observation o1 200"),
        ("/Observation/o1/_history/1", "vread Observation o1 200"),
        (
            "/Observation/o1/_history",
            "history-instance Observation o1 200",
        ),
        ("/Observation?patient=p1", "search-type Observation - 200"),
        (
            "/Patient/p1/Observation",
            "search-compartment Patient p1 200",
        ),
    ];
    for (address, expected) in cases {
        server.get(address).expect(200).await;
        let records = recorded(&server, &mut seen).await;
        assert_eq!(records.len(), 1, "{address}");
        assert_eq!(told(&records[0]), expected);
        assert_eq!(records[0]["sent"], format!("GET {}", &address[1..]));
        assert_eq!(records[0]["shown"], json!({"Observation": ["o1/1"]}));
    }
    server.get("/Patient/p1/$everything").expect(200).await;
    let records = recorded(&server, &mut seen).await;
    assert_eq!(told(&records[0]), "everything Patient p1 200");
    let both = json!({"Observation": ["o1/1"], "Patient": ["p1/1"]});
    assert_eq!(records[0]["shown"], both);

    let form = server.call("POST", "/Observation/_search");
    form.text("application/x-www-form-urlencoded", "patient=p1&_count=0")
        .header("X-Request-Id", "request 7")
        .expect(200)
        .await;
    let records = recorded(&server, &mut seen).await;
    let sent = "POST Observation/_search\npatient=p1&_count=0";
    assert_eq!(records[0]["sent"], sent);
    assert_eq!(records[0]["who"]["request"], "request 7");
    assert_eq!(records[0].get("shown"), None);

    let patched = json!([{"op": "replace", "path": "/status", "value": "amended"}]);
    server
        .call("PATCH", "/Observation/o1")
        .patch(&patched)
        .expect(200)
        .await;
    server.call("DELETE", "/Observation/o1").expect(204).await;
    let records = recorded(&server, &mut seen).await;
    let told: Vec<_> = records.iter().map(told).collect();
    assert_eq!(
        told,
        ["patch Observation o1 200", "delete Observation o1 200"]
    );
}

async fn refusals_leave_records_too(server: Server) {
    let mut seen = 0;
    let cases = [
        ("GET", "/Patient/nobody", 404, "read Patient nobody 404"),
        (
            "GET",
            "/Patient?nonsense=1",
            400,
            "search-type Patient - 400",
        ),
        ("GET", "/Nonsense/1", 404, "- - - 404"),
        ("PUT", "/Patient/1", 400, "update Patient 1 400"),
        ("PROPFIND", "/Patient/1", 405, "- - - 405"),
    ];
    for (method, address, status, expected) in cases {
        server.call(method, address).expect(status).await;
        let records = recorded(&server, &mut seen).await;
        let told: Vec<_> = records.iter().map(told).collect();
        assert_eq!(told, [expected], "{address}");
    }
}

async fn entries_are_recorded_one_by_one(server: Server) {
    let mut seen = 0;
    server.put(&patient("p1")).await;
    recorded(&server, &mut seen).await;
    let get = |url: &str| json!({"request": {"method": "GET", "url": url}});
    let put = json!({
        "resource": weight("o1", "p1"),
        "request": {"method": "PUT", "url": "Observation/o1"},
    });
    let entries = [get("Patient/p1"), get("Patient/nobody"), put.clone()];
    server.bundle("batch", &entries).await;
    let records = recorded(&server, &mut seen).await;
    let mut all: Vec<_> = records.iter().map(told).collect();
    all.sort();
    let expected = [
        "read Patient nobody 404",
        "read Patient p1 200",
        "update Observation o1 200",
    ];
    assert_eq!(all, expected);

    let conditional = json!({
        "resource": {"resourceType": "Patient"},
        "request": {"method": "PUT", "url": "Patient?identifier=x"},
    });
    let entries = [put, conditional, get("Patient/p1")];
    server.bundle("transaction", &entries).await;
    let records = recorded(&server, &mut seen).await;
    let all: Vec<_> = records.iter().map(told).collect();
    let expected = [
        "transaction - - 200",
        "search-type Patient - 201",
        "read Patient p1 200",
    ];
    assert_eq!(all, expected);
    assert_eq!(records[0]["written"].as_array().unwrap().len(), 2);
    assert_eq!(records[1]["sent"], "PUT Patient?identifier=x");

    let refused = json!({
        "resource": weight("o1", "p1"),
        "request": {"method": "PUT", "url": "Observation/o1", "ifMatch": "W/\"9\""},
    });
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [refused]});
    server.call("POST", "").resource(&bundle).expect(412).await;
    let records = recorded(&server, &mut seen).await;
    assert_eq!(told(&records[0]), "transaction - - 412");
    assert_eq!(records[0]["sent"], "POST \nPUT Observation/o1");
}

async fn what_is_no_access_is_not_recorded(server: Server) {
    server.get("/metadata").expect(200).await;
    let host = server.base.trim_end_matches("/fhir");
    for address in ["/health/live", "/health/ready", "/openapi.json"] {
        server.get(&format!("{host}{address}")).expect(200).await;
    }
    assert_eq!(recorded(&server, &mut 0).await, Vec::<Value>::new());
}

async fn without_the_trail_nothing_is_shown_or_written(server: Server) {
    server.put(&patient("p1")).await;
    server
        .execute("ALTER TABLE audit RENAME TO elsewhere")
        .await;
    for address in [
        "/Patient/p1",
        "/Patient",
        "/Patient/p1/_history",
        "/Patient/nobody",
    ] {
        let refused = server.get(address).expect(503).await;
        assert!(!refused.text.contains("Secret"), "{}", refused.text);
    }
    let write = server.call("PUT", "/Patient/p2").resource(&patient("p2"));
    write.expect(503).await;
    server
        .execute("ALTER TABLE elsewhere RENAME TO audit")
        .await;
    server.get("/Patient/p1").expect(200).await;
    server.get("/Patient/p2").expect(404).await;
}
