//! The medicines as they are now, against the rules. What speaks against the
//! session holds it, unless somebody has overridden the finding with a reason.

use super::check::Check;
use super::moment::minutes_of;
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::medication::{
    NOTHING_RECORDED, Question, Rules, Verdict, is_overridden, issue_key, medicines_of,
};
use crate::fhir::engine::{Engine, now};
use crate::fhir::operation::{LIMITED_VIEW, Records};
use crate::fhir::outcome::Failure;
use crate::fhir::record::ResourceKey;
use crate::fhir::search::path::items;

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
            match find_override(rules, patient.records(), &issue).await? {
                FoundOverride::Stands => {
                    notes.push(format!("{line}, overridden with a reason"));
                    evidence.push(issue);
                }
                FoundOverride::Void => {
                    against.push(format!(
                        "{line} (the override was given before the medicine, its dose, route or status was changed, or has run out: give it again)"
                    ));
                    evidence.push(issue);
                }
                FoundOverride::None => against.push(line),
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
    } else if medicines.nothing_recorded {
        Check::unknown(ID, NOTHING_RECORDED)
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

/// What stands between a finding and its override.
enum FoundOverride {
    Stands,
    /// It was given for another dose, route or status, has no time, or has run out.
    Void,
    None,
}

async fn find_override(
    rules: &Rules,
    records: &Records<'_>,
    issue: &ResourceKey,
) -> Result<FoundOverride, Failure> {
    let found = records.find(issue).await?;
    let lasts = minutes_of(&rules.knowledge, "override").unwrap_or_default();
    Ok(match found {
        Some(found) if is_overridden(&found.resource.content, now(), lasts) => {
            FoundOverride::Stands
        }
        Some(found) if !items(&found.resource.content, "mitigation").is_empty() => {
            FoundOverride::Void
        }
        _ => FoundOverride::None,
    })
}
