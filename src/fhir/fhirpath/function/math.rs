//! Math. <http://hl7.org/fhirpath/N1/#math>
//!
//! Exact where the result is exact. Roots, powers and logarithms that are not go
//! through a float and come back with its digits.

use super::Table;
use super::call::{Call, empty, one};
use crate::fhir::fhirpath::compare::number;
use crate::fhir::fhirpath::decimal::Decimal;
use crate::fhir::fhirpath::error::{Error, Result};
use crate::fhir::fhirpath::item::{Collection, Item};

/// Digits behind the point of what came from a float.
const FLOAT_DIGITS: usize = 14;

pub const TABLE: Table = &[
    ("abs", 0, 0, abs),
    ("ceiling", 0, 0, |call| {
        whole(&call, |value| value.negated()?.floor().checked_neg())
    }),
    ("floor", 0, 0, |call| {
        whole(&call, |value| Some(value.floor()))
    }),
    ("truncate", 0, 0, |call| {
        whole(&call, |value| Some(value.truncated()))
    }),
    ("round", 0, 1, round),
    ("sqrt", 0, 0, |call| float(&call, |value, _| value.sqrt())),
    ("exp", 0, 0, |call| float(&call, |value, _| value.exp())),
    ("ln", 0, 0, |call| float(&call, |value, _| value.ln())),
    ("log", 1, 1, |call| float(&call, logarithm)),
    ("power", 1, 1, power),
];

fn input(call: &Call<'_, '_>) -> Result<Option<Decimal>> {
    match call.single()? {
        Some(item) => match number(&item) {
            Some(value) => Ok(Some(value)),
            None => Err(Error::evaluation("a number was expected")),
        },
        None => Ok(None),
    }
}

fn abs<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    let positive = |value: Decimal| match value.is_negative() {
        true => value.negated(),
        false => Some(value),
    };
    let result = match call.single()? {
        None => None,
        Some(Item::Integer(value)) => value.checked_abs().map(Item::Integer),
        Some(Item::Decimal(value)) => positive(value).map(Item::Decimal),
        Some(Item::Quantity(mut quantity)) => positive(quantity.value).map(|value| {
            quantity.value = value;
            Item::Quantity(quantity)
        }),
        Some(_) => return Err(Error::evaluation("a number was expected")),
    };
    Ok(result.into_iter().collect())
}

fn whole<'a>(call: &Call<'_, 'a>, of: impl Fn(Decimal) -> Option<i128>) -> Result<Collection<'a>> {
    let whole = input(call)?.and_then(of);
    let whole = whole.and_then(|value| i64::try_from(value).ok());
    Ok(whole.map(Item::Integer).into_iter().collect())
}

fn round<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    let Some(value) = input(&call)? else {
        return empty();
    };
    let digits = call.integer_argument(0)?.unwrap_or(0);
    let Ok(digits) = u32::try_from(digits) else {
        return Err(Error::evaluation("round() takes a number of digits"));
    };
    let rounded = value.rounded(digits.min(value.scale()));
    Ok(rounded.map(Item::Decimal).into_iter().collect())
}

/// NaN and infinities are no values.
fn decimal_of(value: f64) -> Option<Item<'static>> {
    let text = value
        .is_finite()
        .then(|| format!("{value:.FLOAT_DIGITS$}"))?;
    Decimal::parse(&text).map(|value| Item::Decimal(value.trimmed()))
}

fn float_of(value: Decimal) -> Option<f64> {
    value.to_string().parse().ok()
}

fn float<'a>(call: &Call<'_, 'a>, of: impl Fn(f64, f64) -> f64) -> Result<Collection<'a>> {
    let Some(value) = input(call)?.and_then(float_of) else {
        return empty();
    };
    let argument = match call.single_argument(0)? {
        Some(item) => number(&item).and_then(float_of),
        None if call.arguments.is_empty() => Some(0.0),
        None => None,
    };
    let result = argument.and_then(|argument| decimal_of(of(value, argument)));
    Ok(result.into_iter().collect())
}

/// Base 2 and 10 have exact forms.
fn logarithm(value: f64, base: f64) -> f64 {
    match base {
        2.0 => value.log2(),
        10.0 => value.log10(),
        _ => value.log(base),
    }
}

/// Exact for whole exponents.
fn power<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    let (base, exponent) = (call.single()?, call.single_argument(0)?);
    let exponent_u32 = match exponent {
        Some(Item::Integer(value)) => u32::try_from(value).ok(),
        _ => None,
    };
    match (base, exponent_u32) {
        (Some(Item::Integer(base)), Some(exponent)) => {
            let power = base.checked_pow(exponent);
            Ok(power.map(Item::Integer).into_iter().collect())
        }
        (Some(Item::Decimal(base)), Some(exponent @ 0..=64)) => {
            let mut power = Some(Decimal::from(1));
            for _ in 0..exponent {
                power = power.and_then(|power| power.multiply(base));
            }
            match power {
                Some(power) => one(Item::Decimal(power)),
                None => empty(),
            }
        }
        _ => float(&call, f64::powf),
    }
}
