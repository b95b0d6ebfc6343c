//! What a clinician has to see before another dose: a rating of mania at or above its
//! threshold, a serious event that is not over, and what the record of the patient says
//! of itself.

use serde_json::{Map, Value};

use super::check::Check;
use super::moment::SessionMoment;
use crate::clinical::knowledge::{Entry, Knowledge, Score};
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::measures::value::of_score;
use crate::clinical::observation::{effective, is_usable};
use crate::clinical::patient::reasons_against_treatment;
use crate::fhir::operation::LIMITED_VIEW;
use crate::fhir::operation::records::Version;
use crate::fhir::outcome::Failure;
use crate::fhir::resource::instant;
use crate::fhir::search::date::{self, Range};
use crate::fhir::search::path::{items, text};

const SERIOUSNESS: &str = "http://terminology.hl7.org/CodeSystem/adverse-event-seriousness";
const OUTCOME: &str = "http://terminology.hl7.org/CodeSystem/adverse-event-outcome";

/// Alive, active, of age, and the record that is in use.
pub fn check_patient(
    knowledge: &Knowledge,
    patient: &PatientRecords<'_>,
    moment: &SessionMoment,
) -> Check {
    let id = "patient";
    let Some(found) = patient.patient() else {
        return Check::unknown(id, "Your access does not reach the patient.");
    };
    let reasons = reasons_against_treatment(knowledge, &found.resource.content, moment.due());
    let check = if reasons.is_empty() {
        let text = "The record is active, was not replaced, and says neither death nor an age below what is asked.";
        Check::go(id, text)
    } else {
        Check::hold(id, reasons.join(" "))
    };
    check.by([found.key.clone()])
}

/// The last rating holds until a later one, however old it is.
pub async fn check_mania(
    knowledge: &Knowledge,
    patient: &PatientRecords<'_>,
    moment: &SessionMoment,
) -> Result<Check, Failure> {
    let id = "mania";
    let threshold = knowledge.thresholds.iter().find(|one| one.id == id);
    let score = threshold.and_then(|threshold| {
        let mut scores = knowledge.scores.iter();
        scores.find(|score| score.id == threshold.fact.score)
    });
    let (Some(threshold), Some(score)) = (threshold, score) else {
        return Ok(Check::unknown(id, "The knowledge base has no threshold."));
    };
    let mut codes = vec![format!("{}|{}", score.fact.system, score.fact.code)];
    // Without its system, which has several spellings.
    codes.extend(score.fact.method.clone());
    let codes = codes.join(",");
    let seen = patient.search("Observation", &[("code", &codes)]).await?;
    if seen.hidden {
        return Ok(Check::unknown(id, LIMITED_VIEW));
    }
    let ratings = read_ratings(score, &seen.resources);
    let times = ratings
        .iter()
        .filter_map(|(_, time, points)| points.and(*time));
    let newest = times
        .map(|(low, _)| low)
        .filter(|low| *low <= moment.now)
        .max();
    let name = &score.fact.name;
    for (rating, time, points) in &ratings {
        let last = time.is_none_or(|(_, high)| newest.is_none_or(|newest| high >= newest));
        let source = [rating.key.clone()];
        if time.is_some_and(|time| moment.is_in_the_future(knowledge, time)) {
            let text = format!("A {name} is dated in the future. Correct its time.");
            return Ok(Check::unknown(id, text).by(source));
        }
        if !last || time.is_some_and(|(low, _)| low > moment.now) {
            continue;
        }
        match points {
            Some(points) if *points >= threshold.fact.at_least => {
                let text = format!(
                    "{name} {points}, at or above {}. {}",
                    threshold.fact.at_least, threshold.fact.text
                );
                return Ok(Check::hold(id, text).by(source));
            }
            Some(_) => {}
            None => {
                let text = format!("The last {name} has no points that can be read.");
                return Ok(Check::unknown(id, text).by(source));
            }
        }
    }
    Ok(match newest {
        Some(newest) => {
            let text = format!(
                "The last {name}, of {}, is below {}.",
                instant(newest),
                threshold.fact.at_least
            );
            Check::go(id, text)
        }
        None => Check::go(id, format!("No {name} is recorded: none was looked at.")),
    })
}

/// With their times, and their points where they can be relied on.
fn read_ratings<'v>(
    score: &Entry<Score>,
    versions: &'v [Version],
) -> Vec<(&'v Version, Option<Range>, Option<i64>)> {
    let standing = versions.iter().filter(|one| {
        let status = text(&one.resource.content, "status");
        !matches!(status, Some("entered-in-error" | "cancelled"))
    });
    let ratings = standing.map(|one| {
        let content = &one.resource.content;
        let points = of_score(score, content).ok().flatten();
        (
            one,
            effective(content),
            points.filter(|_| is_usable(content)),
        )
    });
    ratings.collect()
}

/// A serious event that is not over holds until a clinician closes it.
pub async fn check_adverse_events(patient: &PatientRecords<'_>) -> Result<Check, Failure> {
    let id = "adverse-events";
    let seen = patient.search("AdverseEvent", &[]).await?;
    let actual = seen.resources.iter().filter(|one| {
        let content = &one.resource.content;
        text(content, "actuality") != Some("potential") && !is_event_over(content)
    });
    let (mut serious, mut unsaid) = (Vec::new(), Vec::new());
    for event in actual {
        match is_serious(&event.resource.content) {
            Some(true) => serious.push(event.key.clone()),
            None => unsaid.push(event.key.clone()),
            Some(false) => {}
        }
    }
    Ok(if !serious.is_empty() {
        let text = "A serious adverse event is not resolved. A clinician looks at it and records its outcome.";
        Check::hold(id, text).by(serious)
    } else if seen.hidden {
        Check::unknown(id, LIMITED_VIEW)
    } else if !unsaid.is_empty() {
        let text = "An adverse event that is not resolved does not say whether it is serious.";
        Check::unknown(id, text).by(unsaid)
    } else {
        let text = format!(
            "None of {} adverse events is serious and unresolved.",
            seen.resources.len()
        );
        Check::go(id, text)
    })
}

/// `None` where it does not say; anything but its code for "no" is serious.
fn is_serious(event: &Map<String, Value>) -> Option<bool> {
    let seriousness = event.get("seriousness")?.as_object()?;
    let codes = items(seriousness, "coding").iter();
    let codes: Vec<bool> = codes
        .map(|coding| crate::clinical::observation::is_coding(coding, SERIOUSNESS, "Non-serious"))
        .collect();
    Some(codes.is_empty() || codes.contains(&false))
}

/// Resolved, with or without consequences.
pub fn is_event_over(event: &Map<String, Value>) -> bool {
    let outcome = event.get("outcome").and_then(Value::as_object);
    let codings = outcome.into_iter().flat_map(|one| items(one, "coding"));
    let codings: Vec<&Value> = codings.collect();
    let over = |coding: &&Value| {
        let is = |code| crate::clinical::observation::is_coding(coding, OUTCOME, code);
        is("resolved") || is("resolvedWithSequelae")
    };
    !codings.is_empty() && codings.iter().all(over)
}

/// When it happened or was noticed; `None` where nobody says.
pub fn time_of_event(event: &Map<String, Value>) -> Option<Range> {
    let times = ["date", "detected", "recordedDate"];
    times
        .iter()
        .find_map(|name| date::range(text(event, name)?))
}
