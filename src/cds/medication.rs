//! Orders against the rules.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::ask::{ask, named, said, value};
use super::card::{Card, Indicator, Override};
use crate::access::Caller;
use crate::fhir::engine::Engine;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::request::{Content, Verb};
use crate::fhir::search::path::{items, text};

/// More orders than a person writes at once are not looked at.
const MOST: usize = 50;
const SOURCE: &str = "Unloop: medicines with ketamine";
const AGENTS: [&str; 2] = ["ketamine", "esketamine"];

/// A medicine as `$check` sees it.
struct Checked {
    verdict: String,
    name: String,
    detail: String,
    rule: Option<String>,
    is_agent: bool,
}

pub async fn cards(
    engine: &Arc<Engine>,
    caller: &Caller,
    hook: &str,
    context: &Map<String, Value>,
    prefetch: Option<&Map<String, Value>>,
) -> Result<Vec<Value>, Failure> {
    let patient = super::call::patient(context)?;
    let orders = orders(hook, context)?;
    let mut cards = Vec::new();
    let mut ordered = false;
    for order in orders {
        let checked = check(engine, caller, order).await?;
        if checked.is_agent {
            ordered = true;
        } else {
            cards.extend(card(&checked, reference(order)));
        }
    }
    if ordered {
        cards.extend(taken(engine, caller, patient, prefetch).await?);
    }
    Ok(cards)
}

/// The medicines that are ordered; of those that are only drafted the selected.
fn orders<'c>(
    hook: &str,
    context: &'c Map<String, Value>,
) -> Result<Vec<&'c Map<String, Value>>, Failure> {
    let Some(bundle) = context.get("draftOrders").and_then(Value::as_object) else {
        return Err(Failure::at(
            Kind::Required,
            "context.draftOrders",
            "The context brings the orders as a Bundle.",
        ));
    };
    let selections: Vec<&str> = items(context, "selections")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let chosen = |order: &&Map<String, Value>| {
        let selected = reference(order).is_some_and(|key| selections.contains(&key.as_str()));
        text(order, "resourceType") == Some("MedicationRequest")
            && (hook != "order-select" || selected)
    };
    let orders: Vec<&Map<String, Value>> = medicines(bundle).filter(chosen).collect();
    if orders.len() > MOST {
        let text = format!("There are more than {MOST} orders.");
        return Err(Failure::at(Kind::TooLarge, "context.draftOrders", text));
    }
    Ok(orders)
}

fn medicines(bundle: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let entries = items(bundle, "entry").iter();
    entries.filter_map(|entry| entry.get("resource")?.as_object())
}

fn reference(order: &Map<String, Value>) -> Option<String> {
    Some(format!(
        "{}/{}",
        text(order, "resourceType")?,
        text(order, "id")?
    ))
}

/// What the patient takes, from the prefetch or else from this service.
async fn taken(
    engine: &Arc<Engine>,
    caller: &Caller,
    patient: &str,
    prefetch: Option<&Map<String, Value>>,
) -> Result<Vec<Value>, Failure> {
    let given = prefetch.and_then(|prefetch| prefetch.get("medications")?.as_object());
    let mut cards = Vec::new();
    if let Some(bundle) = given {
        if items(bundle, "link").iter().any(is_next) {
            cards.push(unknown(
                "The list of medicines that was sent is not complete.",
            ));
        }
        let statements: Vec<&Map<String, Value>> = medicines(bundle)
            .filter(|one| text(one, "resourceType") == Some("MedicationStatement"))
            .take(MOST)
            .collect();
        for statement in statements {
            let checked = check(engine, caller, statement).await?;
            if !checked.is_agent {
                cards.extend(card(&checked, None));
            }
        }
        return Ok(cards);
    }
    let path = ["Patient", patient, "$medication-compatibility"];
    match ask(engine, caller, Verb::Get, &path, Content::None).await? {
        Ok(answer) => {
            for medicine in named(&answer, "medicine") {
                let checked = read(medicine);
                if !checked.is_agent {
                    cards.extend(card(&checked, None));
                }
            }
            if value(&answer, "complete") != Some(&Value::Bool(true)) {
                cards.push(unknown("Not all medicines of the patient are checked."));
            }
        }
        Err(_) => cards.push(unknown("The patient's medicines are not known here.")),
    }
    Ok(cards)
}

fn is_next(link: &Value) -> bool {
    link.get("relation").and_then(Value::as_str) == Some("next")
}

fn unknown(text: &str) -> Value {
    let card = Card {
        summary: format!("Not checked with ketamine. {text}"),
        indicator: Indicator::Info,
        source: SOURCE,
        detail: "Nothing can be said of what was not seen: ask the patient, and look it up."
            .to_owned(),
        rule: None,
        reasons: Some(Override { order: None }),
    };
    card.to_json()
}

async fn check(
    engine: &Arc<Engine>,
    caller: &Caller,
    medicine: &Map<String, Value>,
) -> Result<Checked, Failure> {
    let path = ["MedicationStatement", "$check"];
    let content = Content::Resource(medicine.clone());
    let answer = ask(engine, caller, Verb::Post, &path, content).await?;
    let unchecked = |why: String| Checked {
        verdict: "not-checked".to_owned(),
        name: "A medicine".to_owned(),
        detail: why,
        rule: None,
        is_agent: false,
    };
    Ok(match answer {
        Err(why) => unchecked(why),
        Ok(answer) => match named(&answer, "medicine").next() {
            Some(medicine) => read(medicine),
            None => unchecked("By its status or dates it is not taken.".to_owned()),
        },
    })
}

fn read(medicine: &Value) -> Checked {
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
    lines.extend(reasons.map(str::to_owned));
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
    }
}

/// Nothing is said of what goes together.
fn card(checked: &Checked, order: Option<String>) -> Option<Value> {
    if checked.verdict == "compatible" {
        return None;
    }
    let (indicator, withdraw) = match checked.verdict.as_str() {
        "contraindicated" => (Indicator::Critical, true),
        "caution" => (Indicator::Warning, false),
        _ => (Indicator::Info, false),
    };
    let card = Card {
        summary: format!("{} with ketamine: {}", checked.name, checked.verdict),
        indicator,
        source: SOURCE,
        detail: format!(
            "{}\n\nAdvice for a clinician's review, not a decision.",
            checked.detail
        ),
        rule: checked.rule.clone(),
        reasons: Some(Override {
            order: order.filter(|_| withdraw),
        }),
    };
    Some(card.to_json())
}
