//! Criteria that rest on what was measured or taken: scores, blood pressure, and
//! earlier medicines.

use serde_json::{Map, Value};

use super::absence::ProblemWeight;
use super::judge::Judge;
use super::status::{Finding, Status};
use crate::clinical::knowledge::{Entry, LimitEffect, Score, SetAction};
use crate::clinical::measures::value::of_score;
use crate::clinical::medication::Setting;
use crate::clinical::observation::has_code;
use crate::clinical::sri;
use crate::clinical::vitals::limits::{MeasuredWhen, crossed_limits};
use crate::clinical::vitals::measured::{BLOOD_PRESSURE, VitalReading, read_vital_signs};
use crate::fhir::engine::now;
use crate::fhir::operation::LIMITED_VIEW;
use crate::fhir::resource::instant;
use crate::fhir::search::date::Range;

impl Judge<'_, '_> {
    pub(super) fn score(&self) -> Finding {
        let knowledge = &self.rules.knowledge;
        let wanted = self.criterion.fact.score.as_ref();
        let score = knowledge.scores.iter().find(|one| Some(&one.id) == wanted);
        let (Some(score), Some(limit)) = (score, self.criterion.fact.at_least) else {
            return Finding::unknown("The knowledge base has no such score.");
        };
        let fact = &score.fact;
        let latest = self.evidence.latest(&self.evidence.scores, |content| {
            has_code(content.get("code"), &fact.system, &fact.code)
                && points(score, content).is_some()
        });
        // A later one that is hidden could say otherwise.
        if self.evidence.scores.hidden {
            return Finding::unknown(LIMITED_VIEW);
        }
        let Some((version, time)) = latest else {
            return Finding::unknown(format!("No {} is recorded.", fact.name));
        };
        let total = points(score, &version.resource.content).unwrap_or_default();
        let said = format!("{} {total} on {}.", fact.name, day(time));
        let source = [version.key.to_string()];
        if !self.is_fresh(time) {
            let text = format!("{said} Too old. {}", self.horizon_text());
            return Finding::unknown(text).by(source);
        }
        if total >= limit {
            Finding::met(said).by(source)
        } else {
            Finding::not_met(said).by(source)
        }
    }

    pub(super) fn sri_trial(&self) -> Finding {
        let seen = &self.evidence.medicines;
        let shelf = &self.evidence.shelf;
        let Some(history) = sri::history(self.rules, seen, shelf, self.evidence.at.0) else {
            return Finding::unknown("The knowledge base has no rule on adequate trials.");
        };
        let sources = history
            .trials
            .iter()
            .flat_map(|trial| trial.sources.clone());
        let mut finding = match history.overall() {
            sri::Adequacy::Adequate => {
                let adequate = history.trials.iter();
                let adequate = adequate.filter(|trial| trial.adequacy == sri::Adequacy::Adequate);
                let sources = adequate.flat_map(|trial| trial.sources.clone());
                Finding::met(
                    "An adequate trial. Whether its relief was insufficient is for the clinician.",
                )
                .by(sources)
            }
            sri::Adequacy::Inadequate => {
                Finding::not_met("No trial was long enough at the dose.").by(sources)
            }
            sri::Adequacy::Undetermined if seen.hidden => Finding::unknown(LIMITED_VIEW),
            sri::Adequacy::Undetermined => {
                Finding::unknown("No trial can be shown to be adequate.").by(sources)
            }
        };
        let reasons = history.trials.iter().flat_map(|trial| &trial.reasons);
        finding.reasons.extend(reasons.cloned());
        finding
    }

    /// In the clinic above the review limit a clinician weighs it; above the
    /// limit of the setting it is not controlled.
    pub(super) fn blood_pressure(&self) -> Finding {
        let knowledge = &self.rules.knowledge;
        if let Some(found) = self.hypertensive_crisis() {
            return found;
        }
        if self.evidence.pressures.hidden {
            return Finding::unknown(LIMITED_VIEW);
        }
        let until = self.evidence.at.1.min(now());
        let seen = &self.evidence.pressures.resources;
        let readings = read_vital_signs(knowledge, BLOOD_PRESSURE, seen);
        let known = readings.iter().filter(|one| one.is_whole());
        let known = known.filter_map(|one| Some((one.time?, one)));
        let known: Vec<(Range, &VitalReading)> =
            known.filter(|((low, _), _)| *low <= until).collect();
        let Some(newest) = known.iter().map(|((low, _), _)| *low).max() else {
            return Finding::unknown("No blood pressure is recorded.");
        };
        // What may be of the same time counts too: the worst of them holds.
        let last: Vec<&VitalReading> = known
            .iter()
            .filter(|((_, high), _)| *high >= newest)
            .map(|(_, reading)| *reading)
            .collect();
        let sources = last.iter().flat_map(|one| &one.sources);
        let sources: Vec<String> = sources.map(ToString::to_string).collect();
        let said = day(newest);
        if !self.is_fresh(newest) {
            let text = format!(
                "The latest blood pressure is of {said}. Too old. {}",
                self.horizon_text()
            );
            return Finding::unknown(text).by(sources);
        }
        let shown: Vec<String> = last.iter().map(|one| one.shown()).collect();
        let said = format!("{} on {said}.", shown.join(", "));
        let finding = self.within_limits(&last, said).by(sources);
        match self.unread_finding(false) {
            Some(unread) if finding.status == Status::Met => {
                Finding::join(Status::Unknown, [unread, finding])
            }
            _ => finding,
        }
    }

    /// Of hypertension itself the measured pressure decides.
    fn hypertensive_crisis(&self) -> Option<Finding> {
        let weighed = self.weigh_problems(false);
        let of = |weight: ProblemWeight| weighed.iter().find(|(one, ..)| *one == weight);
        if let Some((_, said, problem)) = of(ProblemWeight::Stands) {
            return Some(Finding::not_met(said).by([problem.source()]));
        }
        let open = weighed.iter().find(|(one, _, problem)| {
            let mut hits = problem.hits_of(&self.criterion.fact.sets);
            *one == ProblemWeight::Open && hits.any(|hit| hit.set.fact.action == SetAction::Block)
        });
        open.map(|(_, said, problem)| Finding::unknown(said).by([problem.source()]))
    }

    /// Without a setting the limits of both count.
    fn within_limits(&self, readings: &[&VitalReading], said: String) -> Finding {
        let knowledge = &self.rules.knowledge;
        let setting = self.evidence.setting;
        let places = knowledge
            .places
            .iter()
            .filter(|place| setting.is_none() || Setting::from_code(&place.id) == setting);
        let (mut crossed, mut unread) = (Vec::new(), None);
        for place in places {
            for reading in readings {
                let when = MeasuredWhen::BeforeDose;
                match crossed_limits(knowledge, &reading.values, place, when) {
                    Ok(found) => crossed.extend(found),
                    Err(text) => unread = Some(text),
                }
            }
        }
        let stops = crossed.iter().any(|one| one.effect != LimitEffect::Review);
        let mut finding = match (crossed.is_empty(), stops) {
            (_, true) => Finding::not_met(said),
            (false, false) => Finding::unknown(said),
            (true, false) if unread.is_some() => Finding::unknown(said),
            (true, false) => Finding::met(said),
        };
        finding
            .reasons
            .extend(crossed.into_iter().map(|one| one.text));
        finding.reasons.extend(unread);
        finding
    }
}

/// The points of a score; `None` where it says none.
fn points(score: &Entry<Score>, content: &Map<String, Value>) -> Option<i64> {
    of_score(score, content).ok().flatten()
}

pub(super) fn day(micros: i64) -> String {
    instant(micros).chars().take(10).collect()
}
