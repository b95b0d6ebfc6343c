//! Decimals by their digits, and as integers whose order is that of the values.
//! <https://hl7.org/fhir/R4/search.html#number>, <https://hl7.org/fhir/R4/datatypes.html#decimal>

use serde_json::Value;

/// Digits behind these are left out; they are far below what a range can tell.
const DIGITS: usize = 26;

/// Powers of ten beyond this are no measurements, and a float ends near them.
const LARGEST_EXPONENT: i32 = 300;

/// `mantissa` times ten to the `exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    pub mantissa: i128,
    pub exponent: i32,
    /// Ten to this power is the last digit that was written.
    pub precision: i32,
}

impl Decimal {
    /// `100`, `-5.40`, `5.40e-3`. `None` where it is no number.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (digits, power) = match digits.split_once(['e', 'E']) {
            Some((digits, power)) => (digits, Some(power)),
            None => (digits, None),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (digits, ""),
        };
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !plain(whole) || !plain(fraction) {
            return None;
        }
        let power = power.map_or(Some(0), exponent)?;
        let mut exponent = power - i32::try_from(fraction.len()).ok()?;
        // "1e2: to 1 significant figure, the range [95 ... 105)": a lone digit
        // before an exponent is taken to one digit more.
        let lone = power != 0 && fraction.is_empty() && whole.len() == 1;
        let precision = exponent - i32::from(lone);
        let all = format!("{whole}{fraction}");
        let all = all.trim_start_matches('0');
        let (kept, dropped) = all.split_at_checked(DIGITS).unwrap_or((all, ""));
        exponent += i32::try_from(dropped.len()).ok()?;
        let mantissa: i128 = if kept.is_empty() {
            0
        } else {
            kept.parse().ok()?
        };
        (exponent.abs() <= LARGEST_EXPONENT).then_some(Self {
            mantissa: if negative { -mantissa } else { mantissa },
            exponent,
            precision: precision.max(exponent - 1),
        })
    }

    /// A number of a resource, by the digits that were sent.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    /// Half a unit of the last digit down and up.
    pub fn implicit_range(self) -> (Self, Self) {
        let ten = |steps: i32| 10_i128.pow(steps.unsigned_abs());
        // Where the half unit stands: one digit behind the last.
        let exponent = self.precision - 1;
        let mantissa = self.mantissa * ten(self.exponent - exponent);
        let around = |half: i128| Self {
            mantissa: mantissa + half,
            exponent,
            precision: exponent,
        };
        (around(-5), around(5))
    }

    /// A tenth of the value down and up.
    pub fn approximate_range(self) -> (Self, Self) {
        let tenth = self.mantissa.abs();
        let around = |tenth: i128| Self {
            mantissa: self.mantissa * 10 + tenth,
            exponent: self.exponent - 1,
            precision: self.exponent - 1,
        };
        (around(-tenth), around(tenth))
    }

    pub fn negative(self) -> Self {
        Self {
            mantissa: -self.mantissa,
            ..self
        }
    }

    /// The exact sum; `None` where it has too many digits.
    pub fn plus(self, other: Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        let at = |of: Self| {
            let steps = of.exponent.abs_diff(exponent);
            of.mantissa.checked_mul(10_i128.checked_pow(steps)?)
        };
        Some(Self {
            mantissa: at(self)?.checked_add(at(other)?)?,
            exponent,
            precision: exponent,
        })
    }

    /// An integer in the order of the values: the bits of the nearest float.
    pub fn ordered(self) -> i64 {
        self.times(1, 1).unwrap_or_default()
    }

    /// The same of the value times `numerator / denominator`.
    pub fn times(self, numerator: u128, denominator: u128) -> Option<i64> {
        let shared = gcd(numerator, denominator).max(1);
        let (numerator, denominator) = (numerator / shared, denominator / shared);
        let shared = gcd(self.mantissa.unsigned_abs(), denominator).max(1);
        let mut product = (self.mantissa.unsigned_abs() / shared).checked_mul(numerator)?;
        let denominator = denominator / shared;
        let mut exponent = self.exponent;
        if denominator > 1 {
            // As many digits as there is room for, before they are divided.
            while let Some(longer) = product.checked_mul(10).filter(|_| product > 0) {
                product = longer;
                exponent -= 1;
            }
            product /= denominator;
        }
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let float: f64 = format!("{sign}{product}e{exponent}").parse().ok()?;
        Some(in_order(float))
    }
}

fn exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let power: i32 = text.parse().ok().filter(|_| plain)?;
    (power.abs() <= LARGEST_EXPONENT).then_some(power)
}

pub fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Negative floats have their bits in reverse order. Zero has no sign here.
fn in_order(float: f64) -> i64 {
    let bits = (float + 0.0).to_bits().cast_signed();
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_the_order_of_the_values() {
        let texts = [
            "-1e3", "-100.5", "-1", "-0.5", "0", "0.0001", "1", "1.5", "99.995", "100", "1e10",
        ];
        let ordered = texts.map(|text| Decimal::parse(text).unwrap().ordered());
        assert!(ordered.is_sorted(), "{ordered:?}");
        let zero = ["0", "-0", "0.00", "0e5"].map(|text| Decimal::parse(text).unwrap().ordered());
        assert_eq!(zero, [0; 4]);
    }

    /// The examples of the specification.
    #[test]
    fn precision_is_what_was_written() {
        let cases = [
            ("100", "99.5", "100.5"),
            ("100.00", "99.995", "100.005"),
            ("1e2", "95", "105"),
            ("5.4", "5.35", "5.45"),
            ("5.40e-3", "0.005395", "0.005405"),
            ("0", "-0.5", "0.5"),
        ];
        for (text, low, high) in cases {
            let (from, to) = Decimal::parse(text).unwrap().implicit_range();
            let expected = [low, high].map(|text| Decimal::parse(text).unwrap().ordered());
            assert_eq!([from.ordered(), to.ordered()], expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", "-", "x", "1.", ".5", "1e", "1e999", "--1", "+1", "1 ", "NaN", "1e+",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        let long = "9".repeat(400);
        assert!(Decimal::parse(&long).is_none());
        let fine = format!("0.{}", "1".repeat(200));
        assert!(Decimal::parse(&fine).is_some());
    }
}
