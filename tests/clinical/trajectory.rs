//! Response, partial response, remission and relapse at the edges of their
//! published definitions: 35 % and 25 % of the baseline, 12 and 13 points, a week
//! and a month (Mataix-Cols 2016, Farris 2013, Elsner 2020).

use serde_json::{Value, json};
use unloop::clinical::knowledge::Knowledge;
use unloop::clinical::trajectory::outcome::{Course, CoursePoint, Verdict, outcomes};
use unloop::clinical::trajectory::run::Truth;
use unloop::clinical::trajectory::series::{Series, UntilTime, reduction};

const OWN: &str = "https://unloop.dev/fhir/CodeSystem/measures";
const DAY: i64 = 86_400_000_000;
const START: i64 = 20_000;
/// Everything is looked at.
const EVER: UntilTime = UntilTime {
    day: i64::MAX,
    moment: None,
};

/// (day, value) as Observations of a score.
fn series(knowledge: &Knowledge, score: &str, values: &[(i64, i64)]) -> Series {
    let mut series = Series::default();
    for (number, (day, value)) in values.iter().enumerate() {
        let moment = jiff::Timestamp::from_microsecond((START + day) * DAY).unwrap();
        let content = json!({"status": "final", "valueInteger": value,
            "code": {"coding": [{"system": OWN, "code": score}]},
            "effectiveDateTime": moment.to_string().chars().take(10).collect::<String>()});
        let source = format!("Observation/{number}");
        series.add(
            knowledge,
            score,
            &source,
            content.as_object().unwrap(),
            EVER,
        );
    }
    assert_eq!(series.points.len(), values.len());
    series.sort();
    series
}

/// `outcome verdict current` of each, asked on this day.
fn judged(
    totals: &[(i64, i64)],
    improvement: &[(i64, i64)],
    severity: &[(i64, i64)],
    today: i64,
) -> Vec<(String, Verdict, bool)> {
    judged_where(Truth::No, totals, improvement, severity, today)
}

/// The same, where a course was withdrawn or not.
fn judged_where(
    withdrawn: Truth,
    totals: &[(i64, i64)],
    improvement: &[(i64, i64)],
    severity: &[(i64, i64)],
    today: i64,
) -> Vec<(String, Verdict, bool)> {
    let knowledge = Knowledge::embedded().unwrap();
    let totals = series(&knowledge, "ybocs-total", totals);
    let improvement = series(&knowledge, "cgi-improvement", improvement);
    let severity = series(&knowledge, "cgi-severity", severity);
    let points: Vec<CoursePoint> = totals.points[1..]
        .iter()
        .map(|point| CoursePoint {
            point: point.clone(),
            clear: true,
        })
        .collect();
    let course = Course {
        baseline: &totals.points[0],
        points: &points,
        improvement: &improvement,
        severity: &severity,
        today: START + today,
        withdrawn,
        knowledge: &knowledge,
    };
    let all = outcomes(&course);
    all.into_iter()
        .map(|one| (one.rule.id.clone(), one.verdict, one.current))
        .collect()
}

fn of(all: &[(String, Verdict, bool)], outcome: &str) -> Verdict {
    all.iter().find(|(id, _, _)| id == outcome).unwrap().1
}

/// Two ratings a week apart after a baseline of this value, with the impressions
/// that the rule wants.
fn after_two(baseline: i64, value: i64, cgi: i64, outcome: &str) -> Verdict {
    let totals = [(0, baseline), (14, value), (21, value)];
    let improvement = [(14, cgi), (21, cgi)];
    let severity = [(14, 2), (21, 2)];
    of(&judged(&totals, &improvement, &severity, 21), outcome)
}

#[test]
fn thirty_five_percent_is_a_response_and_less_is_not() {
    // 35 % of 20 is 7, of 40 is 14; of 30 it is 10.5.
    for (baseline, met, not) in [
        (20, 13, 14),
        (40, 26, 27),
        (30, 19, 20),
        (23, 14, 15),
        (33, 21, 22),
    ] {
        assert_eq!(
            after_two(baseline, met, 2, "response"),
            Verdict::Met,
            "{baseline}"
        );
        assert_eq!(
            after_two(baseline, not, 2, "response"),
            Verdict::NotMet,
            "{baseline}"
        );
    }
}

#[test]
fn twenty_five_percent_is_a_partial_response_up_to_below_thirty_five() {
    // 25 % of 20 is 5, of 40 is 10, of 30 is 7.5.
    for (baseline, highest, lowest) in [(20, 15, 14), (40, 30, 27), (30, 22, 20)] {
        assert_eq!(
            after_two(baseline, highest, 3, "partial-response"),
            Verdict::Met
        );
        assert_eq!(
            after_two(baseline, lowest, 3, "partial-response"),
            Verdict::Met
        );
        assert_eq!(
            after_two(baseline, highest + 1, 3, "partial-response"),
            Verdict::NotMet
        );
        // From 35 % on it is a response, unless the impression is of minimal improvement.
        assert_eq!(
            after_two(baseline, lowest - 1, 2, "partial-response"),
            Verdict::NotMet
        );
        assert_eq!(
            after_two(baseline, lowest - 1, 3, "partial-response"),
            Verdict::Met
        );
    }
}

#[test]
fn remission_is_twelve_or_less() {
    assert_eq!(after_two(30, 12, 2, "remission"), Verdict::Met);
    assert_eq!(after_two(30, 13, 2, "remission"), Verdict::NotMet);
    let severe = judged(&[(0, 30), (14, 12), (21, 12)], &[], &[(14, 3), (21, 3)], 21);
    assert_eq!(of(&severe, "remission"), Verdict::NotMet);
}

#[test]
fn impressions_are_asked_for() {
    assert_eq!(after_two(20, 13, 3, "response"), Verdict::NotMet);
    assert_eq!(after_two(20, 15, 4, "partial-response"), Verdict::NotMet);
    let silent = judged(&[(0, 20), (14, 12), (21, 12)], &[], &[], 21);
    for outcome in ["response", "remission"] {
        assert_eq!(of(&silent, outcome), Verdict::Undetermined, "{outcome}");
    }
    // With CGI-I 3 it would be partial.
    let partial = of(&silent, "partial-response");
    assert_eq!(partial, Verdict::Undetermined);
    for outcome in ["response-by-score", "remission-by-score"] {
        assert_eq!(of(&silent, outcome), Verdict::Met, "{outcome}");
    }
    // An impression belongs to the ratings of a week around it, and to no others.
    let near = judged(&[(0, 20), (14, 12), (21, 12)], &[(14, 1)], &[], 21);
    assert_eq!(of(&near, "response"), Verdict::Met);
    let far = judged(&[(0, 20), (14, 12), (22, 12)], &[(14, 1)], &[], 22);
    assert_eq!(of(&far, "response"), Verdict::Undetermined);
}

#[test]
fn a_week_has_seven_days() {
    let cgi = [(14, 1), (20, 1), (21, 1)];
    let six = judged(&[(0, 20), (14, 13), (20, 13)], &cgi, &[], 20);
    assert_eq!(of(&six, "response"), Verdict::Undetermined);
    let seven = judged(&[(0, 20), (14, 13), (21, 13)], &cgi, &[], 21);
    assert_eq!(of(&seven, "response"), Verdict::Met);
    // Known to have been worse on both sides within the week.
    let short = [(0, 20), (13, 20), (14, 13), (20, 20)];
    assert_eq!(
        of(&judged(&short, &cgi, &[], 40), "response"),
        Verdict::NotMet
    );
}

#[test]
fn a_relapse_comes_after_a_response_and_lasts_a_month() {
    let course = |last: i64| {
        let totals = [(0, 30), (14, 15), (21, 15), (40, 13), (last, 28)];
        let cgi = [(14, 2), (21, 2), (40, 6), (last, 7)];
        judged(&totals, &cgi, &[], last)
    };
    let month = course(68);
    assert_eq!(of(&month, "relapse"), Verdict::Met);
    assert_eq!(of(&month, "response"), Verdict::Met);
    let current: Vec<&str> = month
        .iter()
        .filter(|one| one.2)
        .map(|one| one.0.as_str())
        .collect();
    assert_eq!(current, ["relapse"]);
    assert_eq!(of(&course(67), "relapse"), Verdict::Undetermined);
    let never = judged(&[(0, 30), (14, 28), (60, 28)], &[(14, 6), (60, 6)], &[], 60);
    assert_eq!(of(&never, "relapse"), Verdict::NotMet);
}

/// "... or an earlier withdrawal because of severe worsening": why somebody withdrew
/// is nowhere in a code, so that nobody is told of a relapse and nobody of none.
#[test]
fn a_withdrawal_while_worse_is_for_a_clinician() {
    let worse = [(0, 30), (14, 15), (21, 15), (40, 28), (47, 14)];
    let cgi = [(14, 2), (21, 2), (40, 6), (47, 4)];
    let relapse = |withdrawn| of(&judged_where(withdrawn, &worse, &cgi, &[], 60), "relapse");
    assert_eq!(relapse(Truth::No), Verdict::NotMet);
    assert_eq!(relapse(Truth::Yes), Verdict::Undetermined);
    assert_eq!(relapse(Truth::Unknown), Verdict::Undetermined);
    let well = [(0, 30), (14, 15), (21, 15), (40, 12)];
    let better = judged_where(Truth::Yes, &well, &[(14, 2), (21, 2), (40, 2)], &[], 60);
    assert_eq!(of(&better, "relapse"), Verdict::NotMet);
}

#[test]
fn an_impression_belongs_to_the_nearest_rating_within_the_days_of_the_rule() {
    let knowledge = Knowledge::embedded().unwrap();
    let series = series(&knowledge, "cgi-improvement", &[(10, 1), (14, 2), (14, 3)]);
    for (day, within, expected) in [
        (14, 0, Some(3)),
        (13, 0, None),
        (13, 1, Some(3)),
        (12, 2, Some(3)),
        (11, 2, Some(1)),
    ] {
        assert_eq!(series.near(START + day, within), expected, "{day} {within}");
    }
}

#[test]
fn nothing_is_a_share_of_zero() {
    let none = judged(
        &[(0, 0), (14, 0), (21, 0)],
        &[(14, 1), (21, 1)],
        &[(14, 1), (21, 1)],
        21,
    );
    assert_eq!(of(&none, "response"), Verdict::Undetermined);
    assert_eq!(of(&none, "remission"), Verdict::Met);
    assert_eq!(reduction(0, 3), None);
}

#[test]
fn percents_are_rounded_down() {
    assert_eq!(reduction(20, 13), Some(350));
    assert_eq!(reduction(23, 15), Some(347));
    // 34.96 % is no 35 %.
    assert_eq!(reduction(40, 26), Some(350));
    assert_eq!(reduction(30, 31), Some(-34));
    assert_eq!(reduction(30, 0), Some(1000));
}

#[test]
fn only_what_counts_is_counted() {
    let knowledge = Knowledge::embedded().unwrap();
    let mut series = Series::default();
    let mut add = |changes: Value| {
        let mut content = json!({"status": "final", "valueInteger": 20, "effectiveDateTime": "2026-11-01",
            "code": {"coding": [{"system": OWN, "code": "ybocs-total"}]}});
        for (name, value) in changes.as_object().unwrap() {
            content[name] = value.clone();
        }
        series.add(
            &knowledge,
            "ybocs-total",
            "Observation/x",
            content.as_object().unwrap(),
            EVER,
        );
        (series.points.len(), series.uncounted.len())
    };
    assert_eq!(add(json!({})), (1, 0));
    for status in ["preliminary", "entered-in-error", "cancelled", "registered"] {
        assert_eq!(add(json!({"status": status})), (1, 0));
    }
    assert_eq!(add(json!({"effectiveDateTime": "2026-11"})), (1, 1));
    assert_eq!(
        add(json!({"status": "amended", "effectiveDateTime": "2026-11-01T10:00:00Z"})),
        (2, 1)
    );
}
