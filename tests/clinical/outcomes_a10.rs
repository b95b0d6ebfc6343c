//! A10: every pair of a percentage and an impression has one outcome, and the baseline is the
//! last rating before the first dose of its course, by time. From the consensus criteria
//! (Mataix-Cols 2016): full from 35 % with CGI-I 1 or 2; partial from 25 % with CGI-I 3 or less,
//! and from 35 % with CGI-I 3; none below 25 %.

use serde_json::{Value, json};
use unloop::clinical::knowledge::Knowledge;
use unloop::clinical::medication::Rules;
use unloop::clinical::trajectory::outcome::{Course, CoursePoint, Verdict, outcomes};
use unloop::clinical::trajectory::run::Truth;
use unloop::clinical::trajectory::series::{Point, Series, UntilTime, WrittenTime};
use unloop::clinical::trajectory::session::Sessions;
use unloop::clinical::trajectory::treatment::{CoursePlan, CourseRatings, courses_of, ratings_of};

use crate::support::{Others, rules};

const EVER: UntilTime = UntilTime {
    day: i64::MAX,
    moment: None,
};

fn point(source: &str, date: &str, value: i64) -> Point {
    Point {
        source: source.to_owned(),
        text: date.to_owned(),
        time: WrittenTime::from_text(date).unwrap(),
        value,
    }
}

fn series(ratings: &[(&str, i64)]) -> Series {
    let points = ratings
        .iter()
        .map(|(date, value)| point(date, date, *value));
    let mut series = Series {
        points: points.collect(),
        uncounted: Vec::new(),
    };
    series.sort();
    series
}

/// The consensus outcomes that are met a week later by the same rating.
fn met(knowledge: &Knowledge, baseline: i64, value: i64, cgi: i64) -> Vec<String> {
    let rated = |date| CoursePoint {
        point: point("Observation/1", date, value),
        clear: true,
    };
    let impressions = series(&[("2026-01-10", cgi), ("2026-01-17", cgi)]);
    let start = point("Observation/0", "2026-01-01", baseline);
    let points = [rated("2026-01-10"), rated("2026-01-17")];
    let course = Course {
        baseline: &start,
        points: &points,
        improvement: &impressions,
        severity: &Series::default(),
        today: points[1].point.time.day,
        withdrawn: Truth::No,
        knowledge,
    };
    let found = outcomes(&course).into_iter();
    found
        .filter(|one| one.verdict == Verdict::Met && !one.rule.fact.score_only)
        .filter(|one| ["response", "partial-response"].contains(&one.rule.id.as_str()))
        .map(|one| one.rule.id.clone())
        .collect()
}

#[test]
fn every_pair_of_a_percentage_and_an_impression_has_exactly_one_outcome() {
    let knowledge = Knowledge::embedded().unwrap();
    let mut seen = std::collections::BTreeMap::new();
    for baseline in 1..=40 {
        for value in 0..=40 {
            for cgi in 1..=7 {
                // In whole numbers: lower * 100 >= 35 * baseline.
                let lower = (baseline - value) * 100;
                let expected: &[&str] = match cgi {
                    1 | 2 if lower >= 35 * baseline => &["response"],
                    1..=3 if lower >= 25 * baseline => &["partial-response"],
                    _ => &[],
                };
                let found = met(&knowledge, baseline, value, cgi);
                assert_eq!(found, expected, "{baseline} to {value}, CGI-I {cgi}");
                *seen.entry(expected.first().copied()).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
    // 34.6 % with CGI-I 2 once fell between the rules.
    assert_eq!(met(&knowledge, 26, 17, 2), ["partial-response"]);
}

fn dose(date: &str) -> Value {
    json!({"resourceType": "MedicationAdministration", "status": "completed",
        "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6130"}]},
        "effectiveDateTime": date})
}

fn with_course(mut record: Value, course: &str) -> Value {
    record["identifier"] = json!([{"system": "https://unloop.dev/fhir/course", "value": course}]);
    record
}

fn appointment(start: &str) -> Value {
    json!({"resourceType": "Appointment", "status": "fulfilled", "start": start,
        "serviceType": [{"coding": [{"system": "https://unloop.dev/fhir/CodeSystem/appointment-kind",
            "code": "ketamine-session"}]}]})
}

fn plan(course: &str, protocol: &str, start: &str, end: &str) -> Value {
    let uri = format!("https://unloop.dev/fhir/protocol/{protocol}|1");
    let plan = json!({"resourceType": "CarePlan", "status": "active",
        "instantiatesUri": [uri], "period": {"start": start, "end": end}});
    with_course(plan, course)
}

/// The ratings of each course.
fn ratings(rules: &Rules, records: &[Value], totals: &[(&str, i64)]) -> Vec<CourseRatings> {
    let mut sessions = Sessions::default();
    for record in records {
        let record = record.as_object().unwrap();
        sessions.add(rules, &Others::default(), "s", record, EVER);
    }
    assert!(sessions.uncounted.is_empty());
    let plans: Vec<CoursePlan> = records
        .iter()
        .filter(|one| one["resourceType"] == "CarePlan")
        .filter_map(|one| CoursePlan::from_content(&rules.knowledge, one.as_object().unwrap()))
        .collect();
    let courses = courses_of(&rules.knowledge, &sessions.days(), &plans);
    let none = Series::default();
    ratings_of(&courses, &series(totals), &none, &none)
}

/// The date of each course's baseline, and whether it is only assumed to lie before the dose.
fn baselines(records: &[Value], totals: &[(&str, i64)]) -> Vec<(Option<String>, bool)> {
    ratings(&rules(), records, totals)
        .into_iter()
        .map(|one| (one.baseline.map(|point| point.text), one.assumed))
        .collect()
}

fn one(date: &str, assumed: bool) -> Vec<(Option<String>, bool)> {
    vec![(Some(date.to_owned()), assumed)]
}

#[test]
fn a_rating_after_the_dose_of_the_same_day_is_a_follow_up() {
    let totals = [("2026-01-10T09:00:00Z", 30), ("2026-01-10T16:00:00Z", 16)];
    let given = [dose("2026-01-10T10:00:00Z")];
    assert_eq!(
        baselines(&given, &totals),
        one("2026-01-10T09:00:00Z", false)
    );
    let course = &ratings(&rules(), &given, &totals)[0];
    assert_eq!(course.points.len(), 1);
    assert_eq!(course.points[0].point.value, 16);
    // The very moment of the dose is not before it.
    assert_eq!(
        baselines(&given, &[("2026-01-10T10:00:00Z", 30)]),
        [(None, false)]
    );
}

#[test]
fn without_times_the_only_rating_of_the_day_is_assumed_to_be_before() {
    let before = ("2026-01-03", 30);
    for (given, of_day) in [
        ("2026-01-10", "2026-01-10"),
        ("2026-01-10", "2026-01-10T16:00:00Z"),
        ("2026-01-10T10:00:00Z", "2026-01-10"),
    ] {
        let given = [dose(given)];
        assert_eq!(
            baselines(&given, &[before, (of_day, 16)]),
            one(of_day, true)
        );
        // Of two nobody knows which was first: neither is a baseline, and both stay open.
        let two = [before, (of_day, 16), ("2026-01-10", 12)];
        assert_eq!(baselines(&given, &two), one("2026-01-03", false));
        let points = &ratings(&rules(), &given, &two)[0].points;
        assert_eq!(points.len(), 2);
        assert!(points.iter().any(|one| !one.clear), "{points:?}");
    }
}

#[test]
fn a_day_is_that_of_the_offset_and_a_moment_that_of_the_world() {
    // 23:30 in New York is the next day in UTC, and before a dose of that day.
    let evening = "2026-01-09T23:30:00-05:00";
    let given = [dose("2026-01-10T10:00:00-05:00")];
    assert_eq!(baselines(&given, &[(evening, 30)]), one(evening, false));
    // A date has no offset: beside a time it is the day that is written.
    let given = [dose("2026-01-09")];
    assert_eq!(baselines(&given, &[(evening, 30)]), one(evening, true));
    // 01:00 in Berlin of the 10th is the 9th in UTC: still a day after the dose.
    assert_eq!(
        baselines(&given, &[("2026-01-10T00:30:00+01:00", 30)]),
        [(None, false)]
    );
}

#[test]
fn the_administration_says_when_the_dose_was_and_the_appointment_where_it_does_not() {
    let rating = [("2026-01-10T10:15:00Z", 30)];
    let booked = appointment("2026-01-10T10:00:00Z");
    let given = dose("2026-01-10T10:30:00Z");
    assert_eq!(
        baselines(&[booked.clone(), given], &rating),
        one(rating[0].0, false)
    );
    assert_eq!(
        baselines(std::slice::from_ref(&booked), &rating),
        [(None, false)]
    );
    let undated = dose("2026-01-10");
    assert_eq!(baselines(&[booked, undated], &rating), [(None, false)]);
}

#[test]
fn a_dose_that_was_stopped_was_given_and_one_that_was_not_done_was_not() {
    let rating = [("2026-01-10T12:00:00Z", 30)];
    let mut given = dose("2026-01-10T10:00:00Z");
    for (status, courses) in [
        ("stopped", 1),
        ("on-hold", 1),
        ("in-progress", 1),
        ("not-done", 0),
        ("entered-in-error", 0),
    ] {
        given["status"] = status.into();
        assert_eq!(
            baselines(&[given.clone()], &rating).len(),
            courses,
            "{status}"
        );
    }
    // What nobody knows keeps all open.
    given["status"] = "unknown".into();
    let mut sessions = Sessions::default();
    sessions.add(
        &rules(),
        &Others::default(),
        "s",
        given.as_object().unwrap(),
        EVER,
    );
    given["status"] = "completed".into();
    given["effectiveDateTime"] = "2026-01".into();
    sessions.add(
        &rules(),
        &Others::default(),
        "t",
        given.as_object().unwrap(),
        EVER,
    );
    assert_eq!(sessions.uncounted, ["s", "t"]);
}

#[test]
fn each_course_has_its_own_baseline() {
    let totals = [
        ("2026-01-01", 34),
        ("2026-02-01", 20),
        ("2026-06-01", 28),
        ("2026-07-01", 14),
    ];
    let first = dose("2026-01-05");
    let second = dose("2026-06-05");
    let expected = vec![
        (Some("2026-01-01".to_owned()), false),
        (Some("2026-06-01".to_owned()), false),
    ];
    assert_eq!(
        baselines(&[first.clone(), second.clone()], &totals),
        expected
    );
    // The ratings of the first end with the dose of the second.
    let all = ratings(&rules(), &[first.clone(), second], &totals);
    let values = |place: usize| -> Vec<i64> {
        all[place]
            .points
            .iter()
            .map(|one| one.point.value)
            .collect()
    };
    assert_eq!((values(0), values(1)), (vec![20, 28], vec![14]));
    // A pause is longer than 90 days.
    let near = [first.clone(), dose("2026-04-05")];
    assert_eq!(baselines(&near, &totals).len(), 1);
    assert_eq!(
        baselines(&[first.clone(), dose("2026-04-06")], &totals).len(),
        2
    );
    // Another plan begins another course at once, and a plan covers its own pauses.
    let plans = [
        plan("p/1", "clinic-series", "2026-01-05", "2026-02-09"),
        plan("p/2", "clinic-series", "2026-02-12", "2026-09-01"),
        first,
        dose("2026-02-12"),
        dose("2026-08-30"),
    ];
    assert_eq!(baselines(&plans, &totals).len(), 2);
    let labelled = [
        with_course(appointment("2026-01-05T09:00:00Z"), "p/a"),
        with_course(appointment("2026-01-12T09:00:00Z"), "p/b"),
    ];
    assert_eq!(baselines(&labelled, &totals).len(), 2);
}

#[test]
fn what_keeps_up_a_course_is_measured_from_its_baseline() {
    let totals = [("2026-01-01", 34), ("2026-03-01", 14)];
    let records = [
        plan("p/1", "clinic-induction", "2026-01-05", "2026-01-20"),
        plan("p/2", "clinic-maintenance", "2026-03-05", "2027-03-05"),
        dose("2026-01-05"),
        dose("2026-03-05"),
        dose("2026-09-05"),
    ];
    assert_eq!(baselines(&records, &totals), one("2026-01-01", false));
}

#[test]
fn a_course_without_a_later_rating_is_open() {
    let knowledge = Knowledge::embedded().unwrap();
    let start = point("Observation/0", "2026-01-01", 30);
    let none = Series::default();
    let course = Course {
        baseline: &start,
        points: &[],
        improvement: &none,
        severity: &none,
        today: start.time.day + 400,
        withdrawn: Truth::No,
        knowledge: &knowledge,
    };
    let found = outcomes(&course);
    assert!(!found.is_empty());
    assert!(found.iter().all(|one| one.verdict == Verdict::Undetermined));
}
