//! What was measured and noticed during a session.

use crate::clinical::knowledge::{Entry, Knowledge, Place, Score};
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::measures::value::of_score;
use crate::clinical::observation::{effective, is_usable};
use crate::clinical::readiness::safety::time_of_event;
use crate::clinical::vitals::limits::{LimitCrossed, MeasuredWhen, crossed_limits};
use crate::clinical::vitals::measured::{VitalReading, codes_of_reading, read_vital_signs};
use crate::fhir::operation::Seen;
use crate::fhir::operation::records::Version;
use crate::fhir::outcome::Failure;
use crate::fhir::record::ResourceKey;
use crate::fhir::resource::instant;
use crate::fhir::search::path::text;

const MINUTE: i64 = 60_000_000;

/// The readings of one sign.
pub struct SignReadings {
    /// With their time, in its order; those that say why nothing was measured too.
    pub of_sign: Vec<(i64, VitalReading)>,
    /// Not final, or implausible and confirmed by nobody, or without a time.
    pub open: Vec<ResourceKey>,
    pub hidden: bool,
}

/// A value of a score, before the dose or after it.
pub struct RatedScore {
    pub at: i64,
    /// `None` where it cannot be read.
    pub points: Option<i64>,
    pub key: ResourceKey,
}

/// Between two times.
pub struct Window<'w> {
    pub patient: &'w PatientRecords<'w>,
    pub from: i64,
    pub to: i64,
}

impl Window<'_> {
    pub async fn load_readings(
        &self,
        knowledge: &Knowledge,
        sign: &str,
    ) -> Result<SignReadings, Failure> {
        let codes = codes_of_reading(knowledge, sign);
        let seen = self.search_observations("combo-code", &codes).await?;
        let (mut of_sign, mut open) = (Vec::new(), Vec::new());
        for reading in read_vital_signs(knowledge, sign, &seen.resources) {
            match reading.time {
                Some((low, _)) if low > self.to => {}
                Some((low, _)) if reading.usable => of_sign.push((low, reading)),
                _ => open.extend(reading.sources),
            }
        }
        of_sign.sort_by_key(|(at, _)| *at);
        Ok(SignReadings {
            of_sign,
            open,
            hidden: seen.hidden,
        })
    }

    /// All ratings of a score in the window, in the order of time, and whether more are
    /// hidden.
    pub async fn load_scores(
        &self,
        score: &Entry<Score>,
    ) -> Result<(Vec<RatedScore>, bool), Failure> {
        let code = format!("{}|{}", score.fact.system, score.fact.code);
        let seen = self.search_observations("code", &code).await?;
        let standing = seen.resources.iter().filter(|one| {
            let status = text(&one.resource.content, "status");
            !matches!(status, Some("entered-in-error" | "cancelled"))
        });
        let mut ratings: Vec<RatedScore> = standing
            .filter_map(|one| {
                let content = &one.resource.content;
                let points = of_score(score, content).ok().flatten();
                Some(RatedScore {
                    at: effective(content)?.0,
                    points: points.filter(|_| is_usable(content)),
                    key: one.key.clone(),
                })
            })
            .filter(|one| one.at <= self.to)
            .collect();
        ratings.sort_by_key(|one| one.at);
        Ok((ratings, seen.hidden))
    }

    async fn search_observations(&self, name: &str, codes: &str) -> Result<Seen, Failure> {
        let from = format!("ge{}", instant(self.from));
        let to = format!("le{}", instant(self.to));
        let criteria = [(name, codes), ("date", &*from), ("date", &*to)];
        self.patient.search("Observation", &criteria).await
    }

    /// What happened within the window, or nobody says when; and whether more is hidden.
    pub async fn load_adverse_events(&self) -> Result<(Vec<Version>, bool), Failure> {
        let seen = self.patient.search("AdverseEvent", &[]).await?;
        let matters = |one: &Version| {
            let content = &one.resource.content;
            let within = time_of_event(content)
                .is_none_or(|(low, high)| low <= self.to && self.from <= high);
            within && text(content, "actuality") != Some("potential")
        };
        Ok((
            seen.resources.into_iter().filter(matters).collect(),
            seen.hidden,
        ))
    }
}

/// What a reading is beyond, by the limits before the dose or after it.
pub fn beyond_limits(
    knowledge: &Knowledge,
    (at, reading): (i64, &VitalReading),
    place: &Entry<Place>,
    dose: Option<i64>,
) -> Vec<LimitCrossed> {
    crossed_limits(knowledge, &reading.values, place, measured_when(at, dose)).unwrap_or_default()
}

/// What is wrong with a reading; nothing where it is whole and within the limits.
pub fn fault_of_reading(
    knowledge: &Knowledge,
    (at, reading): (i64, &VitalReading),
    place: &Entry<Place>,
    dose: Option<i64>,
) -> Option<String> {
    let crossed = crossed_limits(knowledge, &reading.values, place, measured_when(at, dose));
    match crossed {
        Ok(crossed) if !crossed.is_empty() => crossed.into_iter().next().map(|one| one.text),
        _ if !reading.lacks.is_empty() => {
            let lacks = reading.lacks.join(", ");
            Some(format!(
                "The reading lacks a value ({lacks}). Measure again."
            ))
        }
        Ok(_) => None,
        Err(text) => Some(text),
    }
}

fn measured_when(at: i64, dose: Option<i64>) -> MeasuredWhen {
    match dose {
        Some(dose) if at > dose => MeasuredWhen::AfterDose((at - dose) / MINUTE),
        _ => MeasuredWhen::BeforeDose,
    }
}
