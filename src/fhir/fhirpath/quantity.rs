//! Quantities, and the units that can be compared without a UCUM service.
//! <http://hl7.org/fhirpath/N1/#quantity>

use std::cmp::Ordering;
use std::fmt;

use super::decimal::Decimal;

#[derive(Clone, Debug)]
pub struct Quantity {
    pub value: Decimal,
    /// UCUM code, or a calendar duration (`day`, `weeks`).
    pub unit: String,
}

/// (calendar word, UCUM unit of the same length where there is one)
const CALENDAR: &[(&str, Option<&str>)] = &[
    ("year", None),
    ("month", None),
    ("week", Some("wk")),
    ("day", Some("d")),
    ("hour", Some("h")),
    ("minute", Some("min")),
    ("second", Some("s")),
    ("millisecond", Some("ms")),
];

/// (unit, what it measures, how many of the smallest: digits and power of ten)
const UNITS: &[(&str, &str, i128, u32)] = &[
    ("ng", "mass", 1, 0),
    ("ug", "mass", 1, 3),
    ("mg", "mass", 1, 6),
    ("g", "mass", 1, 9),
    ("kg", "mass", 1, 12),
    ("mm", "length", 10, 0),
    ("cm", "length", 100, 0),
    ("m", "length", 10_000, 0),
    ("km", "length", 1, 7),
    ("[in_i]", "length", 254, 0),
    ("uL", "volume", 1, 0),
    ("mL", "volume", 1, 3),
    ("dL", "volume", 1, 5),
    ("L", "volume", 1, 6),
    ("ms", "time", 1, 0),
    ("s", "time", 1, 3),
    ("min", "time", 60, 3),
    ("h", "time", 3600, 3),
    ("d", "time", 86_400, 3),
    ("wk", "time", 604_800, 3),
    ("mo", "years", 1, 0),
    ("a", "years", 12, 0),
    ("month", "calendar", 1, 0),
    ("year", "calendar", 12, 0),
];

/// The word itself when it names a calendar duration, also in the plural.
pub fn calendar_unit(word: &str) -> Option<&str> {
    let singular = word.strip_suffix('s').unwrap_or(word);
    let found = CALENDAR.iter().any(|(name, _)| *name == singular);
    found.then_some(word)
}

impl Quantity {
    /// `1`, `1.5 'mg'`, `4 days`
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text.find([' ', '\'']).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit = unit.trim();
        let unit = match unit.strip_prefix('\'').and_then(|u| u.strip_suffix('\'')) {
            Some(unit) => unit,
            None if unit.is_empty() => "1",
            None => calendar_unit(unit)?,
        };
        Some(Self {
            value: Decimal::parse(number)?,
            unit: unit.to_owned(),
        })
    }

    /// None where the units do not compare.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        let (value, other) = self.together(other)?;
        value.compare(other)
    }

    /// Both values in one unit.
    pub fn together(&self, other: &Self) -> Option<(Decimal, Decimal)> {
        let (unit, other_unit) = (self.plain_unit(), other.plain_unit());
        if unit == other_unit {
            return Some((self.value, other.value));
        }
        let (measures, factor) = measure(unit)?;
        let (other_measures, other_factor) = measure(other_unit)?;
        if measures != other_measures {
            return None;
        }
        let value = self.value.multiply(factor)?;
        Some((value, other.value.multiply(other_factor)?))
    }

    /// Both values in this one's unit.
    pub fn together_here(&self, other: &Self) -> Option<(Decimal, Decimal)> {
        let (_, there) = self.together(other)?;
        match measure(self.plain_unit()) {
            Some((_, factor)) if self.plain_unit() != other.plain_unit() => {
                Some((self.value, there.divide(factor)?))
            }
            _ => Some((self.value, there)),
        }
    }

    pub fn comparable(&self, other: &Self) -> bool {
        self.together(other).is_some()
    }

    /// One name for `day`, `days` and `d`.
    fn plain_unit(&self) -> &str {
        let word = self.unit.as_str();
        let singular = word.strip_suffix('s').unwrap_or(word);
        match CALENDAR.iter().find(|(name, _)| *name == singular) {
            Some((name, ucum)) => ucum.unwrap_or(name),
            None => word,
        }
    }

    /// Only where the product's unit is one of theirs.
    pub fn times(&self, other: &Self) -> Option<Self> {
        let unit = match (self.unit.as_str(), other.unit.as_str()) {
            ("1", unit) | (unit, "1") => unit,
            _ => return None,
        };
        Some(Self {
            value: self.value.multiply(other.value)?,
            unit: unit.to_owned(),
        })
    }

    /// Only by a number, or by a quantity of the same kind.
    pub fn over(&self, other: &Self) -> Option<Self> {
        let (value, by, unit) = match other.unit.as_str() {
            "1" => (self.value, other.value, self.unit.as_str()),
            _ => {
                let (value, by) = self.together(other)?;
                (value, by, "1")
            }
        };
        Some(Self {
            value: value.divide(by)?,
            unit: unit.to_owned(),
        })
    }
}

fn measure(unit: &str) -> Option<(&'static str, Decimal)> {
    let (_, measures, digits, power) = UNITS.iter().find(|(name, ..)| *name == unit)?;
    let factor = digits.checked_mul(10_i128.checked_pow(*power)?)?;
    Some((measures, Decimal::new(factor, 0)))
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match calendar_unit(&self.unit) {
            Some(unit) => write!(f, "{} {unit}", self.value),
            None => write!(f, "{} '{}'", self.value, self.unit),
        }
    }
}
