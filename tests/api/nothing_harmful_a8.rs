//! A8 of issue 12: an order of ketamine never meets silence, a product that comes along is
//! read, cards name the drug, and other orders are no concern without a course.
//! <https://cds-hooks.hl7.org/2.0/>

use serde_json::{Value, json};

use crate::candidacy::active;
use crate::cds_hooks::{SELECT, SIGN, asked, cards, medicine_cards, order, with_course};
use crate::medication::{coded, with_patient};
use crate::readiness;
use crate::support::Server;

crate::on_both_stores!(
    an_order_of_ketamine_gets_the_views_of_candidacy_and_readiness,
    what_was_not_looked_at_is_said,
    a_product_that_comes_along_is_read,
    cards_name_the_drug,
    other_orders_matter_only_with_a_course,
);

fn summaries(cards: &[Value]) -> Vec<String> {
    let texts = cards.iter().map(|card| card["summary"].as_str().unwrap());
    texts.map(str::to_owned).collect()
}

fn starting<'c>(cards: &'c [Value], start: &str) -> &'c Value {
    let mut found = cards.iter();
    let found = found.find(|card| card["summary"].as_str().unwrap().starts_with(start));
    found.unwrap_or_else(|| panic!("no {start} in {:?}", summaries(cards)))
}

async fn an_order_of_ketamine_gets_the_views_of_candidacy_and_readiness(server: Server) {
    readiness::everything(&server, "home").await;
    let mut session = readiness::session("home");
    let tomorrow = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let end = tomorrow + jiff::SignedDuration::from_hours(2);
    session["start"] = tomorrow.to_string().into();
    session["end"] = end.to_string().into();
    server.put(&session).await;
    let snomed = "http://snomed.info/sct";
    server.put(&active("pregnant", snomed, "77386006")).await;
    server.put(&active("psychosis", snomed, "58214004")).await;
    let now = jiff::Timestamp::now().to_string();
    server
        .put(&readiness::pressure("high", &now, 205, 120))
        .await;
    server
        .put(&readiness::screen("worse", &now, "risk-high"))
        .await;
    for (service, hook) in [(SIGN, "order-sign"), (SELECT, "order-select")] {
        let call = asked(hook, &[order("k", coded("6130"))], &["MedicationRequest/k"]);
        let found = cards(&server, service, &call).await;
        let candidacy = starting(&found, "Ketamine: not-a-candidate-now");
        assert_eq!(candidacy["indicator"], "critical", "{candidacy}");
        let detail = candidacy["detail"].as_str().unwrap();
        assert!(
            detail.contains("psychosis") && detail.contains("pregnancy"),
            "{detail}"
        );
        let held = starting(&found, "Hold the ketamine session");
        let detail = held["detail"].as_str().unwrap();
        assert!(detail.contains("suicidality"), "{detail}");
    }
}

async fn what_was_not_looked_at_is_said(server: Server) {
    with_patient(&server).await;
    let call = asked("order-sign", &[order("k", coded("6130"))], &[]);
    let found = cards(&server, SIGN, &call).await;
    starting(&found, "Ketamine: needs-information");
    starting(&found, "Readiness for ketamine: not checked");
    let medicines = medicine_cards(&server, &call).await;
    assert!(
        medicines[0]["detail"]
            .as_str()
            .unwrap()
            .contains("No current medicine is recorded")
    );
    // By a caller who may not see the patient.
    let blind = server.issue("system/Organization.rs").await;
    let url = server.beside(&format!("/cds-services/{SIGN}"));
    let call_blind = reqwest::Client::new().post(&url).bearer_auth(&blind);
    let reply = call_blind.body(call.to_string()).send().await.unwrap();
    let reply: Value = serde_json::from_str(&reply.text().await.unwrap()).unwrap();
    starting(
        reply["cards"].as_array().unwrap(),
        "Candidacy and readiness for ketamine: not checked",
    );
    // What stands beside ketamine in its order may be anything.
    let mut mixed = coded("6130");
    mixed["text"] = "ketamine with mysterin".into();
    let call = asked("order-sign", &[order("k", mixed)], &[]);
    let medicines = medicine_cards(&server, &call).await;
    assert!(
        medicines[0]["detail"]
            .as_str()
            .unwrap()
            .contains("mysterin"),
        "{medicines:?}"
    );
}

fn referring(id: &str, product: &str) -> Value {
    let mut one = order(id, json!(null));
    one.as_object_mut()
        .unwrap()
        .remove("medicationCodeableConcept");
    one["medicationReference"] = json!({"reference": product});
    one
}

async fn a_product_that_comes_along_is_read(server: Server) {
    with_patient(&server).await;
    with_course(&server).await;
    let product = json!({"resourceType": "Medication", "id": "x", "code": coded("10734")});
    let urn = "urn:uuid:0f4c7f0e-6a0e-4a53-8f3a-5a5b0f6f2a11";
    for (link, full) in [("Medication/x", None), (urn, Some(urn))] {
        let mut call = asked("order-sign", &[referring("m", link), product.clone()], &[]);
        if let Some(full) = full {
            call["context"]["draftOrders"]["entry"][1]["fullUrl"] = full.into();
        }
        let found = cards(&server, SIGN, &call).await;
        assert_eq!(summaries(&found).len(), 1, "{found:?}");
        assert_eq!(found[0]["indicator"], "critical", "{link}: {found:?}");
    }
    // It may come with the lists that were fetched before, and contained.
    let mut call = asked("order-sign", &[referring("m", "Medication/x")], &[]);
    let along =
        json!({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": product}]});
    call["prefetch"] = json!({"requests": along});
    let found = cards(&server, SIGN, &call).await;
    assert_eq!(found[0]["indicator"], "critical", "{found:?}");
    // Ketamine by a product that comes along is ketamine.
    let ketamine = json!({"resourceType": "Medication", "id": "k", "code": coded("6130")});
    let call = asked(
        "order-sign",
        &[referring("o", "Medication/k"), ketamine],
        &[],
    );
    starting(&cards(&server, SIGN, &call).await, "Ketamine: ");
}

async fn cards_name_the_drug(server: Server) {
    with_patient(&server).await;
    with_course(&server).await;
    let mut contained = referring("c", "#m");
    contained["contained"] =
        json!([{"resourceType": "Medication", "id": "m", "code": coded("10734")}]);
    let product = json!({"resourceType": "Medication", "id": "x", "code": coded("8123")});
    let orders = [
        contained,
        order("t", coded("10734")),
        referring("r", "Medication/x"),
        product,
    ];
    let found = cards(&server, SIGN, &asked("order-sign", &orders, &[])).await;
    let expected = [
        "tranylcypromine with ketamine: contraindicated",
        "tranylcypromine with ketamine: contraindicated",
        "phenelzine with ketamine: contraindicated",
    ];
    assert_eq!(summaries(&found), expected);
    let gone = [referring("g", "Medication/gone")];
    let found = cards(&server, SIGN, &asked("order-sign", &gone, &[])).await;
    assert!(
        summaries(&found)[0].starts_with("a medicine without a name"),
        "{found:?}"
    );
}

async fn other_orders_matter_only_with_a_course(server: Server) {
    with_patient(&server).await;
    let maoi = order("m", coded("10734"));
    let call = asked("order-sign", std::slice::from_ref(&maoi), &[]);
    assert!(cards(&server, SIGN, &call).await.is_empty());
    // Ketamine beside it makes it matter.
    let both = asked("order-sign", &[maoi, order("k", coded("6130"))], &[]);
    let found = medicine_cards(&server, &both).await;
    assert_eq!(found[0]["indicator"], "critical", "{found:?}");
    with_course(&server).await;
    assert_eq!(cards(&server, SIGN, &call).await.len(), 1);
    // Who may not see whether there is one hears of it.
    let mut ended = server.get("/EpisodeOfCare/course").expect(200).await.json();
    ended["status"] = "finished".into();
    server.put(&ended).await;
    assert!(cards(&server, SIGN, &call).await.is_empty());
}
