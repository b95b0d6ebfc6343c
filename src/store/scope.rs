//! Who may see what, as a condition that every row returned must meet.

use std::sync::Arc;

use super::change::{IndexRows, ResourceKey};
use super::plan::{Bounds, Comparison, Filter, TextMatch};

/// The store cannot be asked without one. It is a view over all types: what
/// links lead to must be in it as well.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope(Arc<Filter>);

impl Scope {
    /// No restriction. Only `access::policy` hands this out.
    pub fn everything() -> Self {
        Self::only(Filter::All(Vec::new()))
    }

    /// Rows that meet the condition, and no others.
    pub fn only(filter: Filter) -> Self {
        Self(Arc::new(filter))
    }

    pub fn filter(&self) -> &Filter {
        &self.0
    }

    pub fn is_everything(&self) -> bool {
        is_always(&self.0)
    }

    /// Whether it is the very same condition. One that only says the same may
    /// count as another.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.is_everything() && other.is_everything())
    }

    /// What it asks of rows of these types.
    #[must_use]
    pub fn within(&self, types: &[impl AsRef<str>]) -> Self {
        if self.is_everything() {
            return self.clone();
        }
        Self::only(narrowed(&self.0, types))
    }

    /// The same judgement on a document that is not, or no longer, the current
    /// version. What cannot be told from its index rows is refused.
    pub fn admits(&self, key: &ResourceKey, index: &IndexRows) -> bool {
        Document { key, index }.meets(&self.0) == Some(true)
    }
}

impl Filter {
    /// Whether a document meets the condition; `None` where its index rows do not tell.
    pub fn judge(&self, key: &ResourceKey, index: &IndexRows) -> Option<bool> {
        Document { key, index }.meets(self)
    }
}

fn always() -> Filter {
    Filter::All(Vec::new())
}

fn never() -> Filter {
    Filter::Any(Vec::new())
}

fn is_always(filter: &Filter) -> bool {
    matches!(filter, Filter::All(parts) if parts.is_empty())
}

fn is_never(filter: &Filter) -> bool {
    matches!(filter, Filter::Any(parts) if parts.is_empty())
}

/// The condition without what the types decide already.
pub(super) fn narrowed(filter: &Filter, types: &[impl AsRef<str>]) -> Filter {
    match filter {
        Filter::All(parts) => {
            let mut left: Vec<Filter> = parts.iter().map(|part| narrowed(part, types)).collect();
            left.retain(|part| !is_always(part));
            match left.iter().any(is_never) {
                true => never(),
                false => single(left, Filter::All),
            }
        }
        Filter::Any(parts) => {
            let mut left: Vec<Filter> = parts.iter().map(|part| narrowed(part, types)).collect();
            left.retain(|part| !is_never(part));
            match left.iter().any(is_always) {
                true => always(),
                false => single(left, Filter::Any),
            }
        }
        Filter::Not(inner) => match narrowed(inner, types) {
            inner if is_always(&inner) => never(),
            inner if is_never(&inner) => always(),
            inner => Filter::Not(Box::new(inner)),
        },
        Filter::Is(Comparison::Type(allowed)) => {
            let mut kept = types.iter().map(AsRef::as_ref);
            if kept.all(|name| allowed.iter().any(|a| a == name)) {
                return always();
            }
            let mut both = allowed.clone();
            both.retain(|name| types.iter().any(|t| t.as_ref() == name));
            match both.is_empty() {
                true => never(),
                false => Filter::Is(Comparison::Type(both)),
            }
        }
        // The far end of a link is of other types.
        Filter::Is(_) | Filter::RefersTo { .. } | Filter::ReferredBy { .. } => filter.clone(),
    }
}

fn single(mut parts: Vec<Filter>, joined: fn(Vec<Filter>) -> Filter) -> Filter {
    match parts.len() {
        1 => parts.remove(0),
        _ => joined(parts),
    }
}

/// A document by its key and index rows.
struct Document<'d> {
    key: &'d ResourceKey,
    index: &'d IndexRows,
}

impl Document<'_> {
    /// `None`: cannot be told. It stays so under `Not`.
    fn meets(&self, filter: &Filter) -> Option<bool> {
        match filter {
            Filter::All(parts) => self.each(parts, false),
            Filter::Any(parts) => self.each(parts, true),
            Filter::Not(inner) => self.meets(inner).map(|met| !met),
            Filter::Is(comparison) => self.is(comparison),
            Filter::RefersTo { .. } | Filter::ReferredBy { .. } => None,
        }
    }

    /// Decided by the first part that is `decisive`.
    fn each(&self, parts: &[Filter], decisive: bool) -> Option<bool> {
        let mut outcome = Some(!decisive);
        for part in parts {
            match self.meets(part) {
                Some(met) if met == decisive => return Some(decisive),
                Some(_) => {}
                None => outcome = None,
            }
        }
        outcome
    }

    fn is(&self, comparison: &Comparison) -> Option<bool> {
        let Self { key, index } = self;
        Some(match comparison {
            Comparison::Type(types) => types.contains(&key.resource_type),
            Comparison::Id(ids) => ids.contains(&key.id),
            Comparison::Owner(owners) => index.owner.is_some_and(|owner| owners.contains(&owner)),
            Comparison::Key(keys) => keys.iter().any(|key| index.keys.contains(key)),
            Comparison::Text { param, test } => index
                .texts
                .iter()
                .any(|(of, text)| of == param && matches(test, text)),
            Comparison::Moment(bounds) => index
                .moment
                .is_some_and(|(low, high)| lies_in(bounds, low, high)),
            Comparison::Range { param, bounds } => index
                .ranges
                .iter()
                .any(|(of, low, high)| of == param && lies_in(bounds, *low, *high)),
            Comparison::Within(ball) => ball.has(&index.ranges),
            Comparison::Updated(_) => return None,
        })
    }
}

fn matches(test: &TextMatch, text: &str) -> bool {
    match test {
        TextMatch::StartsWith(start) => text.starts_with(start),
        TextMatch::Contains(part) => text.contains(part),
        TextMatch::Equals(whole) => text == whole,
    }
}

fn lies_in(bounds: &Bounds, low: i64, high: i64) -> bool {
    bounds.low_min.is_none_or(|min| low >= min)
        && bounds.low_max.is_none_or(|max| low <= max)
        && bounds.high_min.is_none_or(|min| high >= min)
        && bounds.high_max.is_none_or(|max| high <= max)
}
