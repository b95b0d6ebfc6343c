//! High or low by the limits of the knowledge base, where the sender says
//! nothing. What the service filled in carries the limit's id, so that it
//! follows the value; a sender's own is never touched.
//! <https://hl7.org/fhir/R4/valueset-observation-interpretation.html>

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use crate::clinical::CANONICAL;
use crate::clinical::interpretation::{say, withdraw};
use crate::clinical::knowledge::{Entry, Knowledge, Limit};
use crate::clinical::observation::{compare, quantity, sign_of};
use crate::fhir::search::path::items;

const SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";

/// The system of the ids of limits.
pub fn system() -> String {
    format!("{CANONICAL}/CodeSystem/vital-limit")
}

/// Takes back what the service said earlier, and says what holds of the values
/// that are there now; of doubtful ones nothing.
pub fn fill(knowledge: &Knowledge, content: &mut Map<String, Value>, doubtful: bool) {
    let system = system();
    withdraw(content, &system);
    let own = (!doubtful).then(|| crossed(knowledge, content)).flatten();
    let mut worst = own;
    if let Some(Value::Array(components)) = content.get_mut("component") {
        for component in components.iter_mut().filter_map(Value::as_object_mut) {
            withdraw(component, &system);
            let crossed = (!doubtful).then(|| crossed(knowledge, component)).flatten();
            tell(component, crossed);
            worst = worse(worst, crossed);
        }
    }
    tell(content, worst);
}

/// Whether [`fill`] could change anything.
pub fn may_fill(knowledge: &Knowledge, content: &Map<String, Value>) -> bool {
    let says = |holder: &Map<String, Value>| {
        holder.contains_key("interpretation") || crossed(knowledge, holder).is_some()
    };
    let components = items(content, "component").iter();
    says(content) || components.filter_map(Value::as_object).any(says)
}

/// The farthest limit that the value is beyond.
fn crossed<'k>(knowledge: &'k Knowledge, holder: &Map<String, Value>) -> Option<&'k Entry<Limit>> {
    let (sign, quantity) = (sign_of(knowledge, holder)?, quantity(holder)?);
    let unit = sign.fact.units.first()?;
    let beyond = |limit: &Limit| {
        let (above, below) = limit.bounds_of(&sign.id);
        let crosses = |bound: Option<i64>, side| {
            bound.is_some_and(|bound| compare(quantity, bound, unit) == Some(side))
        };
        crosses(above, Ordering::Greater) || crosses(below, Ordering::Less)
    };
    let said = knowledge.limits.iter();
    let said = said.filter(|limit| limit.fact.interpretation.is_some() && beyond(&limit.fact));
    said.fold(None, |worst, limit| worse(worst, Some(limit)))
}

/// `HH` is worse than `H`.
fn worse<'k>(
    one: Option<&'k Entry<Limit>>,
    other: Option<&'k Entry<Limit>>,
) -> Option<&'k Entry<Limit>> {
    let far = |limit: Option<&Entry<Limit>>| {
        let code = limit.and_then(|limit| limit.fact.interpretation.as_ref());
        code.map_or(0, String::len)
    };
    if far(other) > far(one) { other } else { one }
}

fn tell(holder: &mut Map<String, Value>, limit: Option<&Entry<Limit>>) {
    let Some(limit) = limit else {
        return;
    };
    let Some(code) = limit.fact.interpretation.as_deref() else {
        return;
    };
    let display = match code {
        "H" => "High",
        "HH" => "Critical high",
        "L" => "Low",
        "LL" => "Critical low",
        _ => code,
    };
    let codings = json!([
        {"system": SYSTEM, "code": code, "display": display},
        {"system": system(), "code": limit.id},
    ]);
    say(holder, codings);
}
