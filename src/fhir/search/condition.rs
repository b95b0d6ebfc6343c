//! Conditions put together so that a store finds its way: facts in one question,
//! ranges where they can be seen.

use crate::store::{Comparison, Filter, IndexKey};

pub(super) fn has(keys: Vec<IndexKey>) -> Filter {
    Filter::Is(Comparison::Key(keys))
}

pub(super) fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

/// Alternatives in one list, facts in one question. What they have to do with
/// ranges is said first where it would be hidden inside them.
pub(super) fn any(alternatives: Vec<Filter>) -> Filter {
    let mut flat = Vec::new();
    for alternative in alternatives {
        match alternative {
            Filter::Any(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    if flat.len() == 1 {
        return flat.remove(0);
    }
    let keys = |filter: &Filter| match filter {
        Filter::Is(Comparison::Key(keys)) => Some(keys.clone()),
        _ => None,
    };
    if let Some(keys) = flat.iter().map(keys).collect::<Option<Vec<_>>>()
        && !keys.is_empty()
    {
        return has(keys.concat());
    }
    let hidden = flat.iter().any(|filter| matches!(filter, Filter::All(_)));
    let any = Filter::Any(flat);
    match ranges_within(&any).filter(|_| hidden) {
        Some(ranges) => Filter::All(vec![Filter::Any(ranges), any]),
        None => any,
    }
}

/// Ranges of which one is met wherever the filter holds.
fn ranges_within(filter: &Filter) -> Option<Vec<Filter>> {
    match filter {
        Filter::Is(Comparison::Range { .. }) => Some(vec![filter.clone()]),
        Filter::Any(parts) => {
            let each: Option<Vec<_>> = parts.iter().map(ranges_within).collect();
            each.map(|ranges| ranges.concat())
        }
        Filter::All(parts) => parts.iter().find_map(ranges_within),
        _ => None,
    }
}

/// One list of conditions instead of lists in lists.
pub(super) fn flat(parts: Vec<Filter>) -> Filter {
    let mut conditions = Vec::new();
    for part in parts {
        match part {
            Filter::All(inner) => conditions.extend(inner),
            other => conditions.push(other),
        }
    }
    Filter::All(conditions)
}

/// What is kept once where a fact says that all of it is alike, and else on its
/// own: `common and fact, or own`, written so that ranges come first.
pub(super) fn alike_or(common: Filter, fact: IndexKey, own: Filter) -> Filter {
    let some = any(vec![common, own.clone()]);
    Filter::All(vec![some, any(vec![has(vec![fact]), own])])
}
