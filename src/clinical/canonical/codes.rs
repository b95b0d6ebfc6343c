//! A CodeSystem for every system of the project's codes that stands in resources.
//! <https://hl7.org/fhir/R4/codesystem.html>

use serde_json::{Value, json};

use super::resources::version;
use crate::clinical::appointment::booking;
use crate::clinical::knowledge::Knowledge;
use crate::clinical::measures::{interpretation as bands, scale};
use crate::clinical::vitals::interpretation as limits;
use crate::clinical::{candidacy, medication, observation, programme};
use crate::fhir::operation::stats;

pub fn code_systems(knowledge: &Knowledge) -> Vec<Value> {
    vec![
        rules(knowledge),
        measures(knowledge),
        score_bands(knowledge),
        vital_limits(knowledge),
        kinds(knowledge),
        settings(knowledge),
        programme_codes(knowledge),
        of_program(
            &observation::quality(),
            "DataQuality",
            "What is thought of the values of an Observation",
            &observation::QUALITIES,
        ),
        of_program(
            &candidacy::system(),
            "Candidacy",
            "What the criteria before a course come to",
            &candidacy::CODES,
        ),
        of_program(
            stats::LINE,
            "Regression",
            "The two ends of a linear regression",
            &stats::LINE_CODES,
        ),
    ]
}

fn code_system(url: &str, version: &str, name: &str, title: &str, concepts: Vec<Value>) -> Value {
    let id = url.rsplit('/').next().unwrap_or_default();
    json!({
        "resourceType": "CodeSystem",
        "id": id,
        "url": url,
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

fn concept(code: &str, display: &str, definition: &str) -> Value {
    json!({"code": code, "display": display, "definition": definition})
}

/// Codes that do not change with the knowledge base.
type Fixed = (&'static str, &'static str);

fn of_program(url: &str, name: &str, title: &str, codes: &[Fixed]) -> Value {
    let concepts = codes
        .iter()
        .map(|(code, definition)| json!({"code": code, "definition": definition}));
    let version = env!("CARGO_PKG_VERSION");
    code_system(url, version, name, title, concepts.collect())
}

fn rules(knowledge: &Knowledge) -> Value {
    let rules = knowledge.rules.iter();
    let concepts = rules.map(|rule| json!({"code": rule.id, "definition": rule.fact.mechanism}));
    code_system(
        &medication::rule_system(),
        &knowledge.version,
        "MedicationCompatibility",
        "Rules on medicines with ketamine",
        concepts.collect(),
    )
}

fn measures(knowledge: &Knowledge) -> Value {
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
    code_system(
        &scale::system(),
        version(&knowledge.scores),
        "Measures",
        "Scores of scales, by neutral labels",
        concepts,
    )
}

fn score_bands(knowledge: &Knowledge) -> Value {
    let concepts = knowledge.bands.iter().map(|band| {
        let display = bands::display(knowledge, band);
        json!({"code": band.id, "display": display})
    });
    code_system(
        &bands::system(),
        version(&knowledge.bands),
        "ScoreBand",
        "How severe a score is",
        concepts.collect(),
    )
}

fn vital_limits(knowledge: &Knowledge) -> Value {
    let limits = knowledge.limits.iter();
    let concepts = limits.map(|limit| json!({"code": limit.id, "definition": limit.fact.action}));
    code_system(
        &limits::system(),
        version(&knowledge.limits),
        "VitalLimit",
        "Limits of vital signs",
        concepts.collect(),
    )
}

fn kinds(knowledge: &Knowledge) -> Value {
    let kinds = knowledge.kinds.iter();
    let concepts = kinds.map(|kind| concept(&kind.id, &kind.fact.display, &kind.fact.definition));
    code_system(
        &booking::kind_system(),
        version(&knowledge.kinds),
        "AppointmentKind",
        "What the appointments of a course are",
        concepts.collect(),
    )
}

fn settings(knowledge: &Knowledge) -> Value {
    let settings = knowledge.places.iter();
    let concepts = settings.map(|one| concept(&one.id, &one.fact.display, &one.fact.definition));
    code_system(
        &booking::setting_system(),
        version(&knowledge.places),
        "SessionSetting",
        "Where a session takes place",
        concepts.collect(),
    )
}

/// The program's own, and those by which findings are told.
fn programme_codes(knowledge: &Knowledge) -> Value {
    let own = programme::CODES.iter();
    let mut concepts: Vec<Value> = own
        .map(|(code, definition)| json!({"code": code, "definition": definition}))
        .collect();
    for finding in &knowledge.findings {
        let local = finding.fact.local.iter();
        let named = local.map(|code| json!({"code": code, "definition": finding.fact.text}));
        concepts.extend(named);
    }
    code_system(
        &programme::system(),
        version(&knowledge.findings),
        "Programme",
        "What the programme marks in records",
        concepts,
    )
}
