//! Scores are judged on every write, by whatever way it comes.

use serde_json::{Value, json};

use unloop::access::issuer::TokenTerms;

use crate::medication::with_patient;
use crate::support::{Server, example};

const OWN: &str = "https://unloop.dev/fhir/CodeSystem/measures";

pub fn score(id: &str, code: &str, value: i64) -> Value {
    json!({"resourceType": "Observation", "id": id, "status": "final",
        "code": {"coding": [{"system": OWN, "code": code}]},
        "subject": {"reference": "Patient/p"}, "performer": [{"reference": "Practitioner/d"}],
        "effectiveDateTime": "2026-11-02", "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": "{score}"}})
}

fn with_members(mut score: Value, members: &[&str]) -> Value {
    let reference = |id: &&str| json!({"reference": format!("Observation/{id}")});
    score["hasMember"] = members.iter().map(reference).collect();
    score
}

async fn every_way_in_is_judged(server: Server) {
    with_patient(&server).await;
    let wrong = score("w", "ybocs-item-1", 5);
    let put = server.call("PUT", "/Observation/w").resource(&wrong);
    let reply = put.expect(422).await;
    assert!(reply.diagnostics().contains("Y-BOCS-II"), "{}", reply.text);
    let place = &reply.json()["issue"][0]["expression"][0];
    assert_eq!(place, "Observation.value");
    let post = server.call("POST", "/Observation").resource(&wrong);
    post.expect(422).await;
    server.put(&score("w", "ybocs-item-1", 4)).await;
    let patch = json!([{"op": "replace", "path": "/valueQuantity/value", "value": 5}]);
    let call = server.call("PATCH", "/Observation/w").patch(&patch);
    call.expect(422).await;

    let entries = [
        example::entry("PUT", "Observation/a", Some(score("a", "ybocs-item-2", 4))),
        example::entry("PUT", "Observation/b", Some(score("b", "ybocs-item-3", 5))),
    ];
    let bundle = example::bundle("transaction", &entries);
    let reply = server.call("POST", "").resource(&bundle).expect(422).await;
    let place = &reply.json()["issue"][0]["expression"][0];
    assert_eq!(place, "Bundle.entry[1].resource.value", "{}", reply.text);
    server.get("/Observation/a").expect(404).await;
    let bundle = example::bundle("batch", &entries);
    let reply = server.call("POST", "").resource(&bundle).expect(200).await;
    let entries = reply.json()["entry"].clone();
    assert_eq!(entries[0]["response"]["status"], "201 Created");
    let status = entries[1]["response"]["status"].as_str().unwrap();
    assert!(status.starts_with("422"), "{status}");
}

/// A total and its two parts.
fn all(total: i64, obsessions: i64, compulsions: i64) -> [Value; 3] {
    [
        with_members(score("t", "ybocs-total", total), &["o", "c"]),
        score("o", "ybocs-obsessions", obsessions),
        score("c", "ybocs-compulsions", compulsions),
    ]
    .map(|one| {
        let url = format!("Observation/{}", one["id"].as_str().unwrap());
        example::entry("PUT", &url, Some(one))
    })
}

async fn a_total_fits_its_members(server: Server) {
    with_patient(&server).await;
    let bundle = example::bundle("transaction", &all(24, 12, 9));
    let reply = server.call("POST", "").resource(&bundle).expect(422).await;
    assert!(
        reply.diagnostics().contains("Expected: 21."),
        "{}",
        reply.text
    );
    server.bundle("transaction", &all(21, 12, 9)).await;

    // A part alone would leave the total wrong.
    let part = score("o", "ybocs-obsessions", 10);
    let call = server.call("PUT", "/Observation/o").resource(&part);
    let reply = call.expect(422).await;
    assert!(
        reply.diagnostics().contains("Observation/t"),
        "{}",
        reply.text
    );
    server.bundle("transaction", &all(19, 10, 9)).await;
    // Against what is stored, whose figures are told to those who may read them.
    let total = with_members(score("u", "ybocs-total", 24), &["o", "c"]);
    let call = server.call("POST", "/Observation").resource(&total);
    let reply = call.expect(422).await;
    assert!(
        reply.diagnostics().contains("Expected: 19."),
        "{}",
        reply.text
    );
    let blind = server.issue("system/Observation.c").await;
    let call = server.call("POST", "/Observation").resource(&total);
    let reply = call
        .header("Authorization", &format!("Bearer {blind}"))
        .send()
        .await;
    assert_eq!(reply.status, 422, "{}", reply.text);
    assert!(!reply.diagnostics().contains("19"), "{}", reply.text);

    let mut other = example::patient("Other");
    other["id"] = "q".into();
    server.put(&other).await;
    let mut total = with_members(score("u", "ybocs-total", 19), &["o", "c"]);
    total["subject"] = json!({"reference": "Patient/q"});
    let call = server.call("POST", "/Observation").resource(&total);
    call.expect(422).await;
    // A wrong one can always be marked as such.
    let mut part = score("o", "ybocs-obsessions", 10);
    part["status"] = "entered-in-error".into();
    server.put(&part).await;
}

async fn what_is_hidden_is_not_told(server: Server) {
    with_patient(&server).await;
    server
        .put(&json!({"resourceType": "Patient", "id": "q"}))
        .await;
    server.bundle("transaction", &all(19, 10, 9)).await;
    // Whoever may not see a member does not learn that there is one.
    let blind = |member: &str| {
        let mut total = with_members(score("u", "ybocs-total", 19), &[member]);
        total["subject"] = json!({"reference": "Patient/q"});
        total
    };
    let stranger = TokenTerms {
        subject: "q".to_owned(),
        scope: "patient/Observation.c".to_owned(),
        patient: Some("q".to_owned()),
        ttl: 3600,
        ..TokenTerms::default()
    };
    let stranger = format!("Bearer {}", server.issue_as(&stranger).await);
    for member in ["o", "nothing"] {
        let call = server.call("POST", "/Observation");
        let call = call
            .resource(&blind(member))
            .header("Authorization", &stranger);
        let reply = call.expect(201).await;
        assert!(
            !reply.text.contains("same patient"),
            "{member}: {}",
            reply.text
        );
    }
    // Nor does such a sum keep anybody from changing the score.
    server.bundle("transaction", &all(18, 9, 9)).await;
    // A sum that is hidden is not named.
    let mut part = score("o", "ybocs-obsessions", 12);
    let system = "http://terminology.hl7.org/CodeSystem/observation-category";
    part["category"] = json!([{"coding": [{"system": system, "code": "survey"}]}]);
    part["valueQuantity"]["value"] = 9.into();
    server.put(&part).await;
    part["valueQuantity"]["value"] = 10.into();
    let scope = format!("system/Observation.rus?category={system}|survey");
    let part_only = format!("Bearer {}", server.issue(&scope).await);
    let call = server.call("PUT", "/Observation/o").resource(&part);
    let reply = call.header("Authorization", &part_only).expect(422).await;
    assert!(!reply.text.contains("Observation/t"), "{}", reply.text);
}

async fn birth_comes_from_the_patient(server: Server) {
    with_patient(&server).await;
    let mut early = score("e", "ybocs-total", 20);
    early["effectiveDateTime"] = "1974-12-24".into();
    let call = server.call("PUT", "/Observation/e").resource(&early);
    let reply = call.expect(422).await;
    assert!(reply.diagnostics().contains("birth"), "{}", reply.text);
    early["effectiveDateTime"] = "1974-12-25".into();
    server.put(&early).await;
    let mut foreign = example::observation("Patient/p", "2199-01-01");
    foreign["id"] = "f".into();
    server.put(&foreign).await;
}

/// By the bands of the knowledge base: 16 to 23 is moderate, 24 to 31 severe.
async fn the_band_is_said_where_the_sender_says_nothing(server: Server) {
    with_patient(&server).await;
    let stored = async |id: &str| {
        let reply = server.get(&format!("/Observation/{id}"));
        reply.expect(200).await.json()
    };
    for (value, expected) in [
        (7, "subclinical"),
        (16, "moderate"),
        (23, "moderate"),
        (24, "severe"),
    ] {
        server.put(&score("t", "ybocs-total", value)).await;
        let found = stored("t").await;
        let coding = &found["interpretation"][0]["coding"][0];
        let band = "https://unloop.dev/fhir/CodeSystem/score-band";
        assert_eq!(coding["system"], band);
        assert_eq!(coding["code"], format!("ybocs-{expected}"), "{value}");
    }
    // It follows the value of what was read and sent again ...
    let mut read = stored("t").await;
    read["valueQuantity"]["value"] = 12.into();
    server.put(&read).await;
    let found = stored("t").await;
    let interpretations = found["interpretation"].as_array().unwrap();
    assert_eq!(interpretations.len(), 1);
    assert_eq!(interpretations[0]["coding"][0]["code"], "ybocs-mild");
    // ... and goes with the score.
    read = found.clone();
    read["code"] = json!({"text": "something else"});
    read["id"] = "u".into();
    server.put(&read).await;
    assert_eq!(stored("u").await["interpretation"], Value::Null);
    // The sender's own stays.
    let mut own = score("t", "ybocs-total", 30);
    own["interpretation"] = json!([{"text": "worse than last week"}]);
    server.put(&own).await;
    assert_eq!(stored("t").await["interpretation"], own["interpretation"]);
    // Where there are no bands nothing is said.
    server.put(&score("o", "ybocs-obsessions", 12)).await;
    assert_eq!(stored("o").await["interpretation"], Value::Null);
}

crate::on_both_stores!(
    every_way_in_is_judged,
    a_total_fits_its_members,
    what_is_hidden_is_not_told,
    birth_comes_from_the_patient,
    the_band_is_said_where_the_sender_says_nothing,
);
