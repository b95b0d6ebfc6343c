//! What an Observation says, read in the same way by everything that computes
//! with it. <https://hl7.org/fhir/R4/observation.html>

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::CANONICAL;
use super::conditions::{CodeSystemKind, recognise_code_system};
use super::knowledge::{Entry, Knowledge, Sign};
use crate::fhir::search::date;
use crate::fhir::search::decimal::Decimal;
use crate::fhir::search::path::{items, text};
use crate::fhir::search::ucum::{self, Unit};

pub const LOINC: &str = "http://loinc.org";

/// A value that nobody has confirmed: left out of every computation.
pub const IMPLAUSIBLE: &str = "implausible";
/// An implausible value of which somebody has said that it is right.
pub const CONFIRMED: &str = "confirmed";

pub const QUALITIES: [(&str, &str); 2] = [
    (
        IMPLAUSIBLE,
        "A value is implausible and nobody has confirmed it; nothing is computed with it.",
    ),
    (
        CONFIRMED,
        "A value is implausible, and somebody has said in a note that it is right.",
    ),
];

/// The system of both, as tags.
pub fn quality() -> String {
    format!("{CANONICAL}/CodeSystem/data-quality")
}

/// Whether computations may rest on it: finished, nothing against it, and
/// nothing that may change its meaning unknown to us.
/// <https://hl7.org/fhir/R4/extensibility.html#modifierExtension>
pub fn is_usable(content: &Map<String, Value>) -> bool {
    let finished = matches!(
        text(content, "status"),
        Some("final" | "amended" | "corrected")
    );
    finished && !has_tag(content, IMPLAUSIBLE) && !content.contains_key("modifierExtension")
}

/// Whether it carries the tag of the service's judgement on its values.
pub fn has_tag(content: &Map<String, Value>, code: &str) -> bool {
    quality_tags(content).any(|tag| tag.get("code").and_then(Value::as_str) == Some(code))
}

/// All tags of that kind.
pub fn quality_tags(content: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let system = quality();
    let meta = content.get("meta").and_then(Value::as_object);
    let tags = meta.into_iter().flat_map(|meta| items(meta, "tag"));
    tags.filter(move |tag| tag.get("system").and_then(Value::as_str) == Some(&system))
}

pub fn is_coding(coding: &Value, system: &str, code: &str) -> bool {
    let member = |name| coding.get(name).and_then(Value::as_str);
    member("system") == Some(system) && member("code") == Some(code)
}

/// Whether a CodeableConcept has this code.
pub fn has_code(concept: Option<&Value>, system: &str, code: &str) -> bool {
    let concept = concept.and_then(Value::as_object);
    let mut codings = concept
        .into_iter()
        .flat_map(|concept| items(concept, "coding"));
    codings.any(|coding| is_coding(coding, system, code))
}

/// The LOINC codes of a CodeableConcept. A coding without a system counts; one of a
/// stated system that is another one means another code.
pub fn loinc_codes<'c>(knowledge: &Knowledge, concept: Option<&'c Value>) -> Vec<&'c str> {
    let concept = concept.and_then(Value::as_object);
    let codings = concept
        .into_iter()
        .flat_map(|concept| items(concept, "coding"));
    let is_loinc = |system: Option<&str>| {
        // Most are written so: the other spellings cost more.
        system == Some(LOINC)
            || matches!(
                recognise_code_system(knowledge.conditions.aliases(), system),
                CodeSystemKind::Loinc | CodeSystemKind::Unstated
            )
    };
    codings
        .filter_map(Value::as_object)
        .filter(|coding| is_loinc(text(coding, "system")))
        .filter_map(|coding| text(coding, "code").map(str::trim))
        .collect()
}

/// The vital sign that `code` of an Observation or component means.
pub fn sign_of<'k>(
    knowledge: &'k Knowledge,
    holder: &Map<String, Value>,
) -> Option<&'k Entry<Sign>> {
    let codes = loinc_codes(knowledge, holder.get("code"));
    if codes.is_empty() {
        return None;
    }
    let signs = || knowledge.signs.iter();
    let means = |loinc: &String| codes.contains(&loinc.as_str());
    signs().find(|sign| means(&sign.fact.loinc)).or_else(|| {
        let others = |sign: &Sign| sign.also.iter().chain(&sign.instead).any(means);
        signs().find(|sign| others(&sign.fact))
    })
}

/// The codes of signs as a value of `code` or `combo-code`, those beside and in place of
/// the profile's among them. Without their system, because it has several spellings:
/// [`sign_of`] decides what was found.
pub fn sign_codes(knowledge: &Knowledge, wanted: &[&str]) -> String {
    let signs = knowledge.signs.iter();
    let signs = signs.filter(|sign| wanted.contains(&sign.id.as_str()));
    let codes = signs.flat_map(|sign| {
        let fact = &sign.fact;
        std::iter::once(&fact.loinc)
            .chain(&fact.also)
            .chain(&fact.instead)
    });
    let codes: Vec<&str> = codes.map(String::as_str).collect();
    codes.join(",")
}

/// The time that `effective[x]` covers.
pub fn effective(content: &Map<String, Value>) -> Option<date::Range> {
    for name in ["effectiveDateTime", "effectiveInstant"] {
        if let Some(time) = text(content, name) {
            return date::range(time);
        }
    }
    let period = content.get("effectivePeriod").and_then(Value::as_object)?;
    let end = |name| text(period, name).and_then(date::range);
    match (end("start"), end("end")) {
        (Some((low, _)), Some((_, high))) => Some((low, high)),
        (one, other) => one.or(other),
    }
}

/// The unit of a Quantity, where UCUM knows it.
pub fn unit_of(quantity: &Map<String, Value>) -> Option<Arc<Unit>> {
    let ucum = text(quantity, "system") == Some(ucum::SYSTEM);
    text(quantity, "code").filter(|_| ucum).and_then(ucum::unit)
}

/// The exact value in base units; `None` where it is none, or only bounds one.
pub fn in_base(quantity: &Map<String, Value>) -> Option<i64> {
    if quantity.contains_key("comparator") {
        return None;
    }
    let value = quantity.get("value").and_then(Decimal::of)?;
    unit_of(quantity)?.ordered(value)
}

/// How a Quantity compares with so many of a unit; `None` where it does not.
pub fn compare(quantity: &Map<String, Value>, limit: i64, unit: &str) -> Option<Ordering> {
    let unit = ucum::unit(unit)?;
    if unit_of(quantity)?.kind() != unit.kind() {
        return None;
    }
    let limit = Decimal {
        mantissa: limit.into(),
        exponent: 0,
        precision: 0,
    };
    Some(in_base(quantity)?.cmp(&unit.ordered(limit)?))
}

/// `valueQuantity` of an Observation or component.
pub fn quantity(holder: &Map<String, Value>) -> Option<&Map<String, Value>> {
    holder.get("valueQuantity").and_then(Value::as_object)
}

/// A Quantity for a reader: `182 mm[Hg]`.
pub fn shown(quantity: &Map<String, Value>) -> String {
    let value = quantity.get("value").map(ToString::to_string);
    let unit = text(quantity, "code").or_else(|| text(quantity, "unit"));
    format!("{} {}", value.unwrap_or_default(), unit.unwrap_or_default())
        .trim()
        .to_owned()
}
