//! Dates in search. <https://hl7.org/fhir/R4/search.html#date>

use serde_json::json;
use unloop::fhir::search::date::{range, range_of};
use unloop::fhir::search::prefix::{DateTest, any};

use super::judge::within;

fn micros(instant: &str) -> i64 {
    instant
        .parse::<jiff::Timestamp>()
        .expect("a timestamp of the test")
        .as_microsecond()
}

/// "Implicitly, the precision of a date is its range": the table of section 2.1.1.4.7.
#[test]
fn a_date_covers_its_precision() {
    let cases = [
        ("2013", "2013-01-01T00:00:00Z", "2014-01-01T00:00:00Z"),
        ("2013-02", "2013-02-01T00:00:00Z", "2013-03-01T00:00:00Z"),
        ("2012-02", "2012-02-01T00:00:00Z", "2012-03-01T00:00:00Z"),
        ("2013-12", "2013-12-01T00:00:00Z", "2014-01-01T00:00:00Z"),
        ("2013-01-14", "2013-01-14T00:00:00Z", "2013-01-15T00:00:00Z"),
        (
            "2013-01-14T10:00",
            "2013-01-14T10:00:00Z",
            "2013-01-14T10:01:00Z",
        ),
        (
            "2013-01-14T10:00:00",
            "2013-01-14T10:00:00Z",
            "2013-01-14T10:00:01Z",
        ),
        (
            "2013-01-14T10:00:00Z",
            "2013-01-14T10:00:00Z",
            "2013-01-14T10:00:01Z",
        ),
        (
            "2013-01-14T10:00:00+02:00",
            "2013-01-14T08:00:00Z",
            "2013-01-14T08:00:01Z",
        ),
        (
            "2013-01-14T10:00:00-05:30",
            "2013-01-14T15:30:00Z",
            "2013-01-14T15:30:01Z",
        ),
        (
            "2013-01-14T10:00:00.5Z",
            "2013-01-14T10:00:00.5Z",
            "2013-01-14T10:00:00.6Z",
        ),
        (
            "2013-01-14T10:00:00.123Z",
            "2013-01-14T10:00:00.123Z",
            "2013-01-14T10:00:00.124Z",
        ),
        (
            "2016-12-31T23:59:60Z",
            "2017-01-01T00:00:00Z",
            "2017-01-01T00:00:01Z",
        ),
        ("1905-08-23", "1905-08-23T00:00:00Z", "1905-08-24T00:00:00Z"),
    ];
    for (text, low, end) in cases {
        assert_eq!(range(text), Some((micros(low), micros(end) - 1)), "{text}");
    }
    assert!(range("0001").is_some() && range("9999").is_some());
    let (low, high) = range("2013-01-14T10:00:00.1234567891Z").expect("more digits than are kept");
    assert_eq!((low, high), (micros("2013-01-14T10:00:00.123456Z"), low));
}

#[test]
fn what_is_no_date_covers_nothing() {
    let cases = [
        "",
        "T",
        "x",
        "13",
        "0000",
        "20130",
        "2013-1",
        "2013-13",
        "2013-00",
        "2013-02-30",
        "2013-02-29",
        "2013-01-14-01",
        "2013-01-14T",
        "2013-01-14T10",
        "2013-01-14T24:00:00",
        "2013-01-14T10:60",
        "2013-01-14T10:00:61Z",
        "2013-01-14T10:00:00.",
        "2013-01-14T10:00:00.x",
        "2013-01T10:00",
        "2013-01-14T10:00:00+2",
        "2013-01-14T10:00:00+15:00",
        "2013-01-14Z",
        "2013-01-14T10:00:00ZZ",
        "+2013",
        "-2013",
        "２013",
        "2013-01-14T10:00:00+é0:00",
    ];
    for text in cases {
        assert_eq!(range(text), None, "{text}");
    }
}

/// "Period: Explicit, though the upper or lower bound might not actually be
/// specified"; "Timing: … only the outer limits matter".
#[test]
fn periods_and_timings_cover_their_outer_limits() {
    let day = |text| range(text).expect("a date of the test");
    let cases = [
        (
            json!({"start": "2013-01-31", "end": "2013-03"}),
            Some((day("2013-01-31").0, day("2013-03").1)),
        ),
        (
            json!({"start": "2013-01-31"}),
            Some((day("2013-01-31").0, i64::MAX)),
        ),
        (
            json!({"end": "2013-03-24"}),
            Some((i64::MIN, day("2013-03-24").1)),
        ),
        (json!({"start": "2014", "end": "2013"}), None),
        (json!({"start": "soon", "end": "2013"}), None),
        (json!({"start": 3}), None),
        (json!({}), None),
        (
            json!({"event": ["2013-02-01", "2013-01-01"], "repeat": {"boundsPeriod": {"start": "2013-01-15", "end": "2013-03-24"}}}),
            Some((day("2013-01-01").0, day("2013-03-24").1)),
        ),
        (json!({"repeat": {"frequency": 1}}), None),
        (json!(2013), None),
        (json!("2013"), Some(day("2013"))),
    ];
    for (value, expected) in cases {
        assert_eq!(range_of(&value), expected, "{value}");
    }
}

fn found(test: &str, value: (i64, i64)) -> bool {
    let test = DateTest::parse(test).unwrap_or_else(|| panic!("{test} should be valid"));
    test.bounds(micros("2013-04-14T00:00:00Z"))
        .iter()
        .any(|bounds| within(bounds, value))
}

/// The definitions of section 2.1.1.4.1, on every kind of overlap of the
/// search value 2013-03-14 and a target.
#[test]
fn prefixes_compare_ranges() {
    let target = |start: &str, end: &str| {
        range_of(&json!({"start": start, "end": end})).expect("a period of the test")
    };
    let targets = [
        ("before", target("2013-03-01", "2013-03-13")),
        ("into", target("2013-03-01", "2013-03-14T10:00:00Z")),
        (
            "inside",
            target("2013-03-14T09:00:00Z", "2013-03-14T10:00:00Z"),
        ),
        ("same", target("2013-03-14", "2013-03-14")),
        ("around", target("2013-03-01", "2013-03-31")),
        ("out of", target("2013-03-14T10:00:00Z", "2013-03-31")),
        ("after", target("2013-03-15", "2013-03-31")),
    ];
    let cases: [(&str, &[&str]); 10] = [
        ("", &["inside", "same"]),
        ("eq", &["inside", "same"]),
        ("ne", &["before", "into", "around", "out of", "after"]),
        ("gt", &["around", "out of", "after"]),
        ("lt", &["before", "into", "around"]),
        ("ge", &["inside", "same", "around", "out of", "after"]),
        ("le", &["before", "into", "inside", "same", "around"]),
        ("sa", &["after"]),
        ("eb", &["before"]),
        // A tenth of 30 days: 2013-03-11 to 2013-03-17.
        (
            "ap",
            &[
                "before", "into", "inside", "same", "around", "out of", "after",
            ],
        ),
    ];
    for (prefix, expected) in cases {
        let test = format!("{prefix}2013-03-14");
        let matching: Vec<&str> = targets
            .iter()
            .filter(|(_, range)| found(&test, *range))
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(matching, expected, "{test}");
    }
    assert!(!found("ap2013-03-14", target("2013-03-01", "2013-03-10")));
}

#[test]
fn open_ends_reach_to_the_end_of_time() {
    let open = range_of(&json!({"start": "2013-01-01"})).expect("a period");
    assert!(found("gt9999", open) && found("ge2050", open) && !found("lt2012", open));
    assert!(!found("2013", open) && found("ne2013", open) && !found("eb9999", open));
    assert!(within(&any(), open) && within(&any(), (i64::MIN, i64::MIN)));
}

#[test]
fn values_of_the_url_are_strict() {
    for bad in [
        "", "ge", "xx2013", "GE2013", "2013-1-1", "ge 2013", "gee2013", "gté",
    ] {
        assert_eq!(DateTest::parse(bad), None, "{bad}");
    }
    assert_eq!(
        DateTest::parse("ge2013-01-14T10:00:00 02:00"),
        DateTest::parse("ge2013-01-14T10:00:00+02:00"),
    );
}
