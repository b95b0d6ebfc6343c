//! The prefixes that compare the range of a search value with that of a
//! resource. <https://hl7.org/fhir/R4/search.html#prefix>

use super::date::{Range, range};
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

impl DateTest {
    /// `ge2020-01`. `None` where the prefix or the date is not valid.
    pub fn parse(value: &str) -> Option<Self> {
        let digits = value.find(|c: char| !c.is_ascii_lowercase())?;
        let (prefix, date) = value.split_at(digits);
        let prefix = match prefix {
            "" | "eq" => Prefix::Eq,
            "ne" => Prefix::Ne,
            "gt" => Prefix::Gt,
            "lt" => Prefix::Lt,
            "ge" => Prefix::Ge,
            "le" => Prefix::Le,
            "sa" => Prefix::Sa,
            "eb" => Prefix::Eb,
            "ap" => Prefix::Ap,
            _ => return None,
        };
        // A `+` that a client left unescaped arrives as a space.
        let range = range(&date.replace(' ', "+"))?;
        Some(Self { prefix, range })
    }

    /// The bounds of which a matching range meets at least one.
    pub fn bounds(&self, now: i64) -> Vec<Bounds> {
        let (low, high) = self.range;
        let contained = within(Some(low), Some(high));
        let begins_before = low_up_to(low.saturating_sub(1));
        let ends_after = high_from(high.saturating_add(1));
        match self.prefix {
            Prefix::Eq => vec![contained],
            Prefix::Ne => vec![begins_before, ends_after],
            Prefix::Gt => vec![ends_after],
            Prefix::Lt => vec![begins_before],
            // What begins in the value and isn't contained in it ends after it.
            Prefix::Ge => vec![within(Some(low), None), ends_after],
            Prefix::Le => vec![within(None, Some(high)), begins_before],
            Prefix::Sa => vec![within(Some(high.saturating_add(1)), None)],
            Prefix::Eb => vec![within(None, Some(low.saturating_sub(1)))],
            Prefix::Ap => vec![approximately(low, high, now)],
        }
    }
}

/// Overlaps the value widened by a tenth of its distance from now.
fn approximately(low: i64, high: i64, now: i64) -> Bounds {
    let distance = if now < low {
        low.saturating_sub(now)
    } else {
        now.saturating_sub(high).max(0)
    };
    Bounds {
        low_max: Some(high.saturating_add(distance / 10)),
        high_min: Some(low.saturating_sub(distance / 10)),
        ..Bounds::default()
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
