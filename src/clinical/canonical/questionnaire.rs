//! A scale as a Questionnaire with neutral labels: the wording is its owners'.
//! <https://hl7.org/fhir/R4/questionnaire.html>,
//! <https://hl7.org/fhir/uv/sdc/STU3/extraction.html#observation-based-extraction>

use serde_json::{Value, json};

use crate::clinical::CANONICAL;
use crate::clinical::knowledge::{Entry, Instrument, JudgedBy, Knowledge, Score};
use crate::clinical::measures::scale;

/// Says that Observations are made of the answers when they are written.
pub const OBSERVATION_EXTRACT: &str =
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observationExtract";

fn url(instrument: &Entry<Instrument>) -> String {
    format!("{CANONICAL}/Questionnaire/{}", instrument.id)
}

pub fn questionnaire(knowledge: &Knowledge, instrument: &Entry<Instrument>) -> Option<Value> {
    let fact = &instrument.fact;
    let total = scale::score(knowledge, &fact.total)?;
    let parts = total.fact.sum_of.iter();
    let items = parts.filter_map(|part| item(knowledge, scale::score(knowledge, part)?));
    Some(json!({
        "resourceType": "Questionnaire",
        "id": instrument.id,
        "extension": [{"url": OBSERVATION_EXTRACT, "valueBoolean": true}],
        "url": url(instrument),
        "version": instrument.provenance.version,
        "name": fact.name.replace('-', ""),
        "title": format!("{}: scores only", fact.name),
        "status": "active",
        "experimental": false,
        "subjectType": ["Patient"],
        "publisher": "Unloop",
        "copyright": fact.notice,
        "code": [code(total)],
        "item": items.collect::<Vec<_>>(),
    }))
}

fn code(score: &Entry<Score>) -> Value {
    json!({"system": score.fact.system, "code": score.fact.code, "display": score.fact.name})
}

/// A sum is a group of its parts, anything else a number to be filled in.
fn item(knowledge: &Knowledge, score: &Entry<Score>) -> Option<Value> {
    let fact = &score.fact;
    let mut item = json!({
        "linkId": score.id,
        "code": [code(score)],
        "text": fact.name,
        "type": if fact.sum_of.is_empty() { "integer" } else { "group" },
    });
    let members = item.as_object_mut()?;
    if fact.sum_of.is_empty() {
        let bound = |name: &str, value: i64| {
            let url = format!("http://hl7.org/fhir/StructureDefinition/{name}");
            json!({"url": url, "valueInteger": value})
        };
        let bounds = json!([bound("minValue", fact.min), bound("maxValue", fact.max)]);
        members.insert("extension".to_owned(), bounds);
    } else {
        let parts = fact.sum_of.iter();
        let parts = parts.filter_map(|part| self::item(knowledge, scale::score(knowledge, part)?));
        members.insert("item".to_owned(), parts.collect());
    }
    Some(item)
}

/// What only a person can say of the criteria of candidacy: each is a statement
/// that holds or does not.
pub fn candidacy(knowledge: &Knowledge) -> Value {
    let asked = knowledge.criteria.iter().filter(|criterion| {
        matches!(
            criterion.fact.judged_by,
            JudgedBy::Answer
                | JudgedBy::NoCondition
                | JudgedBy::NoHistory
                | JudgedBy::NotPregnant
                | JudgedBy::Procedure
        )
    });
    let items = asked.map(
        |criterion| json!({"linkId": criterion.id, "text": criterion.fact.text, "type": "boolean"}),
    );
    json!({
        "resourceType": "Questionnaire",
        "id": "ketamine-candidacy",
        "url": format!("{CANONICAL}/Questionnaire/ketamine-candidacy"),
        "version": super::resources::version(&knowledge.criteria),
        "name": "KetamineCandidacy",
        "title": "Before a course of ketamine: is each statement true?",
        "status": "active",
        "experimental": false,
        "subjectType": ["Patient"],
        "publisher": "Unloop",
        "item": items.collect::<Vec<_>>(),
    })
}
