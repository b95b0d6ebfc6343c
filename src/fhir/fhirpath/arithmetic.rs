//! Dates and times plus and minus durations.
//! <http://hl7.org/fhirpath/N1/#datetime-arithmetic>

use jiff::{Span, Timestamp, civil};

use super::decimal::Decimal;
use super::error::{Error, Result};
use super::quantity::Quantity;
use super::temporal::{DAY, HOUR, MINUTE, MONTH, NANOS, SECOND, Temporal, TemporalKind, YEAR};

/// `sign` is 1 or -1. None where the result leaves the calendar.
pub fn shifted(temporal: &Temporal, by: &Quantity, sign: i64) -> Result<Option<Temporal>> {
    let unit = by.unit.as_str();
    // Years and months of UCUM have a length of their own, not the calendar's.
    if matches!(unit, "a" | "mo") {
        let text = "a date moves by calendar years and months, not by those of UCUM";
        return Err(Error::evaluation(text));
    }
    let unit = match unit {
        "a" | "year" | "years" => Unit::Months(12),
        "month" | "months" => Unit::Months(1),
        "week" | "weeks" | "wk" => Unit::Days(7),
        "day" | "days" | "d" => Unit::Days(1),
        "hour" | "hours" | "h" => Unit::Nanos(3600 * NANOS),
        "minute" | "minutes" | "min" => Unit::Nanos(60 * NANOS),
        "second" | "seconds" | "s" => Unit::Nanos(NANOS),
        "millisecond" | "milliseconds" | "ms" => Unit::Nanos(NANOS / 1000),
        _ => return Err(Error::evaluation("a date or time moves by a duration")),
    };
    Ok(span(temporal, by.value, unit, sign).and_then(|span| moved(temporal, span)))
}

enum Unit {
    Months(i64),
    Days(i64),
    Nanos(i64),
}

/// In whole units of the temporal's own precision.
fn span(temporal: &Temporal, value: Decimal, unit: Unit, sign: i64) -> Option<Span> {
    let whole = i64::try_from(value.truncated()).ok()?.checked_mul(sign)?;
    let timed = temporal.kind == TemporalKind::Time;
    let months = |months: i64| match temporal.precision {
        YEAR => Span::new().try_years(months / 12).ok(),
        _ => Span::new().try_months(months).ok(),
    };
    let days = |days: i64| match temporal.precision {
        YEAR => Span::new().try_years(days / 365).ok(),
        MONTH => Span::new().try_months(days / 30).ok(),
        _ => Span::new().try_days(days).ok(),
    };
    match unit {
        Unit::Months(each) if !timed => months(whole.checked_mul(each)?),
        Unit::Days(each) if !timed => days(whole.checked_mul(each)?),
        Unit::Nanos(each) if temporal.precision >= HOUR => {
            let nanos = match each < NANOS || temporal.fraction > 0 || each > NANOS {
                true => whole.checked_mul(each)?,
                false => whole.checked_mul(NANOS)?,
            };
            Span::new().try_nanoseconds(nanos).ok()
        }
        Unit::Nanos(each) => days(whole.checked_mul(each)? / (86_400 * NANOS)),
        Unit::Months(_) | Unit::Days(_) => None,
    }
}

/// Times go round at midnight, all others along the calendar.
pub fn moved(temporal: &Temporal, span: Span) -> Option<Temporal> {
    let [_, _, _, hour, minute, second] = temporal.fields;
    let small = |n: i64| i8::try_from(n).ok();
    let subsecond = i32::try_from(second % NANOS).ok()?;
    let second = small((second / NANOS).min(59))?;
    let time = civil::Time::new(small(hour)?, small(minute)?, second, subsecond).ok()?;
    let at = temporal.civil_date()?.to_datetime(time);
    let moved = match temporal.kind {
        TemporalKind::Time => temporal.civil_date()?.to_datetime(time.wrapping_add(span)),
        _ => at.checked_add(span).ok()?,
    };
    Some(Temporal {
        fields: fields(moved),
        ..*temporal
    })
}

fn fields(at: civil::DateTime) -> [i64; 6] {
    let second = i64::from(at.second()) * NANOS + i64::from(at.subsec_nanosecond());
    [
        i64::from(at.year()),
        i64::from(at.month()),
        i64::from(at.day()),
        i64::from(at.hour()),
        i64::from(at.minute()),
        second,
    ]
}

/// The time now, in UTC, to the millisecond.
pub fn now() -> Temporal {
    let now = jiff::tz::Offset::UTC.to_datetime(Timestamp::now());
    let mut fields = fields(now);
    if let Some(second) = fields.last_mut() {
        *second -= *second % (NANOS / 1000);
    }
    Temporal {
        kind: TemporalKind::DateTime,
        fields,
        precision: SECOND,
        fraction: 3,
        offset: Some(0),
    }
}

/// The earliest (`high`: latest) moment that the temporal can mean, written with
/// so many digits. <http://hl7.org/fhirpath/#lowboundaryprecision-integer>
pub fn boundary(temporal: &Temporal, digits: usize, high: bool) -> Option<Temporal> {
    let precision = match (temporal.kind, digits) {
        (TemporalKind::Time, 2) => HOUR,
        (TemporalKind::Time, 4) => MINUTE,
        (TemporalKind::Time, 6 | 9) => SECOND,
        (TemporalKind::Time, _) => return None,
        (_, 4) => YEAR,
        (_, 6) => MONTH,
        (_, 8) => DAY,
        (TemporalKind::DateTime, 10) => HOUR,
        (TemporalKind::DateTime, 12) => MINUTE,
        (TemporalKind::DateTime, 14 | 17) => SECOND,
        _ => return None,
    };
    let mut bound = *temporal;
    if high {
        let days = || Some(i64::from(temporal.civil_date()?.days_in_month()));
        let [_, month, day, hour, minute, second] = &mut bound.fields;
        let open = |field: usize| temporal.precision < field;
        if open(MONTH) {
            (*month, *day) = (12, 31);
        } else if open(DAY) {
            *day = days()?;
        }
        if open(HOUR) {
            *hour = 23;
        }
        if open(MINUTE) {
            *minute = 59;
        }
        if open(SECOND) {
            *second = 60 * NANOS - NANOS / 1000;
        }
    }
    bound.precision = precision;
    bound.fraction = if matches!(digits, 9 | 17) { 3 } else { 0 };
    bound.offset = match (temporal.kind, precision >= HOUR) {
        (TemporalKind::DateTime, true) => {
            let widest = if high { -12 * 60 } else { 14 * 60 };
            Some(temporal.offset.unwrap_or(widest))
        }
        _ => None,
    };
    Some(bound)
}
