//! The time zone of the practice: what a date, or a time without an offset, is read in where
//! R4 leaves that to the server. One for the whole process, set once at its start; UTC
//! unless set. <https://hl7.org/fhir/R4/search.html#date>

use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

static PRACTICE: OnceLock<TimeZone> = OnceLock::new();

const DAY: i64 = 86_400_000_000;

/// Sets the zone; later calls change nothing, as index rows and answers rest on it.
pub fn set_practice_zone(zone: TimeZone) {
    PRACTICE.get_or_init(|| zone);
}

/// The name by which the zone is known where it is not UTC.
pub fn practice_zone_name() -> Option<&'static str> {
    practice()?.iana_name()
}

fn practice() -> Option<&'static TimeZone> {
    PRACTICE.get().filter(|zone| **zone != TimeZone::UTC)
}

/// Microseconds since 1970 of a time on the clock of the practice. A time that the change to
/// summer time leaves out is the one that the clock shows instead; of one that there is twice
/// it is the first. `None` where it lies beyond what time reaches.
pub fn moment_of(clock: DateTime) -> Option<i64> {
    let Some(zone) = practice() else {
        let since = clock.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
        return i64::try_from(since.as_micros()).ok();
    };
    let timestamp = zone.to_ambiguous_timestamp(clock).compatible().ok()?;
    Some(timestamp.as_microsecond())
}

/// The day, counted from 1970, that the practice's calendar shows at a moment.
pub fn day_of(moment: i64) -> i64 {
    let shifted = practice().and_then(|zone| {
        let offset = zone.to_offset(Timestamp::from_microsecond(moment).ok()?);
        moment.checked_add(i64::from(offset.seconds()) * 1_000_000)
    });
    shifted.unwrap_or(moment).div_euclid(DAY)
}
