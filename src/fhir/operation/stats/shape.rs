//! The figures on how values lie around their mean and along time. They start from
//! exact deviations and go on in floats: they are shares and slopes, and no values
//! that were measured. Skew and kurtosis are the estimates G1 and G2 of a sample,
//! 0 for a normal distribution: Joanes and Gill, Comparing Measures of Sample
//! Skewness and Kurtosis (The Statistician 47, 1998, 183-189).

use serde_json::Value;

use super::super::super::search::decimal::Decimal;
use super::figures::{MORE, Sample, decimal, sum};

const DAY: f64 = 86_400_000_000.0;

pub fn skew(values: &[i128], sum: i128) -> Option<Value> {
    let [n, second, third, _] = moments(values, sum)?;
    let skew = n.sqrt() * third / second.powf(1.5);
    rounded(skew * (n * (n - 1.0)).sqrt() / (n - 2.0), MORE)
}

pub fn kurtosis(values: &[i128], sum: i128) -> Option<Value> {
    let [n, second, _, fourth] = moments(values, sum)?;
    let excess = n * fourth / (second * second) - 3.0;
    let estimate = (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * excess + 6.0);
    rounded(estimate, MORE)
}

/// How many there are, and the sums of the powers of their deviations. All
/// deviations are so many times too large, which falls out of every ratio.
fn moments(values: &[i128], sum: i128) -> Option<[f64; 4]> {
    let deviations = deviations(values, sum)?;
    let power = |power: i32| deviations.iter().map(|one| one.powi(power)).sum::<f64>();
    Some([deviations.len() as f64, power(2), power(3), power(4)])
}

/// Times their number, which keeps them whole.
fn deviations(values: &[i128], sum: i128) -> Option<Vec<f64>> {
    let count = i128::try_from(values.len()).ok()?;
    let deviation = |value: &i128| Some(count.checked_mul(*value)?.checked_sub(sum)? as f64);
    values.iter().map(deviation).collect()
}

/// A line through values needs a time for each, and two that differ.
pub fn has_times(times: &[Option<i64>]) -> bool {
    let first = times.first();
    times.iter().all(Option::is_some) && times.iter().any(|time| Some(time) != first)
}

/// The line of the least squares: what is gained in a day, and the value at the
/// time of the first measurement.
pub struct Line {
    pub gradient: Value,
    pub intercept: Value,
    pub from: i64,
}

pub fn line(sample: &Sample) -> Option<Line> {
    let (values, exponent) = sample.whole()?;
    let from = sample.times.iter().copied().flatten().min()?;
    let times: Option<Vec<i128>> = sample
        .times
        .iter()
        .map(|time| Some(i128::from((*time)?) - i128::from(from)))
        .collect();
    let times = times?;
    let (total, elapsed) = (sum(&values)?, sum(&times)?);
    let (across, along) = (deviations(&values, total)?, deviations(&times, elapsed)?);
    let both: f64 = across.iter().zip(&along).map(|(one, two)| one * two).sum();
    let spread: f64 = along.iter().map(|one| one * one).sum();
    let (count, scale) = (values.len() as f64, 10_f64.powi(exponent));
    let slope = both / spread;
    let intercept = (total as f64 - slope * elapsed as f64) / count;
    let digits = MORE.saturating_add_signed(exponent.saturating_neg());
    Some(Line {
        gradient: rounded(slope * DAY * scale, digits)?,
        intercept: rounded(intercept * scale, digits)?,
        from,
    })
}

/// `None` where it is no number.
fn rounded(value: f64, digits: u32) -> Option<Value> {
    /// What a float can tell.
    const MOST: u32 = 15;
    let digits = usize::try_from(digits.min(MOST)).ok()?;
    let number = Decimal::parse(&format!("{value:.digits$}"))?;
    decimal(number.mantissa, number.exponent)
}
