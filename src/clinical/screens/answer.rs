//! What the value of an Observation, or of a component of one, answers: by the
//! codes of LOINC's lists, by the project's own, or by its text. What is not
//! understood is no answer. <https://hl7.org/fhir/R4/observation.html>

use serde_json::{Map, Value};

use crate::clinical::conditions::{CodeSystemKind, recognise_code_system};
use crate::clinical::knowledge::{Entry, Knowledge, ScreenAnswer, ScreenMeaning};
use crate::clinical::measures::scale;
use crate::clinical::measures::value::whole;
use crate::fhir::search::path::{items, text};

/// What a holder of `value[x]` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScreenValue {
    /// Everything that it answers; several where it contradicts itself.
    Says(Vec<ScreenMeaning>),
    Nothing,
    /// As it is written.
    NotUnderstood(String),
}

pub fn read_screen_value(knowledge: &Knowledge, holder: &Map<String, Value>) -> ScreenValue {
    let mut values = holder.iter().filter_map(|(name, value)| {
        let kind = name.strip_prefix("value")?;
        let starts = kind.starts_with(|first: char| first.is_ascii_uppercase());
        starts.then_some((kind, value))
    });
    match values.next() {
        None => ScreenValue::Nothing,
        Some(("CodeableConcept", Value::Object(concept))) => read_concept(knowledge, concept),
        Some(("String", Value::String(said))) => read_text(knowledge, said),
        Some(("Boolean", Value::Bool(said))) => ScreenValue::Says(vec![if *said {
            ScreenMeaning::Yes
        } else {
            ScreenMeaning::No
        }]),
        Some(("Integer", number)) => read_points(number),
        Some(("Quantity", Value::Object(quantity))) if !quantity.contains_key("comparator") => {
            quantity.get("value").map_or(
                ScreenValue::NotUnderstood("a quantity without a value".to_owned()),
                read_points,
            )
        }
        Some((kind, _)) => ScreenValue::NotUnderstood(format!("value{kind}")),
    }
}

fn read_points(number: &Value) -> ScreenValue {
    match whole(number) {
        Ok(0) => ScreenValue::Says(vec![ScreenMeaning::NoPoints]),
        Ok(points) if points > 0 => ScreenValue::Says(vec![ScreenMeaning::Points]),
        _ => ScreenValue::NotUnderstood(number.to_string()),
    }
}

/// A coding that is not known, beside one that is, may say something else.
fn read_concept(knowledge: &Knowledge, concept: &Map<String, Value>) -> ScreenValue {
    let mut says = Vec::new();
    let codings = items(concept, "coding");
    for coding in codings.iter().filter_map(Value::as_object) {
        let code = text(coding, "code").unwrap_or_default();
        match read_coding(knowledge, coding) {
            Some(meaning) => says.push(meaning),
            None => return ScreenValue::NotUnderstood(code.to_owned()),
        }
        // A display that says something else makes the code doubtful.
        if let Some(display) = text(coding, "display")
            && let ScreenValue::Says(more) = read_text(knowledge, display)
        {
            says.extend(more);
        }
    }
    let said = text(concept, "text").map(|said| read_text(knowledge, said));
    match said {
        Some(ScreenValue::Says(more)) => says.extend(more),
        Some(other) if says.is_empty() => return other,
        _ => {}
    }
    if says.is_empty() {
        ScreenValue::NotUnderstood("a value without a code".to_owned())
    } else {
        ScreenValue::Says(says)
    }
}

fn read_coding(knowledge: &Knowledge, coding: &Map<String, Value>) -> Option<ScreenMeaning> {
    let system = text(coding, "system");
    let code = text(coding, "code")?.trim();
    let own = scale::system();
    let has = |codes: &[String]| codes.iter().any(|known| known == code);
    let kind = recognise_code_system(knowledge.conditions.aliases(), system);
    let is_own = system.is_some_and(|system| system.trim_end_matches('/') == own);
    let unstated = kind == CodeSystemKind::Unstated;
    let means = |answer: &&Entry<ScreenAnswer>| {
        let fact = &answer.fact;
        (has(&fact.loinc) && (unstated || kind == CodeSystemKind::Loinc))
            || (has(&fact.snomed) && kind == CodeSystemKind::SnomedCt)
            || (has(&fact.local) && (unstated || is_own))
    };
    let answer = knowledge.screen_answers.iter().find(means)?;
    Some(answer.fact.meaning)
}

/// The whole text has to be one of the words; of a longer one only what speaks
/// of risk is heard.
fn read_text(knowledge: &Knowledge, said: &str) -> ScreenValue {
    let folded: String = said
        .chars()
        .map(|one| if one.is_alphanumeric() { one } else { ' ' })
        .collect();
    let folded = folded.to_lowercase();
    let words: Vec<&str> = folded.split_whitespace().collect();
    let whole = words.join(" ");
    let mut answers = knowledge.screen_answers.iter();
    if let Some(answer) = answers.find(|answer| answer.fact.words.contains(&whole)) {
        return ScreenValue::Says(vec![answer.fact.meaning]);
    }
    let graver = knowledge.screen_answers.iter().filter(|answer| {
        matches!(
            answer.fact.meaning,
            ScreenMeaning::Moderate | ScreenMeaning::High
        )
    });
    let mut graver = graver
        .filter(|answer| (answer.fact.words.iter()).any(|word| words.contains(&word.as_str())));
    match graver.next() {
        Some(answer) => ScreenValue::Says(vec![answer.fact.meaning]),
        None => ScreenValue::NotUnderstood(said.to_owned()),
    }
}
