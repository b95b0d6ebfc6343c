//! Figures by exact arithmetic: whole numbers of the last digit that any value
//! has; quotients and roots to six digits more, rounded. Quantiles are those of
//! definition 7 of Hyndman and Fan, Sample Quantiles in Statistical Packages (The
//! American Statistician 50, 1996, 361-365): between the two values around the
//! place (n - 1) p, in proportion.

use serde_json::Value;

use super::super::super::search::decimal::Decimal;
use super::shape;

/// Digits behind those of the values.
pub const MORE: u32 = 6;

/// Values in one unit.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub values: Vec<Decimal>,
    /// When each was measured.
    pub times: Vec<Option<i64>>,
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

    /// Whether the values have such a figure.
    pub fn has(&self, statistic: &str) -> bool {
        let count = self.values.len();
        match statistic {
            "sum" => true,
            "variance" | "std-dev" => count >= 2,
            "skew" => count >= 3 && self.varies(),
            "kurtosis" => count >= 4 && self.varies(),
            "regression" => shape::has_times(&self.times),
            _ => count >= 1,
        }
    }

    fn varies(&self) -> bool {
        let mut values = self.values.iter().map(|value| value.ordered());
        let first = values.next();
        values.any(|value| Some(value) != first)
    }

    /// The values as whole numbers of ten to the exponent.
    pub fn whole(&self) -> Option<(Vec<i128>, i32)> {
        let exponents = self.values.iter().map(|value| value.exponent);
        let exponent = exponents.min().unwrap_or(0);
        let mut values = Vec::with_capacity(self.values.len());
        for value in &self.values {
            let power = 10_i128.checked_pow(value.exponent.abs_diff(exponent))?;
            values.push(value.mantissa.checked_mul(power)?);
        }
        Some((values, exponent))
    }
}

/// `None` where the numbers are out of reach.
pub fn figure(sample: &Sample, statistic: &str) -> Option<Value> {
    let (mut values, exponent) = sample.whole()?;
    values.sort_unstable();
    let count = i128::try_from(values.len()).ok()?;
    let sum = sum(&values)?;
    let at = |place: (usize, usize)| {
        let (top, bottom) = quantile(&values, place)?;
        quotient(top, bottom, exponent)
    };
    match statistic {
        "maximum" => decimal(*values.last()?, exponent),
        "minimum" => decimal(*values.first()?, exponent),
        "sum" => decimal(sum, exponent),
        "average" => quotient(sum, count, exponent),
        "median" => at((1, 2)),
        "4-lower" => at((1, 4)),
        "4-upper" => at((3, 4)),
        "20-percent" | "5-1" => at((1, 5)),
        "5-2" => at((2, 5)),
        "5-3" => at((3, 5)),
        "80-percent" | "5-4" => at((4, 5)),
        "4-dev" => {
            let (lower, quarters) = quantile(&values, (1, 4))?;
            let (upper, _) = quantile(&values, (3, 4))?;
            quotient(upper.checked_sub(lower)?, quarters * 2, exponent)
        }
        "variance" => {
            let (squares, over) = squares(&values, sum, count)?;
            quotient(squares, over, exponent.checked_mul(2)?)
        }
        "std-dev" => {
            let (squares, over) = squares(&values, sum, count)?;
            root(squares, over, exponent)
        }
        "skew" => shape::skew(&values, sum),
        "kurtosis" => shape::kurtosis(&values, sum),
        _ => None,
    }
}

pub fn sum(values: &[i128]) -> Option<i128> {
    values
        .iter()
        .try_fold(0_i128, |sum, value| sum.checked_add(*value))
}

/// As a fraction, of the values in their order.
fn quantile(values: &[i128], (part, parts): (usize, usize)) -> Option<(i128, i128)> {
    let place = values.len().checked_sub(1)?.checked_mul(part)?;
    let below = *values.get(place / parts)?;
    let above = *values.get(place.div_ceil(parts))?;
    let share = i128::try_from(place % parts).ok()?;
    let parts = i128::try_from(parts).ok()?;
    let step = above.checked_sub(below)?.checked_mul(share)?;
    Some((below.checked_mul(parts)?.checked_add(step)?, parts))
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

/// To as many digits as there is room for.
fn quotient(top: i128, bottom: i128, exponent: i32) -> Option<Value> {
    let (scaled, digits) = (0..=MORE).rev().find_map(|digits| {
        let scaled = top.checked_mul(10_i128.checked_pow(digits)?)?;
        Some((scaled, digits))
    })?;
    let half = bottom / 2;
    let rounded = if scaled < 0 {
        scaled.checked_sub(half)?
    } else {
        scaled.checked_add(half)?
    };
    let exponent = exponent.checked_sub(i32::try_from(digits).ok()?)?;
    decimal(rounded.checked_div(bottom)?, exponent)
}

/// The square root of a fraction, likewise.
fn root(top: i128, bottom: i128, exponent: i32) -> Option<Value> {
    let (scaled, digits) = (0..=MORE).rev().find_map(|digits| {
        let scaled = top.checked_mul(10_i128.checked_pow(2 * digits)?)?;
        Some((scaled.checked_div(bottom)?, digits))
    })?;
    let floor = scaled.isqrt();
    let rounded = floor + i128::from(scaled - floor * floor > floor);
    decimal(rounded, exponent.checked_sub(i32::try_from(digits).ok()?)?)
}

/// Without zeros at its end.
pub fn decimal(mut mantissa: i128, mut exponent: i32) -> Option<Value> {
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

    fn sample(values: &[&str]) -> Sample {
        let values: Vec<Decimal> = values
            .iter()
            .map(|value| Decimal::parse(value).unwrap())
            .collect();
        Sample {
            times: vec![None; values.len()],
            total: values.len(),
            values,
        }
    }

    fn of(values: &[&str], statistic: &str) -> String {
        figure(&sample(values), statistic).unwrap().to_string()
    }

    const EIGHT: [&str; 8] = ["2", "4", "4", "4", "5", "5", "7", "9"];
    const DOUBLED: [&str; 5] = ["1", "2", "4", "8", "16"];

    /// The figures by hand, and by Python's `statistics`; its quantiles by the method
    /// "inclusive". Skew and kurtosis by the formulas of the paper.
    #[test]
    fn figures_are_exact() {
        for (statistic, eight, doubled) in [
            ("average", "5", "6.2"),
            ("median", "4.5", "4"),
            ("sum", "40", "31"),
            ("minimum", "2", "1"),
            ("maximum", "9", "16"),
            ("variance", "4.571429", "37.2"),
            ("std-dev", "2.13809", "6.09918"),
            ("4-lower", "4", "2"),
            ("4-upper", "5.5", "8"),
            ("4-dev", "0.75", "3"),
            ("20-percent", "4", "1.8"),
            ("80-percent", "6.2", "9.6"),
            ("5-1", "4", "1.8"),
            ("5-2", "4", "3.2"),
            ("5-3", "5", "5.6"),
            ("5-4", "6.2", "9.6"),
            ("skew", "0.818488", "1.325315"),
            ("kurtosis", "0.940625", "1.303763"),
        ] {
            assert_eq!(of(&EIGHT, statistic), eight, "{statistic}");
            assert_eq!(of(&DOUBLED, statistic), doubled, "{statistic}");
        }
        assert_eq!(of(&["0.1", "0.2"], "sum"), "0.3");
        assert_eq!(of(&["1", "2", "2"], "average"), "1.666667");
        assert_eq!(of(&["-1", "-2", "-2"], "average"), "-1.666667");
        assert_eq!(of(&["-0.05", "0.04"], "sum"), "-0.01");
        assert_eq!(of(&["120", "80.5"], "maximum"), "120");
        assert_eq!(of(&["1e2", "3"], "median"), "51.5");
        assert_eq!(of(&["0.1", "0.2", "0.4"], "skew"), "0.93522");
        assert_eq!(of(&["3"], "5-3"), "3");
    }

    #[test]
    fn figures_need_enough_values() {
        let (one, alike) = (sample(&["3"]), sample(&["5", "5.0", "5", "50e-1"]));
        for statistic in ["variance", "std-dev", "skew", "kurtosis", "regression"] {
            assert!(!one.has(statistic), "{statistic}");
        }
        assert!(alike.has("variance") && !alike.has("skew") && !alike.has("kurtosis"));
        assert!(one.has("4-dev") && one.has("median") && sample(&[]).has("sum"));
        assert!(!sample(&["1", "2", "4"]).has("kurtosis"));
    }

    /// Python: `linear_regression([0, 1, 2, 3], [110, 120.5, 130, 140])`, in days.
    #[test]
    fn a_line_runs_along_time() {
        let day = 86_400_000_000;
        let mut sample = sample(&["110", "120.5", "130", "140"]);
        assert!(!sample.has("regression"));
        sample.times = [5, 6, 7, 8].map(|place| Some(place * day)).to_vec();
        assert!(sample.has("regression"));
        let line = shape::line(&sample).unwrap();
        assert_eq!(line.gradient.to_string(), "9.95");
        assert_eq!(line.intercept.to_string(), "110.2");
        assert_eq!(line.from, 5 * day);
        sample.times = vec![Some(day); 4];
        assert!(!sample.has("regression"));
    }
}
