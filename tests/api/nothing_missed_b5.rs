//! B5: polling by time. <https://hl7.org/fhir/R4/http.html#history>

use serde_json::Value;

use crate::support::{Reply, Server, example};

crate::on_both_stores!(
    a_poll_of_everything_does_not_find_the_poll_before,
    audit_events_come_where_they_are_named,
    a_history_of_everything_takes_types,
);

fn types_of(reply: &Reply) -> Vec<String> {
    let entries = reply.json()["entry"].as_array().cloned();
    let kind = |entry: &Value| {
        entry["resource"]["resourceType"]
            .as_str()
            .map(str::to_owned)
    };
    entries
        .unwrap_or_default()
        .iter()
        .filter_map(kind)
        .collect()
}

/// What is named is made first, so that all earlier accesses are AuditEvents.
async fn settled(server: &Server) {
    server.get("/AuditEvent?_count=1").expect(200).await;
}

async fn a_poll_of_everything_does_not_find_the_poll_before(server: Server) {
    server.create(&example::patient("One")).await;
    for poll in ["/_history?_since=2000", "/?_lastUpdated=gt2000"] {
        for _ in 0..3 {
            let found = server.get(poll).expect(200).await;
            assert_eq!(types_of(&found), ["Patient"], "{poll}");
            settled(&server).await;
        }
    }
}

async fn audit_events_come_where_they_are_named(server: Server) {
    server.create(&example::patient("One")).await;
    settled(&server).await;
    for named in [
        "/_history?_type=AuditEvent",
        "/AuditEvent/_history",
        "/?_type=AuditEvent",
        "/AuditEvent",
    ] {
        let found = types_of(&server.get(named).expect(200).await);
        assert!(!found.is_empty(), "{named}");
        assert!(found.iter().all(|name| name == "AuditEvent"), "{named}");
    }
    let both = server
        .get("/_history?_type=AuditEvent,Patient")
        .expect(200)
        .await;
    let both = types_of(&both);
    assert!(both.contains(&"AuditEvent".to_owned()) && both.contains(&"Patient".to_owned()));
}

async fn a_history_of_everything_takes_types(server: Server) {
    let patient = server.create(&example::patient("One")).await;
    server
        .create(&example::observation("Patient/x", "2026-11-21"))
        .await;
    server
        .create(&serde_json::json!({"resourceType": "Basic", "code": {"text": "x"}}))
        .await;
    server
        .call("PUT", &patient.path())
        .resource(&patient.json())
        .expect(200)
        .await;
    let of =
        async |types: &str| types_of(&server.get(&format!("/_history?{types}")).expect(200).await);
    assert_eq!(of("_type=Patient").await, ["Patient", "Patient"]);
    assert_eq!(
        of("_type=Patient,Basic").await,
        ["Patient", "Basic", "Patient"]
    );
    assert_eq!(
        of("_type=Basic&_type=Observation").await,
        ["Basic", "Observation"]
    );
    assert_eq!(of("_type=Group").await, [""; 0]);
    let pages = server.pages("/_history?_type=Patient,Basic&_count=1").await;
    let paged: Vec<String> = pages.iter().flat_map(types_of).collect();
    assert_eq!(paged, ["Patient", "Basic", "Patient"]);
    let unknown = server.get("/_history?_type=Patiant").expect(400).await;
    assert!(unknown.json().to_string().contains("Patiant"));
    for elsewhere in [
        "/Patient/_history?_type=Basic",
        &format!("{}/_history?_type=Basic", patient.path()),
    ] {
        let refused = server.get(elsewhere).expect(400).await;
        assert!(refused.json().to_string().contains("/_history?_type="));
    }
}
