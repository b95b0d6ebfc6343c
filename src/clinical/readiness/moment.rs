//! The time that readiness is judged for. It ends now, or at the first dose of the
//! session, and never at the scheduled start. Times are microseconds since 1970.

use crate::clinical::knowledge::Knowledge;
use crate::clinical::vitals::measured::VitalReading;
use crate::fhir::search::date::Range;

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;

#[derive(Clone, Debug)]
pub struct SessionMoment {
    /// What is asked about; now unless a caller asks about the past.
    pub now: i64,
    /// The clock of the service.
    pub clock: i64,
    /// The scheduled start, and its offset from UTC.
    pub start: i64,
    pub offset: i64,
    /// The first dose that was given in the session up to `now`.
    pub dose: Option<i64>,
}

impl SessionMoment {
    /// When the dose is, or is to be expected at the earliest.
    pub fn due(&self) -> i64 {
        self.dose.unwrap_or(self.now.max(self.start))
    }

    /// What is later is not before the dose, or not yet.
    pub fn until(&self) -> i64 {
        self.dose.unwrap_or(self.now)
    }

    /// The first moment of the day of the session where it takes place.
    pub fn day_start(&self) -> i64 {
        let local = self.due().saturating_add(self.offset);
        local.div_euclid(DAY) * DAY - self.offset
    }

    /// Whether it lies on the day of the session; a date without time is a local day.
    pub fn is_on_the_day(&self, (low, high): Range) -> bool {
        let begins = self.day_start();
        if high - low >= DAY - 1 {
            // Dates are read as days in UTC.
            let local = begins.saturating_add(self.offset);
            return low <= local && local <= high;
        }
        low >= begins && low < begins.saturating_add(DAY)
    }

    /// Whether it says to be of a time that has not come.
    pub fn is_in_the_future(&self, knowledge: &Knowledge, time: Range) -> bool {
        time.0 > self.clock + minutes_of(knowledge, "clock-difference").unwrap_or_default()
    }

    /// Whether it is a reading of the minutes before the dose, to the minute.
    pub fn is_fresh(&self, reading: &VitalReading, minutes: i64) -> bool {
        reading.time.is_some_and(|(low, high)| {
            let exact = high - low < MINUTE;
            exact && low >= self.due() - minutes * MINUTE && low <= self.latest()
        })
    }

    /// Whether it may be one of them.
    pub fn may_be_of_the_window(&self, time: Range, minutes: i64) -> bool {
        time.1 >= self.due() - minutes * MINUTE && time.0 <= self.latest()
    }

    /// A dose bounds exactly; a device's clock may be a little ahead of ours.
    fn latest(&self) -> i64 {
        match self.dose {
            Some(dose) => dose,
            None => self.now + 5 * MINUTE,
        }
    }
}

/// How many microseconds a freshness of this id is.
pub fn minutes_of(knowledge: &Knowledge, id: &str) -> Option<i64> {
    let fresh = knowledge.freshness.iter().find(|one| one.id == id);
    fresh.map(|one| one.fact.minutes * MINUTE)
}

/// The offset that an instant is written with, in microseconds.
pub fn offset_of(instant: &str) -> i64 {
    let Some(zone) = instant.get(instant.len().saturating_sub(6)..) else {
        return 0;
    };
    let sign = match zone.chars().next() {
        Some('+') => 1,
        Some('-') => -1,
        _ => return 0,
    };
    let mut parts = zone.split([':', '+', '-']).filter(|part| !part.is_empty());
    let mut number = || parts.next().and_then(|part| part.parse::<i64>().ok());
    match (number(), number()) {
        (Some(hours), Some(minutes)) => sign * (hours * 60 + minutes) * MINUTE,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::search::date::range;

    fn moment(now: &str, start: &str, dose: Option<&str>) -> SessionMoment {
        let at = |text: &str| range(text).unwrap().0;
        SessionMoment {
            now: at(now),
            clock: at(now),
            start: at(start),
            offset: offset_of(start),
            dose: dose.map(at),
        }
    }

    #[test]
    fn a_day_is_that_of_the_offset_in_which_the_session_is_written() {
        let session = moment("2026-03-01T23:40:00Z", "2026-03-02T09:30:00+10:00", None);
        assert!(session.is_on_the_day(range("2026-03-02").unwrap()));
        assert!(!session.is_on_the_day(range("2026-03-01").unwrap()));
        assert!(session.is_on_the_day(range("2026-03-02T00:10:00+10:00").unwrap()));
        assert!(!session.is_on_the_day(range("2026-03-01T23:50:00+10:00").unwrap()));
        assert_eq!(offset_of("2026-03-01T00:00:00-04:30"), -270 * MINUTE);
        assert_eq!(offset_of("2026-03-01T00:00:00Z"), 0);
    }

    #[test]
    fn the_window_ends_now_or_at_the_dose_and_never_at_the_start() {
        let late = moment("2026-03-01T09:15:00Z", "2026-03-01T09:00:00Z", None);
        assert_eq!(late.until(), late.now);
        let early = moment("2026-03-01T08:15:00Z", "2026-03-01T09:00:00Z", None);
        assert_eq!((early.until(), early.due()), (early.now, early.start));
        let given = moment(
            "2026-03-01T10:00:00Z",
            "2026-03-01T09:00:00Z",
            Some("2026-03-01T09:20:00Z"),
        );
        assert_eq!(Some(given.until()), given.dose);
    }
}
