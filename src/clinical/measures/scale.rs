//! Which score a code means, and what makes it up.

use serde_json::{Map, Value};

use crate::clinical::CANONICAL;
use crate::clinical::knowledge::{Band, Entry, Instrument, Knowledge, Score};
use crate::fhir::search::path::{items, text};

/// Where the project's own codes stand.
pub fn system() -> String {
    format!("{CANONICAL}/CodeSystem/measures")
}

/// What the codings of a CodeableConcept say together.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning<'k> {
    /// None of the scores that are known here.
    Other,
    Score(&'k Entry<Score>),
    /// Two scores at once.
    Several,
    /// A code that the project's system does not have.
    Unknown(String),
}

pub fn meaning<'k>(knowledge: &'k Knowledge, of: &Map<String, Value>) -> Meaning<'k> {
    let own = system();
    let mut found = Meaning::Other;
    let Some(concept) = of.get("code").and_then(Value::as_object) else {
        return found;
    };
    for coding in items(concept, "coding").iter().filter_map(Value::as_object) {
        let (Some(system), Some(code)) = (text(coding, "system"), text(coding, "code")) else {
            continue;
        };
        let mut scores = knowledge.scores.iter();
        match scores.find(|score| score.fact.system == system && score.fact.code == code) {
            Some(score) => match found {
                Meaning::Score(other) if other.id != score.id => return Meaning::Several,
                _ => found = Meaning::Score(score),
            },
            None if system == own => return Meaning::Unknown(code.to_owned()),
            None => {}
        }
    }
    found
}

pub fn score<'k>(knowledge: &'k Knowledge, id: &str) -> Option<&'k Entry<Score>> {
    knowledge.scores.iter().find(|score| score.id == id)
}

/// Whether one of the project's own codes, not one that others use too.
pub fn is_own(score: &Entry<Score>) -> bool {
    score.fact.system == system()
}

/// The score itself and all that it is the sum of, parts of parts too.
pub fn tree<'k>(knowledge: &'k Knowledge, root: &'k Entry<Score>) -> Vec<&'k Entry<Score>> {
    let mut all = vec![root];
    let mut next = 0;
    while let Some(one) = all.get(next).copied() {
        for part in one.fact.sum_of.iter().filter_map(|id| score(knowledge, id)) {
            if !all.iter().any(|known| known.id == part.id) {
                all.push(part);
            }
        }
        next += 1;
    }
    all
}

/// Why the score cannot have this value.
pub fn out_of_range(knowledge: &Knowledge, score: &Entry<Score>, value: i64) -> Option<String> {
    let fact = &score.fact;
    if (fact.min..=fact.max).contains(&value) {
        return None;
    }
    let mut text = format!(
        "{} is a number from {} to {}, not {value}.",
        fact.name, fact.min, fact.max
    );
    let instrument = instrument(knowledge, score);
    let beyond = instrument.and_then(|instrument| instrument.fact.beyond.as_deref());
    if let Some(beyond) = beyond.filter(|_| value > fact.max) {
        text.push(' ');
        text.push_str(beyond);
    }
    Some(text)
}

/// The instrument that a score belongs to.
pub fn instrument<'k>(
    knowledge: &'k Knowledge,
    score: &Entry<Score>,
) -> Option<&'k Entry<Instrument>> {
    knowledge.instruments.iter().find(|instrument| {
        let total = self::score(knowledge, &instrument.fact.total);
        total.is_some_and(|total| tree(knowledge, total).iter().any(|one| one.id == score.id))
    })
}

/// How severe a value is.
pub fn band<'k>(knowledge: &'k Knowledge, score: &str, value: i64) -> Option<&'k Entry<Band>> {
    let mut bands = knowledge.bands.iter();
    bands.find(|band| band.fact.score == score && (band.fact.min..=band.fact.max).contains(&value))
}
