//! `Patient/{id}/$medication-compatibility`: every medicine that a patient takes,
//! against the rules.

use super::answer;
use super::check::{Assessment, Question, Rules, Setting, assess};
use super::gather::gather;
use super::record::{self, TAKEN};
use super::verdict::Verdict;
use crate::clinical::linked_patients::PatientRecords;
use crate::fhir::answer::Answer;
use crate::fhir::engine::{Engine, now};
use crate::fhir::operation::{
    Arguments, Call, Definition, LIMITED_VIEW, Level, Operation, Parameter, Part, Version, output,
};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::record::ResourceKey;
use crate::fhir::search::date;
use std::sync::Arc;

pub const AGENTS: &[&str] = &["ketamine", "esketamine"];
pub const ROUTES: &[&str] = &[
    "sublingual",
    "oral",
    "nasal",
    "intravenous",
    "intramuscular",
    "subcutaneous",
];

pub const AGENT: Parameter = Parameter {
    name: "agent",
    kind: "code",
    required: false,
    codes: AGENTS,
    text: "What the medicines are to go with; ketamine unless said otherwise.",
};
pub const ROUTE: Parameter = Parameter {
    name: "route",
    kind: "code",
    required: false,
    codes: ROUTES,
    text: "How it is given. Into a vein or muscle is for the clinic only.",
};
pub const SETTING: Parameter = Parameter {
    name: "setting",
    kind: "code",
    required: false,
    codes: Setting::CODES,
    text: "Where it is given; without it the stricter of both counts.",
};
pub const AT: Parameter = Parameter {
    name: "at",
    kind: "dateTime",
    required: false,
    codes: &[],
    text: "The day that is asked about; now unless said otherwise.",
};

pub static COMPATIBILITY: Definition = Definition {
    name: "medication-compatibility",
    url: "https://unloop.dev/fhir/OperationDefinition/medication-compatibility",
    title: "Medicines with ketamine",
    text: "Every medicine that the patient takes, may take or has only just stopped, as MedicationStatement, MedicationRequest, MedicationAdministration or MedicationDispense, with a verdict (compatible, monitor, caution, contraindicated, not-checked), the rule behind it, its source and tier; the worst of all, and the version of the rules. Where no medicine is recorded, or anything is not understood, it is not checked. It advises; it does not decide. Records outside the caller's view make it incomplete, and it says so.",
    types: &["Patient"],
    levels: &[Level::Instance],
    affects_state: false,
    parameters: &[AGENT, ROUTE, SETTING, AT],
};

pub struct MedicationCompatibility(pub Arc<Rules>);

#[async_trait::async_trait]
impl Operation for MedicationCompatibility {
    fn definition(&self) -> &'static Definition {
        &COMPATIBILITY
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let patient = call.instance()?;
        let question = question(&call.arguments)?;
        let records = call.records();
        let patient = PatientRecords::load(records, patient).await?;
        let medicines = medicines_of(&self.0, call.engine, &patient, &question).await?;
        Ok(output::answer(whole(
            &self.0,
            &call.arguments,
            &question,
            medicines,
        )))
    }
}

/// What is said of everything that a patient takes, as far as it was seen.
pub struct Medicines<'k> {
    pub assessed: Vec<(ResourceKey, Assessment<'k>)>,
    /// The caller's rights do not reach all of them.
    pub hidden: bool,
    /// There is no record of a current medicine, not even one that says that none is taken.
    pub nothing_recorded: bool,
}

pub const NOTHING_RECORDED: &str = "No current medicine is recorded, so nothing is checked. Ask, and record that none is taken by a MedicationStatement of SNOMED CT 787481004.";

pub async fn medicines_of<'k>(
    rules: &'k Rules,
    engine: &Engine,
    patient: &PatientRecords<'_>,
    question: &Question,
) -> Result<Medicines<'k>, Failure> {
    let mut found = Vec::new();
    let mut hidden = false;
    for name in TAKEN.into_iter().chain(["AllergyIntolerance"]) {
        let seen = patient.search(name, &[]).await?;
        hidden |= seen.hidden;
        found.extend(seen.resources);
    }
    let contents = found.iter().map(|version| &version.resource.content);
    let shelf = gather(engine, patient.records(), &[], contents).await?;
    let is_of_medicine = |version: &Version| {
        let (name, content) = (&version.key.resource_type, &version.resource.content);
        let usage = record::usage(&rules.knowledge, name, content);
        // What has ended, and the programme's own ketamine, tell nothing of what is taken now.
        name != "AllergyIntolerance"
            && usage == record::Use::Current
            && !record::is_own_treatment(content)
    };
    let nothing_recorded = !found.iter().any(is_of_medicine);
    let mut assessed = Vec::new();
    for version in found {
        let content = &version.resource.content;
        let name = &version.key.resource_type;
        if let Some(assessment) = assess(rules, name, content, &shelf, question) {
            assessed.push((version.key, assessment));
        }
    }
    Ok(Medicines {
        assessed,
        hidden,
        nothing_recorded,
    })
}

/// The worst first; a part that was not seen makes the whole incomplete.
fn whole(
    rules: &Rules,
    arguments: &Arguments,
    question: &Question,
    medicines: Medicines<'_>,
) -> Vec<Part> {
    let (mut assessed, hidden) = (medicines.assessed, medicines.hidden);
    assessed.sort_by(|(a, one), (b, other)| other.verdict.cmp(&one.verdict).then(a.cmp(b)));
    let worst = assessed
        .iter()
        .map(|(_, assessment)| assessment.verdict)
        .max();
    let mut overall = worst.unwrap_or(Verdict::Compatible);
    let mut complete = assessed.iter().all(|(_, assessment)| assessment.complete);
    if hidden || medicines.nothing_recorded {
        overall = overall.max(Verdict::NotChecked);
        complete = false;
    }
    let mut parts = answer::head(rules, arguments, question, overall, complete);
    if hidden {
        parts.push(Part::text("notice", LIMITED_VIEW));
    }
    if medicines.nothing_recorded && !hidden {
        parts.push(Part::text("notice", NOTHING_RECORDED));
    }
    for (key, assessment) in &assessed {
        parts.push(answer::medicine(rules, Some(key), assessment));
    }
    parts
}

/// What is asked, refused where setting and route exclude each other.
pub fn question(arguments: &Arguments) -> Result<Question, Failure> {
    let setting = arguments.text("setting").and_then(Setting::from_code);
    let parenteral = matches!(
        arguments.text("route"),
        Some("intravenous" | "intramuscular" | "subcutaneous")
    );
    if parenteral && setting == Some(Setting::Home) {
        return Err(Failure::new(
            Kind::Value,
            "route is one for the clinic: nothing is injected at home. Ask for setting=clinic.",
        ));
    }
    // At home is by mouth or nose, in the clinic whatever the route.
    let setting = if parenteral {
        Some(Setting::Clinic)
    } else {
        setting
    };
    let at = arguments.text("at").and_then(date::range);
    Ok(Question {
        setting,
        at: at.map_or_else(now, |(low, _)| low),
    })
}
