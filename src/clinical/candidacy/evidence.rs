//! What a judgement rests on, read as the caller may.

use serde_json::{Map, Value};

use super::answers::Answers;
use crate::clinical::knowledge::Knowledge;
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::medication::Setting;
use crate::clinical::medication::gather::{Shelf, gather};
use crate::clinical::observation::{effective, is_usable};
use crate::clinical::screens::codes_of_suicide_screens;
use crate::clinical::vitals::measured::{BLOOD_PRESSURE, codes_of_reading};
use crate::fhir::engine::Engine;
use crate::fhir::operation::Seen;
use crate::fhir::operation::records::Version;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::resource::instant;

pub const DAY: i64 = 86_400_000_000;

pub struct Evidence {
    pub patient: Version,
    pub setting: Option<Setting>,
    /// The day asked about, from its first to its last moment.
    pub at: (i64, i64),
    pub conditions: Seen,
    pub allergies: Seen,
    pub procedures: Seen,
    pub medicines: Seen,
    pub shelf: Shelf,
    pub pressures: Seen,
    pub scores: Seen,
    pub screens: Seen,
    /// Tests and the status of pregnancy.
    pub pregnancy: Seen,
    pub responses: Seen,
    pub answers: Answers,
    pub appointments: Seen,
    pub flags: Seen,
    pub schedules: Seen,
}

impl Evidence {
    pub async fn read(
        engine: &Engine,
        of: &PatientRecords<'_>,
        knowledge: &Knowledge,
        setting: Option<Setting>,
        at: (i64, i64),
    ) -> Result<Self, Failure> {
        let patient = of.patient().cloned().ok_or_else(unreadable)?;
        let medicines = of.search("MedicationStatement", &[]).await?;
        let contents = medicines
            .resources
            .iter()
            .map(|version| &version.resource.content);
        let shelf = gather(engine, of.records(), &[], contents).await?;
        let responses = of.search("QuestionnaireResponse", &[]).await?;
        let observed = async |codes: Vec<String>| {
            let codes = codes.join(",");
            of.search("Observation", &[("code", codes.as_str())]).await
        };
        // By the code alone, of the Observation or of a component: its system has several
        // spellings.
        let anywhere = async |codes: Vec<String>| {
            let codes = codes.join(",");
            of.search("Observation", &[("combo-code", codes.as_str())])
                .await
        };
        let pressures = codes_of_reading(knowledge, BLOOD_PRESSURE);
        // Sessions of the day itself count, whatever their hour.
        let from = format!("ge{}", instant(at.0).chars().take(10).collect::<String>());
        let planned = [("date", from.as_str())];
        Ok(Self {
            setting,
            at,
            conditions: of.search("Condition", &[]).await?,
            allergies: of.search("AllergyIntolerance", &[]).await?,
            procedures: of.search("Procedure", &[]).await?,
            pressures: of
                .search("Observation", &[("combo-code", &pressures)])
                .await?,
            scores: observed(scores(knowledge)).await?,
            screens: anywhere(codes_of_suicide_screens(knowledge)).await?,
            pregnancy: anywhere(pregnancy_tests(knowledge)).await?,
            answers: Answers::read(&responses, at.1),
            appointments: of.search("Appointment", &planned).await?,
            flags: of.search("Flag", &[]).await?,
            schedules: of.search("ServiceRequest", &[]).await?,
            medicines,
            shelf,
            responses,
            patient,
        })
    }

    /// The latest usable Observation that meets the test, and the time it began.
    pub fn latest<'s>(
        &self,
        seen: &'s Seen,
        test: impl Fn(&Map<String, Value>) -> bool,
    ) -> Option<(&'s Version, i64)> {
        let known = seen.resources.iter();
        let known = known.filter(|version| {
            let content = &version.resource.content;
            is_usable(content) && test(content)
        });
        known
            .filter_map(|version| Some((version, effective(&version.resource.content)?.0)))
            .filter(|(_, time)| *time <= self.at.1)
            .max_by_key(|(version, time)| (*time, version.version))
    }
}

fn scores(knowledge: &Knowledge) -> Vec<String> {
    let asked = knowledge.criteria.iter();
    let asked: Vec<&String> = asked.filter_map(|one| one.fact.score.as_ref()).collect();
    let scores = knowledge.scores.iter();
    let scores = scores.filter(|score| asked.contains(&&score.id));
    scores
        .map(|score| format!("{}|{}", score.fact.system, score.fact.code))
        .collect()
}

fn pregnancy_tests(knowledge: &Knowledge) -> Vec<String> {
    let tests = knowledge.pregnancy_observations.iter();
    tests.flat_map(|test| test.fact.loinc.clone()).collect()
}

fn unreadable() -> Failure {
    Failure::new(Kind::NotFound, "Your access does not reach the patient.")
}
