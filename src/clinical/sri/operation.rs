//! `Patient/{id}/$sri-trials`: earlier trials of serotonin reuptake inhibitors,
//! each adequate, inadequate or undetermined, with the reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::segment::{Segment, day_of, moment_of, segment};
use super::trial::{Adequacy, Measure, Trial, trials};
use crate::clinical::CANONICAL;
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::medication::Rules;
use crate::clinical::medication::gather::{Shelf, gather};
use crate::fhir::answer::Answer;
use crate::fhir::engine::now;
use crate::fhir::operation::{
    Call, Definition, LIMITED_VIEW, Level, Operation, Parameter, Part, Seen, output,
};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::resource::instant;
use crate::fhir::search::date;

pub static SRI_TRIALS: Definition = Definition {
    name: "sri-trials",
    url: "https://unloop.dev/fhir/OperationDefinition/sri-trials",
    title: "Earlier trials of serotonin reuptake inhibitors",
    text: "The patient's SSRIs and clomipramine from MedicationStatement, records of one drug joined where they touch, each trial adequate, inadequate or undetermined by duration and dose, with the reason. What is missing leaves a trial undetermined. Doses are unverified until a clinician confirms them.",
    types: &["Patient"],
    levels: &[Level::Instance],
    affects_state: false,
    parameters: &[Parameter {
        name: "at",
        kind: "dateTime",
        required: false,
        codes: &[],
        text: "The day up to which trials are counted; today unless said otherwise.",
    }],
};

pub struct SriTrials(pub Arc<Rules>);

#[async_trait::async_trait]
impl Operation for SriTrials {
    fn definition(&self) -> &'static Definition {
        &SRI_TRIALS
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let patient = call.instance()?;
        let at = call.arguments.text("at").and_then(date::range);
        let at = at.map_or_else(now, |(low, _)| low);
        let records = call.records();
        let patient = PatientRecords::load(records, patient).await?;
        let seen = patient.search("MedicationStatement", &[]).await?;
        let contents = seen
            .resources
            .iter()
            .map(|version| &version.resource.content);
        let shelf = gather(call.engine, &records, &[], contents).await?;
        Ok(output::answer(self.parts(&seen, &shelf, at)?))
    }
}

/// The trials of a patient, in the order of time.
pub struct History<'k> {
    pub measure: Measure,
    pub trials: Vec<Trial<'k>>,
    /// Records whose medicine is not understood.
    pub unclear: Vec<String>,
    /// The caller's rights do not reach all records.
    hidden: bool,
}

/// `None` where the knowledge base has no rule on adequate trials.
pub fn history<'k>(rules: &'k Rules, seen: &Seen, shelf: &Shelf, at: i64) -> Option<History<'k>> {
    let measure = Measure::of(&rules.knowledge)?;
    let (by_drug, unclear) = segments(rules, seen, shelf, at);
    let mut found = Vec::new();
    for dose in &rules.knowledge.doses {
        if let Some(segments) = by_drug.get(&dose.fact.drug) {
            found.extend(trials(dose, segments.clone(), &measure));
        }
    }
    found.sort_by_key(|trial| (trial.first, trial.last));
    Some(History {
        measure,
        trials: found,
        unclear,
        hidden: seen.hidden,
    })
}

impl History<'_> {
    /// One adequate trial is enough; none is certain only where all is known.
    pub fn overall(&self) -> Adequacy {
        let open = self.hidden || !self.unclear.is_empty();
        if count(&self.trials, Adequacy::Adequate) > 0 {
            Adequacy::Adequate
        } else if open || self.trials.is_empty() || count(&self.trials, Adequacy::Undetermined) > 0
        {
            Adequacy::Undetermined
        } else {
            Adequacy::Inadequate
        }
    }
}

impl SriTrials {
    fn parts(&self, seen: &Seen, shelf: &Shelf, at: i64) -> Result<Vec<Part>, Failure> {
        let knowledge = &self.0.knowledge;
        let history = history(&self.0, seen, shelf, at).ok_or_else(|| {
            Failure::new(
                Kind::NotSupported,
                "The knowledge base has no rule on adequate trials.",
            )
        })?;
        let complete = !seen.hidden && history.unclear.is_empty();
        let adequate = count(&history.trials, Adequacy::Adequate);
        let mut parts = vec![
            Part::code("overall", history.overall().code()),
            Part::value("adequate", "Integer", adequate),
            Part::flag("complete", complete),
            Part::value("at", "DateTime", instant(at)),
            Part::text("ruleSetVersion", &knowledge.version),
            Part::text(
                "notice",
                "Advice for a clinician's review, not a decision. Not tolerating a drug is for a clinician to judge.",
            ),
        ];
        if seen.hidden {
            parts.push(Part::text("notice", LIMITED_VIEW));
        }
        for source in &history.unclear {
            parts.push(Part::reference("notUnderstood", source));
        }
        let measure = &history.measure;
        parts.extend(history.trials.iter().map(|trial| self.part(trial, measure)));
        Ok(parts)
    }

    fn part(&self, trial: &Trial<'_>, measure: &Measure) -> Part {
        let dose = trial.dose;
        let name = self
            .0
            .knowledge
            .drug(&dose.fact.drug)
            .map(|drug| drug.fact.name.as_str());
        let mut parts = vec![
            Part::text("drug", name.unwrap_or(&dose.fact.drug)),
            Part::code("verdict", trial.adequacy.code()),
        ];
        parts.extend(
            trial
                .sources
                .iter()
                .map(|source| Part::reference("source", source)),
        );
        let day = |name: &str, day: i64| {
            let date: String = instant(moment_of(day)).chars().take(10).collect();
            Part::value(name, "Date", date)
        };
        parts.extend(trial.first.map(|first| day("from", first)));
        parts.push(day("to", trial.last));
        parts.push(Part::value("daysCertain", "Integer", trial.days.0));
        parts.push(Part::value(
            "daysAtDoseCertain",
            "Integer",
            trial.days_at_dose.0,
        ));
        parts.push(Part::value("daysAskedFor", "Integer", measure.days));
        parts.push(Part::value(
            "daysAtDoseAskedFor",
            "Integer",
            measure.days_at_dose,
        ));
        parts.push(Part::text(
            "targetDose",
            &format!("{} mg a day or more", dose.fact.target_low),
        ));
        parts.extend(
            trial
                .reasons
                .iter()
                .map(|reason| Part::text("reason", reason)),
        );
        let rule = format!(
            "{CANONICAL}/Library/medication-compatibility|{}#{}",
            self.0.knowledge.version, dose.id
        );
        parts.push(Part::value("rule", "Uri", rule));
        let sources = dose.provenance.sources.iter();
        let cited = sources.filter_map(|id| self.0.knowledge.citation(id));
        parts.extend(cited.map(|citation| Part::text("evidence", citation)));
        parts.push(Part::code("tier", dose.tier().code()));
        parts.extend(dose.tier().mark().map(|mark| Part::text("mark", mark)));
        Part::parts("trial", parts)
    }
}

/// The segments of each drug that has a target dose, and the records whose
/// medicine is not understood.
fn segments(
    rules: &Rules,
    seen: &Seen,
    shelf: &Shelf,
    at: i64,
) -> (BTreeMap<String, Vec<Segment>>, Vec<String>) {
    let mut by_drug: BTreeMap<String, Vec<Segment>> = BTreeMap::new();
    let mut unclear = Vec::new();
    for version in &seen.resources {
        let (source, content) = (version.key.to_string(), &version.resource.content);
        let resolution = rules.medicine(content, shelf);
        let whole = resolution.open.is_empty() && resolution.ingredients.len() == 1;
        let doses = rules.knowledge.doses.iter().map(|dose| &dose.fact.drug);
        let mut known = false;
        for drug in doses {
            let mut ingredients = resolution.ingredients.iter();
            if ingredients.any(|one| one.drug.as_ref() == Some(drug)) {
                known = true;
                if let Some(found) = segment(&source, drug, content, whole, day_of(at)) {
                    by_drug.entry(drug.clone()).or_default().push(found);
                }
            }
        }
        if !known && !resolution.open.is_empty() {
            unclear.push(source);
        }
    }
    (by_drug, unclear)
}

fn count(found: &[Trial<'_>], adequacy: Adequacy) -> usize {
    found
        .iter()
        .filter(|trial| trial.adequacy == adequacy)
        .count()
}
