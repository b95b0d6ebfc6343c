//! Screens for suicidality: one of the day of the session says low, and none before it
//! says more without a later one by a clinician. Item 9 of PHQ-9 above 0 on the day is
//! never go.

use super::check::Check;
use super::moment::SessionMoment;
use crate::clinical::knowledge::Knowledge;
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::observation::effective;
use crate::clinical::screens::{
    SuicideRiskLevel, codes_of_suicide_screens, read_answered_screens, read_suicide_condition,
    read_suicide_screen,
};
use crate::fhir::operation::LIMITED_VIEW;
use crate::fhir::operation::records::Version;
use crate::fhir::outcome::Failure;
use crate::fhir::record::ResourceKey;
use crate::fhir::resource::instant;
use crate::fhir::search::date::{self, Range};
use crate::fhir::search::path::{items, text};

const ID: &str = "suicidality";

/// A record that says something of suicidality.
struct DatedScreen {
    key: ResourceKey,
    /// `None` where nobody says when.
    time: Option<Range>,
    level: SuicideRiskLevel,
    said: String,
    by_clinician: bool,
    /// It is a whole screen that says low.
    settles: bool,
    /// A question that counts points: no later screen of the day takes it back.
    by_points: bool,
}

pub async fn check_suicidality(
    knowledge: &Knowledge,
    patient: &PatientRecords<'_>,
    moment: &SessionMoment,
) -> Result<Check, Failure> {
    let codes = codes_of_suicide_screens(knowledge).join(",");
    let observed = patient
        .search("Observation", &[("combo-code", &codes)])
        .await?;
    let answered = patient.search("QuestionnaireResponse", &[]).await?;
    let conditions = patient.search("Condition", &[]).await?;
    let active = conditions.resources.iter().find_map(|one| {
        let reading = read_suicide_condition(knowledge, &one.resource.content)?;
        Some((reading.said, one.key.clone()))
    });
    if let Some((said, key)) = active {
        let text = format!("{said} A clinician sees the patient first.");
        return Ok(Check::hold(ID, text).by([key]));
    }
    if observed.hidden || answered.hidden || conditions.hidden {
        return Ok(Check::unknown(ID, LIMITED_VIEW));
    }
    let mut screens: Vec<DatedScreen> = observed
        .resources
        .iter()
        .filter_map(|one| read_observed(knowledge, one))
        .collect();
    let answers = answered.resources.iter();
    screens.extend(answers.filter_map(|one| read_answered(knowledge, one)));
    Ok(judge_screens(knowledge, moment, &screens))
}

fn read_observed(knowledge: &Knowledge, version: &Version) -> Option<DatedScreen> {
    let content = &version.resource.content;
    let reading = read_suicide_screen(knowledge, content)?;
    let by_clinician = items(content, "performer").iter().any(|performer| {
        let reference = performer.get("reference").and_then(|one| one.as_str());
        reference
            .is_some_and(|one| one.contains("Practitioner/") || one.contains("PractitionerRole/"))
    });
    Some(DatedScreen {
        key: version.key.clone(),
        time: effective(content).or_else(|| date::range(text(content, "issued")?)),
        level: reading.level,
        said: reading.said,
        by_clinician,
        settles: reading.level == SuicideRiskLevel::Low,
        by_points: reading.by_points,
    })
}

/// Answers of a questionnaire are heard where they speak of more; they never settle.
fn read_answered(knowledge: &Knowledge, version: &Version) -> Option<DatedScreen> {
    let content = &version.resource.content;
    let reading = read_answered_screens(knowledge, content)?;
    Some(DatedScreen {
        key: version.key.clone(),
        time: text(content, "authored").and_then(date::range),
        level: reading.level,
        said: reading.said,
        by_clinician: false,
        settles: false,
        by_points: reading.by_points,
    })
}

fn judge_screens(knowledge: &Knowledge, moment: &SessionMoment, all: &[DatedScreen]) -> Check {
    let in_future = |one: &&DatedScreen| {
        one.time
            .is_some_and(|time| moment.is_in_the_future(knowledge, time))
    };
    if let Some(one) = all.iter().find(in_future) {
        let text = "A screen is dated in the future, so that it decides nothing. Correct its time.";
        return Check::unknown(ID, text).by([one.key.clone()]);
    }
    let known: Vec<&DatedScreen> = all
        .iter()
        .filter(|one| one.time.is_none_or(|(low, _)| low <= moment.now))
        .collect();
    let of_the_day = |one: &DatedScreen| {
        let before = one.time.is_some_and(|(low, _)| low <= moment.now);
        before && one.time.is_some_and(|time| moment.is_on_the_day(time))
    };
    let is_above = |one: &DatedScreen| one.level == SuicideRiskLevel::AboveLow;
    for one in known.iter().filter(|one| is_above(one)) {
        let reviewed = one.time.is_some_and(|(_, high)| {
            known.iter().any(|other| {
                other.settles && other.by_clinician && other.time.is_some_and(|(low, _)| low > high)
            })
        });
        if !reviewed || (one.by_points && of_the_day(one)) {
            let text = format!(
                "{}{} A clinician sees the patient first and records a screen.",
                one.said,
                one.time
                    .map(|(low, _)| format!(" ({})", instant(low)))
                    .unwrap_or_default()
            );
            return Check::hold(ID, text).by([one.key.clone()]);
        }
    }
    let decider = known
        .iter()
        .filter(|one| one.settles && of_the_day(one))
        .max_by_key(|one| one.time);
    let Some(decider) = decider else {
        let rule = knowledge.freshness.iter().find(|one| one.id == ID);
        let rule = rule.map(|one| one.fact.text.as_str()).unwrap_or_default();
        let open = known
            .iter()
            .filter(|one| one.level == SuicideRiskLevel::NotUnderstood && of_the_day(one));
        let open: Vec<String> = open.map(|one| one.said.clone()).collect();
        let text = format!(
            "No screen of the day says how high the risk is. {} {rule}",
            open.join(" ")
        );
        return Check::unknown(ID, text);
    };
    let later = known.iter().find(|one| {
        one.level == SuicideRiskLevel::NotUnderstood
            && one
                .time
                .is_none_or(|(_, high)| decider.time.is_none_or(|(low, _)| high >= low))
    });
    if let Some(one) = later {
        let text = format!("A screen is not understood. {}", one.said);
        return Check::unknown(ID, text).by([one.key.clone()]);
    }
    let time = decider
        .time
        .map(|(low, _)| instant(low))
        .unwrap_or_default();
    let text = format!(
        "The last screen of the day ({time}) shows a low risk; {} screens were looked at.",
        known.len()
    );
    Check::go(ID, text).by([decider.key.clone()])
}
