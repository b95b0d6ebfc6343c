//! What is published, made of the knowledge base.
//! <https://hl7.org/fhir/R4/codesystem.html>, <https://hl7.org/fhir/R4/library.html>

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::questionnaire::{candidacy, questionnaire};
use crate::clinical::CANONICAL;
use crate::clinical::knowledge::{Entry, Knowledge};
use crate::clinical::measures::scale;

/// The files that hold rules and say where they come from.
const RULES: [&str; 6] = [
    "candidacy.toml",
    "course.toml",
    "interactions.toml",
    "scales.toml",
    "sri.toml",
    "vitals.toml",
];

/// Every resource has an id and an url.
pub fn resources(knowledge: &Knowledge) -> Vec<Value> {
    let mut all = vec![
        rule_set(knowledge),
        rule_codes(knowledge),
        measure_codes(knowledge),
        kind_codes(knowledge),
        setting_codes(knowledge),
    ];
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

fn code_system(id: &str, version: &str, name: &str, title: &str, concepts: Vec<Value>) -> Value {
    json!({
        "resourceType": "CodeSystem",
        "id": id,
        "url": format!("{CANONICAL}/CodeSystem/{id}"),
        "version": version,
        "name": name,
        "title": title,
        "status": "active",
        "experimental": false,
        "publisher": "Unloop",
        "caseSensitive": true,
        "content": "complete",
        "count": concepts.len(),
        "concept": concepts,
    })
}

fn measure_codes(knowledge: &Knowledge) -> Value {
    let mut concepts = Vec::new();
    for score in &knowledge.scores {
        let fact = &score.fact;
        if scale::is_own(score) {
            let range = format!("A whole number from {} to {}.", fact.min, fact.max);
            concepts.push(concept(&fact.code, &fact.name, &range));
        }
        for level in &fact.levels {
            concepts
                .push(json!({"code": level, "definition": format!("A level of {}.", fact.name)}));
        }
    }
    let version = version(&knowledge.scores);
    let title = "Scores of scales, by neutral labels";
    code_system("measures", version, "Measures", title, concepts)
}

fn kind_codes(knowledge: &Knowledge) -> Value {
    let kinds = knowledge.kinds.iter();
    let concepts = kinds.map(|kind| concept(&kind.id, &kind.fact.display, &kind.fact.definition));
    let version = version(&knowledge.kinds);
    let title = "What the appointments of a course are";
    code_system(
        "appointment-kind",
        version,
        "AppointmentKind",
        title,
        concepts.collect(),
    )
}

fn setting_codes(knowledge: &Knowledge) -> Value {
    let settings = knowledge.places.iter();
    let concepts = settings.map(|one| concept(&one.id, &one.fact.display, &one.fact.definition));
    let version = version(&knowledge.places);
    let title = "Where a session takes place";
    code_system(
        "session-setting",
        version,
        "SessionSetting",
        title,
        concepts.collect(),
    )
}

fn concept(code: &str, display: &str, definition: &str) -> Value {
    json!({"code": code, "display": display, "definition": definition})
}

fn rule_codes(knowledge: &Knowledge) -> Value {
    let concept = |id: &str, text: &str| json!({"code": id, "definition": text});
    let rules = knowledge.rules.iter();
    let concepts = rules.map(|rule| concept(&rule.id, &rule.fact.mechanism));
    let title = "Rules on medicines with ketamine";
    code_system(
        "medication-compatibility",
        &knowledge.version,
        "MedicationCompatibility",
        title,
        concepts.collect(),
    )
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
