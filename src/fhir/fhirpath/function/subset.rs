//! Subsetting and combining. <http://hl7.org/fhirpath/N1/#subsetting>

use super::Table;
use super::call::Call;
use crate::fhir::fhirpath::error::Result;
use crate::fhir::fhirpath::item::Collection;

pub const TABLE: Table = &[
    ("single", 0, 0, |call| {
        let item = call.evaluator.single(call.input)?;
        Ok(item.into_iter().collect())
    }),
    ("first", 0, 0, |call| {
        Ok(call.input.into_iter().take(1).collect())
    }),
    ("last", 0, 0, |mut call| {
        Ok(call.input.pop().into_iter().collect())
    }),
    ("tail", 0, 0, |call| {
        Ok(call.input.into_iter().skip(1).collect())
    }),
    ("skip", 1, 1, |call| {
        let count = length(&call)?;
        Ok(call.input.into_iter().skip(count).collect())
    }),
    ("take", 1, 1, |call| {
        let count = length(&call)?;
        Ok(call.input.into_iter().take(count).collect())
    }),
    ("intersect", 1, 1, |call| {
        let kept = overlap(&call, true)?;
        call.evaluator.distinct(kept)
    }),
    ("exclude", 1, 1, |call| overlap(&call, false)),
    ("union", 1, 1, |mut call| {
        let other = call.argument(0)?;
        call.input.extend(other);
        call.evaluator.distinct(call.input)
    }),
    ("combine", 1, 1, |mut call| {
        let other = call.argument(0)?;
        call.input.extend(other);
        Ok(call.input)
    }),
];

/// A negative number is none.
fn length(call: &Call<'_, '_>) -> Result<usize> {
    let count = call.integer_argument(0)?.unwrap_or(0);
    Ok(usize::try_from(count).unwrap_or(0))
}

/// The items that are (or are not) in the argument.
fn overlap<'a>(call: &Call<'_, 'a>, wanted: bool) -> Result<Collection<'a>> {
    let other = call.argument(0)?;
    let mut kept = Vec::new();
    for item in &call.input {
        if call.evaluator.contains(&other, item)? == wanted {
            kept.push(item.clone());
        }
    }
    Ok(kept)
}
