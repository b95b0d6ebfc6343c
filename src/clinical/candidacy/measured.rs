//! Criteria that rest on what was measured or taken: scores, blood pressure, and
//! earlier medicines.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::absence::ProblemWeight;
use super::judge::Judge;
use super::status::{Finding, Status};
use crate::clinical::knowledge::{Entry, Knowledge, Limit, Score, SetAction};
use crate::clinical::measures::value::of_score;
use crate::clinical::medication::Setting;
use crate::clinical::observation::{compare, component, has_code, shown, sign_of};
use crate::clinical::sri;
use crate::fhir::operation::LIMITED_VIEW;
use crate::fhir::resource::instant;

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
        let latest = self.evidence.latest(&self.evidence.pressures, |content| {
            sign_of(knowledge, content).is_some_and(|sign| sign.id == "blood-pressure")
                && halves(knowledge, content).is_some()
        });
        if self.evidence.pressures.hidden {
            return Finding::unknown(LIMITED_VIEW);
        }
        let Some((version, time)) = latest else {
            return Finding::unknown("No blood pressure is recorded.");
        };
        let source = [version.key.to_string()];
        let said = day(time);
        if !self.is_fresh(time) {
            let text = format!(
                "The latest blood pressure is of {said}. Too old. {}",
                self.horizon_text()
            );
            return Finding::unknown(text).by(source);
        }
        let Some((systolic, diastolic)) = halves(knowledge, &version.resource.content) else {
            return Finding::unknown("No blood pressure is recorded.");
        };
        let said = format!("{} / {} on {said}.", shown(systolic), shown(diastolic));
        let over = |limit: &Limit| {
            let above = |quantity, value: Option<i64>| {
                value.is_some_and(|value| {
                    // What does not compare is not shown to be below.
                    compare(quantity, value, "mm[Hg]").is_none_or(|side| side == Ordering::Greater)
                })
            };
            above(systolic, limit.systolic) || above(diastolic, limit.diastolic)
        };
        let crossed: Vec<&Entry<Limit>> = knowledge
            .limits
            .iter()
            .filter(|limit| self.is_of_setting(&limit.fact) && over(&limit.fact))
            .collect();
        let actions = crossed.iter().map(|limit| limit.fact.action.clone());
        let stops = crossed.iter().any(|limit| !limit.fact.review);
        let mut finding = match (crossed.is_empty(), stops) {
            (true, _) => Finding::met(said),
            (false, true) => Finding::not_met(said),
            (false, false) => Finding::unknown(said),
        };
        finding.reasons.extend(actions);
        let finding = finding.by(source);
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
    fn is_of_setting(&self, limit: &Limit) -> bool {
        let of = Setting::from_code(&limit.setting);
        self.evidence.setting.is_none() || of == self.evidence.setting
    }
}

type Quantity = Map<String, Value>;

/// Systolic and diastolic.
fn halves<'v>(
    knowledge: &Knowledge,
    content: &'v Quantity,
) -> Option<(&'v Quantity, &'v Quantity)> {
    let half = |name| component(knowledge, content, name);
    Some((half("systolic")?, half("diastolic")?))
}

/// The points of a score; `None` where it says none.
fn points(score: &Entry<Score>, content: &Map<String, Value>) -> Option<i64> {
    of_score(score, content).ok().flatten()
}

pub(super) fn day(micros: i64) -> String {
    instant(micros).chars().take(10).collect()
}
