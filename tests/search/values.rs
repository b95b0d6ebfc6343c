//! What the plain judge reads out of values and out of what is asked.

use unloop::fhir::definitions::ParamKind;
use unloop::fhir::search::decimal::Decimal;
use unloop::fhir::search::ucum;

use super::judge::{BASE, NOW};
use super::naive::{Node, amount, plain, texts, times, tokens};

/// "CodeableConcept.text, Coding.display, or Identifier.type.text".
pub fn descriptions(value: &serde_json::Value) -> Vec<String> {
    let codings = value["coding"].as_array().into_iter().flatten();
    let displays = codings.map(|coding| &coding["display"]);
    let own = [&value["text"], &value["display"], &value["type"]["text"]];
    let all = own.into_iter().chain(displays);
    all.filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

/// There is a value that a search of the kind could ask for.
pub fn is_present(kind: ParamKind, node: &Node) -> bool {
    let value = &node.value;
    let number = serde_json::json!({"value": value});
    match kind {
        ParamKind::Token => {
            let mut tokens = tokens(value).into_iter();
            let says = tokens.any(|(system, code, _)| system.or(code).is_some());
            says || !descriptions(value).is_empty()
        }
        ParamKind::String => texts(value).iter().any(|text| !plain(text).is_empty()),
        ParamKind::Date => node.of_type.as_deref() != Some("String") && times(value).is_some(),
        ParamKind::Number | ParamKind::Quantity => {
            let measured = if value.is_number() { &number } else { value };
            amount(measured, None).is_some()
        }
        ParamKind::Reference => {
            let reference = value["reference"].as_str().and_then(normal);
            reference.is_some()
                || value["identifier"]["value"].is_string()
                || (value["resourceType"].is_string() && value["id"].is_string())
                // A canonical.
                || value.as_str().and_then(normal).is_some()
        }
        ParamKind::Uri => value.as_str().is_some_and(|uri| !uri.is_empty()),
        // A place.
        ParamKind::Special => value["latitude"].is_number() && value["longitude"].is_number(),
        ParamKind::Composite => false,
    }
}

pub fn text<'v>(value: &'v serde_json::Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// A canonical, with its version and without.
pub fn forms(value: &serde_json::Value) -> Vec<String> {
    let uri = value.as_str().unwrap_or_default();
    let bare = uri.split('|').next().unwrap_or_default();
    vec![uri.to_owned(), bare.to_owned()]
}

pub fn is_below(uri: &str, of: &str) -> bool {
    uri.strip_prefix(of.trim_end_matches('/'))
        .is_some_and(|rest| rest.starts_with('/'))
}

pub fn asked_range(prefix: &str, digits: &str, unit: Option<(&str, &str)>) -> (i64, i64) {
    let number = Decimal::parse(digits).expect("asked for a number");
    let unit = unit.filter(|(system, _)| *system == ucum::SYSTEM);
    let unit = unit.and_then(|(_, code)| ucum::unit(code));
    let ordered = |number: Decimal| match &unit {
        Some(unit) => unit.ordered(number).expect("a value that fits"),
        None => number.ordered(),
    };
    match prefix {
        "eq" | "ne" => {
            let (low, high) = number.implicit_range();
            (ordered(low), ordered(high) - 1)
        }
        // "The recommended value ... is 10% of the stated value."
        "ap" => {
            let ends = [9, 11].map(|tenths| ordered(tenths_of(digits, tenths)));
            (ends[0].min(ends[1]), ends[0].max(ends[1]))
        }
        _ => (ordered(number), ordered(number)),
    }
}

/// The number times so many tenths.
pub fn tenths_of(digits: &str, tenths: i128) -> Decimal {
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse().expect("an exponent")),
        None => (digits, 0_i32),
    };
    let decimals = mantissa.split_once('.').map_or(0, |(_, after)| after.len());
    let whole: i128 = mantissa.replace('.', "").parse().expect("digits");
    let decimals = i32::try_from(decimals).expect("a few") + 1;
    let text = format!("{}e{}", whole * tenths, exponent - decimals);
    Decimal::parse(&text).expect("a number")
}

/// "For a date, 10% of the gap between now and the date."
pub fn approximately((low, high): (i64, i64)) -> (i64, i64) {
    let gap = (low - NOW).max(NOW - high).max(0);
    (low - gap / 10, high + gap / 10)
}

/// Without the service's own address and the version.
pub fn normal(reference: &str) -> Option<&str> {
    let reference = reference
        .strip_prefix(BASE)
        .map_or(reference, |r| r.trim_start_matches('/'));
    let (reference, _) = reference
        .split_once("/_history/")
        .unwrap_or((reference, ""));
    (!reference.is_empty() && !reference.starts_with('#')).then_some(reference)
}

pub fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if matches!(c, '\\' | ',' | '|' | '$') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
