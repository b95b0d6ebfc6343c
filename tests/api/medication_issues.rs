//! What is found becomes DetectedIssues, with the record that it is about.

use serde_json::{Value, json};

use crate::medication::{asked, coded, statement, verdicts, with_patient};
use crate::support::{Server, example};

/// `rule/record severity status` of all issues, sorted.
async fn issues(server: &Server) -> Vec<String> {
    let mut lines = Vec::new();
    for page in server.pages("/DetectedIssue?_count=100").await {
        for entry in page.json()["entry"].as_array().into_iter().flatten() {
            let issue = &entry["resource"];
            let line = [
                &issue["identifier"][0]["value"],
                &issue["severity"],
                &issue["status"],
            ];
            lines.push(line.map(|value| value.as_str().unwrap()).join(" "));
        }
    }
    lines.sort();
    lines
}

async fn findings_are_written_with_the_record(server: Server) {
    with_patient(&server).await;
    let record = statement("m", coded("10734"));
    let call = server
        .call("PUT", "/MedicationStatement/m")
        .resource(&record);
    let reply = call
        .header("Prefer", "return=OperationOutcome")
        .expect(201)
        .await;
    assert!(
        reply.diagnostics().contains("contraindicated at home"),
        "{}",
        reply.text
    );
    assert!(
        reply.diagnostics().contains("no clinician has signed it"),
        "{}",
        reply.text
    );
    assert_eq!(
        issues(&server).await,
        ["maoi-irreversible/MedicationStatement/m high final"]
    );
    let found = server.get("/DetectedIssue?patient=Patient/p&implicated=MedicationStatement/m");
    let issue = found.expect(200).await.json()["entry"][0]["resource"].clone();
    assert_eq!(issue["code"]["coding"][0]["code"], "DRG");
    assert_eq!(issue["patient"]["reference"], "Patient/p");
    assert!(
        issue["reference"].as_str().unwrap().contains("|2026"),
        "{issue}"
    );

    // The same again changes nothing of the issue.
    server.put(&record).await;
    let same = server.get(&format!("/DetectedIssue/{}", issue["id"].as_str().unwrap()));
    assert_eq!(same.expect(200).await.json()["meta"]["versionId"], "1");

    let odd = statement("odd", json!({"text": "sertralin"}));
    let call = server
        .call("PUT", "/MedicationStatement/odd")
        .resource(&odd);
    let reply = call
        .header("Prefer", "return=OperationOutcome")
        .expect(201)
        .await;
    assert!(
        reply.diagnostics().contains("not checked"),
        "{}",
        reply.text
    );
    assert!(
        reply.diagnostics().contains("Is sertraline meant?"),
        "{}",
        reply.text
    );
    assert_eq!(issues(&server).await.len(), 1);
}

async fn what_no_longer_holds_is_resolved(server: Server) {
    with_patient(&server).await;
    let record = statement("m", coded("10734"));
    server.put(&record).await;
    let patch =
        json!([{"op": "replace", "path": "/medicationCodeableConcept", "value": coded("6470")}]);
    server
        .call("PATCH", "/MedicationStatement/m")
        .patch(&patch)
        .expect(200)
        .await;
    let after_patch = [
        "benzodiazepine/MedicationStatement/m moderate final",
        "maoi-irreversible/MedicationStatement/m high cancelled",
    ];
    assert_eq!(issues(&server).await, after_patch);
    server
        .call("DELETE", "/MedicationStatement/m")
        .expect(204)
        .await;
    let after_delete = [
        "benzodiazepine/MedicationStatement/m moderate cancelled",
        "maoi-irreversible/MedicationStatement/m high cancelled",
    ];
    assert_eq!(issues(&server).await, after_delete);
    server.put(&record).await;
    assert_eq!(
        issues(&server).await[1],
        "maoi-irreversible/MedicationStatement/m high final"
    );
}

async fn a_mitigation_overrides_and_is_kept(server: Server) {
    with_patient(&server).await;
    server.put(&statement("m", coded("10734"))).await;
    let found = server.get("/DetectedIssue").expect(200).await.json();
    let issue = found["entry"][0]["resource"].clone();
    let path = format!("/DetectedIssue/{}", issue["id"].as_str().unwrap());
    let send = |changed: Value, status: u16| {
        let call = server.call("PUT", &path).resource(&changed);
        async move { call.expect(status).await }
    };
    let mut mitigated = issue.clone();
    mitigated["mitigation"] = json!([{"action": {"text": " "}, "date": "2020-03-01", "author": {"reference": "Practitioner/d"}}]);
    send(mitigated.clone(), 422).await;
    mitigated["mitigation"][0]["action"]["text"] = "Low dose, prescriber agrees".into();
    mitigated["mitigation"][0]
        .as_object_mut()
        .unwrap()
        .remove("author");
    send(mitigated.clone(), 422).await;
    mitigated["mitigation"][0]["author"] = json!({"reference": "Practitioner/d"});
    send(mitigated.clone(), 200).await;
    for (name, value) in [
        ("status", "cancelled"),
        ("severity", "low"),
        ("detail", "fine"),
    ] {
        let mut changed = mitigated.clone();
        changed[name] = value.into();
        send(changed, 422).await;
    }
    server.call("DELETE", &path).expect(422).await;
    let mut own = issue.clone();
    own.as_object_mut().unwrap().remove("id");
    server
        .call("POST", "/DetectedIssue")
        .resource(&own)
        .expect(422)
        .await;
    own.as_object_mut().unwrap().remove("identifier");
    server
        .call("POST", "/DetectedIssue")
        .resource(&own)
        .expect(201)
        .await;

    let mut record = statement("m", coded("10734"));
    record["dosage"] = json!([{"text": "10 mg"}]);
    server.put(&record).await;
    record["status"] = "entered-in-error".into();
    server.put(&record).await;
    record["status"] = "active".into();
    server.put(&record).await;
    let kept = server.get(&path).expect(200).await.json();
    assert_eq!(kept["mitigation"], mitigated["mitigation"], "{kept}");
    assert_eq!(kept["status"], "final");

    // Record and mitigation in one transaction.
    let mut other = kept.clone();
    other["mitigation"][0]["action"]["text"] = "Changed our mind".into();
    record["dosage"] = json!([{"text": "20 mg"}]);
    let entries = [
        example::entry("PUT", "MedicationStatement/m", Some(record)),
        example::entry("PUT", &path[1..], Some(other)),
    ];
    server.bundle("transaction", &entries).await;
    let both = server.get(&path).expect(200).await.json();
    assert_eq!(both["mitigation"][0]["action"]["text"], "Changed our mind");
}

async fn a_product_that_changes_changes_the_verdict(server: Server) {
    with_patient(&server).await;
    let product = |medicine: Value| json!({"resourceType": "Medication", "id": "product", "ingredient": [{"itemCodeableConcept": medicine}]});
    let mut record = statement("m", json!({}));
    record
        .as_object_mut()
        .unwrap()
        .remove("medicationCodeableConcept");
    record["medicationReference"] = json!({"reference": "Medication/product"});
    server.put(&record).await;
    assert!(issues(&server).await.is_empty(), "not there yet");
    server.put(&product(coded("10734"))).await;
    assert_eq!(
        issues(&server).await,
        ["maoi-irreversible/MedicationStatement/m high final"]
    );
    assert_eq!(
        verdicts(&asked(&server, "?setting=home").await)[0].1,
        "contraindicated"
    );
    server.put(&product(coded("321988"))).await;
    assert_eq!(
        issues(&server).await,
        ["maoi-irreversible/MedicationStatement/m high cancelled"]
    );
    assert_eq!(
        verdicts(&asked(&server, "?setting=home").await)[0].1,
        "compatible"
    );
    server
        .call("DELETE", "/Medication/product")
        .expect(204)
        .await;
    assert_eq!(
        verdicts(&asked(&server, "?setting=home").await)[0].1,
        "not-checked"
    );

    // Both in one transaction.
    let mut both = record.clone();
    both["id"] = "n".into();
    both["medicationReference"] =
        json!({"reference": "urn:uuid:7a3e5c38-6a8c-4c0e-9d0a-0d2a7f5b9d11"});
    let mut new = product(coded("8123"));
    new.as_object_mut().unwrap().remove("id");
    let entries = [
        example::posted("urn:uuid:7a3e5c38-6a8c-4c0e-9d0a-0d2a7f5b9d11", new),
        example::entry("PUT", "MedicationStatement/n", Some(both)),
    ];
    server.bundle("transaction", &entries).await;
    assert_eq!(
        issues(&server).await[1],
        "maoi-irreversible/MedicationStatement/n high final"
    );
}

async fn labels_of_the_record_protect_its_issues(server: Server) {
    with_patient(&server).await;
    let mut record = statement("m", coded("6813"));
    let label =
        json!([{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "ETH"}]);
    record["meta"] = json!({"security": label});
    server.put(&record).await;
    let found = server.get("/DetectedIssue").expect(200).await.json();
    let issue = &found["entry"][0]["resource"];
    assert_eq!(issue["meta"]["security"], label, "{issue}");
}

crate::on_both_stores!(
    findings_are_written_with_the_record,
    what_no_longer_holds_is_resolved,
    a_mitigation_overrides_and_is_kept,
    a_product_that_changes_changes_the_verdict,
    labels_of_the_record_protect_its_issues,
);
