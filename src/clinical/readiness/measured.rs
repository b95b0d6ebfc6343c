//! Blood pressure and the screen for suicidality: fresh enough at the start of
//! the session, and within the limits of its setting.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::check::{Check, State};
use crate::clinical::knowledge::{Entry, Knowledge, Limit, Place};
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::measures::value::of_score;
use crate::clinical::observation::{compare, component, effective, is_usable, shown};
use crate::fhir::operation::LIMITED_VIEW;
use crate::fhir::operation::records::Version;
use crate::fhir::outcome::Failure;
use crate::fhir::resource::instant;
use crate::fhir::search::path::text;

const MINUTE: i64 = 60_000_000;
const UNIT: &str = "mm[Hg]";

/// The last one within the hours before the session.
enum Last {
    /// Something is hidden, so that a later one may be.
    Hidden,
    Missing(String),
    Unusable(Version),
    Found(Version),
}

async fn last(
    knowledge: &Knowledge,
    patient: &PatientRecords<'_>,
    code: &str,
    freshness: &str,
    at: i64,
) -> Result<Last, Failure> {
    let fresh = knowledge.freshness.iter().find(|one| one.id == freshness);
    let Some(fresh) = fresh else {
        return Ok(Last::Missing(
            "The knowledge base does not say how fresh it has to be.".to_owned(),
        ));
    };
    let from = format!("ge{}", instant(at - fresh.fact.minutes * MINUTE));
    let to = format!("le{}", instant(at));
    let criteria = [("code", code), ("date", &*from), ("date", &*to)];
    let seen = patient.search("Observation", &criteria).await?;
    if seen.hidden {
        return Ok(Last::Hidden);
    }
    let counts = |version: &Version| {
        let status = text(&version.resource.content, "status");
        !matches!(status, Some("entered-in-error" | "cancelled"))
    };
    let newest = seen
        .resources
        .into_iter()
        .filter(counts)
        .max_by_key(|version| effective(&version.resource.content).map(|(_, high)| high));
    Ok(match newest {
        None => Last::Missing(format!("None is recorded. {}", fresh.fact.text)),
        Some(version) if is_usable(&version.resource.content) => Last::Found(version),
        Some(version) => Last::Unusable(version),
    })
}

/// The check where there is nothing to judge by.
fn without(id: &'static str, last: Last) -> Result<Version, Check> {
    match last {
        Last::Found(version) => Ok(version),
        Last::Hidden => Err(Check::unknown(id, LIMITED_VIEW)),
        Last::Missing(text) => Err(Check::unknown(id, text)),
        Last::Unusable(version) => {
            let text = "The last one is not final, or implausible and confirmed by nobody. Confirm it or measure again.";
            Err(Check::unknown(id, text).by([version.key]))
        }
    }
}

pub async fn of_blood_pressure(
    knowledge: &Knowledge,
    patient: &PatientRecords<'_>,
    place: &Entry<Place>,
    at: i64,
) -> Result<Check, Failure> {
    let id = "blood-pressure";
    let sign = knowledge.signs.iter().find(|sign| sign.id == id);
    let Some(sign) = sign else {
        return Ok(Check::unknown(id, "The knowledge base has no code for it."));
    };
    let code = format!("http://loinc.org|{}", sign.fact.loinc);
    let last = last(knowledge, patient, &code, id, at).await?;
    let version = match without(id, last) {
        Ok(version) => version,
        Err(check) => return Ok(check),
    };
    let (state, reason) = pressure(knowledge, &version.resource.content, place);
    let check = match state {
        State::Go => Check::go(id, reason),
        State::Hold => Check::hold(id, reason),
        State::Unknown => Check::unknown(id, reason),
    };
    Ok(check.by([version.key]))
}

/// A reading against all limits of the setting.
pub fn pressure(
    knowledge: &Knowledge,
    content: &Map<String, Value>,
    place: &Entry<Place>,
) -> (State, String) {
    let halves = ["systolic", "diastolic"].map(|half| component(knowledge, content, half));
    let [Some(systolic), Some(diastolic)] = halves else {
        return (
            State::Unknown,
            "The reading lacks a value. Measure again.".to_owned(),
        );
    };
    let reading = format!("{} over {}", shown(systolic), shown(diastolic));
    let mut judged = 0;
    for limit in limits(knowledge, place) {
        for (quantity, bound) in [
            (systolic, limit.fact.systolic),
            (diastolic, limit.fact.diastolic),
        ] {
            let Some(bound) = bound else { continue };
            judged += 1;
            match compare(quantity, bound, UNIT) {
                None => {
                    return (
                        State::Unknown,
                        format!("{reading} cannot be compared with the limit. Measure in {UNIT}."),
                    );
                }
                Some(Ordering::Greater) => {
                    let text = format!(
                        "{reading} is above the limit {} ({bound} {UNIT}). {}",
                        limit.id, limit.fact.action
                    );
                    return (State::Hold, text);
                }
                Some(_) => {}
            }
        }
    }
    if judged == 0 {
        return (
            State::Unknown,
            "The knowledge base has no limit for this setting.".to_owned(),
        );
    }
    (State::Go, format!("{reading} is within the limits."))
}

/// The strictest last, so that the gravest is named first.
fn limits<'k>(knowledge: &'k Knowledge, place: &Entry<Place>) -> Vec<&'k Entry<Limit>> {
    let mut limits: Vec<_> = knowledge
        .limits
        .iter()
        .filter(|limit| limit.fact.setting == place.id)
        .collect();
    limits.sort_by_key(|limit| std::cmp::Reverse(limit.fact.systolic));
    limits
}

pub async fn of_suicidality(
    knowledge: &Knowledge,
    patient: &PatientRecords<'_>,
    at: i64,
) -> Result<Check, Failure> {
    let id = "suicidality";
    let score = knowledge
        .scores
        .iter()
        .find(|score| score.id == "cssrs-risk");
    let Some(score) = score else {
        return Ok(Check::unknown(id, "The knowledge base has no code for it."));
    };
    let code = format!("{}|{}", score.fact.system, score.fact.code);
    let last = last(knowledge, patient, &code, id, at).await?;
    let version = match without(id, last) {
        Ok(version) => version,
        Err(check) => return Ok(check),
    };
    let check = match of_score(score, &version.resource.content) {
        Ok(Some(level)) if level == score.fact.min => {
            Check::go(id, "The last screen shows a low risk.")
        }
        Ok(Some(_)) => Check::hold(
            id,
            "The last screen shows more than a low risk. A clinician sees the patient first.",
        ),
        Ok(None) | Err(_) => Check::unknown(
            id,
            "The last screen has no level of the project's codes (risk-low, risk-moderate, risk-high).",
        ),
    };
    Ok(check.by([version.key]))
}
