//! UCUM codes by what they are made of, so that values of one kind compare
//! whatever their unit. <https://ucum.org/ucum>

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::decimal::{Decimal, gcd};
use super::ucum_code::read;

pub const SYSTEM: &str = "http://unitsofmeasure.org";

/// Longer ones are no units.
const LONGEST: usize = 64;

/// A product of powers of base units, and what one of the unit is in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    pub(super) numerator: u128,
    pub(super) denominator: u128,
    pub(super) exponent: i32,
    /// Added to the value before anything else: degrees Celsius.
    pub(super) offset: Option<Decimal>,
    pub(super) base: BTreeMap<&'static str, i32>,
    /// Of a whole code: its base units as a text.
    pub(super) kind: String,
}

/// `None` where the code is not known or its scale is not linear.
pub fn unit(code: &str) -> Option<Arc<Unit>> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Option<Arc<Unit>>>>> =
        LazyLock::new(Mutex::default);
    /// Clients must not fill the memory with codes.
    const KEPT: usize = 1_000;
    if code.len() > LONGEST {
        return None;
    }
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(unit) = known.get(code) {
        return unit.clone();
    }
    drop(known);
    let unit = read(code).map(Arc::new);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() < KEPT {
        known.insert(code.to_owned(), unit.clone());
    }
    unit
}

impl Unit {
    /// The same text for all units of one kind.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The value in base units, in the form of [`Decimal::ordered`].
    pub fn ordered(&self, value: Decimal) -> Option<i64> {
        let value = match self.offset {
            Some(offset) => value.plus(offset)?,
            None => value,
        };
        let scaled = Decimal {
            exponent: value.exponent.checked_add(self.exponent)?,
            ..value
        };
        scaled.times(self.numerator, self.denominator)
    }

    /// The value in another unit of the same kind: exact where it has an end, else to
    /// ten significant digits.
    pub fn convert(&self, value: Decimal, to: &Self) -> Option<Decimal> {
        const DIGITS: u128 = 1_000_000_000;
        if self.base != to.base {
            return None;
        }
        let value = match self.offset {
            Some(offset) => value.plus(offset)?,
            None => value,
        };
        let bottom = self.denominator.checked_mul(to.numerator)?;
        let top = self.numerator.checked_mul(to.denominator)?;
        let shared = gcd(top, bottom).max(1);
        let (top, bottom) = (top / shared, bottom / shared);
        let mut top = value.mantissa.unsigned_abs().checked_mul(top)?;
        let mut exponent = value.exponent + self.exponent - to.exponent;
        while top % bottom != 0 && top / bottom < DIGITS {
            top = top.checked_mul(10)?;
            exponent = exponent.checked_sub(1)?;
        }
        let rounded = (top.checked_add(bottom / 2)?).checked_div(bottom)?;
        let mantissa = i128::try_from(rounded).ok()? * value.mantissa.signum();
        let value = Decimal {
            mantissa,
            exponent,
            precision: exponent,
        };
        match to.offset {
            Some(offset) => value.plus(offset.negative()),
            None => Some(value),
        }
    }

    /// Whether products and shares of it are units too: degrees are not.
    pub fn is_ratio(&self) -> bool {
        self.offset.is_none()
    }

    pub(super) fn number(numerator: u128, denominator: u128, exponent: i32) -> Self {
        Self {
            numerator,
            denominator,
            exponent,
            offset: None,
            base: BTreeMap::new(),
            kind: String::new(),
        }
    }

    pub(super) fn times(self, other: Self) -> Option<Self> {
        let mut base = self.base;
        for (name, power) in other.base {
            *base.entry(name).or_default() += power;
        }
        base.retain(|_, power| *power != 0);
        let numerator = self.numerator.checked_mul(other.numerator)?;
        let denominator = self.denominator.checked_mul(other.denominator)?;
        let shared = gcd(numerator, denominator).max(1);
        Some(Self {
            numerator: numerator / shared,
            denominator: denominator / shared,
            exponent: self.exponent.checked_add(other.exponent)?,
            offset: None,
            base,
            kind: String::new(),
        })
    }

    pub(super) fn inverse(self) -> Self {
        Self {
            numerator: self.denominator,
            denominator: self.numerator,
            exponent: -self.exponent,
            offset: None,
            base: self
                .base
                .into_iter()
                .map(|(name, power)| (name, -power))
                .collect(),
            kind: String::new(),
        }
    }

    pub(super) fn power(self, power: i32) -> Option<Self> {
        let one = if power < 0 { self.inverse() } else { self };
        let mut all = Self::number(1, 1, 0);
        for _ in 0..power.unsigned_abs() {
            all = all.times(one.clone())?;
        }
        Some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_base(value: &str, code: &str) -> (i64, String) {
        let unit = unit(code).unwrap_or_else(|| panic!("{code} is a unit"));
        let value = Decimal::parse(value).unwrap();
        (unit.ordered(value).unwrap(), unit.kind().to_owned())
    }

    #[test]
    fn equal_quantities_are_equal_whatever_the_unit() {
        let cases = [
            (("5.4", "g"), ("5400", "mg")),
            (("1", "L"), ("1000", "mL")),
            (("1", "l"), ("1", "dm3")),
            (("5", "mmol/L"), ("5", "mol/m3")),
            (("60", "/min"), ("1", "Hz")),
            (("1", "mm[Hg]"), ("133.322", "Pa")),
            (("37", "Cel"), ("310.15", "K")),
            (("98.6", "[degF]"), ("37", "Cel")),
            (("1", "[lb_av]"), ("453.59237", "g")),
            (("72", "[in_i]"), ("6", "[ft_i]")),
            (("1", "wk"), ("168", "h")),
            (("7", "10*3/uL"), ("7", "10*9/L")),
            (("7", "10^3/uL"), ("7000", "/uL")),
            (("25", "kg/m2"), ("2.5", "g/cm2")),
            (("1", "mL/min/{1.73_m2}"), ("1", "mL/min")),
            (("5", "m[iU]/mL"), ("5", "[IU]/L")),
            (("50", "%"), ("0.5", "1")),
            (("1", "mg/dL"), ("10", "ug/mL")),
            (("1", "ng/(mL.h)"), ("1", "ng/mL/h")),
            (("90", "{beats}/min"), ("90", "/min")),
        ];
        for (one, other) in cases {
            assert_eq!(in_base(one.0, one.1), in_base(other.0, other.1), "{one:?}");
        }
    }

    /// By the definitions: a foot has 12 inches of 2.54 cm, 1 mm[Hg] 133.322 Pa.
    #[test]
    fn values_convert() {
        let converted = |value: &str, from: &str, to: &str| {
            let (from, to) = (unit(from).unwrap(), unit(to).unwrap());
            from.convert(Decimal::parse(value).unwrap(), &to)
        };
        for (value, from, to, expected) in [
            ("5.4", "g", "mg", "5400"),
            ("-3", "m", "cm", "-300"),
            ("6", "[ft_i]", "cm", "182.88"),
            ("70", "kg", "kg", "70"),
            ("16", "kPa", "mm[Hg]", "120.0102009"),
            ("120", "mm[Hg]", "kPa", "15.99864"),
            ("98.6", "[degF]", "Cel", "37"),
            ("-40", "Cel", "[degF]", "-40"),
            ("0", "mg", "g", "0"),
            ("1", "/min", "/s", "0.01666666667"),
        ] {
            let value = converted(value, from, to).unwrap();
            let expected = Decimal::parse(expected).unwrap();
            assert_eq!(
                value.ordered(),
                expected.ordered(),
                "{from} -> {to}: {value:?}"
            );
        }
        assert_eq!(converted("1", "mg/dL", "mmol/L"), None);
        assert_eq!(converted("1", "[iU]", "mg"), None);
    }

    #[test]
    fn what_is_not_alike_does_not_compare() {
        for (one, other) in [
            ("g", "L"),
            ("[iU]", "1"),
            ("[iU]", "[arb'U]"),
            ("mg/dL", "mmol/L"),
        ] {
            assert_ne!(unit(one).unwrap().kind(), unit(other).unwrap().kind());
        }
    }

    #[test]
    fn what_is_no_linear_unit_is_left_as_it_is() {
        for code in [
            "", "[pH]", "dB", "foo", "mg/", "k[in_i]", "(g", "g)", "{x", "1e3", "g99", "Mw eek",
        ] {
            assert_eq!(unit(code), None, "{code}");
        }
        assert_eq!(unit(&"(".repeat(60)), None);
    }
}
