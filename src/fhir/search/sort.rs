//! `_sort`. <https://hl7.org/fhir/R4/search.html#sort>

use super::catalogue::{Catalogue, Storage};
use super::lookup::{common_types, every_type_has};
use super::order::descending_name;
use crate::fhir::outcome::{Failure, Kind};
use crate::store::{OrderBy, OrderTerm};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    pub code: String,
    pub descending: bool,
}

pub fn parse(
    catalogue: &Catalogue,
    types: &[String],
    value: &str,
) -> Result<Vec<SortKey>, Failure> {
    let mut keys: Vec<SortKey> = Vec::new();
    for part in value.split(',') {
        let (code, descending) = match part.strip_prefix('-') {
            Some(code) => (code, true),
            None => (part, false),
        };
        if storage(catalogue, types, code).is_none() {
            return Err(Failure::new(
                Kind::NotSupported,
                format!("Search parameter `_sort` cannot order by `{code}` here"),
            ));
        }
        if keys.iter().all(|key| key.code != code) {
            keys.push(SortKey {
                code: code.to_owned(),
                descending,
            });
        }
    }
    Ok(keys)
}

/// Where the values to order by are, if they are in one place in all types.
fn storage(catalogue: &Catalogue, types: &[String], code: &str) -> Option<Storage> {
    let mut places = common_types(catalogue, types).into_iter().map(|t| {
        let param = catalogue.param(&t, code)?;
        let column = matches!(param.storage, Storage::Id | Storage::Updated);
        // Sounds and places have no order.
        let ordered = !matches!(param.storage, Storage::Sounds | Storage::Place);
        // Values of parameters that every type has are not kept for ordering.
        (column || (ordered && !every_type_has(param) && !types.is_empty()))
            .then_some(param.storage)
    });
    let first = places.next()??;
    places.all(|place| place == Some(first)).then_some(first)
}

/// The whole order: the keys asked for, then type and id.
pub fn order(catalogue: &Catalogue, types: &[String], keys: &[SortKey]) -> Vec<OrderTerm> {
    let term = |key: &SortKey| {
        let by = match storage(catalogue, types, &key.code)? {
            Storage::Id => OrderBy::Id,
            Storage::Updated => OrderBy::Updated,
            Storage::Moment => OrderBy::MomentLow,
            Storage::Sounds | Storage::Place => return None,
            Storage::Owner | Storage::Rows if key.descending => {
                OrderBy::Value(vec![descending_name(&key.code), key.code.clone()])
            }
            Storage::Owner | Storage::Rows => OrderBy::Value(vec![key.code.clone()]),
        };
        Some(OrderTerm {
            by,
            descending: key.descending,
        })
    };
    let mut terms: Vec<OrderTerm> = keys.iter().filter_map(term).collect();
    let last = match types {
        [_] => vec![OrderBy::Id],
        _ => vec![OrderBy::Type, OrderBy::Id],
    };
    for by in last {
        if terms.iter().all(|term| term.by != by) {
            terms.push(OrderTerm {
                by,
                descending: false,
            });
        }
    }
    terms
}
