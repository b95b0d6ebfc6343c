//! Conversion. Each `toX` has a `convertsToX` that asks whether it would answer.
//! <http://hl7.org/fhirpath/N1/#conversion>

use super::Table;
use super::call::{Call, boolean, empty};
use crate::fhir::fhirpath::decimal::Decimal;
use crate::fhir::fhirpath::error::Result;
use crate::fhir::fhirpath::item::{Collection, Item};
use crate::fhir::fhirpath::quantity::Quantity;
use crate::fhir::fhirpath::temporal::{DAY, Temporal, TemporalKind};

type Conversion = for<'a> fn(Item<'a>) -> Option<Item<'a>>;

pub const TABLE: Table = &[
    ("toBoolean", 0, 0, |call| to(&call, boolean_of)),
    ("toInteger", 0, 0, |call| to(&call, integer_of)),
    ("toDecimal", 0, 0, |call| to(&call, decimal_of)),
    ("toString", 0, 0, |call| to(&call, string_of)),
    ("toDate", 0, 0, |call| to(&call, date_of)),
    ("toDateTime", 0, 0, |call| to(&call, date_time_of)),
    ("toTime", 0, 0, |call| to(&call, time_of)),
    ("toQuantity", 0, 1, to_quantity),
    ("convertsToBoolean", 0, 0, |call| {
        converts(&call, boolean_of)
    }),
    ("convertsToInteger", 0, 0, |call| {
        converts(&call, integer_of)
    }),
    ("convertsToDecimal", 0, 0, |call| {
        converts(&call, decimal_of)
    }),
    ("convertsToString", 0, 0, |call| converts(&call, string_of)),
    ("convertsToDate", 0, 0, |call| converts(&call, date_of)),
    ("convertsToDateTime", 0, 0, |call| {
        converts(&call, date_time_of)
    }),
    ("convertsToTime", 0, 0, |call| converts(&call, time_of)),
    ("convertsToQuantity", 0, 1, |call| {
        match call.input.is_empty() {
            true => empty(),
            false => boolean(!to_quantity(call)?.is_empty()),
        }
    }),
];

fn to<'a>(call: &Call<'_, 'a>, conversion: Conversion) -> Result<Collection<'a>> {
    Ok(call.single()?.and_then(conversion).into_iter().collect())
}

fn converts<'a>(call: &Call<'_, 'a>, conversion: Conversion) -> Result<Collection<'a>> {
    match call.single()? {
        Some(item) => boolean(conversion(item).is_some()),
        None => empty(),
    }
}

fn boolean_of(item: Item<'_>) -> Option<Item<'_>> {
    let value = match item {
        Item::Boolean(value) => value,
        Item::Integer(value @ (0 | 1)) => value == 1,
        Item::Decimal(value) => {
            let value = value.trimmed().to_string();
            matches!(value.as_str(), "0" | "1").then_some(value == "1")?
        }
        Item::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => true,
            "false" | "f" | "no" | "n" | "0" | "0.0" => false,
            _ => return None,
        },
        _ => return None,
    };
    Some(Item::Boolean(value))
}

fn integer_of(item: Item<'_>) -> Option<Item<'_>> {
    let value = match item {
        Item::Integer(value) => value,
        Item::Boolean(value) => i64::from(value),
        Item::String(text) => text.parse::<i32>().ok()?.into(),
        _ => return None,
    };
    Some(Item::Integer(value))
}

fn decimal_of(item: Item<'_>) -> Option<Item<'_>> {
    let value = match item {
        Item::Decimal(value) => value,
        Item::Integer(value) => Decimal::from(value),
        Item::Boolean(value) => Decimal::from(i64::from(value)),
        Item::String(text) => Decimal::parse(&text)?,
        _ => return None,
    };
    Some(Item::Decimal(value))
}

fn string_of(item: Item<'_>) -> Option<Item<'_>> {
    item.written().map(Item::String)
}

fn date_of(item: Item<'_>) -> Option<Item<'_>> {
    let date = match item {
        Item::Temporal(t) if t.kind != TemporalKind::Time => Temporal {
            precision: t.precision.min(DAY),
            offset: None,
            ..t
        },
        Item::String(text) => Temporal::date(&text)?,
        _ => return None,
    };
    Some(Item::Temporal(date.of_kind(TemporalKind::Date)))
}

fn date_time_of(item: Item<'_>) -> Option<Item<'_>> {
    let at = match item {
        Item::Temporal(temporal) if temporal.kind != TemporalKind::Time => temporal,
        Item::String(text) => Temporal::date_time(&text)?,
        _ => return None,
    };
    Some(Item::Temporal(at.of_kind(TemporalKind::DateTime)))
}

fn time_of(item: Item<'_>) -> Option<Item<'_>> {
    let time = match item {
        Item::Temporal(temporal) if temporal.kind == TemporalKind::Time => temporal,
        Item::String(text) => Temporal::time(&text)?,
        _ => return None,
    };
    Some(Item::Temporal(time))
}

/// With an argument only where it is already in that unit.
fn to_quantity<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    let unitless = |value| Quantity {
        value,
        unit: "1".to_owned(),
    };
    let quantity = match call.single()? {
        Some(Item::Quantity(quantity)) => Some(*quantity),
        Some(Item::Node(node)) => node.quantity(call.evaluator.definitions),
        Some(Item::Integer(value)) => Some(unitless(Decimal::from(value))),
        Some(Item::Decimal(value)) => Some(unitless(value)),
        Some(Item::Boolean(value)) => Some(unitless(Decimal::from(i64::from(value)))),
        Some(Item::String(text)) => Quantity::parse(&text),
        _ => None,
    };
    let unit = call.text_argument(0)?;
    let kept = quantity.filter(|q| unit.is_none_or(|unit| unit == q.unit));
    Ok(kept
        .map(|quantity| Item::Quantity(Box::new(quantity)))
        .into_iter()
        .collect())
}
