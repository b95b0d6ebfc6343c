//! How the Y-BOCS scores of a patient move, when the chart is opened.

use serde_json::Value;

use super::ask::{ask, named, said, value};
use super::call::Asked;
use super::card::{Card, Indicator};
use crate::fhir::outcome::Failure;
use crate::fhir::request::{Content, Verb};

/// Nothing is said of a patient without scores, or whose scores the caller may not see.
pub async fn cards(asked: &Asked<'_>) -> Result<Vec<Value>, Failure> {
    let Some(patient) = asked.patient_here().await? else {
        return Ok(Vec::new());
    };
    let path = ["Patient", &patient, "$ybocs-trajectory"];
    let answer = ask(asked.engine, asked.caller, Verb::Get, &path, Content::None).await?;
    let Ok(answer) = answer else {
        return Ok(Vec::new());
    };
    let Some(last) = named(&answer, "point").last() else {
        return Ok(Vec::new());
    };
    let overall = said(&answer, "overall");
    let score = value(last, "value").map(Value::to_string);
    let mut summary = format!("Y-BOCS {}", score.unwrap_or_default());
    let percent = value(last, "reductionPercent").map(Value::to_string);
    if let Some(percent) = percent {
        summary.push_str(&format!(", reduced by {percent} % since the baseline"));
    }
    if !overall.is_empty() {
        summary.push_str(&format!(": {overall}"));
    }
    let card = Card {
        summary,
        indicator: Indicator::Info,
        source: "Unloop: course of OCD",
        detail: detail(&answer),
        rule: None,
        reasons: None,
    };
    Ok(vec![card.to_json()])
}

fn detail(answer: &Value) -> String {
    let outcomes = named(answer, "outcome").map(|outcome| {
        let (id, verdict) = (said(outcome, "outcome"), said(outcome, "verdict"));
        format!("- {id}: {verdict}. {}", said(outcome, "reason"))
    });
    let notices = named(answer, "notice").filter_map(|one| one.get("valueString")?.as_str());
    let lines: Vec<String> = outcomes
        .chain(notices.map(|notice| format!("\n{notice}")))
        .collect();
    lines.join("\n")
}
