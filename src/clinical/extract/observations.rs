//! The Observations that follow from answers, under ids that never change.
//! <https://hl7.org/fhir/R4/observation.html>

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::answers::Answers;
use crate::clinical::CANONICAL;
use crate::clinical::knowledge::{Entry, Knowledge, Score};
use crate::clinical::measures::{scale, sums};
use crate::fhir::outcome::{Issue, Kind};
use crate::fhir::record::ResourceKey;
use crate::fhir::search::path::{items, text};

/// The system of the identifiers of what was extracted here.
pub fn system() -> String {
    format!("{CANONICAL}/extracted")
}

/// How the ids of extracted Observations begin.
pub const PREFIX: &str = "ex-";

pub fn key(score: &str, response: &ResourceKey) -> ResourceKey {
    let digest = Sha256::digest(format!("{score}\n{response}"));
    ResourceKey::new(
        "Observation",
        format!("{PREFIX}{:.32}", HEXLOWER.encode(&digest)),
    )
}

/// The QuestionnaireResponse that an Observation says it was extracted from.
pub fn source(content: &Map<String, Value>) -> Option<ResourceKey> {
    let system = system();
    let identifiers = items(content, "identifier").iter();
    let mut identifiers = identifiers.filter_map(Value::as_object);
    let own = identifiers.find(|identifier| text(identifier, "system") == Some(&system))?;
    let (_score, response) = text(own, "value")?.split_once('/')?;
    crate::fhir::search::reference::local(response)
}

#[derive(Clone, Debug, Default)]
pub struct Extracted {
    pub observations: Vec<Map<String, Value>>,
    /// What is not computed, and why.
    pub notes: Vec<Issue>,
}

pub fn observations(
    knowledge: &Knowledge,
    key: &ResourceKey,
    response: &Map<String, Value>,
    answers: &Answers,
) -> Extracted {
    let mut extracted = Extracted::default();
    let status = match text(response, "status") {
        Some("completed") => "final",
        Some("amended") => "amended",
        Some("entered-in-error") => return extracted,
        _ => {
            note(
                &mut extracted,
                "QuestionnaireResponse.status",
                "It is not completed: no scores are made of it.",
            );
            return extracted;
        }
    };
    let subject = response
        .get("subject")
        .filter(|subject| is_patient(subject));
    let (Some(subject), Some(authored)) = (subject, text(response, "authored")) else {
        let text = "Without a patient as subject and a time in authored no scores are made of it.";
        note(&mut extracted, "QuestionnaireResponse", text);
        return extracted;
    };
    let mut base = json!({
        "resourceType": "Observation",
        "status": status,
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "survey"}]}],
        "subject": subject,
        "effectiveDateTime": authored,
        "performer": [performer(response, subject)],
        "derivedFrom": [{"reference": key.to_string()}],
    });
    // Whoever may not see the answers may not see what follows from them.
    for (name, kept) in [
        (
            "meta",
            response
                .get("meta")
                .and_then(|meta| meta.get("security"))
                .map(|labels| json!({"security": labels})),
        ),
        ("encounter", response.get("encounter").cloned()),
    ] {
        if let (Some(kept), Some(members)) = (kept, base.as_object_mut()) {
            members.insert(name.to_owned(), kept);
        }
    }
    for score in wanted(knowledge, answers) {
        match value(knowledge, score, answers) {
            Ok(value) => {
                let one = observation(knowledge, key, &base, score, value, answers);
                extracted.observations.extend(one);
            }
            Err(missing) => {
                let text = format!(
                    "{} is not computed; not answered: {}.",
                    score.fact.name,
                    missing.join(", ")
                );
                note(&mut extracted, "QuestionnaireResponse.item", &text);
            }
        }
    }
    extracted
}

fn note(extracted: &mut Extracted, place: &str, text: &str) {
    let issue = Issue::warning(Kind::BusinessRule, text).at(place);
    extracted.notes.push(issue);
}

fn is_patient(subject: &Value) -> bool {
    let reference = subject.get("reference").and_then(Value::as_str);
    reference.is_some_and(|reference| reference.contains("Patient/"))
}

/// Who rated, told or is spoken of: a device rates nothing.
fn performer<'r>(response: &'r Map<String, Value>, subject: &'r Value) -> &'r Value {
    let rated = |name: &str| {
        let who = response.get(name)?;
        let reference = who.get("reference")?.as_str()?;
        (!reference.contains("Device/")).then_some(who)
    };
    rated("author")
        .or_else(|| rated("source"))
        .unwrap_or(subject)
}

/// The sums of the instruments that are asked for, and scores that stand alone.
fn wanted<'k>(knowledge: &'k Knowledge, answers: &Answers) -> Vec<&'k Entry<Score>> {
    let asked = |score: &&Entry<Score>| answers.asked.contains(&score.id);
    let mut wanted = Vec::new();
    for instrument in &knowledge.instruments {
        let Some(total) = scale::score(knowledge, &instrument.fact.total) else {
            continue;
        };
        let tree = scale::tree(knowledge, total);
        if tree.iter().any(asked) {
            wanted.extend(
                tree.into_iter()
                    .filter(|score| !score.fact.sum_of.is_empty()),
            );
        }
    }
    let alone = knowledge.scores.iter().filter(asked);
    wanted.extend(alone.filter(|score| {
        score.fact.levels.is_empty() && scale::instrument(knowledge, score).is_none()
    }));
    wanted
}

/// The sum of what was answered; else the names of what was not.
fn value<'k>(
    knowledge: &'k Knowledge,
    score: &'k Entry<Score>,
    answers: &Answers,
) -> Result<i64, Vec<&'k str>> {
    let leaves: Vec<&Entry<Score>> = scale::tree(knowledge, score)
        .into_iter()
        .filter(|part| part.fact.sum_of.is_empty())
        .collect();
    let missing: Vec<&str> = leaves
        .iter()
        .filter(|leaf| !answers.known.contains_key(&leaf.id))
        .map(|leaf| leaf.fact.name.as_str())
        .collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    let values = leaves.iter().filter_map(|leaf| answers.known.get(&leaf.id));
    Ok(values.sum())
}

fn observation(
    knowledge: &Knowledge,
    response: &ResourceKey,
    base: &Value,
    score: &Entry<Score>,
    value: i64,
    answers: &Answers,
) -> Option<Map<String, Value>> {
    let mut content = base.as_object()?.clone();
    let mut put = |name: &str, value: Value| content.insert(name.to_owned(), value);
    put("id", key(&score.id, response).id.into());
    put(
        "identifier",
        json!([{"system": system(), "value": format!("{}/{response}", score.id)}]),
    );
    put("code", concept(score));
    put(
        "valueQuantity",
        json!({"value": value, "system": "http://unitsofmeasure.org", "code": "{score}"}),
    );
    if let Some(method) = &score.fact.method {
        put(
            "method",
            json!({"coding": [{"system": "http://snomed.info/sct", "code": method}]}),
        );
    }
    let mut components = Vec::new();
    let mut members = Vec::new();
    for part in score
        .fact
        .sum_of
        .iter()
        .filter_map(|id| scale::score(knowledge, id))
    {
        if !part.fact.sum_of.is_empty() {
            members.push(json!({"reference": key(&part.id, response).to_string()}));
        } else if let Some(value) = answers.known.get(&part.id) {
            components.push(json!({"code": concept(part), "valueInteger": value}));
        }
    }
    for (name, list) in [("component", components), ("hasMember", members)] {
        if !list.is_empty() {
            put(name, list.into());
        }
    }
    Some(content)
}

fn concept(score: &Entry<Score>) -> Value {
    json!({
        "coding": [{"system": score.fact.system, "code": score.fact.code}],
        "text": score.fact.name,
    })
}

/// What the answers say that cannot be: ranges, and sums that were filled in.
pub fn faults(knowledge: &Knowledge, answers: &Answers) -> Vec<Issue> {
    let mut faults = answers.faults.clone();
    for (id, value) in &answers.known {
        let (Some(score), Some(place)) = (scale::score(knowledge, id), answers.places.get(id))
        else {
            continue;
        };
        let text = match sums::expected(knowledge, score, &answers.known) {
            Some((low, high)) if !(low..=high).contains(value) => {
                let expected = if low == high {
                    format!("{low}")
                } else {
                    format!("{low} to {high}")
                };
                format!(
                    "{} is {value}, but its parts add up to {expected}.",
                    score.fact.name
                )
            }
            _ => match scale::out_of_range(knowledge, score, *value) {
                Some(text) => text,
                None => continue,
            },
        };
        faults.push(Issue::error(Kind::BusinessRule, text).at(place));
    }
    faults
}
