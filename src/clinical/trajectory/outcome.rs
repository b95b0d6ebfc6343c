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

/// A rating of a course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoursePoint {
    pub point: Point,
    /// It certainly lies behind the first dose of this course, and before that of the next.
    pub clear: bool,
}

/// The ratings that are judged.
#[derive(Clone, Copy, Debug)]
pub struct Course<'s> {
    pub baseline: &'s Point,
    /// Behind the first dose, in the order of time.
    pub points: &'s [CoursePoint],
    pub improvement: &'s Series,
    pub severity: &'s Series,
    /// The day of the question.
    pub today: i64,
    /// Whether a course was withdrawn before its end.
    pub withdrawn: Truth,
    pub knowledge: &'s Knowledge,
}

impl Course<'_> {
    /// How many days the rule asks for; `None` where nobody says.
    fn days(&self, rule: &Outcome) -> Option<i64> {
        let mut durations = self.knowledge.durations.iter();
        let duration = durations.find(|duration| duration.id == rule.lasts)?;
        Some(duration.fact.days)
    }
}

/// All rules of the knowledge base, in its order.
pub fn outcomes<'k>(course: &Course<'k>) -> Vec<Judged<'k>> {
    let mut judged: Vec<Judged<'k>> = Vec::new();
    for rule in &course.knowledge.outcomes {
        let one = match &rule.fact.after {
            // Nothing is judged over ratings that there are not.
            _ if course.points.is_empty() => Judged {
                rule,
                verdict: Verdict::Undetermined,
                row: None,
                current: false,
                reason: "There is no rating after the first dose.",
            },
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
    let days: Vec<i64> = points.iter().map(|one| one.point.time.day).collect();
    let before = from
        .checked_sub(1)
        .and_then(|place| course.points.get(place));
    let before = before.map_or(course.baseline, |one| &one.point).time.day;
    let needed = course.days(&rule.fact).unwrap_or(i64::MAX);
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
        "The clinician's impression (CGI) that belongs to a rating is not recorded."
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
        let from = attained(earlier.rule, course) + 1;
        return cut_short(judge(rule, course, from), course, from);
    }
    let mut points = course.points.iter();
    let possible = points.position(|point| truth(&earlier.rule.fact, course, point) != Truth::No);
    let from = possible.map_or(0, |place| place + 1);
    let mut judged = cut_short(judge(rule, course, from), course, from);
    if judged.verdict == Verdict::Met {
        judged.verdict = Verdict::Undetermined;
        judged.current = false;
        judged.reason = "Whether there was a response before it is undetermined.";
    }
    judged
}

/// A withdrawal may stand for the time that a rule asks for. Why somebody withdrew
/// no record says, so that it leaves open what else would not be met.
fn cut_short<'k>(mut judged: Judged<'k>, course: &Course<'_>, from: usize) -> Judged<'k> {
    let rule = &judged.rule.fact;
    let mut points = course.points.iter().skip(from);
    if judged.verdict != Verdict::NotMet
        || !rule.withdrawal
        || course.withdrawn == Truth::No
        || !points.any(|point| truth(rule, course, point) != Truth::No)
    {
        return judged;
    }
    judged.verdict = Verdict::Undetermined;
    judged.reason = match course.withdrawn {
        Truth::Yes => {
            "The ratings were worse and the course was withdrawn: whether because of that a clinician decides."
        }
        _ => "The ratings were worse, and whether the course was withdrawn is not known.",
    };
    judged
}

/// The rating by which the rule was met for the first time.
fn attained(rule: &Entry<Outcome>, course: &Course<'_>) -> usize {
    let needed = course.days(&rule.fact).unwrap_or(i64::MAX);
    let mut start: Option<i64> = None;
    for (place, point) in course.points.iter().enumerate() {
        if truth(&rule.fact, course, point) != Truth::Yes {
            start = None;
            continue;
        }
        let day = point.point.time.day;
        let first = *start.get_or_insert(day);
        if day - first >= needed {
            return place;
        }
    }
    course.points.len()
}

/// Whether a rating, with the impressions that belong to it, is what the rule asks for.
fn truth(rule: &Outcome, course: &Course<'_>, rated: &CoursePoint) -> Truth {
    if !rated.clear {
        return Truth::Unknown;
    }
    let point = &rated.point;
    let score = rule.total_min.is_none_or(|min| point.value >= min)
        && rule.total_max.is_none_or(|max| point.value <= max);
    let pairing = course.knowledge.pairings.first();
    let within = pairing.map_or(0, |pairing| pairing.fact.within_days);
    let cgi =
        |series: &Series, min: Option<i64>, max: Option<i64>| {
            if min.is_none() && max.is_none() {
                return Truth::Yes;
            }
            let value = series.near(point.time.day, within);
            Truth::of(value.map(|value| {
                min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max)
            }))
        };
    let mut outcomes = course.knowledge.outcomes.iter();
    let taken = rule.unless.as_ref().map_or(Truth::No, |id| {
        let earlier = outcomes.find(|earlier| earlier.id == *id);
        earlier.map_or(Truth::Unknown, |earlier| {
            truth(&earlier.fact, course, rated)
        })
    });
    Truth::of(Some(score))
        .and(is_lower_by(
            rule.percent_min,
            course.baseline.value,
            point.value,
        ))
        .and(cgi(
            course.improvement,
            rule.cgi_improvement_min,
            rule.cgi_improvement_max,
        ))
        .and(cgi(course.severity, None, rule.cgi_severity_max))
        .and(taken.negated())
}

/// Whether a score is lower than the baseline by so many percent of it; a share of nothing
/// is not known.
fn is_lower_by(percent: Option<i64>, baseline: i64, value: i64) -> Truth {
    percent.map_or(Truth::Yes, |percent| {
        let lower = baseline.saturating_sub(value).saturating_mul(100);
        Truth::of((baseline > 0).then_some(lower >= percent.saturating_mul(baseline)))
    })
}
