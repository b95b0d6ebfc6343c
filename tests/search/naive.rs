//! A search by the book: every resource is looked at, no index is used.
//! <https://hl7.org/fhir/R4/search.html>

use serde_json::{Map, Value};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unloop::fhir::search::decimal::Decimal;
use unloop::fhir::search::ucum;

/// A value and the type in its property's name (`Quantity` of `valueQuantity`).
#[derive(Clone, Debug)]
pub struct Node {
    pub value: Value,
    pub of_type: Option<String>,
}

/// The values of an official expression.
pub fn evaluate(root: &Map<String, Value>, expression: &str) -> Vec<Node> {
    let node = Node {
        value: Value::Object(root.clone()),
        of_type: None,
    };
    alternatives(expression)
        .into_iter()
        .flat_map(|path| one(&node, path.trim()))
        .collect()
}

/// Splits at `|` outside parentheses.
fn alternatives(expression: &str) -> Vec<&str> {
    split_outside(expression, '|')
}

fn split_outside(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            c if c == separator && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn one(root: &Node, path: &str) -> Vec<Node> {
    if let Some((path, of_type)) = path.rsplit_once(" as ").filter(|(p, _)| balanced(p)) {
        return only(one(root, path.trim()), of_type.trim());
    }
    let mut nodes = vec![root.clone()];
    for (number, step) in split_outside(path, '.').into_iter().enumerate() {
        nodes = match step.trim() {
            inner if inner.starts_with('(') => {
                let inner = inner.trim_start_matches('(').trim_end_matches(')');
                alternatives(inner)
                    .into_iter()
                    .flat_map(|p| one(root, p.trim()))
                    .collect()
            }
            name if number == 0 && name.starts_with(char::is_uppercase) => nodes,
            step => nodes.iter().flat_map(|node| take(node, step)).collect(),
        };
    }
    nodes
}

fn balanced(text: &str) -> bool {
    text.matches('(').count() == text.matches(')').count()
}

fn only(nodes: Vec<Node>, of_type: &str) -> Vec<Node> {
    let fits = |node: &Node| {
        let known = node.of_type.as_deref();
        known.is_none_or(|known| known.eq_ignore_ascii_case(of_type))
    };
    nodes.into_iter().filter(fits).collect()
}

fn take(node: &Node, step: &str) -> Vec<Node> {
    if let Some(of_type) = argument(step, "as").or_else(|| argument(step, "ofType")) {
        return only(vec![node.clone()], of_type);
    }
    if let Some(condition) = argument(step, "where") {
        return holds(&node.value, condition)
            .then(|| node.clone())
            .into_iter()
            .collect();
    }
    let (name, index) = match step.split_once('[') {
        Some((name, index)) => (name, index.trim_end_matches(']').parse().ok()),
        None => (step, None),
    };
    let all = children(&node.value, name);
    match index {
        Some(index) => all.into_iter().nth(index).into_iter().collect(),
        None => all,
    }
}

fn argument<'s>(step: &'s str, function: &str) -> Option<&'s str> {
    step.strip_prefix(function)?
        .strip_prefix('(')?
        .strip_suffix(')')
}

fn holds(value: &Value, condition: &str) -> bool {
    if let Some(of_type) = condition.strip_prefix("resolve() is ") {
        let reference = value["reference"].as_str().unwrap_or_default();
        let (reference, _version) = reference
            .split_once("/_history/")
            .unwrap_or((reference, ""));
        let in_reference = reference.rsplit('/').nth(1);
        return in_reference.or(value["type"].as_str()) == Some(of_type.trim());
    }
    let (field, expected) = condition.split_once('=').expect("an equality");
    value[field.trim()].as_str() == Some(expected.trim().trim_matches('\''))
}

/// The property, or the one choice of it that is there: `valueQuantity`.
fn children(value: &Value, name: &str) -> Vec<Node> {
    let Some(object) = value.as_object() else {
        return Vec::new();
    };
    let mut nodes = Vec::new();
    for (property, value) in object {
        let suffix = property.strip_prefix(name);
        let of_type = match suffix {
            Some("") => None,
            Some(suffix) if is_type(suffix) && !object.contains_key(name) => {
                Some(suffix.to_owned())
            }
            _ => continue,
        };
        let items = match value {
            Value::Array(items) => items.clone(),
            value => vec![value.clone()],
        };
        nodes.extend(
            items
                .into_iter()
                .filter(|v| !v.is_null())
                .map(|value| Node {
                    value,
                    of_type: of_type.clone(),
                }),
        );
    }
    nodes
}

fn is_type(suffix: &str) -> bool {
    const TYPES: [&str; 24] = [
        "Quantity",
        "CodeableConcept",
        "String",
        "Boolean",
        "Integer",
        "Range",
        "Ratio",
        "SampledData",
        "Time",
        "DateTime",
        "Period",
        "Age",
        "Date",
        "Instant",
        "Timing",
        "Reference",
        "Uri",
        "Canonical",
        "Identifier",
        "Coding",
        "Money",
        "Decimal",
        "Code",
        "Duration",
    ];
    TYPES.contains(&suffix)
}

/// `(system, code, exact)` of everything that a token may be.
pub fn tokens(value: &Value) -> Vec<(Option<String>, Option<String>, bool)> {
    let text = |value: &Value, name: &str| value[name].as_str().map(str::to_owned);
    match value {
        Value::String(code) => vec![(None, Some(code.clone()), false)],
        Value::Bool(flag) => vec![(None, Some(flag.to_string()), false)],
        Value::Object(object) if object.contains_key("coding") => value["coding"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|coding| (text(coding, "system"), text(coding, "code"), false))
            .collect(),
        Value::Object(object) if object.contains_key("value") => {
            let system = text(value, "system");
            let is_contact = system.as_deref().is_some_and(|s| !s.contains(':'));
            match is_contact {
                true => vec![(None, text(value, "value"), false)],
                false => vec![(system, text(value, "value"), true)],
            }
        }
        Value::Object(_) => vec![(text(value, "system"), text(value, "code"), false)],
        _ => Vec::new(),
    }
}

/// "Ignoring accents or other diacritical marks and case", and spacing.
pub fn plain(text: &str) -> String {
    let text: String = text.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    // The full case folding of Unicode: a sharp s is two of them.
    text.to_lowercase()
        .replace('ß', "ss")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// The parts of a name or an address, or the text itself.
pub fn texts(value: &Value) -> Vec<String> {
    const PARTS: [&str; 11] = [
        "text",
        "family",
        "given",
        "prefix",
        "suffix",
        "line",
        "city",
        "district",
        "state",
        "postalCode",
        "country",
    ];
    let parts = |value: &Value| match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items
            .iter()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    };
    match value {
        Value::Object(object) => PARTS
            .iter()
            .filter_map(|p| object.get(*p))
            .flat_map(parts)
            .collect(),
        value => parts(value),
    }
}

/// The first and the last microsecond that a date, a period or a timing covers.
pub fn times(value: &Value) -> Option<(i64, i64)> {
    match value {
        Value::String(text) => instant(text),
        Value::Object(object) if object.contains_key("start") || object.contains_key("end") => {
            let end = |name: &str| object.get(name).map(|v| instant(v.as_str()?));
            let low = end("start").map_or(Some(i64::MIN), |t| t.map(|t| t.0))?;
            let high = end("end").map_or(Some(i64::MAX), |t| t.map(|t| t.1))?;
            (low <= high).then_some((low, high))
        }
        Value::Object(_) => {
            let events = value["event"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(times);
            let all = events.chain(times(&value["repeat"]["boundsPeriod"]));
            all.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
        }
        _ => None,
    }
}

fn instant(text: &str) -> Option<(i64, i64)> {
    let micros = |text: String| Some(text.parse::<jiff::Timestamp>().ok()?.as_microsecond());
    let day = |date: jiff::civil::Date| micros(format!("{date}T00:00:00Z"));
    let date = |text: String| text.parse::<jiff::civil::Date>().ok();
    let (first, next) = match text.len() {
        4 => {
            let first = date(format!("{text}-01-01"))?;
            (first, first.checked_add(jiff::Span::new().years(1)).ok()?)
        }
        7 => {
            let first = date(format!("{text}-01"))?;
            (first, first.checked_add(jiff::Span::new().months(1)).ok()?)
        }
        10 => {
            let first = date(text.to_owned())?;
            (first, first.tomorrow().ok()?)
        }
        _ => {
            let low = micros(text.to_owned())?;
            let fraction = text.split_once('.').map_or(0, |(_, rest)| {
                rest.chars().take_while(char::is_ascii_digit).count().min(6)
            });
            let width = 10_i64.pow(6 - u32::try_from(fraction).ok()?);
            return Some((low, low + width - 1));
        }
    };
    Some((day(first)?, day(next)? - 1))
}

/// A quantity's value, in base units where the unit asked for has some.
pub fn amount(value: &Value, unit: Option<(&str, &str)>) -> Option<(i64, i64)> {
    if value["low"].is_object() || value["high"].is_object() {
        let end = |name: &str| amount(&value[name], unit);
        let ends = (end("low"), end("high"));
        ends.0.or(ends.1)?;
        return Some((
            ends.0.map_or(i64::MIN, |end| end.0),
            ends.1.map_or(i64::MAX, |end| end.1),
        ));
    }
    let number = Decimal::of(&value["value"])?;
    let plain = number.ordered();
    let amount = match unit {
        None => plain,
        Some(("", code)) => {
            let is = |name: &str| value[name].as_str() == Some(code);
            (is("code") || is("unit") || is("currency")).then_some(plain)?
        }
        Some((system, code)) => {
            let own = value["code"]
                .as_str()
                .filter(|_| value["system"].as_str() == Some(system))?;
            match (ucum::unit(own), ucum::unit(code)) {
                (Some(own), Some(asked)) if system == ucum::SYSTEM => (own.kind() == asked.kind())
                    .then(|| own.ordered(number))
                    .flatten()?,
                _ => (own == code).then_some(plain)?,
            }
        }
    };
    Some(match value["comparator"].as_str() {
        Some("<") => (i64::MIN, amount - 1),
        Some("<=") => (i64::MIN, amount),
        Some(">") => (amount + 1, i64::MAX),
        Some(">=") => (amount, i64::MAX),
        _ => (amount, amount),
    })
}

/// <https://hl7.org/fhir/R4/search.html#prefix>, sentence by sentence.
pub fn compares(prefix: &str, asked: (i64, i64), has: (i64, i64)) -> bool {
    let contains = asked.0 <= has.0 && has.1 <= asked.1;
    let reaches_above = has.1 > asked.1;
    let reaches_below = has.0 < asked.0;
    match prefix {
        "eq" => contains,
        "ne" => !contains,
        "gt" => reaches_above,
        "lt" => reaches_below,
        "ge" => reaches_above || contains,
        "le" => reaches_below || contains,
        "sa" => has.0 > asked.1,
        "eb" => has.1 < asked.0,
        "ap" => has.0 <= asked.1 && asked.0 <= has.1,
        other => panic!("{other} is no prefix"),
    }
}
