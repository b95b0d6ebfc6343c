//! A3 of issue 12, before a session: no Condition of a set that blocks leaves the session
//! on go, nor one that may be of such a set. The sets are read from the data.

use crate::candidacy::{SNOMED, active, all_answers, condition};
use crate::readiness::{everything, state};
use crate::support::Server;

crate::on_both_stores!(
    a3_no_problem_of_a_set_that_blocks_goes,
    a3_a_problem_that_is_not_understood_may_be_one_that_blocks,
);

/// Dementia, of a set that refers.
const DEMENTIA: &str = "52448006";

async fn ready(server: &Server) {
    everything(server, "home").await;
    let patient =
        serde_json::json!({"resourceType": "Patient", "id": "p", "birthDate": "1990-04-02"});
    server.put(&patient).await;
    server.put(&active("ocd", SNOMED, "191736004")).await;
    server.put(&all_answers("q", "2020-02-15", &[])).await;
    assert_eq!(state(server, "candidacy").await, "go");
}

const ICD10CM: &str = "http://hl7.org/fhir/sid/icd-10-cm";

/// One coding of each set that blocks: the id of the set, system and code.
fn blocking_codes() -> Vec<(String, &'static str, String)> {
    let data = include_str!("../../src/clinical/knowledge/condition-sets.toml");
    let data: toml::Value = toml::from_str(data).unwrap();
    let sets = data["condition_set"].as_array().unwrap().iter();
    let blocking = sets.filter(|set| set["action"].as_str() == Some("block"));
    let coded = blocking.map(|set| {
        let first = |(member, system)| {
            let codes = set.get(member).and_then(toml::Value::as_str);
            let code = codes.and_then(|codes| codes.split_whitespace().next());
            code.map(|code| (system, code.to_owned()))
        };
        let members = [
            ("published", SNOMED),
            ("matched", SNOMED),
            ("icd10cm", ICD10CM),
        ];
        let (system, code) = members.into_iter().find_map(first).expect("a code");
        (set["id"].as_str().unwrap().to_owned(), system, code)
    });
    coded.collect()
}

async fn a3_no_problem_of_a_set_that_blocks_goes(server: Server) {
    ready(&server).await;
    let sets = blocking_codes();
    assert!(sets.len() > 20, "{sets:?}");
    let mut wrong = Vec::new();
    for (id, system, code) in &sets {
        for certainty in ["confirmed", "unconfirmed", "provisional", "differential"] {
            server
                .put(&condition("m", system, code, "active", certainty))
                .await;
            if state(&server, "candidacy").await == "go" {
                wrong.push(format!("{id} {code} {certainty}"));
            }
        }
        // What is for a clinician to judge does not outweigh it.
        server.put(&active("n", SNOMED, DEMENTIA)).await;
        if state(&server, "candidacy").await == "go" {
            wrong.push(format!("{id} {code} differential, beside dementia"));
        }
        server.call("DELETE", "/Condition/n").expect(204).await;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

async fn a3_a_problem_that_is_not_understood_may_be_one_that_blocks(server: Server) {
    ready(&server).await;
    // R41.82, altered mental status, is in no set. Of what blocks it may be delirium alone.
    server.put(&active("m", ICD10CM, "R41.82")).await;
    assert_eq!(state(&server, "candidacy").await, "unknown");
    server.put(&active("n", SNOMED, DEMENTIA)).await;
    assert_eq!(state(&server, "candidacy").await, "unknown");
}
