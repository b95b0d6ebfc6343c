//! Dates as the ranges of microseconds that they cover.
//! <https://hl7.org/fhir/R4/search.html#date>, <https://hl7.org/fhir/R4/datatypes.html#dateTime>

use jiff::SignedDuration;
use jiff::civil::{Date, Time};
use serde_json::{Map, Value};

use super::path::{items, text};
use super::zone;

/// `[low, high]`, both inclusive, in microseconds since 1970.
pub type Range = (i64, i64);

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;

/// The time a date, dateTime or instant covers at its precision; without a time zone it is
/// in that of the practice. `None` where it is none of these.
pub fn range(text: &str) -> Option<Range> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let (first, last) = days(date)?;
    let Some(time) = time else {
        return Some((begin_of(first)?, end_of(last)?));
    };
    if date.len() != "2000-01-01".len() {
        return None;
    }
    let (clock, offset) = split_zone(time)?;
    let (from, width) = time_of_day(clock)?;
    let low = match offset {
        Some(offset) => midnight(first)? + from - offset,
        None => {
            let clock = first.to_datetime(Time::midnight());
            let clock = clock.checked_add(SignedDuration::from_micros(from)).ok()?;
            zone::moment_of(clock)?
        }
    };
    Some((low, low + width - 1))
}

/// The first and the last day, counted from 1970, that a date or dateTime names as it is
/// written: a day is that of its own offset. `None` where it is neither.
pub fn days_as_written(text: &str) -> Option<(i64, i64)> {
    range(text)?;
    let date = text.split_once('T').map_or(text, |(date, _)| date);
    let (first, last) = days(date)?;
    let since = |date: Date| midnight(date).map(|micros| micros.div_euclid(24 * 60 * MINUTE));
    since(first).zip(since(last))
}

fn days(date: &str) -> Option<(Date, Date)> {
    let mut parts = date.split('-');
    let year = i16::try_from(number(parts.next()?, 4)?).ok()?;
    let month = parts.next().map(|part| number(part, 2));
    let day = parts.next().map(|part| number(part, 2));
    if year == 0 || parts.next().is_some() {
        return None;
    }
    let month = month.map_or(Some(None), |m| m.map(Some))?;
    let day = day.map_or(Some(None), |d| d.map(Some))?;
    let first = Date::new(
        year,
        i8::try_from(month.unwrap_or(1)).ok()?,
        i8::try_from(day.unwrap_or(1)).ok()?,
    )
    .ok()?;
    let last = match (month, day) {
        (None, _) => first.last_of_year(),
        (_, None) => first.last_of_month(),
        _ => first,
    };
    Some((first, last))
}

fn midnight(date: Date) -> Option<i64> {
    let since = date.duration_since(Date::constant(1970, 1, 1));
    i64::try_from(since.as_micros()).ok()
}

/// The first microsecond of the practice's day.
fn begin_of(date: Date) -> Option<i64> {
    zone::moment_of(date.to_datetime(Time::midnight()))
}

/// The last microsecond of the practice's day, which is not always 24 hours long.
fn end_of(date: Date) -> Option<i64> {
    match date.tomorrow() {
        Ok(next) => Some(begin_of(next)? - 1),
        // Time ends with this day.
        Err(_) => Some(begin_of(date)? + 24 * 60 * MINUTE - 1),
    }
}

/// `10:30:00.5+02:00` -> (`10:30:00.5`, two hours).
fn split_zone(time: &str) -> Option<(&str, Option<i64>)> {
    if let Some(clock) = time.strip_suffix('Z') {
        return Some((clock, Some(0)));
    }
    let Some(at) = time.find(['+', '-']) else {
        return Some((time, None));
    };
    let (clock, zone) = time.split_at(at);
    let (sign, zone) = zone.split_at(1);
    let (hours, minutes) = zone.split_once(':')?;
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    if hours * 60 + minutes > 14 * 60 || minutes > 59 {
        return None;
    }
    let offset = i64::from(hours * 60 + minutes) * MINUTE;
    Some((clock, Some(if sign == "-" { -offset } else { offset })))
}

/// Microseconds since midnight, and how long the time given lasts.
fn time_of_day(clock: &str) -> Option<(i64, i64)> {
    let (hours, rest) = clock.split_once(':')?;
    let (minutes, seconds) = match rest.split_once(':') {
        Some((minutes, seconds)) => (minutes, Some(seconds)),
        None => (rest, None),
    };
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let minute = i64::from(hours * 60 + minutes) * MINUTE;
    let Some(seconds) = seconds else {
        return Some((minute, MINUTE));
    };
    let (whole, fraction) = match seconds.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (seconds, None),
    };
    let whole = number(whole, 2)?;
    // 60 is a leap second.
    if whole > 60 {
        return None;
    }
    let (part, width) = fraction.map_or(Some((0, SECOND)), fraction_of_second)?;
    Some((minute + i64::from(whole) * SECOND + part, width))
}

/// Digits behind the sixth are below what is kept.
fn fraction_of_second(digits: &str) -> Option<(i64, i64)> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut width = SECOND;
    let mut part = 0;
    for digit in digits.bytes().take(6) {
        width /= 10;
        part += i64::from(digit - b'0') * width;
    }
    Some((part, width))
}

fn number(digits: &str, length: usize) -> Option<u32> {
    let all_digits = digits.bytes().all(|b| b.is_ascii_digit());
    (digits.len() == length && all_digits)
        .then(|| digits.parse().ok())
        .flatten()
}

/// The time an element covers: date, dateTime, instant, Period or Timing.
/// Nothing where it has no time or an invalid one.
pub fn range_of(value: &Value) -> Option<Range> {
    match value {
        Value::String(text) => range(text),
        Value::Object(object) if object.contains_key("start") || object.contains_key("end") => {
            period(object)
        }
        Value::Object(timing) => outer_limits(timing),
        _ => None,
    }
}

/// An open end reaches as far as time does.
fn period(period: &Map<String, Value>) -> Option<Range> {
    let low = match text(period, "start") {
        Some(start) => range(start)?.0,
        None => i64::MIN,
    };
    let high = match text(period, "end") {
        Some(end) => range(end)?.1,
        None => i64::MAX,
    };
    let bounded = low > i64::MIN || high < i64::MAX;
    (bounded && low <= high).then_some((low, high))
}

/// Of a Timing only the outer limits matter.
fn outer_limits(timing: &Map<String, Value>) -> Option<Range> {
    let repeated = items(timing, "repeat")
        .iter()
        .filter_map(|repeat| repeat.get("boundsPeriod").and_then(Value::as_object))
        .filter_map(period);
    let events = items(timing, "event")
        .iter()
        .filter_map(|event| event.as_str().and_then(range));
    repeated
        .chain(events)
        .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}
