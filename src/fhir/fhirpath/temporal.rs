//! Date, DateTime and Time with the precision that they are written in.
//! <http://hl7.org/fhirpath/N1/#date>, <https://hl7.org/fhir/R4/datatypes.html#dateTime>

use std::cmp::Ordering;
use std::fmt;

use jiff::civil;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemporalKind {
    Date,
    DateTime,
    Time,
}

/// How many of year, month, day, hour, minute, second are given.
pub const YEAR: usize = 1;
pub const MONTH: usize = 2;
pub const DAY: usize = 3;
pub const HOUR: usize = 4;
pub const MINUTE: usize = 5;
pub const SECOND: usize = 6;

pub const NANOS: i64 = 1_000_000_000;

#[derive(Clone, Copy, Debug)]
pub struct Temporal {
    pub kind: TemporalKind,
    /// Year, month, day, hour, minute, and the second in nanoseconds. What is
    /// beyond the precision is the smallest possible.
    pub fields: [i64; 6],
    pub precision: usize,
    /// Digits of the second's fraction as written.
    pub fraction: usize,
    /// Minutes east of UTC.
    pub offset: Option<i64>,
}

impl Temporal {
    /// A literal without its `@`: `2015-02`, `2015T`, `T14:30`.
    pub fn literal(text: &str) -> Option<Self> {
        if let Some(time) = text.strip_prefix('T') {
            return Self::time(time);
        }
        match text.strip_suffix('T') {
            Some(date) => Self::date(date).map(|date| date.of_kind(TemporalKind::DateTime)),
            None if text.contains('T') => Self::date_time(text),
            None => Self::date(text),
        }
    }

    pub fn of_kind(self, kind: TemporalKind) -> Self {
        Self { kind, ..self }
    }

    pub fn date(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let year = digits(parts.next()?, 4)?;
        let month = parts.next().map(|part| digits(part, 2));
        let day = parts.next().map(|part| digits(part, 2));
        if parts.next().is_some() || year == 0 {
            return None;
        }
        let precision = YEAR + usize::from(month.is_some()) + usize::from(day.is_some());
        let (month, day) = (month.unwrap_or(Some(1))?, day.unwrap_or(Some(1))?);
        let small = |n: i64| i8::try_from(n).ok();
        civil::Date::new(i16::try_from(year).ok()?, small(month)?, small(day)?).ok()?;
        Some(Self {
            kind: TemporalKind::Date,
            fields: [year, month, day, 0, 0, 0],
            precision,
            fraction: 0,
            offset: None,
        })
    }

    /// Also one that is only a date.
    pub fn date_time(text: &str) -> Option<Self> {
        let Some((date, rest)) = text.split_once('T') else {
            return Self::date(text).map(|date| date.of_kind(TemporalKind::DateTime));
        };
        let date = Self::date(date).filter(|date| date.precision == DAY)?;
        let (time, offset) = split_offset(rest)?;
        let time = Self::time(time)?;
        let ([year, month, day, ..], [_, _, _, hour, minute, second]) = (date.fields, time.fields);
        Some(Self {
            kind: TemporalKind::DateTime,
            fields: [year, month, day, hour, minute, second],
            offset,
            ..time
        })
    }

    pub fn time(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let hour = digits(parts.next()?, 2).filter(|h| *h < 24)?;
        let minute = parts.next().map(|part| digits(part, 2).filter(|m| *m < 60));
        let second = parts.next();
        if parts.next().is_some() {
            return None;
        }
        let precision = HOUR + usize::from(minute.is_some()) + usize::from(second.is_some());
        let (whole, fraction) = match second {
            Some(second) => second.split_once('.').unwrap_or((second, "")),
            None => ("00", ""),
        };
        let nanos = match fraction.len() {
            0 if !second.is_some_and(|s| s.ends_with('.')) => 0,
            length @ 1..=9 => digits(&format!("{fraction:0<9}"), 9).filter(|_| length > 0)?,
            _ => return None,
        };
        let second = digits(whole, 2).filter(|s| *s <= 60)? * NANOS + nanos;
        Some(Self {
            kind: TemporalKind::Time,
            fields: [1, 1, 1, hour, minute.unwrap_or(Some(0))?, second],
            precision,
            fraction: fraction.len(),
            offset: None,
        })
    }

    /// None where precisions or a missing offset leave it open.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        let (a, b) = (self.in_utc(), other.in_utc());
        let timed = |t: &Self| t.kind == TemporalKind::DateTime && t.precision >= HOUR;
        if timed(&a) && timed(&b) && a.offset.is_some() != b.offset.is_some() {
            // Offsets reach from -12 to +14 hours: two days are further apart than that.
            let days = a.days()? - b.days()?;
            return (days.abs() >= 2).then(|| days.cmp(&0));
        }
        let common = a.precision.min(b.precision);
        let pairs = a.fields.iter().zip(&b.fields).take(common);
        match pairs.map(|(a, b)| a.cmp(b)).find(|o| o.is_ne()) {
            None if a.precision != b.precision => None,
            decided => Some(decided.unwrap_or(Ordering::Equal)),
        }
    }

    pub fn same_precision(&self, other: &Self) -> bool {
        self.precision == other.precision
    }

    /// Days since 1970.
    fn days(&self) -> Option<i64> {
        let epoch = civil::Date::constant(1970, 1, 1);
        let since = self.civil_date()?.since(epoch).ok()?;
        Some(i64::from(since.get_days()))
    }

    pub fn civil_date(&self) -> Option<civil::Date> {
        let [year, month, day, ..] = self.fields;
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        civil::Date::new(i16::try_from(year).ok()?, month, day).ok()
    }

    fn in_utc(self) -> Self {
        match self.offset {
            Some(offset) if self.precision >= MINUTE && offset != 0 => {
                let shift = jiff::Span::new().minutes(-offset);
                let moved = super::arithmetic::moved(&self, shift);
                moved.unwrap_or(self)
            }
            _ => self,
        }
    }
}

fn split_offset(text: &str) -> Option<(&str, Option<i64>)> {
    if let Some(time) = text.strip_suffix('Z') {
        return Some((time, Some(0)));
    }
    let Some(at) = text.find(['+', '-']) else {
        return Some((text, None));
    };
    let (time, offset) = text.split_at(at);
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours <= 14 && minutes < 60).then_some((time, Some(sign * (hours * 60 + minutes))))
}

fn digits(text: &str, length: usize) -> Option<i64> {
    let fits = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Temporal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [year, month, day, hour, minute, second] = self.fields;
        let given = |field: usize| self.precision >= field;
        if self.kind != TemporalKind::Time {
            write!(f, "{year:04}")?;
            if given(MONTH) {
                write!(f, "-{month:02}")?;
            }
            if given(DAY) {
                write!(f, "-{day:02}")?;
            }
            if !given(HOUR) {
                return Ok(());
            }
            f.write_str("T")?;
        }
        write!(f, "{hour:02}")?;
        if given(MINUTE) {
            write!(f, ":{minute:02}")?;
        }
        if given(SECOND) {
            write!(f, ":{:02}", second / NANOS)?;
            if self.fraction > 0 {
                let nanos = format!("{:09}", second % NANOS);
                write!(f, ".{}", nanos.get(..self.fraction).unwrap_or(&nanos))?;
            }
        }
        match self.offset {
            Some(0) => f.write_str("Z"),
            Some(offset) => {
                let sign = if offset < 0 { '-' } else { '+' };
                let minutes = offset.abs();
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            None => Ok(()),
        }
    }
}
