//! The place in a search as an opaque text. <https://hl7.org/fhir/R4/http.html#paging>

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::compile::Compartment;
use super::key;
use super::query::Query;
use crate::fhir::outcome::{Failure, Kind};
use crate::store::{OrderBy, OrderTerm, Position, PositionValue};

#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The row next to the page.
    pub position: Position,
    /// The page ends before it, instead of beginning behind it.
    pub backwards: bool,
}

/// What must be the same for a place to mean anything: not the page's size or
/// its form.
const NO_PART: [&str; 9] = [
    "_count",
    "_cursor",
    "_elements",
    "_format",
    "_include",
    "_pretty",
    "_revinclude",
    "_summary",
    "_total",
];

/// Tells searches apart.
pub fn fingerprint(query: &Query, compartment: Option<&Compartment>) -> i64 {
    let mut parts: Vec<&str> = Vec::new();
    if let Some(compartment) = compartment {
        parts.extend([compartment.code.as_str(), compartment.id.as_str()]);
    }
    parts.push("types");
    parts.extend(query.types.iter().map(String::as_str));
    parts.push("parameters");
    for (name, value) in &query.used {
        let code = name.split(':').next().unwrap_or_default();
        if !NO_PART.contains(&code) {
            parts.extend([name.as_str(), value.as_str()]);
        }
    }
    key::hash(&parts).0
}

pub fn encode(place: &Place, fingerprint: i64) -> String {
    let position: Vec<Value> = place
        .position
        .iter()
        .map(|value| match value {
            PositionValue::Number(number) => json!(number),
            PositionValue::Text(text) => json!(text),
            PositionValue::Missing => Value::Null,
        })
        .collect();
    let content = json!([fingerprint, place.backwards, position]);
    URL_SAFE_NO_PAD.encode(content.to_string())
}

/// The place in a search with this fingerprint and order.
pub fn decode(cursor: &str, fingerprint: i64, order: &[OrderTerm]) -> Result<Place, Failure> {
    let (of, place) =
        read(cursor).ok_or_else(|| refused("is not one that this service gave out"))?;
    if of != fingerprint {
        return Err(refused("belongs to another search"));
    }
    let fits = place.position.len() == order.len()
        && order
            .iter()
            .zip(&place.position)
            .all(|(term, value)| fits(&term.by, value));
    if fits {
        Ok(place)
    } else {
        Err(refused("has been changed"))
    }
}

/// A client can write a cursor of its own; the store must not meet nonsense.
fn fits(by: &OrderBy, value: &PositionValue) -> bool {
    match (by, value) {
        (OrderBy::Type | OrderBy::Id | OrderBy::Value(_), PositionValue::Text(text)) => {
            !text.contains('\0')
        }
        (OrderBy::Updated | OrderBy::MomentLow | OrderBy::MomentHigh, value) => {
            matches!(value, PositionValue::Number(_))
                || (*by != OrderBy::Updated && *value == PositionValue::Missing)
        }
        (OrderBy::Value(_), PositionValue::Missing) => true,
        _ => false,
    }
}

fn refused(problem: &str) -> Failure {
    Failure::new(
        Kind::Value,
        format!(
            "Search parameter `_cursor` {problem}; follow the links of a page as they are, \
             or search again without it"
        ),
    )
}

fn read(cursor: &str) -> Option<(i64, Place)> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let content: Value = serde_json::from_slice(&bytes).ok()?;
    let [fingerprint, backwards, position] = content.as_array()?.as_slice() else {
        return None;
    };
    let value = |value: &Value| match value {
        Value::Null => Some(PositionValue::Missing),
        Value::Number(number) => number.as_i64().map(PositionValue::Number),
        Value::String(text) => Some(PositionValue::Text(text.clone())),
        _ => None,
    };
    let position = position.as_array()?.iter().map(value);
    let place = Place {
        position: position.collect::<Option<Vec<_>>>()?,
        backwards: backwards.as_bool()?,
    };
    Some((fingerprint.as_i64()?, place))
}
