//! Units as senders write them, read as UCUM. What is not understood stays as it is.

use serde_json::{Map, Value};

use crate::clinical::knowledge::{Entry, Knowledge, Sign};
use crate::clinical::observation::{quantity, sign_of, unit_of};
use crate::fhir::search::path::{items, text};
use crate::fhir::search::ucum;

/// The UCUM code that a Quantity of this sign means where it does not say it itself.
pub fn meant_unit<'k>(
    knowledge: &'k Knowledge,
    sign: &Entry<Sign>,
    quantity: &Map<String, Value>,
) -> Option<&'k str> {
    let system = text(quantity, "system");
    if system.is_some_and(|system| system != ucum::SYSTEM) {
        return None;
    }
    let own = ucum::unit(sign.fact.units.first()?)?;
    let said = unit_of(quantity);
    if said.is_some_and(|said| said.kind() == own.kind()) {
        return None;
    }
    // A code that is there is what the sender means; the text is for readers.
    let written = text(quantity, "code").or_else(|| text(quantity, "unit"))?;
    let folded = written.trim().trim_end_matches('.').trim().to_lowercase();
    let units = knowledge.units.iter();
    let mut fitting = units.filter(|unit| sign.fact.units.contains(&unit.fact.ucum));
    fitting
        .find(|unit| unit.fact.texts.contains(&folded))
        .map(|unit| unit.fact.ucum.as_str())
}

/// The same Quantity with its unit as UCUM.
pub fn in_ucum(
    knowledge: &Knowledge,
    sign: &Entry<Sign>,
    quantity: &Map<String, Value>,
) -> Map<String, Value> {
    let mut quantity = quantity.clone();
    if let Some(unit) = meant_unit(knowledge, sign, &quantity) {
        quantity.insert("system".to_owned(), ucum::SYSTEM.into());
        quantity.insert("code".to_owned(), unit.into());
    }
    quantity
}

/// Writes the UCUM code beside the unit as it was sent, where one is meant and missing.
/// Says whether it changed anything.
pub fn spell_units(knowledge: &Knowledge, content: &mut Map<String, Value>) -> bool {
    let mut changed = spell_unit(knowledge, content);
    if let Some(Value::Array(components)) = content.get_mut("component") {
        for component in components.iter_mut().filter_map(Value::as_object_mut) {
            changed |= spell_unit(knowledge, component);
        }
    }
    changed
}

/// Whether [`spell_units`] would change anything.
pub fn may_spell(knowledge: &Knowledge, content: &Map<String, Value>) -> bool {
    let means = |holder: &Map<String, Value>| {
        let sign = sign_of(knowledge, holder);
        let quantity = quantity(holder);
        let pair = sign.zip(quantity);
        pair.is_some_and(|(sign, quantity)| meant_unit(knowledge, sign, quantity).is_some())
    };
    let components = items(content, "component").iter();
    means(content) || components.filter_map(Value::as_object).any(means)
}

fn spell_unit(knowledge: &Knowledge, holder: &mut Map<String, Value>) -> bool {
    let sign = sign_of(knowledge, holder);
    let spelled = sign.zip(quantity(holder)).and_then(|(sign, quantity)| {
        meant_unit(knowledge, sign, quantity)?;
        Some(in_ucum(knowledge, sign, quantity))
    });
    let Some(spelled) = spelled else {
        return false;
    };
    holder.insert("valueQuantity".to_owned(), Value::Object(spelled));
    true
}
