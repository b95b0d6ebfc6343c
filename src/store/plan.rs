//! A question as data. What is compared was computed above the port.

use super::change::{IndexKey, ResourceKey};
use super::scope::Scope;

/// A condition on one stored resource.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Every one holds; `All(vec![])` is always true.
    All(Vec<Filter>),
    /// At least one holds; `Any(vec![])` is never true.
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Is(Comparison),
    /// The resource refers to one that is live, in scope and meets the condition.
    RefersTo {
        by: Link,
        to: Box<Filter>,
    },
    /// One that is live, in scope and meets the condition refers to the resource.
    ReferredBy {
        by: Link,
        from: Box<Filter>,
    },
}

impl Filter {
    /// Whether a document alone tells if it meets the condition.
    pub fn is_told_by_content(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::is_told_by_content),
            Self::Not(inner) => inner.is_told_by_content(),
            Self::Is(comparison) => !matches!(comparison, Comparison::Updated(_)),
            Self::RefersTo { .. } | Self::ReferredBy { .. } => false,
        }
    }

    /// Whether the answer depends on index rows, and not only on what a
    /// resource is called and when it changed.
    pub fn asks_index_rows(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::asks_index_rows),
            Self::Not(inner) => inner.asks_index_rows(),
            Self::Is(Comparison::Type(_) | Comparison::Id(_) | Comparison::Updated(_)) => false,
            Self::Is(_) | Self::RefersTo { .. } | Self::ReferredBy { .. } => true,
        }
    }
}

/// How one resource refers to another, whose [`super::IndexRows::identity`] it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The identity is its owner.
    Owner,
    /// The identity, combined with this number by exclusive or, is one of its facts.
    Key(IndexKey),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Comparison {
    /// The type is one of these.
    Type(Vec<String>),
    /// The id is one of these.
    Id(Vec<String>),
    /// `low` and `high` are both the time of the last change.
    Updated(Bounds),
    /// The owner is one of these.
    Owner(Vec<IndexKey>),
    /// The resource has at least one of these facts.
    Key(Vec<IndexKey>),
    /// Some text of the parameter matches.
    Text { param: IndexKey, test: TextMatch },
    /// The clinical time lies within the bounds.
    Moment(Bounds),
    /// Some range of the parameter lies within the bounds.
    Range { param: IndexKey, bounds: Bounds },
    /// The point lies within the ball.
    Within(Ball),
}

/// Points not further from the center than the radius. The coordinates of a
/// point are the low ends of the ranges of three parameters, of which a row has
/// one each; the square of no distance exceeds 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ball {
    pub params: [IndexKey; 3],
    pub center: [i64; 3],
    pub radius_squared: i64,
}

impl Ball {
    /// Of the ranges of one row.
    pub fn has(&self, ranges: &[(IndexKey, i64, i64)]) -> bool {
        let axes = self.params.iter().zip(self.center);
        let squares = axes.map(|(param, center)| {
            let (_, low, _) = ranges.iter().find(|(of, ..)| of == param)?;
            low.checked_sub(center)?.checked_pow(2)
        });
        let mut squares = squares.map(|square| square.map(i128::from));
        let apart: Option<i128> = squares.by_ref().sum();
        apart.is_some_and(|apart| apart <= i128::from(self.radius_squared))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum TextMatch {
    StartsWith(String),
    Contains(String),
    Equals(String),
}

/// Bounds, all inclusive, on the two ends of a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    pub low_min: Option<i64>,
    pub low_max: Option<i64>,
    pub high_min: Option<i64>,
    pub high_max: Option<i64>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum OrderBy {
    Type,
    Id,
    Updated,
    /// The low end of the clinical time.
    MomentLow,
    /// The high end of the clinical time.
    MomentHigh,
    /// The first of these names that [`super::IndexRows::order`] has.
    Value(Vec<String>),
}

/// One sort key. Rows that lack the value come last in both directions.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderTerm {
    pub by: OrderBy,
    pub descending: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PositionValue {
    Number(i64),
    Text(String),
    Missing,
}

/// The place of one row in an order: a value for each term of the plan.
pub type Position = Vec<PositionValue>;

/// Live (not deleted) resources that are in scope and match, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchPlan {
    pub scope: Scope,
    pub filter: Filter,
    /// Must determine the order fully: the caller ends it with `Type, Id`, or
    /// `Id` where the filter fixes the type.
    pub order: Vec<OrderTerm>,
    /// Only rows strictly behind this place.
    pub after: Option<Position>,
    /// Turns the whole order round (for a previous page).
    pub backwards: bool,
    pub limit: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub enum HistoryOf {
    System,
    /// Of everything but one type.
    Others(String),
    /// Of several types; of none where there are none.
    Types(Vec<String>),
    Type(String),
    Instance(ResourceKey),
}

/// Newest first; ties by type, id, then version descending.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryPlan {
    pub scope: Scope,
    pub of: HistoryOf,
    /// Only versions made at or after this microsecond.
    pub since: Option<i64>,
    /// Only versions that were current at some time within `[low, high]`.
    pub at: Option<(i64, i64)>,
    pub after: Option<HistoryPosition>,
    pub limit: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct HistoryPosition {
    pub updated: i64,
    pub key: ResourceKey,
    pub version: i64,
}
