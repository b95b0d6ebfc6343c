//! Each kind of criterion against the evidence. What is missing is unknown, and
//! so is what the caller may not see; nothing is met by silence.

use super::condition::{PatientProblem, shows};
use super::evidence::{DAY, Evidence};
use super::session;
use super::status::{Finding, Judged, Status};
use crate::clinical::conditions::Standing;
use crate::clinical::knowledge::{Codes, Criterion, Entry, EvidenceHorizon, JudgedBy};
use crate::clinical::medication::{Rules, Setting};
use crate::clinical::patient::whole_years;
use crate::fhir::operation::LIMITED_VIEW;
use crate::fhir::search::date;
use crate::fhir::search::path::{items, text};

/// All criteria that are asked in the setting.
pub fn judge<'k>(
    rules: &'k Rules,
    evidence: &Evidence,
    problems: &[PatientProblem<'_>],
) -> Vec<Judged<'k>> {
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
                problems,
                criterion,
            };
            let found = judge.found();
            let effect = found.effect.unwrap_or(criterion.fact.if_missing);
            Judged {
                criterion,
                status: found.status,
                effect,
                reasons: found.reasons,
                evidence: found.evidence,
            }
        })
        .collect()
}

pub(super) struct Judge<'k, 'e> {
    pub(super) rules: &'k Rules,
    pub(super) evidence: &'e Evidence,
    pub(super) problems: &'e [PatientProblem<'e>],
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
            JudgedBy::NotPregnant => self.not_pregnant(),
            JudgedBy::RecordInUse => self.record_in_use(),
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
        let aged = |birth: i64, at: i64| whole_years(birth, at).is_some_and(|age| age >= years);
        let (first, last) = self.evidence.at;
        if aged(high, first) {
            Finding::met(format!("{years} or older.")).by(source)
        } else if aged(low, last) {
            Finding::unknown("The date of birth is not exact enough.").by(source)
        } else {
            Finding::not_met(format!("Younger than {years}.")).by(source)
        }
    }

    /// Somebody who lives, in the record that is in use.
    /// <https://hl7.org/fhir/R4/patient.html#links>
    fn record_in_use(&self) -> Finding {
        let content = &self.evidence.patient.resource.content;
        let source = [self.evidence.patient.key.to_string()];
        let says = |name: &str| content.get(name).and_then(serde_json::Value::as_bool);
        let mut links = items(content, "link").iter();
        let against =
            if content.contains_key("deceasedDateTime") || says("deceasedBoolean") == Some(true) {
                "The patient is recorded as deceased."
            } else if says("active") == Some(false) {
                "The record is not active."
            } else if links.any(|link| link.get("type").is_some_and(|kind| kind == "replaced-by")) {
                "Another record replaces this one: ask about that one."
            } else {
                return Finding::met("The record is in use.").by(source);
            };
        Finding::not_met(against).by(source)
    }

    fn condition(&self) -> Finding {
        let sets = &self.criterion.fact.sets;
        let of = |test: fn(Standing) -> bool, guessed: bool| {
            let found = self.problems.iter().filter(move |problem| {
                let mut hits = problem.hits_of(sets);
                hits.any(|hit| guessed || !hit.guessed) && test(problem.standing)
            });
            found.map(PatientProblem::source).collect::<Vec<_>>()
        };
        let confirmed = of(|one| one == Standing::Active { confirmed: true }, false);
        if !confirmed.is_empty() {
            return Finding::met("Active and confirmed.").by(confirmed);
        }
        let active = of(Standing::is_open, true);
        if !active.is_empty() {
            return Finding::unknown("Recorded, and not confirmed.").by(active);
        }
        // Whether a course still fits somebody who is better is no matter of codes.
        let over = of(
            |one| matches!(one, Standing::Past | Standing::Remission),
            true,
        );
        if !over.is_empty() {
            let text = "Recorded, and no longer active (inactive, in remission or resolved): a clinician decides.";
            return Finding::unknown(text).by(over);
        }
        if self.evidence.conditions.hidden {
            return Finding::unknown(LIMITED_VIEW);
        }
        let refuted = of(|one| one == Standing::Refuted, true);
        if !refuted.is_empty() {
            return Finding::not_met("Refuted.").by(refuted);
        }
        let mut finding = Finding::unknown("No such Condition is recorded.");
        if let Some(unread) = self.unread_finding(false) {
            finding = Finding::join(Status::Unknown, [finding, unread]);
        }
        finding
    }

    pub(super) fn answer(&self) -> Finding {
        let Some(answer) = self.evidence.answers.of(&self.criterion.id) else {
            if self.evidence.responses.hidden {
                return Finding::unknown(LIMITED_VIEW);
            }
            return Finding::unknown("Nobody has answered it.");
        };
        let source = [answer.source.clone()];
        let said = format!("Answered on {}.", answer.day);
        if !self.is_fresh(answer.authored) {
            let text = format!("{said} Too old. {}", self.horizon_text());
            return Finding::unknown(text).by(source);
        }
        match answer.holds {
            Some(true) => Finding::met(said).by(source),
            Some(false) => Finding::not_met(said).by(source),
            None => Finding::unknown(format!("{said} It is neither yes nor no.")).by(source),
        }
    }

    pub(super) fn horizon(&self) -> Option<&'k Entry<EvidenceHorizon>> {
        self.rules.knowledge.horizon(&self.criterion.fact.horizon)
    }

    /// What is older than this counts no more.
    pub(super) fn oldest(&self) -> i64 {
        let days = self.horizon().and_then(|horizon| horizon.fact.days);
        let first = self.evidence.at.0;
        days.map_or(i64::MIN, |days| {
            first.saturating_sub(days.saturating_mul(DAY))
        })
    }

    pub(super) fn is_fresh(&self, time: i64) -> bool {
        time >= self.oldest()
    }

    pub(super) fn horizon_text(&self) -> &'k str {
        self.horizon().map_or("", |horizon| &horizon.fact.text)
    }

    fn procedure(&self) -> Finding {
        let seen = &self.evidence.procedures;
        let mut vague = Vec::new();
        for version in &seen.resources {
            let content = &version.resource.content;
            let done = matches!(text(content, "status"), Some("completed" | "in-progress"));
            for finding in self
                .findings()
                .filter(|finding| done && shows(&self.rules.knowledge, finding, content))
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
            return Finding::unknown(LIMITED_VIEW);
        }
        answer
    }

    fn watched(&self) -> Finding {
        let sets = &self.criterion.fact.sets;
        let found = self.problems.iter();
        let found =
            found.filter(|problem| problem.standing != Standing::Refuted && problem.is_of(sets));
        let sources: Vec<String> = found.map(PatientProblem::source).collect();
        if sources.is_empty() {
            if self.evidence.conditions.hidden {
                return Finding::unknown(LIMITED_VIEW);
            }
            let unread = self.unread_finding(true);
            return unread.unwrap_or_else(|| {
                Finding::met("No such Condition is recorded, and every problem is understood.")
            });
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
