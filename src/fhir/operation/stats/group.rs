//! The quantities of one code, brought to one unit.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::super::outcome::{Failure, Kind};
use super::super::super::search::date::range_of;
use super::super::super::search::decimal::Decimal;
use super::super::super::search::path::text;
use super::super::super::search::ucum;
use super::figures::Sample;

struct Measured {
    value: Decimal,
    /// A quantity without its value.
    unit: Map<String, Value>,
    time: Option<i64>,
}

impl Measured {
    fn code(&self) -> &str {
        text(&self.unit, "code").unwrap_or_default()
    }
}

#[derive(Default)]
pub struct Group {
    measured: Vec<Measured>,
    total: usize,
}

impl Group {
    /// Takes in an Observation or a part of one; the time is that of the whole. A
    /// value that is not to be relied on is one that is not there.
    pub fn add(&mut self, of: &Map<String, Value>, whole: &Map<String, Value>, relied_on: bool) {
        if of.contains_key("component") && !of.contains_key("valueQuantity") {
            // A panel itself has nothing to count.
            return;
        }
        self.total += 1;
        let measured = measured(of, whole).filter(|_| relied_on);
        self.measured.extend(measured);
    }

    /// In the unit that most of the values have; of several the first by its code.
    pub fn sample(&self) -> Result<(Sample, Map<String, Value>), Failure> {
        let mut units: BTreeMap<&str, usize> = BTreeMap::new();
        for one in &self.measured {
            *units.entry(one.code()).or_default() += 1;
        }
        let most = units
            .iter()
            .max_by_key(|(code, count)| (**count, Reverse(**code)));
        let code = most.map_or("", |(code, _)| code);
        let mut sample = Sample {
            total: self.total,
            ..Sample::default()
        };
        for one in &self.measured {
            sample.values.push(converted(one, code)?);
            sample.times.push(one.time);
        }
        let mut measured = self.measured.iter();
        let unit = measured.find(|one| one.code() == code);
        Ok((sample, unit.map(|one| one.unit.clone()).unwrap_or_default()))
    }
}

fn measured(of: &Map<String, Value>, whole: &Map<String, Value>) -> Option<Measured> {
    let quantity = of.get("valueQuantity").and_then(Value::as_object)?;
    if text(quantity, "system") != Some(ucum::SYSTEM) || quantity.contains_key("comparator") {
        return None;
    }
    text(quantity, "code")?;
    let value = quantity.get("value").and_then(Decimal::of)?;
    let mut effective = whole.iter();
    let effective = effective.find(|(name, _)| name.starts_with("effective"));
    let time = effective.and_then(|(_, time)| range_of(time));
    let mut unit = quantity.clone();
    unit.remove("value");
    Some(Measured {
        value,
        unit,
        time: time
            .map(|(start, _)| start)
            .filter(|start| *start > i64::MIN),
    })
}

fn converted(one: &Measured, code: &str) -> Result<Decimal, Failure> {
    if one.code() == code {
        return Ok(one.value);
    }
    let units = ucum::unit(one.code()).zip(ucum::unit(code));
    let value = units.and_then(|(from, to)| from.convert(one.value, &to));
    value.ok_or_else(|| {
        let text = format!(
            "There are values in {} and in {code}, which do not convert into each other. Ask for a period or a code that has only one of them.",
            one.code()
        );
        Failure::new(Kind::BusinessRule, text)
    })
}
