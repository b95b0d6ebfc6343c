//! Which medicines go with ketamine: asked for, and watched on every write.

use serde_json::{Value, json};

use crate::support::{Server, example};

const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";

pub fn statement(id: &str, medicine: Value) -> Value {
    json!({
        "resourceType": "MedicationStatement",
        "id": id,
        "status": "active",
        "medicationCodeableConcept": medicine,
        "subject": {"reference": "Patient/p"},
    })
}

pub fn coded(code: &str) -> Value {
    json!({"coding": [{"system": RXNORM, "code": code}]})
}

pub async fn with_patient(server: &Server) {
    let mut patient = example::patient("Sands");
    patient["id"] = "p".into();
    server.put(&patient).await;
}

/// The values of the parameters, by name; of `medicine` by its source.
fn parameter<'v>(answer: &'v Value, name: &str) -> &'v Value {
    let parameters = answer["parameter"].as_array().unwrap();
    let found = parameters
        .iter()
        .find(|parameter| parameter["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {answer}"))
}

fn part<'v>(parameter: &'v Value, name: &str) -> &'v Value {
    let parts = parameter["part"].as_array().unwrap();
    parts
        .iter()
        .find(|part| part["name"] == name)
        .unwrap_or(&Value::Null)
}

/// (source, verdict) in the order of the answer.
pub fn verdicts(answer: &Value) -> Vec<(String, String)> {
    let parameters = answer["parameter"].as_array().unwrap();
    let medicines = parameters
        .iter()
        .filter(|parameter| parameter["name"] == "medicine");
    medicines
        .map(|medicine| {
            let source = part(medicine, "source")["valueReference"]["reference"].as_str();
            let verdict = part(medicine, "verdict")["valueCode"].as_str().unwrap();
            (source.unwrap_or("").to_owned(), verdict.to_owned())
        })
        .collect()
}

pub async fn asked(server: &Server, query: &str) -> Value {
    let url = format!("/Patient/p/$medication-compatibility{query}");
    server.get(&url).expect(200).await.json()
}

/// A6.
async fn a_medicine_that_ended_years_ago_tells_nothing_of_now(server: Server) {
    with_patient(&server).await;
    let mut past = statement("past", coded("36437"));
    past["status"] = "completed".into();
    past["effectivePeriod"] = json!({"start": "2015-01-01", "end": "2015-06-30"});
    server.put(&past).await;
    let only_past = asked(&server, "").await;
    assert!(
        only_past
            .to_string()
            .contains("No current medicine is recorded"),
        "{only_past}"
    );
    assert_eq!(
        only_past["parameter"][0]["valueCode"], "not-checked",
        "{only_past}"
    );
}

async fn every_medicine_gets_a_verdict(server: Server) {
    with_patient(&server).await;
    let empty = asked(&server, "").await;
    assert!(
        empty
            .to_string()
            .contains("No current medicine is recorded"),
        "{empty}"
    );
    server.put(&statement("ssri", coded("36437"))).await;
    server
        .put(&statement("maoi", json!({"text": "Nardil 15 mg"})))
        .await;
    server
        .put(&statement("odd", json!({"text": "tranylcipromine"})))
        .await;
    let request = json!({"resourceType": "MedicationRequest", "id": "benzo", "status": "active",
        "intent": "order", "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "N05BA06"}]}});
    server.put(&request).await;
    let allergy = json!({"resourceType": "AllergyIntolerance", "id": "a", "code": {"text": "penicillin"},
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]},
        "patient": {"reference": "Patient/p"}});
    server.put(&allergy).await;

    let home = asked(&server, "?setting=home").await;
    let expected = [
        ("MedicationStatement/maoi", "contraindicated"),
        ("MedicationRequest/benzo", "caution"),
        ("MedicationStatement/odd", "not-checked"),
        ("MedicationStatement/ssri", "monitor"),
    ];
    let expected = expected.map(|(source, verdict)| (source.to_owned(), verdict.to_owned()));
    assert_eq!(verdicts(&home), expected);
    assert_eq!(parameter(&home, "overall")["valueCode"], "contraindicated");
    assert_eq!(parameter(&home, "complete")["valueBoolean"], false);
    let version = parameter(&home, "ruleSetVersion")["valueString"]
        .as_str()
        .unwrap();
    let rule_set = parameter(&home, "ruleSet")["valueCanonical"]
        .as_str()
        .unwrap();
    assert!(rule_set.ends_with(&format!("|{version}")), "{rule_set}");
    let finding = part(parameter(&home, "medicine"), "finding");
    assert!(
        part(finding, "rule")["valueUri"]
            .as_str()
            .unwrap()
            .ends_with("#maoi-irreversible")
    );
    for name in ["mechanism", "recommendation", "evidence", "tier"] {
        assert!(!part(finding, name).is_null(), "{name}");
    }
    let clinic = asked(&server, "?setting=clinic&route=intravenous").await;
    assert_eq!(parameter(&clinic, "overall")["valueCode"], "caution");
    assert_eq!(verdicts(&clinic).len(), 4);

    let post = json!({"resourceType": "Parameters", "parameter": [{"name": "setting", "valueCode": "home"}]});
    let url = "/Patient/p/$medication-compatibility";
    let posted = server
        .call("POST", url)
        .resource(&post)
        .expect(200)
        .await
        .json();
    assert_eq!(verdicts(&posted), expected);
    for (query, status) in [
        ("?setting=car", 400),
        ("?setting=home&route=intramuscular", 400),
        ("?agent=propofol", 400),
        ("?dose=1", 400),
    ] {
        server.get(&format!("{url}{query}")).expect(status).await;
    }
    server
        .get("/Patient/none/$medication-compatibility")
        .expect(404)
        .await;
}

async fn a_proposed_medicine_is_checked_and_not_stored(server: Server) {
    let ask = |resource: Value| {
        let call = server.call("POST", "/MedicationStatement/$check?setting=home");
        async move { call.resource(&resource).expect(200).await.json() }
    };
    let mut proposed = statement("x", coded("10734"));
    proposed.as_object_mut().unwrap().remove("id");
    let answer = ask(proposed.clone()).await;
    assert_eq!(
        parameter(&answer, "overall")["valueCode"],
        "contraindicated"
    );
    let wrapped = json!({"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": proposed}]});
    assert_eq!(verdicts(&ask(wrapped).await)[0].1, "contraindicated");
    let odd = ask(statement("x", json!({"text": "mysterin"}))).await;
    assert_eq!(parameter(&odd, "overall")["valueCode"], "not-checked");
    let mut never = statement("x", coded("10734"));
    never["status"] = "not-taken".into();
    assert_eq!(
        parameter(&ask(never).await, "overall")["valueCode"],
        "not-checked"
    );
    assert_eq!(server.count("/MedicationStatement").await, 0);
    let wrong = example::patient("One");
    let call = server.call("POST", "/MedicationStatement/$check");
    call.resource(&wrong).expect(400).await;
}

/// "Applications that do not understand a modifier extension must not process
/// the data as if it were not there", whichever part of a record carries it.
/// <https://hl7.org/fhir/R4/extensibility.html#modifierExtension>
async fn what_an_unknown_extension_may_change_is_not_checked(server: Server) {
    with_patient(&server).await;
    let modifier = json!([{"url": "http://example.org/negated", "valueBoolean": true}]);
    let product = json!({"resourceType": "Medication", "id": "product", "code": coded("36437"),
        "modifierExtension": modifier});
    server.put(&product).await;
    let mut whole = statement("a", coded("36437"));
    whole["modifierExtension"] = modifier.clone();
    let mut dosed = statement("b", coded("36437"));
    dosed["dosage"] = json!([{"text": "50 mg", "modifierExtension": modifier}]);
    let mut stopped = statement("c", coded("36437"));
    stopped["status"] = "stopped".into();
    stopped["effectivePeriod"] = json!({"end": "2019-01-01"});
    stopped["modifierExtension"] = modifier;
    let mut referring = statement("d", Value::Null);
    referring
        .as_object_mut()
        .unwrap()
        .remove("medicationCodeableConcept");
    referring["medicationReference"] = json!({"reference": "Medication/product"});
    for record in [whole, dosed, stopped, referring] {
        server.put(&record).await;
    }
    let answer = asked(&server, "").await;
    let found: Vec<_> = verdicts(&answer);
    let named = |id: &str| {
        (
            format!("MedicationStatement/{id}"),
            "not-checked".to_owned(),
        )
    };
    assert_eq!(found, ["a", "b", "c", "d"].map(named), "{answer}");
    assert!(answer.to_string().contains("modifierExtension"), "{answer}");
}

crate::on_both_stores!(
    a_medicine_that_ended_years_ago_tells_nothing_of_now,
    every_medicine_gets_a_verdict,
    what_an_unknown_extension_may_change_is_not_checked,
    a_proposed_medicine_is_checked_and_not_stored,
);
