//! `Patient/{id}/$ybocs-trajectory`: the course of a patient's scores along the
//! treatment, and what it amounts to.

use std::sync::Arc;

use super::series::{Series, UntilTime};
use super::session::{self, Sessions};
use super::told::Told;
use super::treatment::CoursePlan;
use crate::clinical::course;
use crate::clinical::knowledge::{Entry, Score};
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::measures::scale;
use crate::clinical::medication::Rules;
use crate::clinical::medication::gather::gather;
use crate::fhir::answer::Answer;
use crate::fhir::engine::now;
use crate::fhir::operation::{Call, Definition, Level, Operation, Parameter, output};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::search::zone;

pub static YBOCS_TRAJECTORY: Definition = Definition {
    name: "ybocs-trajectory",
    url: "https://unloop.dev/fhir/OperationDefinition/ybocs-trajectory",
    title: "The course of the scores",
    text: "The patient's Y-BOCS totals in the order of time with their change from the baseline, the ketamine sessions along them, and whether response, partial response, remission or relapse is met by the definitions of the knowledge base; undetermined where ratings, clinician's impressions or the caller's access do not tell. Other measures have series, change and band. It advises; it does not decide.",
    types: &["Patient"],
    levels: &[Level::Instance],
    affects_state: false,
    parameters: &[
        Parameter {
            name: "at",
            kind: "dateTime",
            required: false,
            codes: &[],
            text: "The day up to which is looked; today unless said otherwise.",
        },
        Parameter {
            name: "measure",
            kind: "code",
            required: false,
            codes: &[],
            text: "The id of a score in the knowledge base, such as phq9-total; ybocs-total unless said otherwise.",
        },
    ],
};

/// The score that the outcomes are about.
pub const TOTAL: &str = "ybocs-total";

pub struct YbocsTrajectory(pub Arc<Rules>);

/// All that was read.
#[derive(Default)]
pub struct TrajectoryRecords {
    pub series: Series,
    pub improvement: Series,
    pub severity: Series,
    pub sessions: Sessions,
    pub plans: Vec<CoursePlan>,
    /// All plans of courses can be seen.
    pub all_plans: bool,
    /// The caller's rights do not reach all that it rests on.
    pub hidden: bool,
    /// A Medication that is named is not there, as far as the caller may see.
    pub missing: bool,
}

impl TrajectoryRecords {
    /// The records that are about a rating or a session, and do not say which.
    pub fn uncounted(&self) -> impl Iterator<Item = &String> {
        let all = [&self.series, &self.improvement, &self.severity];
        let series = all.into_iter().flat_map(|series| &series.uncounted);
        series.chain(&self.sessions.uncounted)
    }
}

#[async_trait::async_trait]
impl Operation for YbocsTrajectory {
    fn definition(&self) -> &'static Definition {
        &YBOCS_TRAJECTORY
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let patient = call.instance()?;
        let score = self.score(call.arguments.text("measure").unwrap_or(TOTAL))?;
        let until = match call.arguments.text("at") {
            // The parameter is a dateTime.
            Some(text) => UntilTime::from_text(text).ok_or_else(|| {
                Failure::new(
                    Kind::Value,
                    "at is a date or a dateTime, such as 2026-11-30.",
                )
            })?,
            None => UntilTime {
                day: zone::day_of(now()),
                moment: Some(now()),
            },
        };
        let patient = PatientRecords::load(call.records(), patient).await?;
        let read = self.read(&call, &patient, &score.id, until).await?;
        let told = Told {
            knowledge: &self.0.knowledge,
            score,
            read: &read,
            until,
        };
        Ok(output::answer(told.parts()))
    }
}

impl YbocsTrajectory {
    fn score(&self, id: &str) -> Result<&Entry<Score>, Failure> {
        let knowledge = &self.0.knowledge;
        scale::score(knowledge, id).ok_or_else(|| {
            let known: Vec<&str> = knowledge
                .scores
                .iter()
                .map(|score| score.id.as_str())
                .collect();
            let text = format!("measure is one of {}.", known.join(", "));
            Failure::new(Kind::Value, text)
        })
    }

    async fn read(
        &self,
        call: &Call<'_>,
        patient: &PatientRecords<'_>,
        score: &str,
        until: UntilTime,
    ) -> Result<TrajectoryRecords, Failure> {
        let knowledge = &self.0.knowledge;
        let mut read = TrajectoryRecords::default();
        let codes: Vec<String> = [score, "cgi-improvement", "cgi-severity"]
            .iter()
            .filter_map(|id| scale::score(knowledge, id))
            .map(|score| format!("{}|{}", score.fact.system, score.fact.code))
            .collect();
        let codes = codes.join(",");
        let criteria = [("code", codes.as_str())];
        let seen = patient.search("Observation", &criteria).await?;
        read.hidden |= seen.hidden;
        for version in &seen.resources {
            let (source, content) = (version.key.to_string(), &version.resource.content);
            for (id, series) in [
                (score, &mut read.series),
                ("cgi-improvement", &mut read.improvement),
                ("cgi-severity", &mut read.severity),
            ] {
                series.add(knowledge, id, &source, content, until);
            }
        }
        for series in [&mut read.series, &mut read.improvement, &mut read.severity] {
            series.sort();
        }
        for name in session::TYPES {
            let seen = patient.search(name, &[]).await?;
            read.hidden |= seen.hidden;
            let contents = seen.resources.iter().map(|one| &one.resource.content);
            let shelf = gather(call.engine, patient.records(), &[], contents).await?;
            read.missing |= !shelf.missing.is_empty();
            for version in &seen.resources {
                let source = version.key.to_string();
                let content = &version.resource.content;
                read.sessions.add(&self.0, &shelf, &source, content, until);
            }
        }
        let courses = format!("{}|", course::system());
        let criteria = [("identifier", courses.as_str())];
        let seen = patient.search("CarePlan", &criteria).await?;
        let contents = seen.resources.iter().map(|one| &one.resource.content);
        read.plans = contents
            .filter_map(|content| CoursePlan::from_content(knowledge, content))
            .collect();
        read.all_plans = !seen.hidden;
        Ok(read)
    }
}
