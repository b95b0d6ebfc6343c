//! A CodeableConcept by the sets of conditions: what it says, and what in it was
//! not understood. What was not understood is never taken as absent.
//! <https://hl7.org/fhir/R4/datatypes.html#CodeableConcept>

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::index::{CodeMeaning, ConditionIndex};
use super::spelling::{CodeSystemKind, recognise_code_system};
use crate::clinical::knowledge::{ConditionSet, Entry, Tier};
use crate::fhir::search::path::{items, text};

/// A coding of the concept is of this set.
#[derive(Clone, Copy, Debug)]
pub struct ConditionSetHit<'k> {
    pub set: &'k Entry<ConditionSet>,
    /// How sure it is that the code belongs there.
    pub tier: Tier,
    /// The code says use, not a disorder.
    pub use_only: bool,
    /// The coding states no system: it may be another code.
    pub guessed: bool,
}

/// A part of the concept that no set knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadCoding<'k> {
    /// The code, or the text where there is no code.
    pub shown: String,
    /// The concerns that it may be of; `None`: any.
    pub near: Option<BTreeSet<&'k str>>,
}

impl UnreadCoding<'_> {
    pub fn may_concern(&self, concern: &str) -> bool {
        self.near.as_ref().is_none_or(|near| near.contains(concern))
    }
}

#[derive(Clone, Debug, Default)]
pub struct ConceptReading<'k> {
    pub hits: Vec<ConditionSetHit<'k>>,
    /// What may be of some concern and was not understood.
    pub unread: Vec<UnreadCoding<'k>>,
    /// Codes of no set that are near no concern: told, and no more.
    pub without_concern: Vec<String>,
}

impl<'k> ConceptReading<'k> {
    /// Everything in the concept is understood.
    pub fn is_understood(&self) -> bool {
        self.unread.is_empty()
    }

    pub fn hit(&self, set: &str) -> Option<&ConditionSetHit<'k>> {
        self.hits.iter().find(|hit| hit.set.id == set)
    }

    /// Whether something that was not understood may be of the concern.
    pub fn may_concern(&self, concern: &str) -> bool {
        self.unread.iter().any(|one| one.may_concern(concern))
    }

    fn add(&mut self, index: &'k ConditionIndex, coding: &Map<String, Value>) -> CodeSystemKind {
        let kind = recognise_code_system(index.aliases(), text(coding, "system"));
        let code = text(coding, "code").map(str::trim);
        let Some(code) = code.filter(|code| !code.is_empty()) else {
            self.unread.push(UnreadCoding {
                shown: text(coding, "display")
                    .unwrap_or("a coding without a code")
                    .to_owned(),
                near: None,
            });
            return kind;
        };
        match index.explain_code(kind, code) {
            CodeMeaning::OfSets(found) => {
                let hits = found.into_iter().filter_map(|membership| {
                    Some(ConditionSetHit {
                        set: index.sets.get(membership.set)?,
                        tier: membership.tier,
                        use_only: membership.use_only,
                        guessed: kind == CodeSystemKind::Unstated,
                    })
                });
                self.hits.extend(hits);
            }
            CodeMeaning::WithoutConcern => self.without_concern.push(code.to_owned()),
            CodeMeaning::NearConcerns(near) => self.unread.push(UnreadCoding {
                shown: shown(coding, code),
                near: Some(near),
            }),
            CodeMeaning::Unknown => self.unread.push(UnreadCoding {
                shown: shown(coding, code),
                near: None,
            }),
        }
        kind
    }
}

/// The code as a reader can look it up.
fn shown(coding: &Map<String, Value>, code: &str) -> String {
    match text(coding, "display") {
        Some(display) => format!("{code} ({display})"),
        None => code.to_owned(),
    }
}

impl ConditionIndex {
    /// What `code` of a Condition says. Codings are translations of one another, so a
    /// code of a system that is not known here (a local one, ICD-9) is passed over
    /// beside one of SNOMED CT or ICD-10 that is understood; one of SNOMED CT or ICD-10
    /// is not.
    pub fn read_concept(&self, concept: Option<&Value>) -> ConceptReading<'_> {
        let mut reading = ConceptReading::default();
        let concept = concept.and_then(Value::as_object);
        let codings = concept.map(|concept| items(concept, "coding"));
        let mut foreign = ConceptReading::default();
        for coding in codings.unwrap_or_default() {
            let Some(coding) = coding.as_object() else {
                continue;
            };
            let mut one = ConceptReading::default();
            let kind = one.add(self, coding);
            let target = match kind {
                CodeSystemKind::SnomedCt
                | CodeSystemKind::Icd10
                | CodeSystemKind::Icd10Cm
                | CodeSystemKind::Icd10National => &mut reading,
                _ if one.hits.is_empty() => &mut foreign,
                _ => &mut reading,
            };
            target.hits.extend(one.hits);
            target.unread.extend(one.unread);
            target.without_concern.extend(one.without_concern);
        }
        let understood = !reading.hits.is_empty() || !reading.without_concern.is_empty();
        if !understood {
            reading.unread.extend(foreign.unread);
        }
        if !understood && reading.unread.is_empty() {
            let said = concept.and_then(|concept| text(concept, "text"));
            reading.unread.push(UnreadCoding {
                shown: said.unwrap_or("a condition without a code").to_owned(),
                near: None,
            });
        }
        self.hear_texts(concept, &mut reading);
        reading
    }

    /// A text that names a concern makes the codes doubtful where none of them has it.
    fn hear_texts<'k>(
        &'k self,
        concept: Option<&Map<String, Value>>,
        reading: &mut ConceptReading<'k>,
    ) {
        let Some(concept) = concept else { return };
        let codings = items(concept, "coding").iter().filter_map(Value::as_object);
        let displays = codings.filter_map(|coding| text(coding, "display"));
        for said in text(concept, "text").into_iter().chain(displays) {
            let mut near = self.concerns_in_text(said);
            near.retain(|concern| {
                let coded = reading.hits.iter();
                let mut coded = coded.map(|hit| hit.set.fact.concern.as_str());
                !coded.any(|known| known == *concern) && !reading.may_concern(concern)
            });
            if !near.is_empty() {
                reading.unread.push(UnreadCoding {
                    shown: said.to_owned(),
                    near: Some(near),
                });
            }
        }
    }
}
