//! After a change of the rules: the findings that are stored are those of a fresh
//! check, whoever writes meanwhile and wherever it was stopped.

use serde_json::{Value, json};
use unloop::access::{Caller, Internal};
use unloop::clinical::Clinical;
use unloop::clinical::knowledge::Knowledge;

use crate::medication::{coded, statement, with_patient};
use crate::medication_invariant::{fresh, stored};
use crate::support::Server;

const INTERACTIONS: &str = include_str!("../../src/clinical/knowledge/interactions.toml");
/// More than two pieces.
const MANY: usize = 210;

/// Lorazepam is worse than before, tranylcypromine harmless, lithium to be watched.
fn other_rules() -> Clinical {
    let mut text = String::new();
    for rule in INTERACTIONS.split_inclusive("\n\n") {
        let severity = match rule {
            rule if rule.contains("id = \"benzodiazepine\"") => Some("contraindicated"),
            rule if rule.contains("id = \"maoi-irreversible\"") => Some("compatible"),
            rule if rule.contains("id = \"lithium\"") => Some("monitor"),
            _ => None,
        };
        let lines = rule.split_inclusive('\n').map(|line| match severity {
            Some(severity) if line.starts_with("clinic = ") => format!("clinic = \"{severity}\"\n"),
            Some(severity) if line.starts_with("home = ") => format!("home = \"{severity}\"\n"),
            _ => line.to_owned(),
        });
        text.extend(lines);
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("interactions.toml"), text).unwrap();
    Clinical::new(Knowledge::load(Some(folder.path())).unwrap())
}

/// Tranylcypromine, lorazepam and lithium in turn.
async fn filled(server: &Server, many: usize) {
    with_patient(server).await;
    let drugs = ["10734", "6470", "6448"];
    let entries: Vec<Value> = (0..many)
        .map(|number| {
            let id = format!("m{number:03}");
            let record = statement(&id, coded(drugs[number % drugs.len()]));
            let url = format!("MedicationStatement/{id}");
            crate::support::example::entry("PUT", &url, Some(record))
        })
        .collect();
    server.bundle("transaction", &entries).await;
}

async fn recheck(server: &Server, clinical: &Clinical) -> usize {
    let caller = Caller::internal(Internal::Recheck);
    let mut changed = 0;
    loop {
        let piece = clinical.recheck(&server.engine, &caller).await.unwrap();
        changed += piece.changed;
        if piece.last {
            return changed;
        }
    }
}

async fn made_by(server: &Server, clinical: &Clinical) -> bool {
    let (version, made) = clinical.findings(&server.engine).await.unwrap();
    made.is_by(version)
}

async fn findings_follow_the_rules(server: Server) {
    let old = Clinical::new(Knowledge::embedded().unwrap());
    filled(&server, MANY).await;
    assert!(made_by(&server, &old).await);
    // One is overridden, which has to outlive the recheck.
    let issues = "/DetectedIssue?implicated=MedicationStatement/m001";
    let mut issue = server.get(issues).expect(200).await.json()["entry"][0]["resource"].clone();
    issue["mitigation"] = json!([{"action": {"text": "Half a tablet the evening before"}, "date": "2020-03-01",
        "author": {"reference": "Practitioner/d"}}]);
    server.put(&issue).await;

    let rules = other_rules();
    let other = server.second_knowing(other_rules()).await;
    assert!(!made_by(&other, &rules).await);
    let before = stored(&server).await;
    assert_ne!(before, fresh(&other).await.0);
    let changed = recheck(&other, &rules).await;
    assert_eq!(changed, MANY);
    assert!(made_by(&other, &rules).await);
    let (expected, _) = fresh(&other).await;
    assert_eq!(stored(&other).await, expected);
    assert_ne!(expected, before);
    let kept = other.get(issues).expect(200).await.json();
    let kept = &kept["entry"][0]["resource"];
    assert_eq!(kept["mitigation"], issue["mitigation"]);
    assert_eq!(kept["severity"], "high");
    // What has changed tells by whose rules, and the second time nothing has.
    let reference = kept["reference"].as_str().unwrap();
    assert_ne!(kept["reference"], issue["reference"], "{reference}");
    assert_eq!(recheck(&other, &rules).await, 0);
}

async fn a_write_by_other_rules_begins_it_anew(server: Server) {
    let old = Clinical::new(Knowledge::embedded().unwrap());
    filled(&server, 3).await;
    let rules = other_rules();
    let other = server.second_knowing(other_rules()).await;
    other.put(&statement("new", coded("6470"))).await;
    assert!(!made_by(&other, &rules).await);
    // Going back does not make the new findings the old ones.
    assert!(!made_by(&server, &old).await);
    recheck(&other, &rules).await;
    assert!(made_by(&other, &rules).await);
    recheck(&server, &old).await;
    assert!(made_by(&server, &old).await);
    assert_eq!(stored(&server).await, fresh(&server).await.0);
}

async fn records_that_change_meanwhile_are_judged_too(server: Server) {
    filled(&server, 120).await;
    let rules = other_rules();
    let other = server.second_knowing(other_rules()).await;
    let writes = async {
        for number in 0..40 {
            let mut record = statement(&format!("m{number:03}"), coded("6448"));
            record["status"] = if number % 2 == 0 { "active" } else { "stopped" }.into();
            other.put(&record).await;
        }
    };
    tokio::join!(writes, recheck(&other, &rules));
    recheck(&other, &rules).await;
    assert_eq!(stored(&other).await, fresh(&other).await.0);
}

/// Findings of a database that never noted by which rules are of unknown ones.
async fn what_nobody_noted_is_unknown(server: Server) {
    let clinical = Clinical::new(Knowledge::embedded().unwrap());
    assert!(made_by(&server, &clinical).await);
    filled(&server, 3).await;
    server
        .execute("DELETE FROM registry WHERE kind = 'knowledge'")
        .await;
    assert!(!made_by(&server, &clinical).await);
    assert_eq!(recheck(&server, &clinical).await, 0);
    assert!(made_by(&server, &clinical).await);
}

crate::on_both_stores!(
    findings_follow_the_rules,
    a_write_by_other_rules_begins_it_anew,
    records_that_change_meanwhile_are_judged_too,
    what_nobody_noted_is_unknown,
);
