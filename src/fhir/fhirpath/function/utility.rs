//! Utility, sorting and precision. <http://hl7.org/fhirpath/N1/#utility-functions>

use std::cmp::Ordering;

use super::Table;
use super::call::{Call, boolean, empty, integer, one};
use crate::fhir::fhirpath::arithmetic;
use crate::fhir::fhirpath::decimal::Decimal;
use crate::fhir::fhirpath::error::{Error, Result};
use crate::fhir::fhirpath::item::{Collection, Item};
use crate::fhir::fhirpath::quantity::Quantity;
use crate::fhir::fhirpath::temporal::{DAY, SECOND, Temporal, TemporalKind};
use crate::fhir::fhirpath::tree::Tree;

/// Digits that a boundary has unless said otherwise.
const BOUNDARY_DIGITS: u32 = 8;
const MOST_DIGITS: i64 = 28;

pub const TABLE: Table = &[
    // What passes through may be a patient's: it is written nowhere.
    ("trace", 1, 2, |call| Ok(call.input)),
    ("now", 0, 0, |_| one(Item::Temporal(arithmetic::now()))),
    ("today", 0, 0, |_| {
        one(Item::Temporal(Temporal {
            kind: TemporalKind::Date,
            precision: DAY,
            offset: None,
            ..arithmetic::now()
        }))
    }),
    ("timeOfDay", 0, 0, |_| {
        one(Item::Temporal(Temporal {
            kind: TemporalKind::Time,
            offset: None,
            ..arithmetic::now()
        }))
    }),
    ("sort", 0, 8, sort),
    ("lowBoundary", 0, 1, |call| boundary(&call, false)),
    ("highBoundary", 0, 1, |call| boundary(&call, true)),
    ("precision", 0, 0, |call| match call.single()? {
        Some(Item::Decimal(value)) => integer(value.scale() as usize),
        Some(Item::Integer(_)) => integer(0),
        Some(Item::Temporal(temporal)) => integer(temporal_digits(&temporal)),
        Some(_) => Err(Error::evaluation("only numbers and times have a precision")),
        None => empty(),
    }),
    ("comparable", 1, 1, |call| {
        match (call.single()?, call.single_argument(0)?) {
            (Some(Item::Quantity(a)), Some(Item::Quantity(b))) => boolean(a.comparable(&b)),
            (Some(_), Some(_)) => Err(Error::evaluation("comparable() asks about quantities")),
            _ => empty(),
        }
    }),
];

fn temporal_digits(temporal: &Temporal) -> usize {
    let time = temporal.kind == TemporalKind::Time;
    let fields = match time {
        true => (temporal.precision - DAY) * 2,
        false => 2 + temporal.precision * 2,
    };
    fields
        + if temporal.precision == SECOND {
            temporal.fraction
        } else {
            0
        }
}

/// By each argument in turn, a sign in front turning the order round.
fn sort<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    let mut keyed: Vec<(Vec<Option<Item<'a>>>, Item<'a>)> = Vec::new();
    for (index, item) in call.input.iter().enumerate() {
        let mut keys = Vec::new();
        for tree in call.arguments {
            let tree = match tree {
                Tree::Negative(of) => of,
                other => other,
            };
            let scope = crate::fhir::fhirpath::evaluate::Scope {
                focus: std::slice::from_ref(item),
                index,
                ..*call.scope
            };
            let key = call.evaluator.run(tree, &scope)?;
            keys.push(call.evaluator.single(key)?);
        }
        if call.arguments.is_empty() {
            keys.push(Some(item.clone()));
        }
        keyed.push((keys, item.clone()));
    }
    let mut failure = None;
    keyed.sort_by(|(a, _), (b, _)| {
        let mut pairs = a.iter().zip(b).enumerate();
        let decided = pairs.find_map(|(index, (a, b))| {
            let order = match (a, b) {
                (Some(a), Some(b)) => call.evaluator.order(a, b).unwrap_or_else(|error| {
                    failure = Some(error);
                    None
                }),
                // What has no key comes first, in either direction.
                (a, b) => {
                    let order = a.is_some().cmp(&b.is_some());
                    return order.is_ne().then_some(order);
                }
            };
            let order = order.unwrap_or(Ordering::Equal);
            let reversed = matches!(call.arguments.get(index), Some(Tree::Negative(_)));
            let order = if reversed { order.reverse() } else { order };
            order.is_ne().then_some(order)
        });
        decided.unwrap_or(Ordering::Equal)
    });
    match failure {
        Some(error) => Err(error),
        None => Ok(keyed.into_iter().map(|(_, item)| item).collect()),
    }
}

/// <http://hl7.org/fhirpath/#lowboundaryprecision-integer--decimal--date--datetime--time>
fn boundary<'a>(call: &Call<'_, 'a>, high: bool) -> Result<Collection<'a>> {
    let digits = call.integer_argument(0)?;
    if digits.is_some_and(|digits| !(0..=MOST_DIGITS).contains(&digits)) {
        return empty();
    }
    let wanted = digits.and_then(|digits| u32::try_from(digits).ok());
    let scale = wanted.unwrap_or(BOUNDARY_DIGITS);
    let result = match call.single()? {
        Some(Item::Integer(value)) => bound(Decimal::from(value), scale, high).map(Item::Decimal),
        Some(Item::Decimal(value)) => bound(value, scale, high).map(Item::Decimal),
        Some(Item::Quantity(quantity)) => bound(quantity.value, scale, high).map(|value| {
            let unit = quantity.unit;
            Item::Quantity(Box::new(Quantity { value, unit }))
        }),
        Some(Item::Temporal(temporal)) => {
            let usual = match temporal.kind {
                TemporalKind::Date => 8,
                TemporalKind::DateTime => 17,
                TemporalKind::Time => 9,
            };
            let digits = wanted.map_or(usual, |digits| digits as usize);
            arithmetic::boundary(&temporal, digits, high).map(Item::Temporal)
        }
        Some(_) => return Err(Error::evaluation("only numbers and times have boundaries")),
        None => None,
    };
    Ok(result.into_iter().collect())
}

/// Half a unit of the last digit away, rounded outwards.
fn bound(value: Decimal, scale: u32, high: bool) -> Option<Decimal> {
    let half = Decimal::new(5, value.scale() + 1);
    match high {
        false => value.subtract(half)?.floor_at(scale),
        true => value.add(half)?.negated()?.floor_at(scale)?.negated(),
    }
}
