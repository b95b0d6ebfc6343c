//! What is published, made of the knowledge base.
//! <https://hl7.org/fhir/R4/library.html>

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::codes::code_systems;
use super::questionnaire::{candidacy, questionnaire};
use crate::clinical::CANONICAL;
use crate::clinical::knowledge::{Entry, Knowledge};

/// The files that hold rules and say where they come from.
const RULES: [&str; 8] = [
    "candidacy.toml",
    "condition-sets.toml",
    "course.toml",
    "interactions.toml",
    "scales.toml",
    "screens.toml",
    "sri.toml",
    "vitals.toml",
];

/// Every resource has an id and an url.
pub fn resources(knowledge: &Knowledge) -> Vec<Value> {
    let mut all = vec![rule_set(knowledge)];
    all.extend(code_systems(knowledge));
    all.extend(questionnaires(knowledge));
    all.push(candidacy(knowledge));
    all
}

/// One for each instrument.
pub fn questionnaires(knowledge: &Knowledge) -> impl Iterator<Item = Value> {
    let instruments = knowledge.instruments.iter();
    instruments.filter_map(|instrument| questionnaire(knowledge, instrument))
}

/// The version of the entries of one file.
pub fn version<T>(entries: &[Entry<T>]) -> &str {
    let versions = entries
        .iter()
        .map(|entry| entry.provenance.version.as_str());
    versions.max().unwrap_or_default()
}

fn rule_set(knowledge: &Knowledge) -> Value {
    let files = knowledge.files.iter();
    let content = files
        .filter(|(name, _)| RULES.contains(name))
        .map(|(name, text)| {
            json!({"contentType": "application/toml", "title": name, "data": STANDARD.encode(text)})
        });
    let used: BTreeSet<&str> = knowledge
        .shown
        .iter()
        .filter(|entry| RULES.contains(&entry.file))
        .flat_map(|entry| entry.provenance.sources.iter().map(String::as_str))
        .collect();
    let cited = used.into_iter().filter_map(|id| {
        let citation = knowledge.citation(id)?;
        Some(json!({"type": "citation", "label": id, "citation": citation}))
    });
    let mut library = json!({
        "resourceType": "Library",
        "id": "medication-compatibility",
        "url": format!("{CANONICAL}/Library/medication-compatibility"),
        "identifier": [{"system": format!("{CANONICAL}/rule-set-sha256"), "value": knowledge.digest}],
        "version": knowledge.version,
        "name": "MedicationCompatibility",
        "title": "The active rules on OCD and ketamine",
        "status": "active",
        "experimental": false,
        "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/library-type", "code": "logic-library"}]},
        "publisher": "Unloop",
        "description": "The rules by which this service answers now. They advise; they decide nothing. Entries of tier C are unverified. The version changes with every change of the files; the identifier is the SHA-256 of all of them.",
        "relatedArtifact": cited.collect::<Vec<_>>(),
        "content": content.collect::<Vec<_>>(),
    });
    let reviewers = knowledge.reviewed_by.iter();
    let reviewers: Vec<Value> = reviewers.map(|name| json!({"name": name})).collect();
    if let (false, Some(members)) = (reviewers.is_empty(), library.as_object_mut()) {
        members.insert("reviewer".to_owned(), reviewers.into());
    }
    library
}
