//! A score's Observations in the order of time, and how they changed.

use serde_json::{Map, Value};

use crate::clinical::knowledge::{Entry, Knowledge, Score};
use crate::clinical::measures::judge::effective;
use crate::clinical::measures::scale::{self, Meaning};
use crate::clinical::measures::value;
use crate::fhir::search::date;
use crate::fhir::search::path::text;

/// A time as it was written: its day in its own offset, and its moment where it says one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WrittenTime {
    /// Days since 1970.
    pub day: i64,
    /// Microseconds since 1970; a date has none. It stands before the times of its day.
    pub moment: Option<i64>,
}

impl WrittenTime {
    /// `None` where no certain day is named.
    pub fn from_text(text: &str) -> Option<Self> {
        let (first, last) = date::days_as_written(text)?;
        let moment = text.contains('T').then(|| date::range(text)).flatten();
        (first == last).then_some(Self {
            day: first,
            moment: moment.map(|(low, _)| low),
        })
    }
}

/// Up to when is looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UntilTime {
    pub day: i64,
    /// `None`: to the end of the day.
    pub moment: Option<i64>,
}

impl UntilTime {
    /// `None` where it is no date or dateTime.
    pub fn from_text(text: &str) -> Option<Self> {
        let (_, day) = date::days_as_written(text)?;
        let moment = text.contains('T').then(|| date::range(text)).flatten();
        Some(Self {
            day,
            moment: moment.map(|(_, high)| high),
        })
    }

    pub fn includes(self, time: WrittenTime) -> bool {
        match (self.moment, time.moment) {
            (Some(until), Some(moment)) => moment <= until,
            _ => time.day <= self.day,
        }
    }
}

/// One rating.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// `Observation/1`
    pub source: String,
    /// As it was sent.
    pub text: String,
    pub time: WrittenTime,
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
        until: UntilTime,
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
            Some(point) if until.includes(point.time) => self.points.push(point),
            Some(_) => {}
            // Said to be without a value is not unknown.
            None if of.contains_key("dataAbsentReason") => {}
            None => self.uncounted.push(source.to_owned()),
        }
    }

    /// In the order of time; of equal times the one whose name sorts first.
    pub fn sort(&mut self) {
        self.points
            .sort_by(|a, b| (a.time, &a.source).cmp(&(b.time, &b.source)));
    }

    /// The value that is nearest to a day, the later one of two, and not farther from
    /// it than so many days.
    pub fn near(&self, day: i64, within: i64) -> Option<i64> {
        let away = |point: &&Point| point.time.day.abs_diff(day);
        let near = self.points.iter().rev().min_by_key(away)?;
        (near.time.day.abs_diff(day) <= within.unsigned_abs()).then_some(near.value)
    }
}

fn point(score: &Entry<Score>, source: &str, of: &Map<String, Value>) -> Option<Point> {
    let value = value::of_score(score, of).ok()??;
    let text = effective(of)?;
    let time = WrittenTime::from_text(text)?;
    Some(Point {
        source: source.to_owned(),
        text: text.to_owned(),
        time,
        value,
    })
}

/// How much lower, in tenths of a percent, rounded down; `None` from zero.
pub fn reduction(baseline: i64, value: i64) -> Option<i64> {
    let lower = baseline.checked_sub(value)?.checked_mul(1000)?;
    (baseline > 0).then(|| lower.div_euclid(baseline))
}
