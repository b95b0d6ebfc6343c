//! A score's Observations in the order of time, and how they changed.

use serde_json::{Map, Value};

use crate::clinical::knowledge::{Entry, Knowledge, Score, Which};
use crate::clinical::measures::judge::effective;
use crate::clinical::measures::scale::{self, Meaning};
use crate::clinical::measures::value;
use crate::fhir::search::date;
use crate::fhir::search::path::text;

const DAY: i64 = 86_400_000_000;

/// One rating.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// `Observation/1`
    pub source: String,
    /// As it was sent.
    pub time: String,
    pub moment: i64,
    /// Days since 1970.
    pub day: i64,
    pub value: i64,
}

/// The ratings of one score, and the Observations that cannot be counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Series {
    pub points: Vec<Point>,
    /// Of unknown value, or of no certain day.
    pub uncounted: Vec<String>,
}

impl Series {
    /// Takes an Observation in, where it is one of the score and counts.
    pub fn add(
        &mut self,
        knowledge: &Knowledge,
        score: &str,
        source: &str,
        of: &Map<String, Value>,
        at: i64,
    ) {
        let Meaning::Score(meant) = scale::meaning(knowledge, of) else {
            return;
        };
        let counts = matches!(text(of, "status"), Some("final" | "amended" | "corrected"));
        if meant.id != score || !counts {
            return;
        }
        let modified = of.contains_key("modifierExtension");
        match point(meant, source, of) {
            _ if modified => self.uncounted.push(source.to_owned()),
            Some(point) if point.moment <= at => self.points.push(point),
            Some(_) => {}
            // Said to be without a value is not unknown.
            None if of.contains_key("dataAbsentReason") => {}
            None => self.uncounted.push(source.to_owned()),
        }
    }

    /// In the order of time; of equal times the one whose name sorts first.
    pub fn sort(&mut self) {
        self.points
            .sort_by(|a, b| (a.moment, &a.source).cmp(&(b.moment, &b.source)));
    }

    /// The value that is nearest to a day, the later one of two, and not farther from
    /// it than so many days.
    pub fn near(&self, day: i64, within: i64) -> Option<i64> {
        let away = |point: &&Point| point.day.abs_diff(day);
        let near = self.points.iter().rev().min_by_key(away)?;
        (near.day.abs_diff(day) <= within.unsigned_abs()).then_some(near.value)
    }
}

fn point(score: &Entry<Score>, source: &str, of: &Map<String, Value>) -> Option<Point> {
    let value = value::of_score(score, of).ok()??;
    let time = effective(of)?;
    let (low, high) = date::range(time)?;
    (high - low < DAY).then(|| Point {
        source: source.to_owned(),
        time: time.to_owned(),
        moment: low,
        day: low.div_euclid(DAY),
        value,
    })
}

/// The place of the rating that change is measured from.
pub fn baseline(
    knowledge: &Knowledge,
    points: &[Point],
    first_session: Option<i64>,
) -> Option<usize> {
    let rule = &knowledge.baselines.first()?.fact;
    let (which, before) = match first_session {
        None => (rule.without_session, points.len()),
        Some(day) => {
            let day = day + i64::from(rule.on_the_day);
            let before = points.iter().take_while(|point| point.day < day);
            (rule.with_session, before.count())
        }
    };
    match which {
        Which::First => (before > 0).then_some(0),
        Which::Last => before.checked_sub(1),
    }
}

/// How much lower, in tenths of a percent, rounded down; `None` from zero.
pub fn reduction(baseline: i64, value: i64) -> Option<i64> {
    let lower = baseline.checked_sub(value)?.checked_mul(1000)?;
    (baseline > 0).then(|| lower.div_euclid(baseline))
}
