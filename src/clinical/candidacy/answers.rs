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
    /// The statement is true.
    pub holds: bool,
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
                    holds: true,
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
            let mut values = items(item, "answer").iter();
            let value = values.find_map(|answer| answer.get("valueBoolean")?.as_bool());
            if let (Some(link), Some(holds)) = (text(item, "linkId"), value) {
                let answer = Answer {
                    holds,
                    ..template.clone()
                };
                let newer = |old: &Answer| {
                    // Of two at one time the one that says no counts.
                    (old.authored, !old.holds) < (answer.authored, !answer.holds)
                };
                if self.0.get(link).is_none_or(newer) {
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
