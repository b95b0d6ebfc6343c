//! What may not be there. A Condition outweighs what the questionnaire says, and a
//! Condition that nobody understood leaves the criterion open: no answer makes up for it.

use std::collections::BTreeSet;

use super::condition::PatientProblem;
use super::judge::Judge;
use super::status::{Finding, Status};
use crate::clinical::conditions::Standing;
use crate::clinical::knowledge::{Effect, SetAction};
use crate::clinical::medication::{Question, assess};
use crate::fhir::operation::LIMITED_VIEW;

/// Names of problems in one reason; the answer lists all of them at its head.
const NAMED: usize = 5;

/// How a problem bears on a criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ProblemWeight {
    /// It is told and changes nothing.
    Told,
    /// It is said to be over: a clinician judges.
    Over,
    /// A clinician judges it.
    Refers,
    /// It is not certain, or not understood.
    Open,
    Stands,
}

impl<'e> Judge<'_, 'e> {
    /// What bears on the criterion, each with its reason.
    pub(super) fn weigh_problems(
        &self,
        ever: bool,
    ) -> Vec<(ProblemWeight, String, &'e PatientProblem<'e>)> {
        let problems = self.problems.iter();
        let weighed = problems.filter_map(|problem| {
            let (weight, said) = self.weigh_problem(problem, ever)?;
            Some((weight, said, problem))
        });
        weighed.collect()
    }

    fn weigh_problem(
        &self,
        problem: &PatientProblem<'_>,
        ever: bool,
    ) -> Option<(ProblemWeight, String)> {
        use ProblemWeight::{Open, Over, Refers, Stands, Told};
        let fact = &self.criterion.fact;
        let standing = problem.standing;
        if standing == Standing::Refuted {
            return None;
        }
        let counts = standing.is_open() || ever;
        let of_sets = problem.hits_of(&fact.sets).filter_map(|hit| {
            let weight = match (hit.set.fact.action, standing) {
                (SetAction::Info | SetAction::None | SetAction::Require, _) => Told,
                (_, Standing::Suspected) => Open,
                (_, Standing::Remission) if !ever => Over,
                (_, Standing::Past) if !ever => return None,
                _ if hit.use_only || hit.guessed => Open,
                (SetAction::Block | SetAction::Flag, _) => Stands,
                (SetAction::Refer | SetAction::ReferUrgent, _) => Refers,
            };
            Some((weight, hit.set.fact.text.clone()))
        });
        let of_doubt = problem.hits_of(&fact.doubt).filter(|_| counts);
        let of_doubt = of_doubt.map(|hit| (Open, hit.set.fact.text.clone()));
        let of_remission = problem.hits_of(&fact.remission).filter(|_| counts);
        let of_remission = of_remission.map(|hit| (Over, hit.set.fact.text.clone()));
        let (weight, name) = of_sets
            .chain(of_doubt)
            .chain(of_remission)
            .max_by_key(|(weight, _)| *weight)?;
        let how = match (weight, standing) {
            (_, Standing::Suspected) => "Suspected and not confirmed",
            (Open, _) => "Recorded, and to be asked about",
            (Over, _) => "Recorded as over; a clinician judges",
            (Refers, _) => "Recorded; a clinician judges",
            (Told | Stands, _) => "Recorded",
        };
        Some((weight, format!("{how}: {name}.")))
    }

    /// Problems that nobody understood and that may be of the criterion.
    pub(super) fn unread_problems(&self, ever: bool) -> Vec<&'e PatientProblem<'e>> {
        let index = &self.rules.knowledge.conditions;
        let fact = &self.criterion.fact;
        let sets = [&fact.sets, &fact.doubt].into_iter().flatten();
        let concerns: BTreeSet<&str> = sets
            .filter_map(|id| index.set(id))
            .map(|set| set.fact.concern.as_str())
            .collect();
        let problems = self.problems.iter().filter(|problem| {
            let counts =
                problem.standing.is_open() || (ever && problem.standing != Standing::Refuted);
            counts
                && concerns
                    .iter()
                    .any(|concern| problem.reading.may_concern(concern))
        });
        problems.collect()
    }

    /// `None` where every problem was understood.
    pub(super) fn unread_finding(&self, ever: bool) -> Option<Finding> {
        let unread = self.unread_problems(ever);
        if unread.is_empty() {
            return None;
        }
        let sources: Vec<String> = unread.iter().map(|problem| problem.source()).collect();
        Some(Finding::unknown(count_unread(&unread)).by(sources))
    }

    pub(super) fn no_condition(&self, ever: bool) -> Finding {
        use ProblemWeight::{Open, Over, Refers, Stands};
        let weighed = self.weigh_problems(ever);
        let answer = self.answer();
        let of = |weight: ProblemWeight| {
            let found = weighed.iter().filter(move |(one, ..)| *one == weight);
            let (said, sources): (BTreeSet<String>, Vec<String>) = found
                .map(|(_, said, problem)| (said.clone(), problem.source()))
                .unzip();
            (!sources.is_empty()).then_some((said, sources))
        };
        let finding = |status: Status, (said, sources): (BTreeSet<String>, Vec<String>)| {
            let mut finding = Finding::of(status, said.into_iter().collect::<Vec<_>>().join(" "));
            finding.evidence = sources;
            finding
        };
        if let Some(found) = of(Stands) {
            return contradicted(finding(Status::NotMet, found), &answer)
                .with_effect(Effect::Block);
        }
        if let Some(found) = self.allergy().filter(|_| ever) {
            return contradicted(found, &answer);
        }
        let hidden = self.evidence.conditions.hidden;
        let may_block =
            self.may_be_of_a_blocking_set(&weighed, ever) || (hidden && self.has_blocking_set());
        // What is asked of a clinician outweighs what is missing where neither blocks.
        let refers = of(Refers).map(|found| {
            contradicted(finding(Status::NotMet, found), &answer).with_effect(Effect::Refer)
        });
        if self.criterion.fact.if_missing != Effect::Block
            && !may_block
            && let Some(found) = refers
        {
            return found;
        }
        let mut open: Vec<Finding> = of(Open)
            .map(|found| finding(Status::Unknown, found))
            .into_iter()
            .chain(self.unread_finding(ever))
            .collect();
        for (kind, seen) in [
            ("Condition", &self.evidence.conditions),
            ("AllergyIntolerance", &self.evidence.allergies),
        ] {
            if seen.hidden && (kind == "Condition" || ever) {
                open.push(Finding::unknown(LIMITED_VIEW));
            }
        }
        let with_effect = |finding: Finding| match may_block {
            true => finding.with_effect(Effect::Block),
            false => finding,
        };
        if answer.status == Status::NotMet {
            return with_effect(answer);
        }
        let over = of(Over).map(|found| finding(Status::Unknown, found).with_effect(Effect::Refer));
        if !open.is_empty() {
            let all = open.into_iter().chain(refers).chain(over);
            let joined = Finding::join(Status::Unknown, all);
            return with_effect(contradicted(joined, &answer));
        }
        match (answer.status, refers.or(over)) {
            (Status::Met, Some(found)) => found,
            (_, Some(found)) => Finding::join(Status::Unknown, [found, answer]),
            (_, None) => answer,
        }
    }

    fn has_blocking_set(&self) -> bool {
        let index = &self.rules.knowledge.conditions;
        let mut sets = self
            .criterion
            .fact
            .sets
            .iter()
            .filter_map(|id| index.set(id));
        sets.any(|set| set.fact.action == SetAction::Block)
    }

    /// Whether a problem that is not certain, or not understood, may be of a set that
    /// blocks. It then blocks too, also where the criterion itself refers.
    fn may_be_of_a_blocking_set(
        &self,
        weighed: &[(ProblemWeight, String, &PatientProblem<'_>)],
        ever: bool,
    ) -> bool {
        let sets = &self.criterion.fact.sets;
        let is_of_one = weighed.iter().any(|(weight, _, problem)| {
            let mut hits = problem.hits_of(sets);
            *weight == ProblemWeight::Open
                && hits.any(|hit| hit.set.fact.action == SetAction::Block)
        });
        is_of_one || (self.has_blocking_set() && !self.unread_problems(ever).is_empty())
    }

    /// The allergy to the agent, as the check of medicines sees it.
    fn allergy(&self) -> Option<Finding> {
        let question = Question {
            setting: None,
            at: self.evidence.at.0,
        };
        let mut unclear = None;
        for version in &self.evidence.allergies.resources {
            let content = &version.resource.content;
            let shelf = &self.evidence.shelf;
            let assessed = assess(self.rules, "AllergyIntolerance", content, shelf, &question);
            let Some(assessment) = assessed else {
                continue;
            };
            let source = [version.key.to_string()];
            if !assessment.findings.is_empty() {
                let text = "An allergy to the agent is recorded.";
                return Some(Finding::not_met(text).by(source));
            }
            unclear = Some(Finding::unknown(assessment.reasons.join(" ")).by(source));
        }
        unclear
    }
}

/// `3 active problems are not understood: 17, 18, chest complaint.`
pub(super) fn count_unread(unread: &[&PatientProblem<'_>]) -> String {
    let named: Vec<String> = (unread.iter().take(NAMED))
        .map(|problem| problem.shown())
        .collect();
    let more = match unread.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let subject = match unread.len() {
        1 => "1 problem is".to_owned(),
        count => format!("{count} problems are"),
    };
    format!("{subject} not understood: {}{more}.", named.join("; "))
}

/// The record counts, and what the questionnaire says stands beside it.
fn contradicted(mut finding: Finding, answer: &Finding) -> Finding {
    if answer.status == Status::Met {
        let said = answer.reasons.join(" ");
        finding.reasons.push(format!(
            "The questionnaire says otherwise ({said}): the record counts."
        ));
        finding.evidence.extend(answer.evidence.iter().cloned());
    }
    finding
}
