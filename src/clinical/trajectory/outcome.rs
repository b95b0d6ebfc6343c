//! Response, partial response, remission and relapse, as their rules define
//! them: by exact comparison of whole numbers, for as long as the rule asks.

use super::run::{Held, Row, Truth, held};
use super::series::{Point, Series};
use crate::clinical::knowledge::{Entry, Knowledge, Outcome};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Met,
    NotMet,
    Undetermined,
}

impl Verdict {
    pub fn code(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not-met",
            Self::Undetermined => "undetermined",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Judged<'k> {
    pub rule: &'k Entry<Outcome>,
    pub verdict: Verdict,
    /// The ratings by which it is met, or may be, as places behind the baseline.
    pub row: Option<Row>,
    /// It is met by the last rating too.
    pub current: bool,
    pub reason: &'static str,
}

/// The ratings that are judged.
#[derive(Clone, Copy, Debug)]
pub struct Course<'s> {
    pub baseline: &'s Point,
    /// Behind the baseline, in the order of time.
    pub points: &'s [Point],
    pub improvement: &'s Series,
    pub severity: &'s Series,
    /// The day of the question.
    pub today: i64,
}

const WEEK: i64 = 7;

/// All rules of the knowledge base, in its order.
pub fn outcomes<'k>(knowledge: &'k Knowledge, course: &Course<'_>) -> Vec<Judged<'k>> {
    let mut judged: Vec<Judged<'k>> = Vec::new();
    for rule in &knowledge.outcomes {
        let one = match &rule.fact.after {
            None => judge(rule, course, 0),
            Some(earlier) => {
                let earlier = judged.iter().find(|one| one.rule.id == *earlier);
                after(rule, course, earlier)
            }
        };
        judged.push(one);
    }
    judged
}

fn judge<'k>(rule: &'k Entry<Outcome>, course: &Course<'_>, from: usize) -> Judged<'k> {
    let points = course.points.get(from..).unwrap_or_default();
    let truths: Vec<Truth> = points
        .iter()
        .map(|point| truth(&rule.fact, course, point))
        .collect();
    let days: Vec<i64> = points.iter().map(|point| point.day).collect();
    let before = from
        .checked_sub(1)
        .and_then(|place| course.points.get(place));
    let before = before.unwrap_or(course.baseline).day;
    let needed = rule.fact.weeks.saturating_mul(WEEK);
    let shifted = |row: Row| Row {
        first: row.first + from,
        last: row.last + from,
    };
    let (verdict, row, reason) = match held(&truths, &days, before, course.today, needed) {
        Held::Certain(row) => (
            Verdict::Met,
            Some(shifted(row)),
            "It held for as long as the rule asks.",
        ),
        Held::Possible(row) => (
            Verdict::Undetermined,
            Some(shifted(row)),
            why_open(&truths, row),
        ),
        Held::Never => (
            Verdict::NotMet,
            None,
            "No ratings meet the rule for as long as it asks.",
        ),
    };
    Judged {
        rule,
        verdict,
        current: verdict == Verdict::Met
            && row.is_some_and(|row| row.last + 1 == course.points.len()),
        row,
        reason,
    }
}

fn why_open(truths: &[Truth], row: Row) -> &'static str {
    let mut within = truths.iter().skip(row.first).take(row.last + 1 - row.first);
    if within.any(|truth| *truth == Truth::Unknown) {
        "The clinician's impression (CGI) of the same day is not recorded."
    } else {
        "The ratings do not show that it held for as long as the rule asks."
    }
}

/// A rule on what comes after another one was met.
fn after<'k>(
    rule: &'k Entry<Outcome>,
    course: &Course<'_>,
    earlier: Option<&Judged<'k>>,
) -> Judged<'k> {
    let none = |reason| Judged {
        rule,
        verdict: Verdict::NotMet,
        row: None,
        current: false,
        reason,
    };
    let Some(earlier) = earlier.filter(|earlier| earlier.row.is_some()) else {
        return none("There is nothing before it that it could follow.");
    };
    if earlier.verdict == Verdict::Met {
        return judge(rule, course, attained(earlier.rule, course) + 1);
    }
    let mut points = course.points.iter();
    let possible = points.position(|point| truth(&earlier.rule.fact, course, point) != Truth::No);
    let mut judged = judge(rule, course, possible.map_or(0, |place| place + 1));
    if judged.verdict == Verdict::Met {
        judged.verdict = Verdict::Undetermined;
        judged.current = false;
        judged.reason = "Whether there was a response before it is undetermined.";
    }
    judged
}

/// The rating by which the rule was met for the first time.
fn attained(rule: &Entry<Outcome>, course: &Course<'_>) -> usize {
    let needed = rule.fact.weeks.saturating_mul(WEEK);
    let mut start: Option<i64> = None;
    for (place, point) in course.points.iter().enumerate() {
        if truth(&rule.fact, course, point) != Truth::Yes {
            start = None;
            continue;
        }
        let first = *start.get_or_insert(point.day);
        if point.day - first >= needed {
            return place;
        }
    }
    course.points.len()
}

/// Whether a rating, with the impressions of its day, is what the rule asks for.
fn truth(rule: &Outcome, course: &Course<'_>, point: &Point) -> Truth {
    let baseline = course.baseline.value;
    let lower = baseline.saturating_sub(point.value).saturating_mul(100);
    // A share of nothing is not known.
    let share = |holds: bool| (baseline > 0).then_some(holds);
    let at_least = |limit: Option<i64>| {
        limit.map_or(Truth::Yes, |limit| {
            Truth::of(share(lower >= limit.saturating_mul(baseline)))
        })
    };
    let below = |limit: Option<i64>| {
        limit.map_or(Truth::Yes, |limit| {
            Truth::of(share(lower < limit.saturating_mul(baseline)))
        })
    };
    let score = rule.total_min.is_none_or(|min| point.value >= min)
        && rule.total_max.is_none_or(|max| point.value <= max);
    let cgi =
        |series: &Series, min: Option<i64>, max: Option<i64>| {
            if min.is_none() && max.is_none() {
                return Truth::Yes;
            }
            let value = series.on(point.day);
            Truth::of(value.map(|value| {
                min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max)
            }))
        };
    Truth::of(Some(score))
        .and(at_least(rule.percent_min))
        .and(below(rule.percent_below))
        .and(cgi(
            course.improvement,
            rule.cgi_improvement_min,
            rule.cgi_improvement_max,
        ))
        .and(cgi(course.severity, None, rule.cgi_severity_max))
}
