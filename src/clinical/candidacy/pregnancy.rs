//! Pregnancy: by tests, by the recorded status, by Conditions and by the
//! questionnaire. A number without an interpretation says nothing by itself.

use serde_json::{Map, Value};

use super::evidence::DAY;
use super::judge::Judge;
use super::measured::day;
use super::status::{Finding, Status};
use crate::clinical::conditions::{CodeSystemKind, recognise_code_system};
use crate::clinical::knowledge::{Knowledge, PregnancyAnswer, PregnancyMeaning};
use crate::clinical::observation::{effective, is_usable};
use crate::fhir::operation::LIMITED_VIEW;
use crate::fhir::operation::records::Version;
use crate::fhir::search::date;
use crate::fhir::search::path::{items, text};

const INTERPRETATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";

struct TimedTest<'e> {
    version: &'e Version,
    time: i64,
    meaning: PregnancyMeaning,
}

impl Judge<'_, '_> {
    pub(super) fn not_pregnant(&self) -> Finding {
        let finding = self.no_condition(false);
        if finding.status == Status::NotMet {
            return finding;
        }
        let tests = self.pregnancy_tests();
        let found = self.found_by_tests(&tests);
        match found {
            Some(mut found) => {
                if finding.status == Status::Met {
                    let said = finding.reasons.join(" ");
                    found.reasons.push(format!(
                        "The questionnaire says otherwise ({said}): the record counts."
                    ));
                }
                found.by(finding.evidence)
            }
            None if self.evidence.pregnancy.hidden && finding.status == Status::Met => {
                Finding::unknown(LIMITED_VIEW).by(finding.evidence)
            }
            None => finding,
        }
    }

    /// In the order of their times.
    fn pregnancy_tests(&self) -> Vec<TimedTest<'_>> {
        let seen = self.evidence.pregnancy.resources.iter();
        let mut tests: Vec<TimedTest<'_>> = seen
            .filter_map(|version| {
                let content = &version.resource.content;
                let meaning = read_pregnancy(&self.rules.knowledge, content)?;
                let time = effective(content).map_or(self.evidence.at.1, |(low, _)| low);
                (time <= self.evidence.at.1).then_some(TimedTest {
                    version,
                    time,
                    meaning,
                })
            })
            .collect();
        tests.sort_by_key(|test| test.time);
        tests
    }

    /// What tests say against it: found within 45 weeks without a recorded end, or
    /// open within the horizon without a later negative one.
    fn found_by_tests(&self, tests: &[TimedTest<'_>]) -> Option<Finding> {
        let days = |id: &str| {
            let horizon = self.rules.knowledge.horizon(id);
            horizon.and_then(|horizon| horizon.fact.days).unwrap_or(0)
        };
        let since = |id: &str| (self.evidence.at.0).saturating_sub(days(id).saturating_mul(DAY));
        let (goes_on, fresh) = (since("pregnancy-goes-on"), since("pregnancy"));
        let ended = self.last_end_of_pregnancy();
        let of = |meaning: PregnancyMeaning| {
            let found = tests.iter().rev();
            found.clone().find(|test| test.meaning == meaning)
        };
        let negative = of(PregnancyMeaning::Negative);
        let is_later = |test: &TimedTest<'_>| negative.is_some_and(|no| no.time > test.time);
        let positive = of(PregnancyMeaning::Positive)
            .filter(|test| test.time >= goes_on && ended.is_none_or(|end| end <= test.time));
        if let Some(test) = positive {
            let source = [test.version.key.to_string()];
            let when = day(test.time);
            return Some(match negative.filter(|_| is_later(test)) {
                None => Finding::not_met(format!("Pregnancy was found on {when}.")).by(source),
                Some(no) => {
                    let text = format!(
                        "Pregnancy was found on {when} and not on {}; its end is not recorded.",
                        day(no.time)
                    );
                    Finding::unknown(text)
                        .by(source)
                        .by([no.version.key.to_string()])
                }
            });
        }
        let open =
            of(PregnancyMeaning::Unclear).filter(|test| test.time >= fresh && !is_later(test));
        open.map(|test| {
            let when = day(test.time);
            let text = format!(
                "A test or the status of {when} does not say whether there is a pregnancy."
            );
            Finding::unknown(text).by([test.version.key.to_string()])
        })
    }

    /// The latest onset or recording of a Condition that says that one ended.
    fn last_end_of_pregnancy(&self) -> Option<i64> {
        let ended = ["pregnancy-ended".to_owned()];
        let of = self.problems.iter().filter(|problem| {
            problem.is_of(&ended)
                && problem.standing != crate::clinical::conditions::Standing::Refuted
        });
        let times = of.filter_map(|problem| {
            let content = &problem.version.resource.content;
            let named = ["onsetDateTime", "recordedDate"];
            let mut times = named.iter().filter_map(|name| text(content, name));
            Some(times.find_map(date::range)?.0)
        });
        times.filter(|time| *time <= self.evidence.at.1).max()
    }
}

/// `None` where it was withdrawn. A draft counts against and never for.
fn read_pregnancy(knowledge: &Knowledge, content: &Map<String, Value>) -> Option<PregnancyMeaning> {
    if matches!(
        text(content, "status"),
        Some("entered-in-error" | "cancelled")
    ) {
        return None;
    }
    let mut said = Vec::new();
    let value = content
        .get("valueCodeableConcept")
        .and_then(Value::as_object);
    let interpretations = items(content, "interpretation");
    let concepts = value
        .into_iter()
        .chain(interpretations.iter().filter_map(Value::as_object));
    for concept in concepts {
        said.extend(read_answers(knowledge, concept));
    }
    if let Some(words) = text(content, "valueString") {
        said.extend(read_words(knowledge, words));
    }
    let all =
        |meaning: PregnancyMeaning| !said.is_empty() && said.iter().all(|one| *one == meaning);
    Some(if said.contains(&PregnancyMeaning::Positive) {
        PregnancyMeaning::Positive
    } else if all(PregnancyMeaning::Negative) && is_usable(content) {
        PregnancyMeaning::Negative
    } else {
        PregnancyMeaning::Unclear
    })
}

fn read_answers(knowledge: &Knowledge, concept: &Map<String, Value>) -> Vec<PregnancyMeaning> {
    let aliases = knowledge.conditions.aliases();
    let codings = items(concept, "coding").iter().filter_map(Value::as_object);
    let mut said: Vec<PregnancyMeaning> = codings
        .filter_map(|coding| {
            let (system, code) = (text(coding, "system"), text(coding, "code")?);
            let kind = recognise_code_system(aliases, system);
            let has = |codes: &[String]| codes.iter().any(|known| known == code);
            let means = |fact: &PregnancyAnswer| match kind {
                CodeSystemKind::SnomedCt => has(&fact.snomed),
                CodeSystemKind::Loinc => has(&fact.loinc),
                CodeSystemKind::Unstated => {
                    has(&fact.snomed) || has(&fact.loinc) || has(&fact.interpretation)
                }
                _ => system == Some(INTERPRETATION) && has(&fact.interpretation),
            };
            let mut answers = knowledge.pregnancy_answers.iter();
            Some(answers.find(|answer| means(&answer.fact))?.fact.meaning)
        })
        .collect();
    if let Some(words) = text(concept, "text") {
        said.extend(read_words(knowledge, words));
    }
    said
}

fn read_words(knowledge: &Knowledge, said: &str) -> Option<PregnancyMeaning> {
    let folded: String = said
        .chars()
        .map(|one| if one.is_alphanumeric() { one } else { ' ' })
        .collect();
    let words: Vec<String> = folded
        .to_lowercase()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let whole = words.join(" ");
    let mut answers = knowledge.pregnancy_answers.iter();
    let answer = answers.find(|answer| answer.fact.words.contains(&whole))?;
    Some(answer.fact.meaning)
}
