//! Milligrams a day, where the dosage says them beyond doubt.
//! <https://hl7.org/fhir/R4/dosage.html>

use serde_json::{Map, Value};

use crate::fhir::search::decimal::Decimal;
use crate::fhir::search::path::{items, text};

/// Micrograms a day, or why they cannot be told.
pub type Daily = Result<i64, &'static str>;

/// All dosages of a record together: what is taken at different times of a day
/// adds up.
pub fn daily(record: &Map<String, Value>) -> Daily {
    let dosages: Vec<&Map<String, Value>> = items(record, "dosage")
        .iter()
        .filter_map(Value::as_object)
        .collect();
    if dosages.is_empty() {
        return Err("no dosage is recorded");
    }
    let sequences: Vec<Option<&Value>> = dosages
        .iter()
        .map(|dosage| dosage.get("sequence"))
        .collect();
    if sequences.windows(2).any(|pair| pair.first() != pair.last()) {
        return Err("the dosages follow one another, without dates");
    }
    let mut all: i64 = 0;
    for dosage in dosages {
        all = all.saturating_add(one(dosage)?);
    }
    Ok(all)
}

fn one(dosage: &Map<String, Value>) -> Daily {
    if dosage.get("asNeededBoolean") == Some(&Value::Bool(true))
        || dosage.contains_key("asNeededCodeableConcept")
    {
        return Err("it is taken as needed");
    }
    let mut rates = items(dosage, "doseAndRate").iter();
    let dose = rates.find_map(|rate| {
        // Of a range the low end: a trial must not count for too little.
        let low = rate.get("doseRange").and_then(|range| range.get("low"));
        rate.get("doseQuantity").or(low)?.as_object()
    });
    let dose = dose.ok_or("no dose is recorded as a quantity")?;
    let micrograms = micrograms(dose).ok_or("the dose has no unit of mass (mg)")?;
    let timing = dosage
        .get("timing")
        .and_then(Value::as_object)
        .ok_or("how often is not recorded")?;
    let (times, days) =
        often(timing).ok_or("how often is not recorded in a way that is understood")?;
    let daily = i128::from(micrograms)
        .saturating_mul(times)
        .checked_div(days);
    daily
        .and_then(|daily| i64::try_from(daily).ok())
        .ok_or("the dose is out of range")
}

fn micrograms(quantity: &Map<String, Value>) -> Option<i64> {
    let unit = text(quantity, "code").or_else(|| text(quantity, "unit"))?;
    let exponent = match unit {
        "ug" | "mcg" => 0,
        "mg" => 3,
        "g" => 6,
        _ => return None,
    };
    scaled(quantity.get("value")?, exponent)
}

/// A number times ten to the exponent, rounded down.
fn scaled(value: &Value, exponent: i32) -> Option<i64> {
    let number = Decimal::of(value)?;
    let exponent = number.exponent.checked_add(exponent)?;
    let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
    let scaled = if exponent < 0 {
        number.mantissa.checked_div(power)?
    } else {
        number.mantissa.checked_mul(power)?
    };
    i64::try_from(scaled).ok().filter(|scaled| *scaled >= 0)
}

/// So many times in so many days, both times a thousand.
fn often(timing: &Map<String, Value>) -> Option<(i128, i128)> {
    let by_code = timing.get("code").and_then(Value::as_object).and_then(code);
    let Some(repeat) = timing.get("repeat").and_then(Value::as_object) else {
        return by_code;
    };
    if [
        "dayOfWeek",
        "when",
        "timeOfDay",
        "frequencyMax",
        "periodMax",
    ]
    .iter()
    .any(|name| repeat.contains_key(*name))
    {
        let daily = repeat.get("timeOfDay").and_then(Value::as_array);
        let only = !["dayOfWeek", "when", "frequencyMax", "periodMax"]
            .iter()
            .any(|name| repeat.contains_key(*name));
        let times = daily.and_then(|times| i128::try_from(times.len()).ok())?;
        return only.then_some((times * 1000, 1000));
    }
    let Some(period) = repeat.get("period") else {
        return by_code;
    };
    let times = repeat
        .get("frequency")
        .map_or(Some(1000), |value| scaled(value, 3))?;
    let period = i128::from(scaled(period, 3)?);
    let days = match text(repeat, "periodUnit")? {
        "d" => period,
        "wk" => period * 7,
        "h" => return Some((i128::from(times) * 24, period)).filter(|(_, period)| *period > 0),
        _ => return None,
    };
    (days > 0).then_some((i128::from(times), days))
}

/// <https://hl7.org/fhir/R4/valueset-timing-abbreviation.html>
fn code(concept: &Map<String, Value>) -> Option<(i128, i128)> {
    let mut codes = items(concept, "coding").iter();
    codes.find_map(|coding| {
        let times = match coding.get("code").and_then(Value::as_str)? {
            "QD" | "AM" | "PM" | "BED" => 1,
            "BID" => 2,
            "TID" => 3,
            "QID" => 4,
            _ => return None,
        };
        Some((times * 1000, 1000))
    })
}
