//! The place in a search. <https://hl7.org/fhir/R4/http.html#paging>

use serde_json::{Value, json};

use super::compile::Compartment;
use super::query::Query;
use crate::fhir::cursor::{self, CursorKey, Tie};
use crate::fhir::outcome::Failure;
use crate::store::{OrderBy, OrderTerm, Position, PositionValue};

#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The row next to the page; nothing where the page is the first, or, on
    /// the way back, the last.
    pub position: Option<Position>,
    /// The page ends before it, instead of beginning behind it.
    pub backwards: bool,
}

/// What must be the same for a place to mean anything: not the page's size or
/// its form.
const NO_PART: [&str; 10] = [
    "_contained",
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
pub fn tie(
    key: &CursorKey,
    identity: &str,
    query: &Query,
    compartment: Option<&Compartment>,
) -> Tie {
    let mut parts = vec!["search", identity];
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
    key.tie(&parts)
}

pub fn encode(place: &Place, tie: &Tie) -> String {
    let position: Option<Vec<Value>> = place.position.as_ref().map(|position| {
        let values = position.iter().map(|value| match value {
            PositionValue::Number(number) => json!(number),
            PositionValue::Text(text) => json!(text),
            PositionValue::Missing => Value::Null,
        });
        values.collect()
    });
    tie.seal(&json!([place.backwards, position]))
}

/// The place in the search that the tie names, in this order.
pub fn decode(cursor: &str, tie: &Tie, order: &[OrderTerm]) -> Result<Place, Failure> {
    let content = tie.open(cursor)?;
    let place = read(&content).ok_or_else(cursor::refused)?;
    let fits = place.position.as_ref().is_none_or(|position| {
        position.len() == order.len()
            && order
                .iter()
                .zip(position)
                .all(|(term, value)| fits(&term.by, value))
    });
    fits.then_some(place).ok_or_else(cursor::refused)
}

/// An older release may have ordered otherwise; the store must not meet nonsense.
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

fn read(content: &Value) -> Option<Place> {
    let [backwards, position] = content.as_array()?.as_slice() else {
        return None;
    };
    let value = |value: &Value| match value {
        Value::Null => Some(PositionValue::Missing),
        Value::Number(number) => number.as_i64().map(PositionValue::Number),
        Value::String(text) => Some(PositionValue::Text(text.clone())),
        _ => None,
    };
    let position = match position {
        Value::Null => None,
        position => {
            let position = position.as_array()?.iter().map(value);
            Some(position.collect::<Option<Vec<_>>>()?)
        }
    };
    Some(Place {
        position,
        backwards: backwards.as_bool()?,
    })
}
