//! The prefixes that compare the range of a search value with that of a
//! resource. <https://hl7.org/fhir/R4/search.html#prefix>

use super::date::{Range, range};
use super::decimal::Decimal;
use crate::store::Bounds;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    Eq,
    Ne,
    Gt,
    Lt,
    Ge,
    Le,
    Sa,
    Eb,
    Ap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTest {
    pub prefix: Prefix,
    pub range: Range,
}

/// A number that was asked for; the range is in the form of [`Decimal::ordered`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberTest {
    pub prefix: Prefix,
    pub range: Range,
}

impl Prefix {
    /// `ge2020` -> (`ge`, `2020`).
    pub fn split(value: &str) -> Option<(Self, &str)> {
        let digits = value.find(|c: char| !c.is_ascii_lowercase())?;
        let (prefix, rest) = value.split_at(digits);
        let prefix = match prefix {
            "" | "eq" => Self::Eq,
            "ne" => Self::Ne,
            "gt" => Self::Gt,
            "lt" => Self::Lt,
            "ge" => Self::Ge,
            "le" => Self::Le,
            "sa" => Self::Sa,
            "eb" => Self::Eb,
            "ap" => Self::Ap,
            _ => return None,
        };
        Some((prefix, rest))
    }

    /// The bounds of which a matching range meets at least one. `ap` overlaps
    /// the range widened by the margin.
    fn bounds(self, (low, high): Range, margin: i64) -> Vec<Bounds> {
        let contained = within(Some(low), Some(high));
        let begins_before = low_up_to(low.saturating_sub(1));
        let ends_after = high_from(high.saturating_add(1));
        match self {
            Self::Eq => vec![contained],
            Self::Ne => vec![begins_before, ends_after],
            Self::Gt => vec![ends_after],
            Self::Lt => vec![begins_before],
            // What begins in the value and isn't contained in it ends after it.
            Self::Ge => vec![within(Some(low), None), ends_after],
            Self::Le => vec![within(None, Some(high)), begins_before],
            Self::Sa => vec![within(Some(high.saturating_add(1)), None)],
            Self::Eb => vec![within(None, Some(low.saturating_sub(1)))],
            Self::Ap => vec![Bounds {
                low_max: Some(high.saturating_add(margin)),
                high_min: Some(low.saturating_sub(margin)),
                ..Bounds::default()
            }],
        }
    }
}

impl DateTest {
    /// `ge2020-01`. `None` where the prefix or the date is not valid.
    pub fn parse(value: &str) -> Option<Self> {
        let (prefix, date) = Prefix::split(value)?;
        // A `+` that a client left unescaped arrives as a space.
        let range = range(&date.replace(' ', "+"))?;
        Some(Self { prefix, range })
    }

    /// For `ap` the value is widened by a tenth of its distance from now.
    pub fn bounds(&self, now: i64) -> Vec<Bounds> {
        let (low, high) = self.range;
        let distance = if now < low {
            low.saturating_sub(now)
        } else {
            now.saturating_sub(high).max(0)
        };
        self.prefix.bounds(self.range, distance / 10)
    }
}

impl NumberTest {
    /// `None` where the number is too large. What was written is the precision
    /// of `eq` and `ne`; the others take the value as exact.
    pub fn new(
        prefix: Prefix,
        value: Decimal,
        ordered: impl Fn(Decimal) -> Option<i64>,
    ) -> Option<Self> {
        let range = match prefix {
            Prefix::Eq | Prefix::Ne => {
                let (low, high) = value.implicit_range();
                // "[99.5 ... 100.5)"
                (ordered(low)?, ordered(high)?.saturating_sub(1))
            }
            Prefix::Ap => {
                let (low, high) = value.approximate_range();
                (ordered(low)?, ordered(high)?)
            }
            _ => (ordered(value)?, ordered(value)?),
        };
        Some(Self { prefix, range })
    }

    pub fn bounds(&self) -> Vec<Bounds> {
        self.prefix.bounds(self.range, 0)
    }
}

/// Lies in `[min, max]`. Both ends are bounded both ways (a range's low is never
/// above its high), so that a store can use an index on either end.
fn within(min: Option<i64>, max: Option<i64>) -> Bounds {
    Bounds {
        low_min: min,
        low_max: max,
        high_min: min,
        high_max: max,
    }
}

fn low_up_to(max: i64) -> Bounds {
    Bounds {
        low_max: Some(max),
        ..Bounds::default()
    }
}

fn high_from(min: i64) -> Bounds {
    Bounds {
        high_min: Some(min),
        ..Bounds::default()
    }
}

/// Every range there is: asks only whether there is one.
pub fn any() -> Bounds {
    Bounds {
        high_min: Some(i64::MIN),
        ..Bounds::default()
    }
}
