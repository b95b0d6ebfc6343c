//! Whatever is written, in whatever order and at the same time: the stored
//! DetectedIssues are those that a fresh check finds, and every medicine has a
//! verdict.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Server, example};

/// Drugs of every severity, one that is not understood, one without a finding.
const MEDICINES: [&str; 7] = [
    "tranylcypromine",
    "lorazepam",
    "sertraline",
    "lithium",
    "mysterin",
    "fluoxetine and olanzapine",
    "escitalopram",
];
const STATUSES: [&str; 5] = ["active", "on-hold", "stopped", "entered-in-error", "active"];
const ROUNDS: usize = 30;
const AT_ONCE: usize = 8;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn of<'t>(&mut self, items: &[&'t str]) -> &'t str {
        items[self.below(items.len())]
    }
}

fn product(dice: &mut Dice, id: &str) -> Value {
    json!({"resourceType": "Medication", "id": id, "code": {"text": dice.of(&MEDICINES)}})
}

fn statement(dice: &mut Dice, id: &str) -> Value {
    let mut record = json!({
        "resourceType": "MedicationStatement",
        "id": id,
        "status": dice.of(&STATUSES),
        "subject": {"reference": "Patient/p"},
    });
    if dice.below(2) == 0 {
        let target = format!("Medication/{}", dice.of(&["one", "two"]));
        record["medicationReference"] = json!({"reference": target});
    } else {
        record["medicationCodeableConcept"] = json!({"text": dice.of(&MEDICINES)});
    }
    record
}

async fn write(server: &Server, dice: &mut Dice) -> u16 {
    let id = dice.of(&["a", "b"]);
    let medication = dice.of(&["one", "two"]);
    let call = match dice.below(8) {
        0 | 1 => {
            let content = product(dice, medication);
            server
                .call("PUT", &format!("/Medication/{medication}"))
                .resource(&content)
        }
        2 => server.call("DELETE", &format!("/MedicationStatement/{id}")),
        3 => server.call("DELETE", &format!("/Medication/{medication}")),
        4 => {
            let patch = json!([{"op": "replace", "path": "/status", "value": dice.of(&STATUSES)}]);
            server
                .call("PATCH", &format!("/MedicationStatement/{id}"))
                .patch(&patch)
        }
        5 => {
            let entries = [
                example::entry(
                    "PUT",
                    &format!("Medication/{medication}"),
                    Some(product(dice, medication)),
                ),
                example::entry(
                    "PUT",
                    &format!("MedicationStatement/{id}"),
                    Some(statement(dice, id)),
                ),
            ];
            server
                .call("POST", "")
                .resource(&example::bundle("transaction", &entries))
        }
        _ => {
            let content = statement(dice, id);
            server
                .call("PUT", &format!("/MedicationStatement/{id}"))
                .resource(&content)
        }
    };
    call.send().await.status
}

/// `rule record severity` of the issues that stand.
pub async fn stored(server: &Server) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for page in server.pages("/DetectedIssue?_count=200").await {
        for entry in page.json()["entry"].as_array().into_iter().flatten() {
            let issue = &entry["resource"];
            if issue["status"] == "final" {
                let rule = issue["code"]["coding"][1]["code"].as_str().unwrap();
                let record = issue["implicated"][0]["reference"].as_str().unwrap();
                lines.insert(format!(
                    "{rule} {record} {}",
                    issue["severity"].as_str().unwrap()
                ));
            }
        }
    }
    lines
}

/// The same from a fresh check, and how many medicines it has a verdict on.
pub async fn fresh(server: &Server) -> (BTreeSet<String>, usize) {
    let answer = server
        .get("/Patient/p/$medication-compatibility")
        .expect(200)
        .await
        .json();
    let mut lines = BTreeSet::new();
    let mut medicines = 0;
    for medicine in answer["parameter"].as_array().unwrap() {
        if medicine["name"] != "medicine" {
            continue;
        }
        medicines += 1;
        let parts = medicine["part"].as_array().unwrap();
        let source = parts.iter().find(|part| part["name"] == "source").unwrap();
        let record = source["valueReference"]["reference"].as_str().unwrap();
        for finding in parts.iter().filter(|part| part["name"] == "finding") {
            let parts = finding["part"].as_array().unwrap();
            let value = |name: &str| parts.iter().find(|part| part["name"] == name).unwrap();
            let rule = value("rule")["valueUri"].as_str().unwrap();
            let rule = rule.rsplit('#').next().unwrap();
            let severity = match value("verdict")["valueCode"].as_str().unwrap() {
                "monitor" => "low",
                "caution" => "moderate",
                "contraindicated" => "high",
                _ => continue,
            };
            lines.insert(format!("{rule} {record} {severity}"));
        }
    }
    (lines, medicines)
}

async fn stored_issues_equal_a_fresh_check(server: Server) {
    let mut patient = example::patient("Sands");
    patient["id"] = "p".into();
    server.put(&patient).await;
    let mut seeds = Dice(20_261_121);
    for round in 0..ROUNDS {
        let writers = (0..AT_ONCE).map(|_| {
            let mut dice = Dice(seeds.below(1 << 30) as u64);
            let server = &server;
            async move { write(server, &mut dice).await }
        });
        for status in futures_util::future::join_all(writers).await {
            assert!(
                matches!(status, 200 | 201 | 204 | 404 | 409 | 410 | 412),
                "{status}"
            );
        }
        let (expected, medicines) = fresh(&server).await;
        assert_eq!(stored(&server).await, expected, "round {round}");
        let taken = server
            .count("/MedicationStatement?status=active,on-hold")
            .await;
        assert!(
            medicines as u64 >= taken,
            "round {round}: a medicine without a verdict"
        );
    }
}

crate::on_both_stores!(stored_issues_equal_a_fresh_check);
