//! Whether a record shows one of the findings, and how certain that is.
//! <https://hl7.org/fhir/R4/condition.html>

use serde_json::{Map, Value};

use crate::clinical::knowledge::{Codes, Entry};
use crate::clinical::observation::LOINC;
use crate::clinical::programme;
use crate::fhir::search::path::items;

const SNOMED: &str = "http://snomed.info/sct";
const ICD10: [&str; 2] = [
    "http://hl7.org/fhir/sid/icd-10-cm",
    "http://hl7.org/fhir/sid/icd-10",
];

/// How a Condition stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Active; `confirmed` where somebody says so.
    Active {
        confirmed: bool,
    },
    /// Active, and only suspected.
    Suspected,
    Past,
    Refuted,
}

pub fn standing(condition: &Map<String, Value>) -> Standing {
    let verification = codes(condition.get("verificationStatus"));
    if verification
        .iter()
        .any(|code| matches!(*code, "refuted" | "entered-in-error"))
    {
        return Standing::Refuted;
    }
    let clinical = codes(condition.get("clinicalStatus"));
    let over = clinical
        .iter()
        .any(|code| matches!(*code, "inactive" | "remission" | "resolved"));
    let ended = clinical.is_empty() && condition.keys().any(|name| name.starts_with("abatement"));
    if over || ended {
        return Standing::Past;
    }
    if verification
        .iter()
        .any(|code| matches!(*code, "unconfirmed" | "provisional" | "differential"))
    {
        return Standing::Suspected;
    }
    Standing::Active {
        confirmed: verification.contains(&"confirmed"),
    }
}

fn codes(concept: Option<&Value>) -> Vec<&str> {
    let concept = concept.and_then(Value::as_object);
    let codings = concept
        .into_iter()
        .flat_map(|concept| items(concept, "coding"));
    codings
        .filter_map(|coding| coding.get("code").and_then(Value::as_str))
        .collect()
}

/// Whether `code` of the record is one of the finding's.
pub fn shows(finding: &Entry<Codes>, record: &Map<String, Value>) -> bool {
    let concept = record.get("code").and_then(Value::as_object);
    let mut codings = concept
        .into_iter()
        .flat_map(|concept| items(concept, "coding"));
    codings.any(|coding| {
        let member = |name| coding.get(name).and_then(Value::as_str);
        member("system")
            .zip(member("code"))
            .is_some_and(|(system, code)| is_of(&finding.fact, system, code))
    })
}

fn is_of(fact: &Codes, system: &str, code: &str) -> bool {
    let exactly = |known: &[String]| known.iter().any(|known| known == code);
    if ICD10.contains(&system) {
        let bare = |code: &str| code.replace('.', "");
        return fact
            .icd10
            .iter()
            .any(|start| bare(code).starts_with(&bare(start)));
    }
    match system {
        SNOMED => exactly(&fact.snomed),
        LOINC => exactly(&fact.loinc),
        _ => system == programme::system() && exactly(&fact.local),
    }
}
