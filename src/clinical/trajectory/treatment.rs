//! The courses of treatment: where each begins, the rating that it is measured
//! from, and the ratings that belong to it.

use serde_json::{Map, Value};

use super::outcome::CoursePoint;
use super::run::Truth;
use super::series::{Point, Series, WrittenTime};
use super::session::{SessionDay, courses};
use crate::clinical::CANONICAL;
use crate::clinical::knowledge::Knowledge;
use crate::fhir::search::date;
use crate::fhir::search::path::{items, text};

/// The CarePlan of a course of the programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoursePlan {
    /// The value of the course's identifier.
    value: String,
    start: Option<i64>,
    end: Option<i64>,
    /// It keeps up what an earlier course reached.
    continues: bool,
    revoked: bool,
}

impl CoursePlan {
    /// `None` where it is entered in error, or the plan of no course.
    pub fn from_content(knowledge: &Knowledge, of: &Map<String, Value>) -> Option<Self> {
        let status = text(of, "status").unwrap_or_default();
        let value = courses(of).into_iter().min()?;
        if status == "entered-in-error" {
            return None;
        }
        let period = of.get("period").and_then(Value::as_object);
        let day = |name| {
            let (first, _) = date::days_as_written(text(period?, name)?)?;
            Some(first)
        };
        let mut protocols = knowledge.protocols.iter().filter(|one| one.fact.continues);
        let continues = protocols.any(|protocol| {
            let url = format!("{CANONICAL}/protocol/{}", protocol.id);
            let named = |uri: &Value| uri.as_str()?.split('|').next().map(|base| base == url);
            let mut uris = items(of, "instantiatesUri").iter();
            uris.any(|uri| named(uri) == Some(true))
        });
        Some(Self {
            value,
            start: day("start"),
            end: day("end"),
            continues,
            revoked: status == "revoked",
        })
    }

    fn covers(&self, day: i64) -> bool {
        self.start.is_some_and(|start| start <= day) && self.end.is_none_or(|end| day <= end)
    }
}

/// The sessions of one course, in order; there is one at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreatmentCourse {
    pub days: Vec<SessionDay>,
    /// The values of the identifiers of its plans.
    plans: Vec<String>,
}

impl TreatmentCourse {
    /// Whether the course was withdrawn, by the plans that can be seen.
    pub fn withdrawn(&self, plans: &[CoursePlan], all_seen: bool) -> Truth {
        let mut revoked = plans.iter().filter(|plan| plan.revoked);
        // A plan that says no start may be that of any course.
        if revoked.any(|plan| plan.start.is_none() || self.plans.contains(&plan.value)) {
            Truth::Yes
        } else if all_seen {
            Truth::No
        } else {
            Truth::Unknown
        }
    }
}

/// The sessions of a patient as courses: one begins with the first session, with the first
/// of another plan that does not continue what was reached, and after a pause that no plan covers.
pub fn courses_of(
    knowledge: &Knowledge,
    days: &[SessionDay],
    plans: &[CoursePlan],
) -> Vec<TreatmentCourse> {
    let pause = knowledge.baselines.first();
    let pause = pause.map_or(i64::MAX, |rule| rule.fact.pause_days);
    let mut found: Vec<TreatmentCourse> = Vec::new();
    // The plan of the course that goes on, and the day of its last session.
    let mut current: Option<String> = None;
    let mut last_day = i64::MIN;
    for day in days {
        let value = plan_value(day, plans);
        let plan = plans
            .iter()
            .find(|plan| Some(&plan.value) == value.as_ref());
        let continues = plan.is_some_and(|plan| plan.continues) && !found.is_empty();
        let another = match (&current, &value) {
            (Some(current), Some(value)) => current != value,
            (None, Some(_)) => plan.is_some_and(|plan| plan.start.is_some()),
            _ => false,
        };
        let paused = day.day.saturating_sub(last_day) > pause
            && !plan.is_some_and(|plan| plan.covers(day.day));
        if found.is_empty() || (!continues && (another || paused)) {
            found.push(TreatmentCourse {
                days: Vec::new(),
                plans: Vec::new(),
            });
            current = value.clone();
        } else if current.is_none() && !continues {
            current = value.clone();
        }
        if let Some(course) = found.last_mut() {
            course.days.push(day.clone());
            course.plans.extend(value);
        }
        last_day = day.day;
    }
    found
}

/// What a record of the day says, else the plan that began last.
fn plan_value(day: &SessionDay, plans: &[CoursePlan]) -> Option<String> {
    let begun = plans.iter().filter_map(|plan| {
        let start = plan.start.filter(|start| *start <= day.day)?;
        Some((start, &plan.value))
    });
    let by_time = || begun.max().map(|(_, value)| value.clone());
    day.course.clone().or_else(by_time)
}

/// On which side of a course's first dose a rating lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoseSide {
    Before,
    /// Of the day of the dose without both times, and the only rating of that day.
    AssumedBefore,
    /// Of the day of the dose without both times, beside other ratings of that day.
    Unclear,
    After,
}

fn side_of(time: WrittenTime, among: &[Point], dose: &SessionDay) -> DoseSide {
    if let (Some(rating), Some(given)) = (time.moment, dose.moment) {
        return if rating < given {
            DoseSide::Before
        } else {
            DoseSide::After
        };
    }
    if time.day != dose.day {
        return if time.day < dose.day {
            DoseSide::Before
        } else {
            DoseSide::After
        };
    }
    let of_day = among.iter().filter(|point| point.time.day == time.day);
    if of_day.count() == 1 {
        DoseSide::AssumedBefore
    } else {
        DoseSide::Unclear
    }
}

/// The ratings of one course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CourseRatings {
    /// The rating that change is measured from.
    pub baseline: Option<Point>,
    /// The baseline is taken to lie before the dose of its day.
    pub assumed: bool,
    /// Days between the baseline and the first dose.
    pub age: i64,
    /// Behind the first dose, up to that of the next course.
    pub points: Vec<CoursePoint>,
    pub improvement: Series,
    pub severity: Series,
}

/// What belongs to each of the courses.
pub fn ratings_of(
    courses: &[TreatmentCourse],
    totals: &Series,
    improvement: &Series,
    severity: &Series,
) -> Vec<CourseRatings> {
    let doses: Vec<&SessionDay> = courses.iter().filter_map(|one| one.days.first()).collect();
    let course = |(place, dose): (usize, &&SessionDay)| {
        let next = doses.get(place + 1).copied();
        let before = |side| matches!(side, DoseSide::Before | DoseSide::AssumedBefore);
        let here = |point: &Point| side_of(point.time, &totals.points, dose);
        let baseline = totals
            .points
            .iter()
            .rfind(|point| before(here(point)))
            .cloned();
        CourseRatings {
            assumed: baseline
                .as_ref()
                .is_some_and(|point| here(point) == DoseSide::AssumedBefore),
            age: baseline
                .as_ref()
                .map_or(0, |point| dose.day - point.time.day),
            baseline,
            points: points_between(&totals.points, dose, next),
            improvement: within(improvement, dose, next),
            severity: within(severity, dose, next),
        }
    };
    doses.iter().enumerate().map(course).collect()
}

fn points_between(all: &[Point], dose: &SessionDay, next: Option<&SessionDay>) -> Vec<CoursePoint> {
    let belongs = |point: &Point| {
        let here = side_of(point.time, all, dose);
        let there = next.map_or(DoseSide::Before, |next| side_of(point.time, all, next));
        let behind = matches!(here, DoseSide::After | DoseSide::Unclear);
        (behind && there != DoseSide::After).then(|| CoursePoint {
            point: point.clone(),
            clear: here == DoseSide::After && there != DoseSide::Unclear,
        })
    };
    all.iter().filter_map(belongs).collect()
}

/// The impressions that certainly lie between the first doses of two courses.
fn within(series: &Series, dose: &SessionDay, next: Option<&SessionDay>) -> Series {
    let all = &series.points;
    let belongs = |point: &&Point| {
        let there = next.map_or(DoseSide::Before, |next| side_of(point.time, all, next));
        side_of(point.time, all, dose) == DoseSide::After
            && matches!(there, DoseSide::Before | DoseSide::AssumedBefore)
    };
    Series {
        points: all.iter().filter(belongs).cloned().collect(),
        uncounted: Vec::new(),
    }
}
