//! Answers become Observations, and stay one with them.

use serde_json::{Value, json};

use crate::medication::with_patient;
use crate::support::{Server, example};

const SHIPPED: &str = "https://unloop.dev/fhir/Questionnaire/ybocs";

/// Ten answers of the shipped Questionnaire, in its two groups.
fn response(answers: &[i64]) -> Value {
    let item = |number: usize, value: &i64| json!({"linkId": format!("ybocs-item-{number}"), "answer": [{"valueInteger": value}]});
    let items: Vec<Value> = answers
        .iter()
        .enumerate()
        .map(|(place, value)| item(place + 1, value))
        .collect();
    let groups = ["ybocs-obsessions", "ybocs-compulsions"];
    let groups: Vec<Value> = groups
        .iter()
        .zip(items.chunks(5))
        .map(|(link, items)| json!({"linkId": link, "item": items}))
        .collect();
    json!({"resourceType": "QuestionnaireResponse", "id": "r", "status": "completed",
        "questionnaire": SHIPPED, "subject": {"reference": "Patient/p"},
        "authored": "2026-11-02T10:00:00Z", "author": {"reference": "Practitioner/d"},
        "item": groups})
}

/// `code value status` of all Observations that came from the response, sorted.
async fn scores(server: &Server) -> Vec<String> {
    let found = server.get("/Observation?derived-from=QuestionnaireResponse/r");
    let found = found.expect(200).await.json();
    let mut lines = Vec::new();
    for entry in found["entry"].as_array().into_iter().flatten() {
        let one = &entry["resource"];
        let code = one["code"]["coding"][0]["code"].as_str().unwrap();
        let status = one["status"].as_str().unwrap();
        lines.push(format!("{code} {} {status}", one["valueQuantity"]["value"]));
    }
    lines.sort();
    lines
}

async fn total(server: &Server) -> Value {
    let found = server
        .get("/Observation?code=ybocs-total")
        .expect(200)
        .await;
    found.json()["entry"][0]["resource"].clone()
}

const TEN: [i64; 10] = [2, 3, 3, 2, 2, 1, 2, 2, 2, 2];

async fn answers_become_three_observations(server: Server) {
    with_patient(&server).await;
    server.put(&response(&TEN)).await;
    let expected = [
        "ybocs-compulsions 9 final",
        "ybocs-obsessions 12 final",
        "ybocs-total 21 final",
    ];
    assert_eq!(scores(&server).await, expected);
    let total = total(&server).await;
    assert_eq!(total["method"]["coding"][0]["code"], "840418002");
    assert_eq!(total["hasMember"].as_array().unwrap().len(), 2);
    assert_eq!(total["effectiveDateTime"], "2026-11-02T10:00:00Z");
    assert_eq!(total["performer"][0]["reference"], "Practitioner/d");
    let member = total["hasMember"][0]["reference"].as_str().unwrap();
    let member = server.get(&format!("/{member}")).expect(200).await.json();
    assert_eq!(member["component"].as_array().unwrap().len(), 5);

    // The same again changes nothing.
    server.put(&response(&TEN)).await;
    assert_eq!(self::total(&server).await["meta"]["versionId"], "1");
    // Posted: the id is made by the service.
    let mut posted = response(&TEN);
    posted.as_object_mut().unwrap().remove("id");
    let made = server.create(&posted).await;
    let url = format!("/Observation?derived-from={}", &made.path()[1..]);
    assert_eq!(server.count(&url).await, 3);
}

async fn correcting_the_response_corrects_them(server: Server) {
    with_patient(&server).await;
    server.put(&response(&TEN)).await;
    let id = total(&server).await["id"].clone();
    let mut corrected = response(&[4, 3, 3, 2, 2, 1, 2, 2, 2, 2]);
    corrected["status"] = "amended".into();
    server.put(&corrected).await;
    let expected = [
        "ybocs-compulsions 9 amended",
        "ybocs-obsessions 14 amended",
        "ybocs-total 23 amended",
    ];
    assert_eq!(scores(&server).await, expected);
    assert_eq!(total(&server).await["id"], id);

    let patch = json!([{"op": "remove", "path": "/item/1/item/4"}]);
    let call = server
        .call("PATCH", "/QuestionnaireResponse/r")
        .patch(&patch);
    let reply = call
        .header("Prefer", "return=OperationOutcome")
        .expect(200)
        .await;
    assert!(
        reply
            .diagnostics()
            .contains("not answered: Compulsions: control"),
        "{}",
        reply.text
    );
    let expected = [
        "ybocs-compulsions 9 entered-in-error",
        "ybocs-obsessions 14 amended",
        "ybocs-total 23 entered-in-error",
    ];
    assert_eq!(scores(&server).await, expected);
    server.put(&response(&TEN)).await;
    assert_eq!(scores(&server).await[2], "ybocs-total 21 final");
    let mut wrong = response(&TEN);
    wrong["status"] = "entered-in-error".into();
    server.put(&wrong).await;
    assert!(
        scores(&server)
            .await
            .iter()
            .all(|line| line.ends_with("entered-in-error"))
    );
    server.put(&response(&TEN)).await;
    server
        .call("DELETE", "/QuestionnaireResponse/r")
        .expect(204)
        .await;
    assert!(
        scores(&server)
            .await
            .iter()
            .all(|line| line.ends_with("entered-in-error"))
    );
}

async fn wrong_answers_are_refused_with_their_place(server: Server) {
    with_patient(&server).await;
    let call = |content: &Value| {
        let call = server
            .call("PUT", "/QuestionnaireResponse/r")
            .resource(content);
        async move { call.expect(422).await }
    };
    let mut five = TEN;
    five[6] = 5;
    let reply = call(&response(&five)).await;
    assert!(reply.diagnostics().contains("Y-BOCS-II"), "{}", reply.text);
    let place = &reply.json()["issue"][0]["expression"][0];
    assert_eq!(
        place,
        "QuestionnaireResponse.item[1].item[1].answer[0].value"
    );
    let mut text = response(&TEN);
    text["item"][0]["item"][0]["answer"] = json!([{"valueString": "a lot"}]);
    call(&text).await;
    let mut open = response(&TEN[..3]);
    open["status"] = "in-progress".into();
    server.put(&open).await;
    assert!(scores(&server).await.is_empty());
}

/// A licensed form has texts and options of its own; only codes count.
async fn a_deployments_own_form_is_mapped(server: Server) {
    with_patient(&server).await;
    let system = "https://unloop.dev/fhir/CodeSystem/measures";
    let option = |code: &str, value: i64| {
        json!({"valueCoding": {"system": "https://clinic.example/options", "code": code,
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": value}]}})
    };
    let item = |number: usize| {
        let code = format!("ybocs-item-{number}");
        let mut item = json!({"linkId": format!("q{number}"), "type": "choice",
            "answerOption": [option("a", 0), option("b", 1), option("c", 4)]});
        match number % 2 {
            0 => item["code"] = json!([{"system": system, "code": code}]),
            _ => item["definition"] = format!("{system}#{code}").into(),
        }
        item
    };
    let items: Vec<Value> = (1..=10).map(item).collect();
    let form = json!({"resourceType": "Questionnaire", "id": "own", "url": "https://clinic.example/ybocs",
        "status": "active", "item": items});
    server.put(&form).await;
    let answers: Vec<Value> = (1..=10)
        .map(|number| json!({"linkId": format!("q{number}"), "answer":
            [{"valueCoding": {"system": "https://clinic.example/options", "code": if number == 1 { "c" } else { "b" }}}]}))
        .collect();
    let mut response = response(&TEN);
    response["questionnaire"] = "https://clinic.example/ybocs".into();
    response["item"] = answers.into();
    server.put(&response).await;
    // The form does not say so: nothing on write, but when asked.
    assert!(scores(&server).await.is_empty());
    let reply = server
        .get("/QuestionnaireResponse/r/$extract")
        .expect(200)
        .await
        .json();
    let bundle = &reply["parameter"][0]["resource"];
    assert_eq!(bundle["entry"].as_array().unwrap().len(), 3, "{reply}");
    server.call("POST", "").resource(bundle).expect(200).await;
    assert_eq!(scores(&server).await[2], "ybocs-total 13 final");
    // Once they are there they follow.
    response["item"][0]["answer"][0]["valueCoding"]["code"] = "a".into();
    server.put(&response).await;
    assert_eq!(scores(&server).await[2], "ybocs-total 9 final");
    // Without the form nobody knows what the answers mean.
    server
        .call("DELETE", "/Questionnaire/own")
        .expect(204)
        .await;
    let call = server
        .call("PUT", "/QuestionnaireResponse/r")
        .resource(&response);
    call.expect(422).await;
    response["status"] = "entered-in-error".into();
    server.put(&response).await;
    assert_eq!(scores(&server).await[2], "ybocs-total 9 entered-in-error");
}

async fn what_was_extracted_is_not_edited(server: Server) {
    with_patient(&server).await;
    server.put(&response(&TEN)).await;
    let total = total(&server).await;
    let path = format!("/Observation/{}", total["id"].as_str().unwrap());
    let mut changed = total.clone();
    changed["valueQuantity"]["value"] = 20.into();
    let reply = server
        .call("PUT", &path)
        .resource(&changed)
        .expect(422)
        .await;
    assert!(
        reply.diagnostics().contains("QuestionnaireResponse/r"),
        "{}",
        reply.text
    );
    server.call("DELETE", &path).expect(422).await;
    changed.as_object_mut().unwrap().remove("id");
    server
        .call("POST", "/Observation")
        .resource(&changed)
        .expect(422)
        .await;
    server.put(&total).await;
    // With the response in one transaction.
    let entries = [example::entry(
        "PUT",
        "QuestionnaireResponse/r",
        Some(response(&[0; 10])),
    )];
    server.bundle("transaction", &entries).await;
    assert_eq!(scores(&server).await[2], "ybocs-total 0 final");
}

async fn extract_answers_for_those_who_may_read(server: Server) {
    with_patient(&server).await;
    let mut some = response(&TEN[..5]);
    some["status"] = "completed".into();
    server.put(&some).await;
    let reply = server
        .get("/QuestionnaireResponse/r/$extract")
        .expect(200)
        .await
        .json();
    let entries = reply["parameter"][0]["resource"]["entry"]
        .as_array()
        .unwrap();
    assert_eq!(entries.len(), 1, "{reply}");
    let said = reply["parameter"][1]["resource"].to_string();
    assert!(said.contains("Y-BOCS total is not computed"), "{said}");
    let blind = server.issue("system/Observation.rs").await;
    let call = server.get("/QuestionnaireResponse/r/$extract");
    call.header("Authorization", &format!("Bearer {blind}"))
        .expect(403)
        .await;
}

crate::on_both_stores!(
    answers_become_three_observations,
    correcting_the_response_corrects_them,
    wrong_answers_are_refused_with_their_place,
    a_deployments_own_form_is_mapped,
    what_was_extracted_is_not_edited,
    extract_answers_for_those_who_may_read,
);
