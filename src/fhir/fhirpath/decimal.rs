//! Exact decimals: digits and a scale. Whatever does not fit has no answer.
//! <http://hl7.org/fhirpath/N1/#decimal>

use std::cmp::Ordering;
use std::fmt;

/// Digits behind the point that a value may have.
const MOST_SCALE: u32 = 28;
/// Digits behind the point of a quotient that does not end.
const QUOTIENT_SCALE: u32 = 16;

#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    digits: i128,
    scale: u32,
}

impl Decimal {
    pub fn parse(text: &str) -> Option<Self> {
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let plain = whole.strip_prefix(['-', '+']).unwrap_or(whole);
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if plain.is_empty() || !all_digits(plain) || !all_digits(fraction) {
            return None;
        }
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        match u32::try_from(scale) {
            Ok(scale) if scale <= MOST_SCALE => Some(Self { digits, scale }),
            Ok(_) => None,
            Err(_) => Some(Self {
                digits: digits.checked_mul(ten_to(scale.unsigned_abs())?)?,
                scale: 0,
            }),
        }
    }

    pub fn new(digits: i128, scale: u32) -> Self {
        Self { digits, scale }
    }

    pub fn scale(self) -> u32 {
        self.scale
    }

    pub fn is_negative(self) -> bool {
        self.digits < 0
    }

    pub fn negated(self) -> Option<Self> {
        Some(Self::new(self.digits.checked_neg()?, self.scale))
    }

    /// Both with the same scale.
    fn aligned(self, other: Self) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        Some((self.digits_at(scale)?, other.digits_at(scale)?, scale))
    }

    /// The digits at a scale that is not smaller.
    fn digits_at(self, scale: u32) -> Option<i128> {
        let more = scale.checked_sub(self.scale)?;
        self.digits.checked_mul(ten_to(more)?)
    }

    pub fn add(self, other: Self) -> Option<Self> {
        let (a, b, scale) = self.trimmed_pair(other)?;
        Some(Self::new(a.checked_add(b)?, scale))
    }

    pub fn subtract(self, other: Self) -> Option<Self> {
        self.add(other.negated()?)
    }

    fn trimmed_pair(self, other: Self) -> Option<(i128, i128, u32)> {
        let aligned = self.aligned(other);
        aligned.or_else(|| self.trimmed().aligned(other.trimmed()))
    }

    pub fn multiply(self, other: Self) -> Option<Self> {
        let product = |a: Self, b: Self| {
            let digits = a.digits.checked_mul(b.digits)?;
            let product = Self::new(digits, a.scale + b.scale);
            match product.scale <= MOST_SCALE {
                true => Some(product),
                false => product.rounded(MOST_SCALE),
            }
        };
        product(self, other).or_else(|| product(self.trimmed(), other.trimmed()))
    }

    /// None also where the divisor is zero.
    pub fn divide(self, other: Self) -> Option<Self> {
        let (a, b) = (self.trimmed(), other.trimmed());
        let (a, b, _) = a.aligned(b)?;
        if b == 0 {
            return None;
        }
        let scale = (0..=QUOTIENT_SCALE)
            .rev()
            .find(|scale| ten_to(*scale).is_some_and(|t| a.checked_mul(t).is_some()))?;
        let digits = a.checked_mul(ten_to(scale)?)?.checked_div(b)?;
        Some(Self::new(digits, scale).trimmed())
    }

    /// Whole number of times.
    pub fn quotient(self, other: Self) -> Option<i128> {
        let (a, b, _) = self.trimmed_pair(other)?;
        a.checked_div(b)
    }

    pub fn remainder(self, other: Self) -> Option<Self> {
        let (a, b, scale) = self.trimmed_pair(other)?;
        Some(Self::new(a.checked_rem(b)?, scale))
    }

    pub fn truncated(self) -> i128 {
        self.digits / ten_to(self.scale).unwrap_or(i128::MAX)
    }

    pub fn floor(self) -> i128 {
        let one = ten_to(self.scale).unwrap_or(i128::MAX);
        self.digits.div_euclid(one)
    }

    /// Towards negative infinity at a scale.
    pub fn floor_at(self, scale: u32) -> Option<Self> {
        match self.scale.checked_sub(scale) {
            None | Some(0) => Some(Self::new(self.digits_at(scale)?, scale)),
            Some(less) => Some(Self::new(self.digits.div_euclid(ten_to(less)?), scale)),
        }
    }

    /// Half away from zero; a larger scale is filled up with zeros.
    pub fn rounded(self, scale: u32) -> Option<Self> {
        let Some(less) = self.scale.checked_sub(scale).filter(|less| *less > 0) else {
            return Some(Self::new(self.digits_at(scale)?, scale));
        };
        let unit = ten_to(less)?;
        let half = unit / 2 * self.digits.signum();
        let digits = self.digits.checked_add(half)? / unit;
        Some(Self::new(digits, scale))
    }

    /// Without zeros at the end of the fraction.
    pub fn trimmed(mut self) -> Self {
        while self.scale > 0 && self.digits % 10 == 0 {
            self.digits /= 10;
            self.scale -= 1;
        }
        self
    }

    pub fn compare(self, other: Self) -> Option<Ordering> {
        let (a, b, _) = self.trimmed_pair(other)?;
        Some(a.cmp(&b))
    }
}

impl From<i64> for Decimal {
    fn from(integer: i64) -> Self {
        Self::new(i128::from(integer), 0)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.digits < 0 { "-" } else { "" };
        let scale = self.scale as usize;
        let digits = self.digits.unsigned_abs().to_string();
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        match scale {
            0 => write!(f, "{sign}{whole}"),
            _ => write!(f, "{sign}{whole}.{fraction}"),
        }
    }
}

fn ten_to(power: u32) -> Option<i128> {
    10_i128.checked_pow(power)
}
