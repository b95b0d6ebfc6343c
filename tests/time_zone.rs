//! E: dates without an offset are read in the practice's zone. It is one for a whole
//! process, so that it has a test program of its own.
#![allow(clippy::unwrap_used)]

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unloop::fhir::search::form::form;
use unloop::fhir::search::{date, zone};

fn range(text: &str) -> (String, String) {
    let (low, high) = date::range(text).unwrap();
    let text = |micros| Timestamp::from_microsecond(micros).unwrap().to_string();
    (text(low), text(high))
}

#[test]
fn a_date_is_a_day_of_the_practice() {
    let utc = form();
    zone::set_practice_zone(TimeZone::get("Europe/Berlin").unwrap());
    let day = range("2026-11-30");
    assert_eq!(
        day,
        (
            "2026-11-29T23:00:00Z".into(),
            "2026-11-30T22:59:59.999999Z".into()
        )
    );
    // The clocks were put forward: 23 hours.
    let short = range("2026-03-29");
    assert_eq!(
        short,
        (
            "2026-03-28T23:00:00Z".into(),
            "2026-03-29T21:59:59.999999Z".into()
        )
    );
    let year = range("2026");
    assert_eq!(
        year,
        (
            "2025-12-31T23:00:00Z".into(),
            "2026-12-31T22:59:59.999999Z".into()
        )
    );
    // A time without an offset too, and one with an offset is what it says.
    assert_eq!(range("2026-07-01T10:00:00").0, "2026-07-01T08:00:00Z");
    assert_eq!(range("2026-07-01T10:00:00Z").0, "2026-07-01T10:00:00Z");
    assert_eq!(range("2026-07-01T10:00:00-05:00").0, "2026-07-01T15:00:00Z");
    // A day as it is written does not move.
    let days = date::days_as_written("2026-07-01");
    assert_eq!(days, date::days_as_written("2026-07-01T23:30:00-05:00"));
    let late: Timestamp = "2026-11-30T23:30:00Z".parse().unwrap();
    let next = date::days_as_written("2026-12-01").unwrap().0;
    assert_eq!(zone::day_of(late.as_microsecond()), next);
    // The rows of the index are made anew.
    assert_ne!(form(), utc);
}
