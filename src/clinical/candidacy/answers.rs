//! Answers of the candidacy questionnaire: for each criterion whether its
//! statement is true, by `linkId`. <https://hl7.org/fhir/R4/questionnaireresponse.html>

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::clinical::CANONICAL;
use crate::fhir::operation::Seen;
use crate::fhir::search::date;
use crate::fhir::search::path::{items, text};

/// The canonical URL of the questionnaire.
pub fn questionnaire() -> String {
    format!("{CANONICAL}/Questionnaire/ketamine-candidacy")
}

/// The latest answer to each question.
#[derive(Default)]
pub struct Answers(HashMap<String, Answer>);

#[derive(Clone, Debug)]
pub struct Answer {
    /// The statement is true; `None` where it is answered by something else than yes
    /// or no.
    pub holds: Option<bool>,
    /// `QuestionnaireResponse/1`
    pub source: String,
    /// The day it was given.
    pub day: String,
    pub authored: i64,
}

impl Answers {
    /// Of the finished responses that were given by then.
    pub fn read(seen: &Seen, until: i64) -> Self {
        let mut answers = Self::default();
        for version in &seen.resources {
            let content = &version.resource.content;
            let finished = matches!(text(content, "status"), Some("completed" | "amended"));
            let canonical = text(content, "questionnaire").unwrap_or_default();
            let own = canonical.split('|').next() == Some(&questionnaire());
            let authored = text(content, "authored");
            let Some((low, _)) = authored.and_then(date::range) else {
                continue;
            };
            // <https://hl7.org/fhir/R4/extensibility.html#modifierExtension>
            let plain = !content.contains_key("modifierExtension");
            if finished && own && plain && low <= until {
                let day = authored.unwrap_or_default().chars().take(10).collect();
                let answer = Answer {
                    holds: None,
                    source: version.key.to_string(),
                    day,
                    authored: low,
                };
                answers.collect(content, &answer);
            }
        }
        answers
    }

    fn collect(&mut self, holder: &Map<String, Value>, template: &Answer) {
        for item in items(holder, "item").iter().filter_map(Value::as_object) {
            let answered = items(item, "answer");
            if let Some(link) = text(item, "linkId").filter(|_| !answered.is_empty()) {
                let answer = Answer {
                    holds: read_booleans(answered),
                    ..template.clone()
                };
                // Of two at one time the one that does not say yes counts.
                let rank = |one: &Answer| (one.authored, one.holds != Some(true));
                let known = self.0.get(link);
                if known.is_none_or(|known| rank(known) < rank(&answer)) {
                    self.0.insert(link.to_owned(), answer);
                }
            }
            self.collect(item, template);
        }
    }

    pub fn of(&self, criterion: &str) -> Option<&Answer> {
        self.0.get(criterion)
    }
}

/// No, where any of them says no; yes, where all say yes.
fn read_booleans(answers: &[Value]) -> Option<bool> {
    let said: Vec<Option<bool>> = answers
        .iter()
        .map(|answer| answer.get("valueBoolean").and_then(Value::as_bool))
        .collect();
    if said.contains(&Some(false)) {
        return Some(false);
    }
    said.iter().all(|one| *one == Some(true)).then_some(true)
}
