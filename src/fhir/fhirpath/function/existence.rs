//! Existence. <http://hl7.org/fhirpath/N1/#existence>

use super::Table;
use super::call::{Call, boolean, empty, integer};
use crate::fhir::fhirpath::error::{Error, Result};
use crate::fhir::fhirpath::item::{Collection, Item};

pub const TABLE: Table = &[
    ("empty", 0, 0, |call| boolean(call.input.is_empty())),
    ("exists", 0, 1, exists),
    ("all", 1, 1, all),
    ("allTrue", 0, 0, |call| every(call, true)),
    ("anyTrue", 0, 0, |call| any(call, true)),
    ("allFalse", 0, 0, |call| every(call, false)),
    ("anyFalse", 0, 0, |call| any(call, false)),
    ("subsetOf", 1, 1, |call| {
        let other = call.argument(0)?;
        subset(&call, &call.input, &other)
    }),
    ("supersetOf", 1, 1, |call| {
        let other = call.argument(0)?;
        subset(&call, &other, &call.input)
    }),
    ("count", 0, 0, |call| integer(call.input.len())),
    ("distinct", 0, 0, |call| call.evaluator.distinct(call.input)),
    ("isDistinct", 0, 0, is_distinct),
    ("not", 0, 0, |call| {
        match call.evaluator.truth(call.input)? {
            Some(value) => boolean(!value),
            None => empty(),
        }
    }),
];

fn exists<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    if call.arguments.is_empty() {
        return boolean(!call.input.is_empty());
    }
    for (index, item) in call.input.iter().enumerate() {
        if call.holds(0, index, item)? == Some(true) {
            return boolean(true);
        }
    }
    boolean(false)
}

fn all<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    for (index, item) in call.input.iter().enumerate() {
        if call.holds(0, index, item)? != Some(true) {
            return boolean(false);
        }
    }
    boolean(true)
}

fn truths(call: &Call<'_, '_>) -> Result<Vec<bool>> {
    let truth = |item: &Item<'_>| match item.clone().plain() {
        Item::Boolean(value) => Ok(value),
        _ => Err(Error::evaluation("a boolean was expected")),
    };
    call.input.iter().map(truth).collect()
}

fn every<'a>(call: Call<'_, 'a>, wanted: bool) -> Result<Collection<'a>> {
    boolean(truths(&call)?.into_iter().all(|value| value == wanted))
}

fn any<'a>(call: Call<'_, 'a>, wanted: bool) -> Result<Collection<'a>> {
    boolean(truths(&call)?.contains(&wanted))
}

fn subset<'a>(call: &Call<'_, 'a>, inner: &[Item<'a>], of: &[Item<'a>]) -> Result<Collection<'a>> {
    for item in inner {
        if !call.evaluator.contains(of, item)? {
            return boolean(false);
        }
    }
    boolean(true)
}

fn is_distinct<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    let count = call.input.len();
    boolean(call.evaluator.distinct(call.input)?.len() == count)
}
