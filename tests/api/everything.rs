//! <https://hl7.org/fhir/R4/patient-operation-everything.html>

use serde_json::json;

use crate::support::{Reply, Server, example};
use example::entry;

crate::on_both_stores!(
    everything_of_one_patient_and_of_no_other,
    dates_choose_what_happened_then,
    since_types_and_count_choose,
    pages_lead_to_the_end,
    parameters_may_come_by_post,
    what_is_not_there_is_said,
    wrong_parameters_are_named,
);

/// Two patients with an encounter and four observations each, one practitioner.
async fn two(server: &Server) {
    let mut entries = Vec::new();
    let mut put = |mut content: serde_json::Value, id: &str| {
        content["id"] = id.into();
        let url = format!("{}/{id}", content["resourceType"].as_str().unwrap());
        entries.push(entry("PUT", &url, Some(content)));
    };
    put(
        json!({"resourceType": "Practitioner", "active": true}),
        "doctor",
    );
    put(
        json!({"resourceType": "Practitioner", "active": true}),
        "stranger",
    );
    for patient in ["a", "b"] {
        put(example::identified(patient), patient);
        let subject = format!("Patient/{patient}");
        let encounter = json!({
            "resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"},
            "subject": {"reference": subject},
            "participant": [{"individual": {"reference": "Practitioner/doctor"}}],
            "period": {"start": "2026-02-01", "end": "2026-02-03"},
        });
        put(encounter, &format!("e{patient}"));
        for month in 1..5 {
            let time = format!("2026-{month:02}-15");
            put(
                example::observation(&subject, &time),
                &format!("o{patient}{month}"),
            );
        }
    }
    server.bundle("transaction", &entries).await;
}

async fn of_a(server: &Server, query: &str) -> Reply {
    let path = format!("/Patient/a/$everything{query}");
    server.get(&path).expect(200).await
}

fn sorted(reply: &Reply) -> Vec<String> {
    let mut entries = reply.entries();
    entries.sort();
    entries
}

const ALL: [&str; 7] = [
    "Encounter/ea",
    "Observation/oa1",
    "Observation/oa2",
    "Observation/oa3",
    "Observation/oa4",
    "Patient/a",
    "Practitioner/doctor",
];

async fn everything_of_one_patient_and_of_no_other(server: Server) {
    two(&server).await;
    let reply = of_a(&server, "").await;
    assert_eq!(reply.json()["type"], "searchset");
    assert_eq!(sorted(&reply), ALL);
    assert!(!reply.text.contains("Patient/b") && !reply.text.contains("stranger"));
    // Another patient that is referred to is not brought either.
    let mut linked = example::patient("A");
    linked["id"] = "a".into();
    linked["link"] = json!([{"other": {"reference": "Patient/b"}, "type": "seealso"}]);
    server.put(&linked).await;
    assert_eq!(sorted(&of_a(&server, "").await), ALL);
}

async fn dates_choose_what_happened_then(server: Server) {
    two(&server).await;
    for (query, observations) in [
        ("?start=2026-02-01", vec!["oa2", "oa3", "oa4"]),
        ("?end=2026-02-28", vec!["oa1", "oa2"]),
        ("?start=2026-03-15&end=2026-03-15", vec!["oa3"]),
        ("?start=2027", vec![]),
    ] {
        let found = sorted(&of_a(&server, query).await);
        let ids: Vec<&str> = found
            .iter()
            .filter_map(|key| key.strip_prefix("Observation/"))
            .collect();
        assert_eq!(ids, observations, "{query}");
        assert!(
            found.contains(&"Patient/a".to_owned()),
            "what has no date belongs"
        );
    }
    let found = sorted(&of_a(&server, "?start=2026-02-02&end=2026-02-02").await);
    assert!(
        found.contains(&"Encounter/ea".to_owned()),
        "periods overlap"
    );
    let found = sorted(&of_a(&server, "?start=2026-02-04").await);
    assert!(!found.contains(&"Encounter/ea".to_owned()));
}

async fn since_types_and_count_choose(server: Server) {
    two(&server).await;
    let found = sorted(&of_a(&server, "?_type=Observation,Patient").await);
    assert_eq!(found, &ALL[1..6]);
    assert!(
        of_a(&server, "?_since=2999-01-01")
            .await
            .entries()
            .is_empty()
    );
    let encounter = server.get("/Encounter/ea").expect(200).await.json();
    let mut later = encounter.clone();
    later["status"] = "planned".into();
    let later = server.put(&later).await.json();
    let since = later["meta"]["lastUpdated"].as_str().unwrap();
    let found = of_a(&server, &format!("?_since={since}&_type=Encounter")).await;
    assert_eq!(found.entries(), ["Encounter/ea"]);
}

async fn pages_lead_to_the_end(server: Server) {
    two(&server).await;
    for count in [1, 2, 4] {
        let pages = server
            .pages(&format!("/Patient/a/$everything?_count={count}"))
            .await;
        assert!(pages.len() >= 6 / count, "{count}");
        let mut found: Vec<String> = pages.iter().flat_map(Reply::entries).collect();
        found.sort();
        found.dedup();
        assert_eq!(found, ALL, "{count}");
    }
}

async fn parameters_may_come_by_post(server: Server) {
    two(&server).await;
    let parameters = json!({"resourceType": "Parameters", "parameter": [
        {"name": "_type", "valueCode": "Observation"},
        {"name": "start", "valueDate": "2026-03-01"},
        {"name": "_count", "valueInteger": 1},
    ]});
    let call = server.call("POST", "/Patient/a/$everything");
    let first = call.resource(&parameters).expect(200).await;
    let mut found = first.entries();
    for page in server.pages(&first.link("next").unwrap()).await {
        found.extend(page.entries());
    }
    found.sort();
    assert_eq!(found, ["Observation/oa3", "Observation/oa4"]);
    let call = server.call("POST", "/Patient/a/$everything");
    assert_eq!(sorted(&call.expect(200).await), ALL);
    let call = server.call("POST", "/Patient/a/$everything");
    call.resource(&example::patient("A")).expect(400).await;
}

async fn what_is_not_there_is_said(server: Server) {
    two(&server).await;
    server.get("/Patient/nobody/$everything").expect(404).await;
    server.call("DELETE", "/Patient/b").expect(204).await;
    server.get("/Patient/b/$everything").expect(410).await;
    server.get("/Encounter/ea/$everything").expect(404).await;
    server
        .call("PUT", "/Patient/a/$everything")
        .expect(405)
        .await;
}

async fn wrong_parameters_are_named(server: Server) {
    two(&server).await;
    for (query, place) in [
        ("start=x", "start"),
        ("end=2026-13", "end"),
        ("_since=x", "_since"),
        ("_count=x", "_count"),
        ("_count=-1", "_count"),
        ("_cursor=x", "_cursor"),
        ("name=x", "name"),
    ] {
        let reply = server
            .get(&format!("/Patient/a/$everything?{query}"))
            .expect(400)
            .await;
        assert!(reply.diagnostics().contains(place), "{}", reply.text);
    }
    let reply = server
        .get("/Patient/a/$everything?_type=Patinet")
        .send()
        .await;
    assert!(matches!(reply.status, 400 | 404), "{}", reply.text);
}
