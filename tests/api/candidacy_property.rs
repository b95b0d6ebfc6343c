//! Nothing is silent: no addition to a record makes a criterion met,
//! unless it is a newer measurement, a newer answer or a recorded review (issue 12, A).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::candidacy::{SNOMED, all_answers, asked, condition, screen, total, with_everything};
use crate::support::Server;
use crate::support::odd::Dice;
use crate::vitals::{measured, pressure, vital};

crate::on_both_stores!(no_addition_makes_a_criterion_met);

const ROUNDS: usize = 60;
const ICD10: &str = "http://hl7.org/fhir/sid/icd-10-cm";
const CODES: [(&str, &str); 14] = [
    (SNOMED, "64905009"),
    (SNOMED, "72892002"),
    (SNOMED, "36971009"),
    (SNOMED, "999480561000087100"),
    ("urn:oid:2.16.840.1.113883.6.96", "15167005"),
    ("http://ehr.example/problems", "17"),
    (ICD10, "F10.21"),
    (ICD10, "I16.1"),
    (ICD10, "J30.2"),
    (ICD10, "F90.0"),
    (ICD10, "K74.60"),
    (ICD10, "Z86.73"),
    (ICD10, "R45.851"),
    (ICD10, "O03.9"),
];
const CLINICAL: [&str; 4] = ["active", "remission", "resolved", "recurrence"];
const VERIFIED: [&str; 5] = [
    "confirmed",
    "provisional",
    "differential",
    "refuted",
    "entered-in-error",
];

fn with_id(mut content: Value, id: &str) -> Value {
    content["id"] = id.into();
    content
}

/// Nothing of these is a newer measurement, a newer answer or a review.
fn addition(dice: &mut Dice, id: &str) -> Value {
    let content = match dice.roll(9) {
        0..=3 => {
            let (system, code) = CODES[dice.roll(CODES.len())];
            let clinical = CLINICAL[dice.roll(CLINICAL.len())];
            let verified = VERIFIED[dice.roll(VERIFIED.len())];
            let mut content = condition(id, system, code, clinical, verified);
            if verified == "entered-in-error" {
                // <https://hl7.org/fhir/R4/condition.html#con-5>
                content.as_object_mut().unwrap().remove("clinicalStatus");
            }
            if dice.roll(4) == 0 {
                content["code"] = json!({"text": "an old complaint"});
            }
            if dice.roll(4) == 0 {
                content["modifierExtension"] =
                    json!([{"url": "https://example.org/not", "valueBoolean": true}]);
            }
            content
        }
        4 => {
            let mut old = screen("2026-11-10");
            old["valueString"] = ["low", "high", "unclear"][dice.roll(3)].into();
            old
        }
        5 => all_answers(id, "2026-07-01", &[]),
        6 => {
            let mut draft = all_answers(id, "2026-11-20", &[]);
            draft["status"] = "in-progress".into();
            draft
        }
        7 => [
            pressure(id, "110", "70"),
            total(id, 30, "2026-10-01"),
            measured(id, &["44260-8"], "0", "{score}"),
        ][dice.roll(3)]
        .clone(),
        _ => {
            let mut draft = vital(id, &["82810-3"]);
            draft["category"] = json!([{"text": "survey"}]);
            draft["status"] = "preliminary".into();
            draft["valueCodeableConcept"] =
                json!({"coding": [{"system": SNOMED, "code": "60001007"}]});
            draft
        }
    };
    let mut content = with_id(content, id);
    if content["code"]["coding"][0]["code"] == "85354-9" {
        content["effectiveDateTime"] = "2026-11-01T09:00:00Z".into();
    }
    content
}

fn statuses(answer: &Value) -> BTreeMap<String, String> {
    let parameters = answer["parameter"].as_array().unwrap();
    let criteria = parameters.iter().filter(|one| one["name"] == "criterion");
    let text = |part: &Value| part["valueCode"].as_str().unwrap().to_owned();
    criteria
        .map(|one| (text(&one["part"][0]), text(&one["part"][2])))
        .collect()
}

async fn no_addition_makes_a_criterion_met(server: Server) {
    with_everything(&server).await;
    let mut dice = Dice(20_261_130);
    let mut before = statuses(&asked(&server, "").await);
    for round in 0..ROUNDS {
        // Each record starts anew, so that every addition meets several records.
        if round % 6 == 0 {
            for old in 0..ROUNDS {
                for kind in ["Condition", "Observation", "QuestionnaireResponse"] {
                    if old + 6 >= round && old < round {
                        server
                            .call("DELETE", &format!("/{kind}/n{old}"))
                            .send()
                            .await;
                    }
                }
            }
            before = statuses(&asked(&server, "").await);
        }
        let content = addition(&mut dice, &format!("n{round}"));
        server.put(&content).await;
        let after = statuses(&asked(&server, "").await);
        for (id, status) in &after {
            let was = &before[id];
            assert!(
                status != "met" || was == "met",
                "round {round}: {id} was {was} and is met after {content}"
            );
        }
        before = after;
    }
}
