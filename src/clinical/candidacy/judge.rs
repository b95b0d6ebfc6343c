//! Each kind of criterion against the evidence. What is missing is unknown, and
//! so is what the caller may not see; nothing is met by silence.

use super::condition::{Standing, shows, standing};
use super::evidence::{Evidence, hidden};
use super::session;
use super::status::{Finding, Judged, Status};
use crate::clinical::knowledge::{Codes, Criterion, Entry, JudgedBy};
use crate::clinical::medication::{Question, Rules, Setting, assess};
use crate::fhir::operation::records::Version;
use crate::fhir::search::date;
use crate::fhir::search::path::text;

/// All criteria that are asked in the setting.
pub fn judge<'k>(rules: &'k Rules, evidence: &Evidence) -> Vec<Judged<'k>> {
    let asked = |criterion: &&Entry<Criterion>| {
        let setting = criterion.fact.setting.as_deref();
        match (setting.and_then(Setting::from_code), evidence.setting) {
            (Some(of), Some(asked)) => of == asked,
            _ => true,
        }
    };
    let criteria = rules.knowledge.criteria.iter().filter(asked);
    criteria
        .map(|criterion| {
            let judge = Judge {
                rules,
                evidence,
                criterion,
            };
            let found = judge.found();
            Judged {
                criterion,
                status: found.status,
                reasons: found.reasons,
                evidence: found.evidence,
            }
        })
        .collect()
}

pub(super) struct Judge<'k, 'e> {
    pub(super) rules: &'k Rules,
    pub(super) evidence: &'e Evidence,
    pub(super) criterion: &'k Entry<Criterion>,
}

impl<'k> Judge<'k, '_> {
    fn found(&self) -> Finding {
        match self.criterion.fact.judged_by {
            JudgedBy::Age => self.age(),
            JudgedBy::Condition => self.condition(),
            JudgedBy::Score => self.score(),
            JudgedBy::SriTrial => self.sri_trial(),
            JudgedBy::Procedure => self.procedure(),
            JudgedBy::Answer => self.answer(),
            JudgedBy::NoCondition => self.no_condition(false),
            JudgedBy::NoHistory => self.no_condition(true),
            JudgedBy::BloodPressure => self.blood_pressure(),
            JudgedBy::Participant => session::participant(self.criterion, self.evidence),
            JudgedBy::Location => session::location(self.evidence),
            JudgedBy::Watched => self.watched(),
            JudgedBy::Screen => self.screen(),
        }
    }

    pub(super) fn findings(&self) -> impl Iterator<Item = &'k Entry<Codes>> {
        let wanted = &self.criterion.fact.findings;
        let known = self.rules.knowledge.findings.iter();
        known.filter(move |finding| wanted.contains(&finding.id))
    }

    /// A date of birth may be known by its year alone.
    fn age(&self) -> Finding {
        let content = &self.evidence.patient.resource.content;
        let source = [self.evidence.patient.key.to_string()];
        let birth = text(content, "birthDate").and_then(date::range);
        let (Some((low, high)), Some(years)) = (birth, self.criterion.fact.at_least) else {
            return Finding::unknown("No date of birth is recorded.").by(source);
        };
        let aged = |birth: i64, at: i64| age(birth, at).is_some_and(|age| age >= years);
        let (first, last) = self.evidence.at;
        if aged(high, first) {
            Finding::met(format!("{years} or older.")).by(source)
        } else if aged(low, last) {
            Finding::unknown("The date of birth is not exact enough.").by(source)
        } else {
            Finding::not_met(format!("Younger than {years}.")).by(source)
        }
    }

    /// Conditions of the findings that were known on the day.
    fn conditions(&self) -> Vec<(&Version, Standing)> {
        let known = self.evidence.conditions.resources.iter();
        known
            .filter(|version| {
                let content = &version.resource.content;
                let recorded = text(content, "recordedDate").and_then(date::range);
                recorded.is_none_or(|(low, _)| low <= self.evidence.at.1)
                    && self.findings().any(|finding| shows(finding, content))
            })
            .map(|version| (version, standing(&version.resource.content)))
            .collect()
    }

    fn condition(&self) -> Finding {
        let found = self.conditions();
        let of = |test: fn(Standing) -> bool| {
            let chosen = found.iter().filter(move |(_, standing)| test(*standing));
            chosen
                .map(|(version, _)| version.key.to_string())
                .collect::<Vec<_>>()
        };
        let confirmed = of(|standing| standing == Standing::Active { confirmed: true });
        if !confirmed.is_empty() {
            return Finding::met("Active and confirmed.").by(confirmed);
        }
        let active =
            of(|standing| matches!(standing, Standing::Active { .. } | Standing::Suspected));
        if !active.is_empty() {
            return Finding::unknown("Recorded, and not confirmed.").by(active);
        }
        // Whether a course still fits somebody who is better is no matter of codes.
        let over = of(|standing| standing == Standing::Past);
        if !over.is_empty() {
            let text = "Recorded, and no longer active (inactive, in remission or resolved): a clinician decides.";
            return Finding::unknown(text).by(over);
        }
        if self.evidence.conditions.hidden {
            return Finding::unknown(hidden("Condition"));
        }
        let refuted = of(|standing| standing == Standing::Refuted);
        if refuted.is_empty() {
            return Finding::unknown("No such Condition is recorded.");
        }
        Finding::not_met("Refuted.").by(refuted)
    }

    /// What may not be there: a Condition outweighs what the questionnaire says.
    fn no_condition(&self, ever: bool) -> Finding {
        let found = self.conditions();
        let counts = |standing: Standing| match standing {
            Standing::Active { .. } => true,
            Standing::Past => ever,
            Standing::Suspected | Standing::Refuted => false,
        };
        let against = found.iter().filter(|(_, standing)| counts(*standing));
        let against: Vec<String> = against
            .map(|(version, _)| version.key.to_string())
            .collect();
        if !against.is_empty() {
            return Finding::not_met("It is recorded.").by(against);
        }
        if ever && let Some(finding) = self.allergy() {
            return finding;
        }
        let suspected = found
            .iter()
            .filter(|(_, standing)| *standing == Standing::Suspected);
        let suspected: Vec<String> = suspected.map(|(one, _)| one.key.to_string()).collect();
        if !suspected.is_empty() {
            return Finding::unknown("It is suspected and not confirmed.").by(suspected);
        }
        if self.evidence.conditions.hidden {
            return Finding::unknown(hidden("Condition"));
        }
        if ever && self.evidence.allergies.hidden {
            return Finding::unknown(hidden("AllergyIntolerance"));
        }
        let refuted = found
            .iter()
            .filter(|(_, standing)| *standing == Standing::Refuted);
        let refuted: Vec<String> = refuted.map(|(one, _)| one.key.to_string()).collect();
        let answer = self.answer();
        if answer.status == Status::Unknown && !refuted.is_empty() && !ever {
            return Finding::met("Refuted.").by(refuted);
        }
        answer
    }

    /// The allergy to the agent, as the check of medicines sees it.
    fn allergy(&self) -> Option<Finding> {
        let question = Question {
            setting: None,
            at: self.evidence.at.0,
        };
        for version in &self.evidence.allergies.resources {
            let content = &version.resource.content;
            let shelf = &self.evidence.shelf;
            let assessed = assess(self.rules, "AllergyIntolerance", content, shelf, &question);
            let Some(assessment) = assessed else {
                continue;
            };
            let source = [version.key.to_string()];
            return Some(if assessment.findings.is_empty() {
                Finding::unknown(assessment.reasons.join(" ")).by(source)
            } else {
                Finding::not_met("An allergy to the agent is recorded.").by(source)
            });
        }
        None
    }

    fn answer(&self) -> Finding {
        let Some(answer) = self.evidence.answers.of(&self.criterion.id) else {
            if self.evidence.responses.hidden {
                return Finding::unknown(hidden("QuestionnaireResponse"));
            }
            return Finding::unknown("Nobody has answered it.");
        };
        let source = [answer.source.clone()];
        let said = format!("Answered on {}.", answer.day);
        if answer.holds {
            Finding::met(said).by(source)
        } else {
            Finding::not_met(said).by(source)
        }
    }

    fn procedure(&self) -> Finding {
        let seen = &self.evidence.procedures;
        let mut vague = Vec::new();
        for version in &seen.resources {
            let content = &version.resource.content;
            let done = matches!(text(content, "status"), Some("completed" | "in-progress"));
            for finding in self
                .findings()
                .filter(|finding| done && shows(finding, content))
            {
                let source = version.key.to_string();
                if !finding.fact.unspecific {
                    return Finding::met(format!("{}.", finding.fact.text)).by([source]);
                }
                vague.push(source);
            }
        }
        let answer = self.answer();
        if answer.status != Status::Unknown {
            return answer;
        }
        if !vague.is_empty() {
            let text = "Therapy is recorded; whether it was this one its code does not say.";
            return Finding::unknown(text).by(vague);
        }
        if seen.hidden {
            return Finding::unknown(hidden("Procedure"));
        }
        answer
    }

    fn watched(&self) -> Finding {
        let conditions = self.conditions();
        let active = conditions
            .iter()
            .filter(|(_, standing)| !matches!(standing, Standing::Refuted));
        let sources: Vec<String> = active.map(|(version, _)| version.key.to_string()).collect();
        if sources.is_empty() {
            if self.evidence.conditions.hidden {
                return Finding::unknown(hidden("Condition"));
            }
            return Finding::met("Not recorded.");
        }
        let watch = session::watch(self.evidence);
        match watch.as_slice() {
            [_, _, ..] => Finding::met("Recorded, and watched for.")
                .by(sources)
                .by(watch),
            _ => Finding::not_met(
                "Recorded. A Flag and a schedule of a mania scale are to be there.",
            )
            .by(sources)
            .by(watch),
        }
    }
}

/// Whole years from one day to another.
fn age(birth: i64, at: i64) -> Option<i64> {
    let date = |micros: i64| {
        let time = jiff::Timestamp::from_microsecond(micros).ok()?;
        Some(time.to_zoned(jiff::tz::TimeZone::UTC).date())
    };
    let (birth, at) = (date(birth)?, date(at)?);
    let had_birthday = (at.month(), at.day()) >= (birth.month(), birth.day());
    Some(i64::from(at.year()) - i64::from(birth.year()) - i64::from(!had_birthday))
}
