//! Ten thousand random histories, worked out a second time by a plain and slow
//! program in another language (`tests/clients/histories.py`).

use std::collections::BTreeMap;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;
use unloop::clinical::medication::Rules;
use unloop::clinical::sri::segment::{Segment, segment};
use unloop::clinical::sri::trial::{Measure, trials};
use unloop::clinical::trajectory::outcome::{Course, outcomes};
use unloop::clinical::trajectory::run::Truth;
use unloop::clinical::trajectory::series::{Series, UntilTime};
use unloop::clinical::trajectory::session::Sessions;
use unloop::clinical::trajectory::treatment::{CoursePlan, CourseRatings, courses_of, ratings_of};

use crate::support::{Others, rules};

const HISTORIES: usize = 10_000;

#[derive(Deserialize)]
struct History {
    records: Vec<Value>,
    today: i64,
    course: Expected,
    trials: Vec<(String, String, i64, i64)>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Expected {
    certain: bool,
    courses: Vec<ExpectedCourse>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct ExpectedCourse {
    /// The day of the first dose.
    dose: i64,
    baseline: Option<String>,
    assumed: bool,
    old: bool,
    outcomes: Vec<(String, String, bool)>,
}

fn histories() -> Option<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/histories.py");
    let made = Command::new("python3")
        .args([script, &HISTORIES.to_string()])
        .output();
    match made {
        Ok(made) => {
            assert!(
                made.status.success(),
                "{}",
                String::from_utf8_lossy(&made.stderr)
            );
            Some(String::from_utf8(made.stdout).unwrap())
        }
        Err(error) => {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{error}");
            None
        }
    }
}

#[test]
fn another_program_comes_to_the_same() {
    let Some(text) = histories() else {
        return;
    };
    let rules = rules();
    let mut count = 0;
    for line in text.lines() {
        let history: History = serde_json::from_str(line).unwrap();
        assert_eq!(course(&rules, &history), history.course, "{line}");
        assert_eq!(adequacy(&rules, &history), history.trials, "{line}");
        count += 1;
    }
    assert_eq!(count, HISTORIES);
}

fn course(rules: &Rules, history: &History) -> Expected {
    let until = UntilTime {
        day: history.today,
        moment: None,
    };
    let knowledge = &rules.knowledge;
    let series = |score: &str| {
        let mut series = Series::default();
        for record in history.of("Observation") {
            let source = record["id"].as_str().unwrap();
            series.add(knowledge, score, source, record.as_object().unwrap(), until);
        }
        series.sort();
        series
    };
    let totals = series("ybocs-total");
    let (improvement, severity) = (series("cgi-improvement"), series("cgi-severity"));
    let mut sessions = Sessions::default();
    for record in &history.records {
        let record = record.as_object().unwrap();
        sessions.add(rules, &Others::default(), "s", record, until);
    }
    let plans = history.of("CarePlan");
    let plans: Vec<CoursePlan> = plans
        .filter_map(|plan| CoursePlan::from_content(knowledge, plan.as_object().unwrap()))
        .collect();
    let courses = courses_of(knowledge, &sessions.days(), &plans);
    let ratings = ratings_of(&courses, &totals, &improvement, &severity);
    let all = courses.iter().zip(&ratings);
    let horizon = knowledge.baselines[0].fact.horizon_days;
    let certain = sessions.uncounted.is_empty()
        && [&totals, &improvement, &severity]
            .iter()
            .all(|series| series.uncounted.is_empty());
    Expected {
        certain,
        courses: all
            .map(|(course, ratings)| ExpectedCourse {
                dose: course.days[0].day,
                baseline: ratings.baseline.as_ref().map(|one| one.source.clone()),
                assumed: ratings.assumed,
                old: ratings.age > horizon,
                outcomes: outcomes_of(rules, ratings, history.today),
            })
            .collect(),
    }
}

fn outcomes_of(rules: &Rules, ratings: &CourseRatings, today: i64) -> Vec<(String, String, bool)> {
    let Some(baseline) = &ratings.baseline else {
        return Vec::new();
    };
    let course = Course {
        baseline,
        points: &ratings.points,
        improvement: &ratings.improvement,
        severity: &ratings.severity,
        today,
        withdrawn: Truth::No,
        knowledge: &rules.knowledge,
    };
    let all = outcomes(&course).into_iter();
    all.map(|one| {
        (
            one.rule.id.clone(),
            one.verdict.code().to_owned(),
            one.current,
        )
    })
    .collect()
}

fn adequacy(rules: &Rules, history: &History) -> Vec<(String, String, i64, i64)> {
    let knowledge = &rules.knowledge;
    let measure = Measure::of(knowledge).unwrap();
    let mut by_drug: BTreeMap<String, Vec<Segment>> = BTreeMap::new();
    for record in history.of("MedicationStatement") {
        let record = record.as_object().unwrap();
        let resolution = rules.medicine(record, &Others::default());
        assert_eq!(resolution.ingredients.len(), 1);
        let drug = resolution.ingredients[0].drug.clone().unwrap();
        let source = record["id"].as_str().unwrap();
        if let Some(found) = segment(source, &drug, record, true, history.today) {
            by_drug.entry(drug).or_default().push(found);
        }
    }
    let mut all = Vec::new();
    for dose in &knowledge.doses {
        let Some(segments) = by_drug.get(&dose.fact.drug) else {
            continue;
        };
        let drug = knowledge.drug(&dose.fact.drug).unwrap();
        let code = &drug.fact.rxnorm.as_ref().unwrap().code;
        for trial in trials(dose, segments.clone(), &measure) {
            let verdict = trial.adequacy.code().to_owned();
            all.push((code.clone(), verdict, trial.days.0, trial.days_at_dose.0));
        }
    }
    all.sort();
    all
}

impl History {
    fn of(&self, name: &str) -> impl Iterator<Item = &Value> {
        let records = self.records.iter();
        records.filter(move |record| record["resourceType"] == name)
    }
}
