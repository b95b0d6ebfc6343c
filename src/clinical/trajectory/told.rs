//! The answer of `$ybocs-trajectory`: every rating, every session, and for each course
//! its baseline and outcomes. What is told at the top is of the latest course.

use serde_json::Value;

use super::operation::{TOTAL, TrajectoryRecords};
use super::outcome::{Course, CoursePoint, Judged, Verdict, outcomes};
use super::series::{Point, UntilTime, reduction};
use super::treatment::{CourseRatings, TreatmentCourse, courses_of, ratings_of};
use crate::clinical::CANONICAL;
use crate::clinical::knowledge::{Baseline, Entry, Knowledge, Score};
use crate::clinical::measures::scale;
use crate::fhir::operation::{LIMITED_VIEW, Part};
use crate::fhir::resource::instant;

const DAY: i64 = 86_400_000_000;
const UNDETERMINED: &str = "undetermined";

pub struct Told<'t> {
    pub knowledge: &'t Knowledge,
    pub score: &'t Entry<Score>,
    pub read: &'t TrajectoryRecords,
    pub until: UntilTime,
}

/// One course with what it amounts to.
struct JudgedCourse<'t> {
    course: &'t TreatmentCourse,
    ratings: &'t CourseRatings,
    judged: Vec<Judged<'t>>,
}

impl<'t> Told<'t> {
    pub fn parts(&self) -> Vec<Part> {
        let read = self.read;
        let days = read.sessions.days();
        let courses = courses_of(self.knowledge, &days, &read.plans);
        let ratings = ratings_of(&courses, &read.series, &read.improvement, &read.severity);
        let judged: Vec<JudgedCourse<'_>> = courses
            .iter()
            .zip(&ratings)
            .map(|(course, ratings)| JudgedCourse {
                judged: self.judge(course, ratings),
                course,
                ratings,
            })
            .collect();
        let latest = judged.last();
        let mut parts = self.head(latest);
        parts.extend(self.notices());
        parts.extend(self.baseline(latest));
        parts.extend(self.points(&ratings));
        parts.extend(days.iter().map(|day| {
            let mut session = vec![Part::value("date", "Date", date_of(day.day))];
            let sources = day.sources.iter();
            session.extend(sources.map(|source| Part::reference("source", source)));
            Part::parts("session", session)
        }));
        parts.extend(latest.into_iter().flat_map(|one| self.outcomes(one)));
        if self.score.id == TOTAL {
            let numbered = judged.iter().zip(1..);
            parts.extend(numbered.map(|(one, number)| self.course(one, number)));
        }
        parts
    }

    fn complete(&self) -> bool {
        !self.read.hidden && !self.read.missing && self.read.uncounted().next().is_none()
    }

    fn head(&self, latest: Option<&JudgedCourse<'_>>) -> Vec<Part> {
        let mut parts = Vec::new();
        if self.score.id == TOTAL {
            parts.push(Part::code("overall", self.overall(latest)));
        }
        let at = self
            .until
            .moment
            .map_or_else(|| date_of(self.until.day), instant);
        parts.extend([
            Part::code("measure", &self.score.fact.code),
            Part::flag("complete", self.complete()),
            Part::value("at", "DateTime", at),
            Part::text("ruleSetVersion", &self.knowledge.version),
            Part::text("notice", "Advice for a clinician's review, not a decision."),
        ]);
        parts
    }

    /// How it stands by the last rating of a course: what is worst comes first.
    fn overall<'j>(&self, course: Option<&'j JudgedCourse<'_>>) -> &'j str {
        if !self.complete() {
            return UNDETERMINED;
        }
        let Some(course) = course else {
            let rated = !self.read.series.points.is_empty();
            return if rated { "baseline-only" } else { UNDETERMINED };
        };
        let all = || course.judged.iter().filter(|one| !one.rule.fact.score_only);
        let order = ["relapse", "remission", "response", "partial-response"];
        let mut current = order.iter().filter_map(|id| {
            let found = all().find(|one| one.rule.id == **id);
            found.filter(|one| one.current)
        });
        if let Some(one) = current.next() {
            return &one.rule.id;
        }
        let open = all().any(|one| one.verdict == Verdict::Undetermined);
        if open || course.judged.is_empty() {
            UNDETERMINED
        } else {
            "no-response"
        }
    }

    fn judge(&self, course: &TreatmentCourse, ratings: &'t CourseRatings) -> Vec<Judged<'t>> {
        match &ratings.baseline {
            Some(baseline) if self.score.id == TOTAL => outcomes(&Course {
                baseline,
                points: &ratings.points,
                improvement: &ratings.improvement,
                severity: &ratings.severity,
                today: self.until.day,
                withdrawn: course.withdrawn(&self.read.plans, self.read.all_plans),
                knowledge: self.knowledge,
            }),
            _ => Vec::new(),
        }
    }

    fn notices(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        if self.read.hidden {
            parts.push(Part::text("notice", LIMITED_VIEW));
        }
        if self.read.missing {
            let text = "Not checked: a Medication that is named cannot be read.";
            parts.push(Part::text("notice", text));
        }
        let mut uncounted = self.read.uncounted().peekable();
        if uncounted.peek().is_some() {
            let text = "Ratings and sessions of unknown value, of unknown status or of no certain day are not counted.";
            parts.push(Part::text("notice", text));
            parts.extend(uncounted.map(|source| Part::reference("notCounted", source)));
        }
        parts
    }

    /// The rating that change is told from where no dose is recorded, and so no course has
    /// a baseline of its own.
    fn untreated(&self) -> Option<&'t Point> {
        self.read.series.points.first()
    }

    fn baseline(&self, latest: Option<&JudgedCourse<'_>>) -> Vec<Part> {
        let Some(latest) = latest else {
            let Some(point) = self.untreated() else {
                return self.without_baseline("There is no rating to begin with.");
            };
            let mut parts = vec![Part::parts("baseline", {
                let mut shown = self.point(point, None);
                shown.extend(self.baseline_rule());
                shown
            })];
            if self.score.id == TOTAL {
                let text = "No dose of ketamine is recorded: baseline only. Change is told from the first rating, and there is no outcome before treatment.";
                parts.insert(0, Part::text("notice", text));
            }
            return parts;
        };
        match self.course_baseline(latest.ratings) {
            Some(part) => vec![part],
            None => {
                self.without_baseline("There is no rating before the first dose of the course.")
            }
        }
    }

    fn without_baseline(&self, text: &str) -> Vec<Part> {
        let mut parts = vec![Part::text("notice", text)];
        parts.extend(self.baseline_rule());
        parts
    }

    fn course_baseline(&self, ratings: &CourseRatings) -> Option<Part> {
        let mut shown = self.point(ratings.baseline.as_ref()?, None);
        shown.push(Part::value("daysBeforeDose", "Integer", ratings.age));
        if ratings.assumed {
            let text = "It is of the day of the first dose, and not both say a time. As the only rating of that day it is taken to be before the dose.";
            shown.push(Part::text("notice", text));
        }
        let horizon = self.rule().map(|rule| rule.fact.horizon_days);
        if let Some(horizon) = horizon.filter(|horizon| ratings.age > *horizon) {
            let text = format!("It is more than {horizon} days older than the first dose.");
            shown.push(Part::text("notice", &text));
        }
        shown.extend(self.baseline_rule());
        Some(Part::parts("baseline", shown))
    }

    fn rule(&self) -> Option<&'t Entry<Baseline>> {
        self.knowledge.baselines.first()
    }

    /// By which rule the baseline is chosen.
    fn baseline_rule(&self) -> Vec<Part> {
        let Some(rule) = self.rule() else {
            return Vec::new();
        };
        let mut parts = vec![
            Part::text("definition", &rule.fact.text),
            Part::code("tier", rule.tier().code()),
        ];
        parts.extend(rule.tier().mark().map(|mark| Part::text("mark", mark)));
        parts
    }

    /// Every rating, with its change from the baseline of its course.
    fn points(&self, courses: &[CourseRatings]) -> Vec<Part> {
        let of_course = |point: &Point| {
            let mut courses = courses.iter().rev();
            courses.find_map(|course| {
                let mut points = course.points.iter();
                let clear = points.any(|one| one.clear && one.point == *point);
                course.baseline.as_ref().filter(|_| clear)
            })
        };
        let untreated = self.untreated().filter(|_| courses.is_empty());
        let all = self.read.series.points.iter();
        all.map(|point| {
            let behind = untreated.filter(|first| *first != point);
            Part::parts("point", self.point(point, of_course(point).or(behind)))
        })
        .collect()
    }

    fn point(&self, point: &Point, from: Option<&Point>) -> Vec<Part> {
        let mut parts = vec![
            Part::reference("source", &point.source),
            Part::value("time", "DateTime", point.text.as_str()),
            Part::value("value", "Integer", point.value),
        ];
        let band = scale::band(self.knowledge, &self.score.id, point.value);
        parts.extend(band.map(|band| Part::code("band", &band.id)));
        if let Some(from) = from {
            parts.push(Part::value("change", "Integer", point.value - from.value));
            let tenths = reduction(from.value, point.value);
            parts.extend(
                tenths.map(|tenths| Part::value("reductionPercent", "Decimal", decimal(tenths))),
            );
        }
        parts
    }

    /// A course by its number: the first day, the baseline and what it amounts to.
    fn course(&self, course: &JudgedCourse<'_>, number: i64) -> Part {
        let day = |place: Option<&super::session::SessionDay>| place.map(|one| date_of(one.day));
        let days = &course.course.days;
        let mut parts = vec![
            Part::value("number", "Integer", number),
            Part::code("overall", self.overall(Some(course))),
        ];
        parts.extend(day(days.first()).map(|day| Part::value("firstSession", "Date", day)));
        parts.extend(day(days.last()).map(|day| Part::value("lastSession", "Date", day)));
        parts.extend(self.course_baseline(course.ratings));
        parts.extend(self.outcomes(course));
        Part::parts("course", parts)
    }

    /// Those of the consensus, and beside them those by the score alone.
    fn outcomes(&self, course: &JudgedCourse<'_>) -> Vec<Part> {
        let points = &course.ratings.points;
        let all = course.judged.iter();
        all.map(|one| self.outcome(one, points)).collect()
    }

    fn outcome(&self, judged: &Judged<'_>, points: &[CoursePoint]) -> Part {
        let rule = judged.rule;
        let (verdict, reason) = if self.complete() {
            (judged.verdict, judged.reason)
        } else {
            (
                Verdict::Undetermined,
                "Not all ratings and sessions are known.",
            )
        };
        let (name, basis) = if rule.fact.score_only {
            ("scoreOutcome", "score-only")
        } else {
            ("outcome", "consensus")
        };
        let mut parts = vec![
            Part::code("outcome", &rule.id),
            Part::code("basis", basis),
            Part::code("verdict", verdict.code()),
            Part::flag("current", judged.current && verdict == Verdict::Met),
            Part::text("reason", reason),
            Part::text("definition", &rule.fact.text),
        ];
        if verdict == Verdict::Met
            && let Some(row) = judged.row
        {
            for (name, place) in [("from", row.first), ("to", row.last)] {
                let text = points.get(place).map(|one| one.point.text.as_str());
                parts.extend(text.map(|text| Part::value(name, "DateTime", text)));
            }
        }
        let uri = format!(
            "{CANONICAL}/Library/medication-compatibility|{}#{}",
            self.knowledge.version, rule.id
        );
        parts.push(Part::value("rule", "Uri", uri));
        let sources = rule.provenance.sources.iter();
        let cited = sources.filter_map(|id| self.knowledge.citation(id));
        parts.extend(cited.map(|citation| Part::text("evidence", citation)));
        parts.push(Part::code("tier", rule.tier().code()));
        parts.extend(rule.tier().mark().map(|mark| Part::text("mark", mark)));
        Part::parts(name, parts)
    }
}

fn date_of(day: i64) -> String {
    instant(day.saturating_mul(DAY)).chars().take(10).collect()
}

/// Tenths as a decimal.
fn decimal(tenths: i64) -> Value {
    let sign = if tenths < 0 { "-" } else { "" };
    let tenths = tenths.unsigned_abs();
    let text = format!("{sign}{}.{}", tenths / 10, tenths % 10);
    serde_json::from_str(&text).unwrap_or_default()
}
