//! One medicine, or one allergy, against the rules.

use serde_json::{Map, Value};

use super::ask::{ask, named, said, value};
use super::call::Asked;
use crate::clinical::medication::record::written_name;
use crate::fhir::outcome::Failure;
use crate::fhir::request::{Content, Verb};

const AGENTS: [&str; 2] = ["ketamine", "esketamine"];

/// A medicine as `$check` sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub verdict: String,
    pub name: String,
    pub detail: String,
    pub rule: Option<String>,
    pub is_agent: bool,
    /// Why it is not wholly understood.
    pub open: Vec<String>,
}

impl Checked {
    pub fn unchecked(medicine: &Map<String, Value>, why: String) -> Self {
        let name = written_name(medicine);
        Self {
            verdict: "not-checked".to_owned(),
            name: name.unwrap_or_else(|| "A medicine without a name".to_owned()),
            detail: why.clone(),
            rule: None,
            is_agent: false,
            open: vec![why],
        }
    }
}

/// `None`: by its status or dates it does not matter.
pub async fn check(
    asked: &Asked<'_>,
    medicine: Map<String, Value>,
) -> Result<Option<Checked>, Failure> {
    let path = ["MedicationStatement", "$check"];
    let content = Content::Resource(medicine.clone());
    let answer = ask(asked.engine, asked.caller, Verb::Post, &path, content).await?;
    Ok(match answer {
        Err(why) => Some(Checked::unchecked(&medicine, why)),
        Ok(answer) => {
            let whole = value(&answer, "complete") == Some(&Value::Bool(true));
            let checked = named(&answer, "medicine").next().map(read);
            checked.map(|mut checked| {
                // Some reasons are no doubts.
                if whole {
                    checked.open.clear();
                }
                checked
            })
        }
    })
}

/// The part `medicine` of an answer.
pub fn read(medicine: &Value) -> Checked {
    let findings: Vec<&Value> = named(medicine, "finding").collect();
    let mut lines = Vec::new();
    for finding in &findings {
        lines.push(format!(
            "{} {} Tier {}{}.",
            said(finding, "mechanism"),
            said(finding, "recommendation"),
            said(finding, "tier"),
            value(finding, "mark")
                .and_then(Value::as_str)
                .map(|mark| format!(", {mark}"))
                .unwrap_or_default(),
        ));
        let sources = named(finding, "evidence").filter_map(|one| one.get("valueString")?.as_str());
        lines.extend(sources.map(|source| format!("Source: {source}")));
    }
    let reasons = named(medicine, "reason").filter_map(|one| one.get("valueString")?.as_str());
    let open: Vec<String> = reasons.map(str::to_owned).collect();
    lines.extend(open.iter().cloned());
    let is_agent = named(medicine, "ingredient")
        .any(|ingredient| AGENTS.contains(&said(ingredient, "name").to_lowercase().as_str()));
    Checked {
        verdict: said(medicine, "verdict").to_owned(),
        name: said(medicine, "name").to_owned(),
        detail: lines.join("\n\n"),
        rule: findings
            .first()
            .map(|finding| said(finding, "rule").to_owned()),
        is_agent,
        open,
    }
}
