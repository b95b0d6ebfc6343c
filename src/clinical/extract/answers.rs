//! Which score each answer of a QuestionnaireResponse is, by what its
//! Questionnaire says of the item. <https://hl7.org/fhir/R4/questionnaireresponse.html>

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::clinical::knowledge::{Entry, Knowledge, Score};
use crate::clinical::measures::scale::{self, Meaning};
use crate::clinical::measures::sums::Known;
use crate::clinical::measures::value;
use crate::fhir::outcome::{Issue, Kind};
use crate::fhir::search::path::{items, text};

const ORDINAL: &str = "http://hl7.org/fhir/StructureDefinition/ordinalValue";

#[derive(Clone, Debug, Default)]
pub struct Answers {
    pub known: Known,
    /// Where each of them was answered.
    pub places: BTreeMap<String, String>,
    /// The scores that the Questionnaire asks for.
    pub asked: Vec<String>,
    pub faults: Vec<Issue>,
}

pub fn answers(
    knowledge: &Knowledge,
    questionnaire: &Map<String, Value>,
    response: &Map<String, Value>,
) -> Answers {
    let mut asked = BTreeMap::new();
    ask(knowledge, questionnaire, &mut asked);
    let mut answers = Answers {
        asked: asked.values().map(|(score, _)| score.id.clone()).collect(),
        ..Answers::default()
    };
    walk(response, "QuestionnaireResponse", &asked, &mut answers);
    answers
}

type Asked<'k, 'q> = BTreeMap<&'q str, (&'k Entry<Score>, &'q Map<String, Value>)>;

fn ask<'k, 'q>(knowledge: &'k Knowledge, of: &'q Map<String, Value>, asked: &mut Asked<'k, 'q>) {
    for item in items(of, "item").iter().filter_map(Value::as_object) {
        if let (Some(link), Some(score)) = (text(item, "linkId"), meant(knowledge, item)) {
            asked.insert(link, (score, item));
        }
        ask(knowledge, item, asked);
    }
}

/// By code, by definition, or by a linkId that is the score's own id.
fn meant<'k>(knowledge: &'k Knowledge, item: &Map<String, Value>) -> Option<&'k Entry<Score>> {
    let concept = |codings: Value| {
        let of = json!({"code": {"coding": codings}});
        match scale::meaning(knowledge, of.as_object()?) {
            Meaning::Score(score) => Some(score),
            Meaning::Other | Meaning::Several | Meaning::Unknown(_) => None,
        }
    };
    if let Some(codes) = item.get("code") {
        return concept(codes.clone());
    }
    if let Some((system, code)) = text(item, "definition").and_then(|url| url.split_once('#')) {
        return concept(json!([{"system": system, "code": code}]));
    }
    let own = scale::score(knowledge, text(item, "linkId")?)?;
    scale::is_own(own).then_some(own)
}

fn walk(of: &Map<String, Value>, place: &str, asked: &Asked<'_, '_>, answers: &mut Answers) {
    for (number, item) in items(of, "item").iter().enumerate() {
        let Some(item) = item.as_object() else {
            continue;
        };
        let place = format!("{place}.item[{number}]");
        let given = items(item, "answer");
        let asked_here = text(item, "linkId").and_then(|link| asked.get(link));
        if let (Some((score, question)), Some(first)) = (asked_here, given.first()) {
            let place = format!("{place}.answer[0].value");
            take(score, question, first, &place, answers);
            if given.len() > 1 {
                let text = format!("{} has one answer.", score.fact.name);
                fault(answers, &place, text);
            }
        }
        for (number, answer) in given.iter().filter_map(Value::as_object).enumerate() {
            walk(answer, &format!("{place}.answer[{number}]"), asked, answers);
        }
        walk(item, &place, asked, answers);
    }
}

fn take(
    score: &Entry<Score>,
    question: &Map<String, Value>,
    answer: &Value,
    place: &str,
    answers: &mut Answers,
) {
    let name = &score.fact.name;
    match number(question, answer) {
        Some(value) => {
            answers.places.insert(score.id.clone(), place.to_owned());
            if answers.known.insert(score.id.clone(), value).is_some() {
                fault(
                    answers,
                    place,
                    format!("{name} is answered more than once."),
                );
            }
        }
        None => fault(
            answers,
            place,
            format!(
                "{name} is answered by a whole number, or by a coding whose option has an ordinalValue."
            ),
        ),
    }
}

fn fault(answers: &mut Answers, place: &str, text: String) {
    let issue = Issue::error(Kind::BusinessRule, text).at(place);
    answers.faults.push(issue);
}

/// A number, or the ordinal value of an option.
fn number(question: &Map<String, Value>, answer: &Value) -> Option<i64> {
    let answer = answer.as_object()?;
    let plain = answer.get("valueInteger").or(answer.get("valueDecimal"));
    if let Some(plain) = plain {
        return value::whole(plain).ok();
    }
    let chosen = answer.get("valueCoding")?.as_object()?;
    let by_option = || {
        let options = items(question, "answerOption").iter();
        let mut options = options.filter_map(|option| option.get("valueCoding")?.as_object());
        let same = |option: &Map<String, Value>| {
            ["system", "code"]
                .iter()
                .all(|name| option.get(*name) == chosen.get(*name))
        };
        ordinal(options.find(|option| same(option))?)
    };
    ordinal(chosen).or_else(by_option)
}

fn ordinal(coding: &Map<String, Value>) -> Option<i64> {
    let extensions = items(coding, "extension").iter();
    let mut extensions = extensions.filter_map(Value::as_object);
    let found = extensions.find(|extension| text(extension, "url") == Some(ORDINAL))?;
    value::whole(found.get("valueDecimal")?).ok()
}
