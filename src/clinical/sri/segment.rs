//! One record of a trial: which days it covers for certain, which it may cover,
//! and at which dose.

use serde_json::{Map, Value};

use super::dosage::{Daily, daily};
use crate::fhir::search::path::text;
use crate::fhir::search::{date, zone};

const DAY: i64 = 86_400_000_000;

/// Days since 1970, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    pub first: i64,
    pub last: i64,
}

#[derive(Clone, Debug)]
pub struct Segment {
    /// `MedicationStatement/1`
    pub source: String,
    /// The id of a drug.
    pub drug: String,
    /// Covered whatever the missing or partial dates are; `None`: no day is certain.
    pub certain: Option<Days>,
    /// Covered at most; without a beginning where none is recorded.
    pub possible: Days,
    pub open_start: bool,
    pub daily: Daily,
    /// What the record does not say.
    pub gaps: Vec<&'static str>,
}

/// `None` where the record is of no medicine that was taken by the day asked
/// for. `whole`: the medicine is this drug and nothing else.
pub fn segment(
    source: &str,
    drug: &str,
    record: &Map<String, Value>,
    whole: bool,
    today: i64,
) -> Option<Segment> {
    let status = text(record, "status").unwrap_or_default();
    if matches!(status, "entered-in-error" | "not-taken" | "intended") {
        return None;
    }
    let period = record.get("effectivePeriod").and_then(Value::as_object);
    let at = text(record, "effectiveDateTime").and_then(days);
    let bound = |name: &str| period.and_then(|period| text(period, name)).and_then(days);
    let mut gaps = Vec::new();
    let start = bound("start").or(at);
    let end = bound("end");
    if start.is_none() {
        gaps.push("when it began is not recorded");
    }
    let (last_certain, last_possible) = match (end, status) {
        (Some(end), _) => (Some(end.first), end.last),
        (None, "active") => (Some(today), today),
        (None, _) => {
            gaps.push("when it ended is not recorded");
            (start.map(|start| start.last), today)
        }
    };
    let last_possible = last_possible.min(today);
    let certain = start.zip(last_certain).map(|(start, last)| Days {
        first: start.last,
        last: last.min(today),
    });
    let possible = Days {
        first: start.map_or(last_possible, |start| start.first),
        last: last_possible,
    };
    if possible.first > possible.last {
        return None;
    }
    let daily = if whole {
        daily(record)
    } else {
        Err("it holds more than this drug, or is not wholly understood")
    };
    gaps.extend(daily.err());
    Some(Segment {
        source: source.to_owned(),
        drug: drug.to_owned(),
        certain: certain.filter(|days| days.first <= days.last),
        possible,
        open_start: start.is_none(),
        daily,
        gaps,
    })
}

/// The days that a date, as exact as it is, may mean.
fn days(text: &str) -> Option<Days> {
    let (first, last) = date::days_as_written(text)?;
    Some(Days { first, last })
}

/// The day on the practice's calendar.
pub fn day_of(micros: i64) -> i64 {
    zone::day_of(micros)
}

/// Midnight of the day, in microseconds.
pub fn moment_of(day: i64) -> i64 {
    day.saturating_mul(DAY)
}
