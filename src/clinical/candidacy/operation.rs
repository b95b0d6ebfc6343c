//! `Patient/{id}/$ketamine-candidacy`: every criterion met, not met or unknown,
//! with what it rests on, and what to record where it is unknown.

use std::sync::Arc;

use super::absence::count_unread;
use super::condition::{PatientProblem, read_problems};
use super::evidence::Evidence;
use super::judge::judge;
use super::persist;
use super::status::{Judged, Overall, Status, effect_code};
use crate::clinical::CANONICAL;
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::medication::{Rules, Setting};
use crate::fhir::answer::Answer;
use crate::fhir::engine::{Engine, now};
use crate::fhir::operation::{Call, Definition, Level, Operation, Parameter, Part, output};
use crate::fhir::outcome::Failure;
use crate::fhir::resource::instant;
use crate::fhir::search::date;

pub static CANDIDACY: Definition = Definition {
    name: "ketamine-candidacy",
    url: "https://unloop.dev/fhir/OperationDefinition/ketamine-candidacy",
    title: "Criteria before a course of ketamine",
    text: "Each criterion of the knowledge base as met, not-met or unknown, with the records that it rests on, whether it blocks, refers or flags, how old evidence may be, and what to record to settle it. Active problems that no set of codes knows are listed, and criteria that they may be of are unknown. Overall at best eligible-for-review: it advises a clinician and approves nobody. What the caller may not see is unknown. With persist=true it is stored as a RiskAssessment, and bipolar disorder raises a Flag and a schedule of a mania scale.",
    types: &["Patient"],
    levels: &[Level::Instance],
    affects_state: false,
    parameters: &[
        Parameter {
            name: "setting",
            kind: "code",
            required: false,
            codes: Setting::CODES,
            text: "Where it is to be given; without it the criteria and limits of both count.",
        },
        Parameter {
            name: "at",
            kind: "dateTime",
            required: false,
            codes: &[],
            text: "The day that is asked about; now unless said otherwise.",
        },
        Parameter {
            name: "persist",
            kind: "boolean",
            required: false,
            codes: &[],
            text: "Stores the answer as a RiskAssessment; the token has to let it create one.",
        },
    ],
};

/// What is recorded elsewhere is not looked at.
const LOOKED_AT: &str = "It rests on Patient, Condition, AllergyIntolerance, Observation, Procedure, MedicationStatement, QuestionnaireResponse, Appointment, Flag and ServiceRequest, and on nothing else.";

/// Every criterion of the setting, as far as these records show it.
pub async fn judged<'k>(
    rules: &'k Rules,
    engine: &Engine,
    patient: &PatientRecords<'_>,
    setting: Option<Setting>,
    at: (i64, i64),
) -> Result<Vec<Judged<'k>>, Failure> {
    let knowledge = &rules.knowledge;
    let evidence = Evidence::read(engine, patient, knowledge, setting, at).await?;
    let problems = read_problems(knowledge, &evidence);
    Ok(judge(rules, &evidence, &problems))
}

pub struct KetamineCandidacy(pub Arc<Rules>);

#[async_trait::async_trait]
impl Operation for KetamineCandidacy {
    fn definition(&self) -> &'static Definition {
        &CANDIDACY
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let patient = call.instance()?;
        let setting = call.arguments.text("setting").and_then(Setting::from_code);
        let at = call.arguments.text("at").and_then(date::range);
        let at = at.unwrap_or_else(|| (now(), now()));
        let patient = PatientRecords::load(call.records(), patient).await?;
        let knowledge = &self.0.knowledge;
        let evidence = Evidence::read(call.engine, &patient, knowledge, setting, at).await?;
        let problems = read_problems(knowledge, &evidence);
        let judged = judge(&self.0, &evidence, &problems);
        let mut parts = self.head(&evidence, &judged);
        parts.extend(unread_part(&problems));
        parts.extend(without_concern_part(&problems));
        if call.arguments.text("persist") == Some("true") {
            let stored = persist::store(&call, &self.0, &evidence, &judged).await?;
            let stored = stored.iter();
            parts.extend(stored.map(|key| Part::reference("stored", &key.to_string())));
        }
        parts.extend(judged.iter().map(|one| self.part(one)));
        Ok(output::answer(parts))
    }
}

impl KetamineCandidacy {
    fn head(&self, evidence: &Evidence, judged: &[Judged<'_>]) -> Vec<Part> {
        let knowledge = &self.0.knowledge;
        let setting = match evidence.setting {
            Some(Setting::Clinic) => "clinic",
            Some(Setting::Home) => "home",
            None => "both",
        };
        let signed = judged
            .iter()
            .all(|one| !one.criterion.provenance.reviewed_by.is_empty());
        let signed = if signed {
            "Signed by a clinician."
        } else {
            "No clinician has signed all of these criteria yet."
        };
        vec![
            Part::code("overall", Overall::of(judged).code()),
            Part::flag(
                "complete",
                judged.iter().all(|one| one.status != Status::Unknown),
            ),
            Part::code("setting", setting),
            Part::value("at", "DateTime", instant(evidence.at.0)),
            Part::text("ruleSetVersion", &knowledge.version),
            Part::text(
                "notice",
                &format!("Advice for a clinician's review, not a decision. {signed} {LOOKED_AT}"),
            ),
        ]
    }

    fn part(&self, judged: &Judged<'_>) -> Part {
        let (entry, fact) = (judged.criterion, &judged.criterion.fact);
        let mut parts = vec![
            Part::code("id", &entry.id),
            Part::text("text", &fact.text),
            Part::code("status", judged.status.code()),
            Part::code("effect", effect_code(judged.effect)),
        ];
        let reasons = judged.reasons.iter();
        parts.extend(reasons.map(|reason| Part::text("reason", reason)));
        let evidence = judged.evidence.iter();
        parts.extend(evidence.map(|source| Part::reference("evidence", source)));
        if judged.status != Status::Met {
            parts.push(Part::text("toSettle", &fact.to_settle));
        }
        if let Some(horizon) = self.0.knowledge.horizon(&fact.horizon) {
            let mut about = vec![
                Part::text("text", &horizon.fact.text),
                Part::code("tier", horizon.tier().code()),
            ];
            let days = horizon.fact.days;
            about.extend(days.map(|days| Part::value("days", "Integer", days)));
            about.extend(horizon.tier().mark().map(|mark| Part::text("mark", mark)));
            parts.push(Part::parts("horizon", about));
        }
        let rule = format!(
            "{CANONICAL}/Library/medication-compatibility|{}#{}",
            self.0.knowledge.version, entry.id
        );
        parts.push(Part::value("rule", "Uri", rule));
        let sources = entry.provenance.sources.iter();
        let cited = sources.filter_map(|id| self.0.knowledge.citation(id));
        parts.extend(cited.map(|citation| Part::text("source", citation)));
        parts.push(Part::code("tier", entry.tier().code()));
        parts.extend(entry.tier().mark().map(|mark| Part::text("mark", mark)));
        Part::parts("criterion", parts)
    }
}

/// Every problem that may be there and was not understood.
fn unread_part(problems: &[PatientProblem<'_>]) -> Option<Part> {
    let unread: Vec<&PatientProblem<'_>> = problems
        .iter()
        .filter(|problem| problem.standing.is_open() && !problem.reading.is_understood())
        .collect();
    if unread.is_empty() {
        return None;
    }
    let mut parts = vec![Part::text("text", &count_unread(&unread))];
    parts.extend(unread.iter().map(|problem| {
        let about = vec![
            Part::text("text", &problem.shown()),
            Part::reference("evidence", &problem.source()),
        ];
        Part::parts("problem", about)
    }));
    Some(Part::parts("notUnderstood", parts))
}

/// Problems of no set that are near no criterion: told, so that nothing is silent.
fn without_concern_part(problems: &[PatientProblem<'_>]) -> Option<Part> {
    let told: Vec<&PatientProblem<'_>> = problems
        .iter()
        .filter(|problem| {
            let reading = &problem.reading;
            problem.standing.is_open() && reading.is_understood() && reading.hits.is_empty()
        })
        .collect();
    if told.is_empty() {
        return None;
    }
    let codes = told
        .iter()
        .flat_map(|problem| &problem.reading.without_concern);
    let codes: Vec<&str> = codes.map(String::as_str).collect();
    let text = format!(
        "In no set of codes and near no criterion: {}.",
        codes.join(", ")
    );
    let mut parts = vec![Part::text("text", &text)];
    parts.extend(
        told.iter()
            .map(|problem| Part::reference("evidence", &problem.source())),
    );
    Some(Part::parts("withoutConcern", parts))
}
