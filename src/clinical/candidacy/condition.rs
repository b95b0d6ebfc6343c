//! The problems of a patient as the sets of conditions know them, and whether a
//! record shows one of the findings.
//! <https://hl7.org/fhir/R4/condition.html>

use serde_json::{Map, Value};

use super::evidence::Evidence;
use crate::clinical::conditions::{
    CodeSystemKind, ConceptReading, ConditionSetHit, Standing, recognise_code_system, standing,
};
use crate::clinical::knowledge::{Codes, Entry, Knowledge};
use crate::clinical::programme;
use crate::fhir::operation::records::Version;
use crate::fhir::search::date;
use crate::fhir::search::path::{items, text};

/// A Condition, how it stands, and what its code says.
pub struct PatientProblem<'e> {
    pub version: &'e Version,
    pub standing: Standing,
    pub reading: ConceptReading<'e>,
}

impl<'e> PatientProblem<'e> {
    /// The hits in these sets.
    pub fn hits_of<'p>(
        &'p self,
        sets: &'p [String],
    ) -> impl Iterator<Item = &'p ConditionSetHit<'e>> {
        let hits = self.reading.hits.iter();
        hits.filter(|hit| sets.contains(&hit.set.id))
    }

    pub fn is_of(&self, sets: &[String]) -> bool {
        self.hits_of(sets).next().is_some()
    }

    /// `Condition/1`
    pub fn source(&self) -> String {
        self.version.key.to_string()
    }

    /// What was not understood, for a reader.
    pub fn shown(&self) -> String {
        let parts: Vec<&str> = (self.reading.unread.iter())
            .map(|one| one.shown.as_str())
            .collect();
        parts.join(", ")
    }
}

/// All Conditions that were known on the day and are not refuted.
pub fn read_problems<'e>(
    knowledge: &'e Knowledge,
    evidence: &'e Evidence,
) -> Vec<PatientProblem<'e>> {
    let known = evidence.conditions.resources.iter().filter(|version| {
        let recorded = text(&version.resource.content, "recordedDate").and_then(date::range);
        recorded.is_none_or(|(low, _)| low <= evidence.at.1)
    });
    known
        .map(|version| {
            let content = &version.resource.content;
            PatientProblem {
                version,
                standing: standing(content),
                reading: knowledge.conditions.read_concept(content.get("code")),
            }
        })
        .collect()
}

/// Whether `code` of the record is one of the finding's.
pub fn shows(knowledge: &Knowledge, finding: &Entry<Codes>, record: &Map<String, Value>) -> bool {
    let concept = record.get("code").and_then(Value::as_object);
    let mut codings = concept
        .into_iter()
        .flat_map(|concept| items(concept, "coding"))
        .filter_map(Value::as_object);
    codings.any(|coding| {
        let (system, code) = (text(coding, "system"), text(coding, "code"));
        let is_one_of =
            |known: &[String]| code.is_some_and(|code| known.iter().any(|one| one == code));
        let kind = recognise_code_system(knowledge.conditions.aliases(), system);
        (kind == CodeSystemKind::SnomedCt && is_one_of(&finding.fact.snomed))
            || (system == Some(&programme::system()) && is_one_of(&finding.fact.local))
    })
}
