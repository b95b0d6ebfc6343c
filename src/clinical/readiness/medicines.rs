//! The medicines as they are now, against the rules. What speaks against the
//! session holds it, unless somebody has overridden the finding with a reason.

use super::check::Check;
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::medication::{Question, Rules, Verdict, issue_key, medicines_of};
use crate::fhir::engine::Engine;
use crate::fhir::operation::{LIMITED_VIEW, Records};
use crate::fhir::outcome::Failure;
use crate::fhir::record::ResourceKey;
use crate::fhir::search::path::{items, text};

const ID: &str = "medicines";

pub async fn of_medicines(
    rules: &Rules,
    engine: &Engine,
    patient: &PatientRecords<'_>,
    question: &Question,
) -> Result<Check, Failure> {
    let medicines = medicines_of(rules, engine, patient, question).await?;
    let mut against = Vec::new();
    let mut unchecked = Vec::new();
    let mut notes = Vec::new();
    let mut evidence = Vec::new();
    for (key, assessment) in &medicines.assessed {
        for finding in &assessment.findings {
            if finding.verdict < Verdict::Caution {
                continue;
            }
            let line = format!("{}: {}", assessment.name, finding.verdict.code());
            let issue = issue_key(&finding.rule.id, key);
            if is_overridden(patient.records(), &issue).await? {
                notes.push(format!("{line}, overridden with a reason"));
                evidence.push(issue);
            } else {
                against.push(line);
            }
        }
        if !assessment.complete || assessment.verdict == Verdict::NotChecked {
            unchecked.push(assessment.name.clone());
        }
        evidence.push(key.clone());
    }
    let hidden = medicines.hidden;
    let check = if !against.is_empty() {
        Check::hold(
            ID,
            format!(
                "{}. Review them, or override the finding by a mitigation.",
                against.join("; ")
            ),
        )
    } else if hidden {
        Check::unknown(ID, LIMITED_VIEW)
    } else if !unchecked.is_empty() {
        Check::unknown(ID, format!("Not checked: {}.", unchecked.join(", ")))
    } else if !notes.is_empty() {
        Check::go(ID, format!("{}.", notes.join("; ")))
    } else {
        Check::go(
            ID,
            "No medicine that is recorded speaks against the session.",
        )
    };
    Ok(check.by(evidence))
}

async fn is_overridden(records: &Records<'_>, issue: &ResourceKey) -> Result<bool, Failure> {
    let found = records.find(issue).await?;
    Ok(found.is_some_and(|found| {
        let content = &found.resource.content;
        text(content, "status") == Some("final") && !items(content, "mitigation").is_empty()
    }))
}
