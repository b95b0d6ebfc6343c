//! Figures by exact arithmetic: whole numbers of the last digit that any value
//! has; quotients and roots to six digits more, rounded.

use serde_json::Value;

use super::super::super::search::decimal::Decimal;

/// Digits behind those of the values.
const MORE: u32 = 6;

#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub values: Vec<Decimal>,
    /// With those that have no value.
    pub total: usize,
}

impl Sample {
    pub fn count(&self, statistic: &str) -> Option<usize> {
        match statistic {
            "count" => Some(self.values.len()),
            "total-count" => Some(self.total),
            _ => None,
        }
    }

    /// Whether there are enough values.
    pub fn has(&self, statistic: &str) -> bool {
        let needed = match statistic {
            "variance" | "std-dev" => 2,
            "sum" => 0,
            _ => 1,
        };
        self.values.len() >= needed
    }
}

/// `None` where the numbers are out of reach.
pub fn figure(sample: &Sample, statistic: &str) -> Option<Value> {
    let exponent = sample
        .values
        .iter()
        .map(|value| value.exponent)
        .min()
        .unwrap_or(0);
    let mut values: Vec<i128> = Vec::with_capacity(sample.values.len());
    for value in &sample.values {
        let power = 10_i128.checked_pow(value.exponent.abs_diff(exponent))?;
        values.push(value.mantissa.checked_mul(power)?);
    }
    values.sort_unstable();
    let count = i128::try_from(values.len()).ok()?;
    let sum = values
        .iter()
        .try_fold(0_i128, |sum, value| sum.checked_add(*value))?;
    match statistic {
        "maximum" => decimal(*values.last()?, exponent),
        "minimum" => decimal(*values.first()?, exponent),
        "sum" => decimal(sum, exponent),
        "average" => quotient(sum, count, exponent),
        "median" => {
            let upper = *values.get(values.len() / 2)?;
            let lower = *values.get((values.len() - 1) / 2)?;
            quotient(lower.checked_add(upper)?, 2, exponent)
        }
        "variance" => {
            let (squares, over) = squares(&values, sum, count)?;
            quotient(squares, over, exponent.checked_mul(2)?)
        }
        "std-dev" => {
            let (squares, over) = squares(&values, sum, count)?;
            let scaled = squares
                .checked_mul(10_i128.checked_pow(2 * MORE)?)?
                .checked_div(over)?;
            decimal(
                scaled.isqrt(),
                exponent.checked_sub(i32::try_from(MORE).ok()?)?,
            )
        }
        _ => None,
    }
}

/// The variance as a fraction: n times the sum of squares less the square of the
/// sum, over n (n - 1).
fn squares(values: &[i128], sum: i128, count: i128) -> Option<(i128, i128)> {
    let squares = values.iter().try_fold(0_i128, |all, value| {
        all.checked_add(value.checked_mul(*value)?)
    })?;
    let top = count
        .checked_mul(squares)?
        .checked_sub(sum.checked_mul(sum)?)?;
    Some((top, count.checked_mul(count - 1)?))
}

fn quotient(top: i128, bottom: i128, exponent: i32) -> Option<Value> {
    let scaled = top.checked_mul(10_i128.checked_pow(MORE)?)?;
    let half = bottom / 2;
    let rounded = if scaled < 0 {
        scaled.checked_sub(half)?
    } else {
        scaled.checked_add(half)?
    };
    let exponent = exponent.checked_sub(i32::try_from(MORE).ok()?)?;
    decimal(rounded.checked_div(bottom)?, exponent)
}

/// Without zeros at its end.
fn decimal(mut mantissa: i128, mut exponent: i32) -> Option<Value> {
    while exponent < 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        exponent += 1;
    }
    let digits = mantissa.unsigned_abs().to_string();
    let text = if exponent >= 0 {
        format!("{digits}{}", "0".repeat(usize::try_from(exponent).ok()?))
    } else {
        let behind = usize::try_from(exponent.unsigned_abs()).ok()?;
        let padded = format!("{digits:0>width$}", width = behind + 1);
        let (whole, fraction) = padded.split_at_checked(padded.len() - behind)?;
        format!("{whole}.{fraction}")
    };
    let sign = if mantissa < 0 { "-" } else { "" };
    serde_json::from_str(&format!("{sign}{text}")).ok()
}

/// The number times a factor, without its fraction.
pub fn whole(number: Decimal, factor: i128) -> Option<i64> {
    let product = number.mantissa.checked_mul(factor)?;
    let power = 10_i128.checked_pow(number.exponent.unsigned_abs())?;
    let scaled = if number.exponent < 0 {
        product.checked_div(power)?
    } else {
        product.checked_mul(power)?
    };
    i64::try_from(scaled).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str], statistic: &str) -> String {
        let sample = Sample {
            values: values
                .iter()
                .map(|value| Decimal::parse(value).unwrap())
                .collect(),
            total: values.len(),
        };
        figure(&sample, statistic).unwrap().to_string()
    }

    /// The figures by hand.
    #[test]
    fn figures_are_exact() {
        let eight = ["2", "4", "4", "4", "5", "5", "7", "9"];
        for (statistic, expected) in [
            ("average", "5"),
            ("median", "4.5"),
            ("sum", "40"),
            ("minimum", "2"),
            ("maximum", "9"),
            ("variance", "4.571429"),
            ("std-dev", "2.138089"),
        ] {
            assert_eq!(of(&eight, statistic), expected, "{statistic}");
        }
        assert_eq!(of(&["0.1", "0.2"], "sum"), "0.3");
        assert_eq!(of(&["1", "2", "2"], "average"), "1.666667");
        assert_eq!(of(&["-1", "-2", "-2"], "average"), "-1.666667");
        assert_eq!(of(&["-0.05", "0.04"], "sum"), "-0.01");
        assert_eq!(of(&["120", "80.5"], "maximum"), "120");
        assert_eq!(of(&["1e2", "3"], "median"), "51.5");
    }
}
