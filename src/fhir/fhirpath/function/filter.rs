//! Filtering and projection, types, `iif`, `aggregate`, and the tree below items.
//! <http://hl7.org/fhirpath/N1/#filtering-and-projection>

use super::Table;
use super::call::{Call, empty};
use crate::fhir::fhirpath::error::{Error, Result};
use crate::fhir::fhirpath::evaluate::Scope;
use crate::fhir::fhirpath::item::{Collection, Item};
use crate::fhir::fhirpath::navigate;
use crate::fhir::fhirpath::types::type_argument;

pub const TABLE: Table = &[
    ("where", 1, 1, filtered),
    ("select", 1, 1, select),
    ("repeat", 1, 1, repeat),
    ("ofType", 1, 1, |call| match call.tree(0) {
        Some(tree) => call.evaluator.of_type(call.input, &type_argument(tree)?),
        None => empty(),
    }),
    ("is", 1, 1, |call| match call.tree(0) {
        Some(tree) => {
            let item = call.evaluator.single(call.input)?;
            call.evaluator.is_of(item, &type_argument(tree)?)
        }
        None => empty(),
    }),
    ("as", 1, 1, |call| match call.tree(0) {
        Some(tree) => {
            let item = call.evaluator.single(call.input)?;
            let items = item.into_iter().collect();
            call.evaluator.of_type(items, &type_argument(tree)?)
        }
        None => empty(),
    }),
    ("type", 0, 0, |call| {
        let types = call.input.iter().map(|item| {
            let (namespace, name) = item.type_name();
            Item::Type { namespace, name }
        });
        Ok(types.collect())
    }),
    ("iif", 2, 3, iif),
    ("aggregate", 1, 2, aggregate),
    ("children", 0, 0, |call| children(&call, &call.input)),
    ("descendants", 0, 0, descendants),
];

fn filtered<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    let mut found = Vec::new();
    for (index, item) in call.input.iter().enumerate() {
        if call.holds(0, index, item)? == Some(true) {
            found.push(item.clone());
        }
    }
    Ok(found)
}

fn select<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    let mut found = Vec::new();
    for (index, item) in call.input.iter().enumerate() {
        found.extend(call.each(0, index, item)?);
    }
    Ok(found)
}

/// Elements of a document cannot lead back to themselves; values can, and count once.
fn repeat<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    let mut found: Collection<'a> = Vec::new();
    let mut waiting = call.input.clone();
    while !waiting.is_empty() {
        let mut next = Vec::new();
        for (index, item) in waiting.iter().enumerate() {
            for result in call.each(0, index, item)? {
                let node = result.node().is_some_and(|n| !n.is_primitive());
                if node && !same_place(&result, item)
                    || !call.evaluator.contains(&found, &result)?
                {
                    next.push(result.clone());
                    found.push(result);
                }
            }
        }
        waiting = next;
    }
    Ok(found)
}

fn same_place(a: &Item<'_>, b: &Item<'_>) -> bool {
    let map = |item: &Item<'_>| item.node().and_then(|n| n.map()).map(std::ptr::from_ref);
    map(a) == map(b)
}

/// The criterion sees the input as `$this`.
fn iif<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    if call.input.len() > 1 {
        return Err(Error::evaluation("iif() decides about one item at most"));
    }
    let scope = Scope {
        focus: &call.input,
        ..*call.scope
    };
    let run = |index| match call.tree(index) {
        Some(tree) => call.evaluator.run(tree, &scope),
        None => empty(),
    };
    let criterion = call.evaluator.single(run(0)?)?.map(Item::plain);
    match criterion {
        Some(Item::Boolean(true)) => run(1),
        Some(Item::Boolean(false)) | None => run(2),
        Some(_) => Err(Error::evaluation("the criterion of iif() is a boolean")),
    }
}

fn aggregate<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    let mut total = call.argument(1)?;
    let Some(tree) = call.tree(0) else {
        return empty();
    };
    for (index, item) in call.input.iter().enumerate() {
        let scope = Scope {
            focus: std::slice::from_ref(item),
            index,
            total: &total,
            ..*call.scope
        };
        total = call.evaluator.run(tree, &scope)?;
    }
    Ok(total)
}

fn children<'a>(call: &Call<'_, 'a>, items: &[Item<'a>]) -> Result<Collection<'a>> {
    let mut found = Vec::new();
    for node in items.iter().filter_map(Item::node) {
        navigate::all(call.evaluator.definitions, node, &mut found);
    }
    call.evaluator.spend(found.len())?;
    Ok(found)
}

fn descendants<'a>(call: Call<'_, 'a>) -> Result<Collection<'a>> {
    let mut found: Collection<'a> = Vec::new();
    let mut level = children(&call, &call.input)?;
    while !level.is_empty() {
        let next = children(&call, &level)?;
        found.append(&mut level);
        level = next;
    }
    Ok(found)
}
