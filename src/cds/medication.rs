//! Orders against the rules.

use futures_util::future::try_join_all;
use serde_json::{Map, Value};

use super::call::Asked;
use super::card::{Card, Indicator, Override};
use super::check::{Checked, check};
use super::ehr::with_products;
use super::ketamine::{self, Treatment, load_treatment};
use super::taken::{resources, taken};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::search::path::{items, text};

/// More orders than a person writes at once are not looked at.
const MOST: usize = 50;
const SOURCE: &str = "Unloop: medicines with ketamine";

pub async fn cards(asked: &Asked<'_>) -> Result<Vec<Value>, Failure> {
    asked.patient()?;
    let bundle = drafted(asked.context)?;
    let orders = orders(asked, bundle)?;
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let bundles = asked.bundles();
    let checks = orders
        .iter()
        .map(|order| check(asked, with_products(order, &bundles, asked.ehr.is_none())));
    let mut cards = Vec::new();
    let mut open = Vec::new();
    let mut ordered = false;
    for (order, checked) in orders.iter().zip(try_join_all(checks).await?) {
        let why = || "By its status or dates it is not taken.".to_owned();
        let checked = checked.unwrap_or_else(|| Checked::unchecked(order, why()));
        if checked.is_agent {
            ordered = true;
            // What stands beside ketamine in its order may be anything.
            open.extend(checked.open);
        } else {
            cards.extend(card(&checked, reference(order)));
        }
    }
    let treatment = load_treatment(asked).await?;
    if ordered {
        let taken = taken(asked).await?;
        cards.extend(taken.medicines.iter().filter_map(|one| card(one, None)));
        open.extend(taken.open);
        cards.extend(unknown(&open));
        cards.extend(ketamine::cards(asked, &treatment).await?);
    } else if let Treatment::Known {
        has_course: false, ..
    } = treatment
    {
        // What goes with ketamine matters to nobody who does not get it.
        cards.clear();
    }
    Ok(cards)
}

fn drafted(context: &Map<String, Value>) -> Result<&Map<String, Value>, Failure> {
    let bundle = context.get("draftOrders").and_then(Value::as_object);
    bundle.ok_or_else(|| {
        Failure::at(
            Kind::Required,
            "context.draftOrders",
            "The context brings the orders as a Bundle.",
        )
    })
}

/// The medicines that are ordered; of those that are only drafted the selected.
fn orders<'c>(
    asked: &Asked<'_>,
    bundle: &'c Map<String, Value>,
) -> Result<Vec<&'c Map<String, Value>>, Failure> {
    let selections: Vec<&str> = items(asked.context, "selections")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let chosen = |order: &&Map<String, Value>| {
        let selected = reference(order).is_some_and(|key| selections.contains(&key.as_str()));
        text(order, "resourceType") == Some("MedicationRequest")
            && (asked.hook != "order-select" || selected)
    };
    let orders: Vec<&Map<String, Value>> = resources(bundle).filter(chosen).collect();
    if orders.len() > MOST {
        let text = format!("There are more than {MOST} orders.");
        return Err(Failure::at(Kind::TooLarge, "context.draftOrders", text));
    }
    Ok(orders)
}

fn reference(order: &Map<String, Value>) -> Option<String> {
    Some(format!(
        "{}/{}",
        text(order, "resourceType")?,
        text(order, "id")?
    ))
}

/// One card for all that was not looked at.
fn unknown(open: &[String]) -> Option<Value> {
    let first = open.first()?;
    let card = Card {
        summary: format!("Not checked with ketamine. {first}"),
        indicator: Indicator::Info,
        source: SOURCE,
        detail: format!(
            "{}\n\nNothing can be said of what was not seen: ask the patient, and look it up.",
            open.join("\n\n")
        ),
        rule: None,
        reasons: Some(Override { order: None }),
    };
    Some(card.to_json())
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
