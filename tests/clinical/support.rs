//! Records to ask about.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use unloop::clinical::knowledge::Knowledge;
use unloop::clinical::medication::resolve::Lookup;
use unloop::clinical::medication::{Assessment, Question, Rules, Setting, assess};
use unloop::fhir::search::date;

pub fn rules() -> Rules {
    Rules::new(Knowledge::embedded().unwrap())
}

/// A medicine, as somebody might write it down.
#[derive(Clone, Copy, Debug)]
pub enum Medicine {
    Rxnorm(&'static str),
    Atc(&'static str),
    Name(&'static str),
}

pub fn concept(medicine: Medicine) -> Value {
    match medicine {
        Medicine::Rxnorm(code) => {
            json!({"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code}]})
        }
        Medicine::Atc(code) => {
            json!({"coding": [{"system": "http://www.whocc.no/atc", "code": code}]})
        }
        Medicine::Name(text) => json!({"text": text}),
    }
}

pub fn statement(medicine: Medicine) -> Value {
    json!({
        "resourceType": "MedicationStatement",
        "status": "active",
        "medicationCodeableConcept": concept(medicine),
        "subject": {"reference": "Patient/p"},
    })
}

pub fn allergy(medicine: Medicine) -> Value {
    json!({
        "resourceType": "AllergyIntolerance",
        "code": concept(medicine),
        "patient": {"reference": "Patient/p"},
    })
}

/// Resources that references lead to, by the reference.
#[derive(Default)]
pub struct Others(pub HashMap<&'static str, Value>);

impl Lookup for Others {
    fn find(&self, reference: &str) -> Option<&Map<String, Value>> {
        self.0.get(reference)?.as_object()
    }
}

/// The day on which the tests ask.
pub const TODAY: &str = "2026-11-21";

pub fn assessed<'k>(
    rules: &'k Rules,
    record: &Value,
    setting: Option<Setting>,
) -> Option<Assessment<'k>> {
    assessed_with(rules, record, setting, &Others::default())
}

pub fn assessed_with<'k>(
    rules: &'k Rules,
    record: &Value,
    setting: Option<Setting>,
    others: &Others,
) -> Option<Assessment<'k>> {
    let at = date::range(TODAY).unwrap().0;
    let name = record["resourceType"].as_str().unwrap();
    let question = Question { setting, at };
    assess(rules, name, record.as_object().unwrap(), others, &question)
}
