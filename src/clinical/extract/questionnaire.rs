//! Which Questionnaire a response answers.
//! <https://hl7.org/fhir/R4/questionnaireresponse-definitions.html#QuestionnaireResponse.questionnaire>

use serde_json::{Map, Value};

use crate::clinical::canonical::{self, OBSERVATION_EXTRACT};
use crate::clinical::knowledge::Knowledge;
use crate::fhir::engine::Draft;
use crate::fhir::operation::Records;
use crate::fhir::outcome::Failure;
use crate::fhir::search::path::{items, text};

/// What was found, or why there is none.
pub type Found = Result<Map<String, Value>, &'static str>;

pub async fn find(
    knowledge: &Knowledge,
    records: &Records<'_>,
    drafts: &[Draft],
    response: &Map<String, Value>,
) -> Result<Found, Failure> {
    let Some(canonical) = text(response, "questionnaire") else {
        return Ok(Err("It names no Questionnaire."));
    };
    let (url, version) = match canonical.split_once('|') {
        Some((url, version)) => (url, Some(version)),
        None => (canonical, None),
    };
    let meant = |content: &Map<String, Value>| {
        text(content, "resourceType") == Some("Questionnaire")
            && text(content, "url") == Some(url)
            && version.is_none_or(|version| text(content, "version") == Some(version))
    };
    let sent = drafts.iter().filter_map(|draft| draft.content.as_ref());
    let mut all: Vec<Map<String, Value>> = sent
        .map(|resource| resource.content.clone())
        .filter(|content| meant(content))
        .collect();
    if all.is_empty() {
        let own = canonical::questionnaires(knowledge);
        let mut own = own.filter_map(|one| one.as_object().cloned());
        all.extend(own.find(|content| meant(content)));
    }
    if all.is_empty() {
        // A comma or a dollar sign would be read as part of the question.
        let escaped: String = url.chars().flat_map(escaped).collect();
        let seen = records
            .search("Questionnaire", &[("url", &escaped)])
            .await?;
        let stored = seen.resources.into_iter().map(|one| one.resource.content);
        all.extend(stored.filter(|content| meant(content)));
    }
    Ok(match all.len() {
        0 => Err("Its Questionnaire is not stored here."),
        1 => all.pop().ok_or("Its Questionnaire is not stored here."),
        _ => Err("There are several versions of its Questionnaire. Name the one, as url|version."),
    })
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    let special = matches!(c, '\\' | ',' | '$' | '|');
    special
        .then_some('\\')
        .into_iter()
        .chain(std::iter::once(c))
}

/// Whether it says that Observations are made of its answers.
pub fn extracts(questionnaire: &Map<String, Value>) -> bool {
    let extensions = items(questionnaire, "extension").iter();
    let mut extensions = extensions.filter_map(Value::as_object);
    extensions.any(|extension| {
        text(extension, "url") == Some(OBSERVATION_EXTRACT)
            && extension.get("valueBoolean") == Some(&Value::Bool(true))
    })
}
