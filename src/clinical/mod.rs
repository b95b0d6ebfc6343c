//! What a psychiatrist's reviewer reads: the knowledge of OCD and ketamine, and
//! what follows from it for a record.
//!
//! Architecture invariant: this room knows FHIR and no transport. Every fact
//! stands in `knowledge/*.toml` with its source and tier; code holds none. The
//! service advises: nothing here calls a treatment approved or safe.

pub mod appointment;
pub mod candidacy;
pub mod canonical;
pub mod conditions;
pub mod course;
pub mod extract;
pub mod interpretation;
pub mod knowledge;
pub mod linked_patients;
pub mod measures;
pub mod medication;
pub mod monitor;
pub mod observation;
pub mod patient;
pub mod programme;
pub mod readiness;
pub mod scheduling;
pub mod screens;
pub mod session_dose;
pub mod sri;
pub mod trajectory;
pub mod vitals;

use std::sync::Arc;

use crate::fhir::authority::Authority;
use crate::fhir::engine::Engine;
use crate::fhir::operation::lastn::{LASTN, LastN};
use crate::fhir::operation::stats::{STATS, Stats};
use crate::fhir::operation::{Definition, Operation};
use crate::fhir::outcome::Failure;
use crate::fhir::rule::Rule;
use appointment::AppointmentWatch;
use candidacy::KetamineCandidacy;
use canonical::CanonicalGuard;
use course::PlanCourse;
use extract::{Extract, ExtractWatch};
use knowledge::Knowledge;
use measures::MeasureWatch;
use medication::{Made, MedicationCheck, MedicationCompatibility, MedicationWatch, Piece, Rules};
use monitor::SessionMonitor;
use readiness::SessionReadiness;
use scheduling::{ArrangeAppointment, FindAppointments, HoldAppointment};
use sri::SriTrials;
use trajectory::YbocsTrajectory;
use vitals::{Strictness, VitalsWatch};

/// The rules that writes pass and the operations, made of one knowledge base.
pub struct Clinical {
    rules: Arc<Rules>,
    strict_appointments: bool,
    vitals: Strictness,
}

impl Clinical {
    pub fn new(knowledge: Knowledge) -> Self {
        Self {
            rules: Arc::new(Rules::new(knowledge)),
            strict_appointments: false,
            vitals: Strictness::default(),
        }
    }

    /// The same; appointments of other systems are held to the rules too.
    #[must_use]
    pub fn with_strict_appointments(self, strict_appointments: bool) -> Self {
        Self {
            strict_appointments,
            ..self
        }
    }

    fn appointments(&self) -> AppointmentWatch {
        AppointmentWatch {
            rules: self.rules.clone(),
            strict: self.strict_appointments,
        }
    }

    /// The same, holding vital signs to more or less.
    #[must_use]
    pub fn with_vitals(self, vitals: Strictness) -> Self {
        Self { vitals, ..self }
    }

    pub fn rules(&self) -> Vec<Box<dyn Rule>> {
        let vitals = VitalsWatch {
            rules: self.rules.clone(),
            strictness: self.vitals,
        };
        vec![
            Box::new(MedicationWatch::new(self.rules.clone())),
            // What it adds is judged by the next.
            Box::new(ExtractWatch(self.rules.clone())),
            Box::new(MeasureWatch(self.rules.clone())),
            Box::new(self.appointments()),
            Box::new(CanonicalGuard::new(&self.rules)),
            Box::new(vitals),
        ]
    }

    /// Stores the definitions and rules that are in force, where others stand there.
    pub async fn publish(&self, engine: &Engine, authority: &dyn Authority) -> Result<(), Failure> {
        canonical::publish(engine, authority, &self.rules.knowledge).await
    }

    /// Judges the next records again by the rules in force.
    pub async fn recheck(
        &self,
        engine: &Engine,
        authority: &dyn Authority,
    ) -> Result<Piece, Failure> {
        let watch = MedicationWatch::new(self.rules.clone());
        watch.recheck(engine, authority).await
    }

    /// The version of the rules in force, and by which the stored findings were made.
    pub async fn findings(&self, engine: &Engine) -> Result<(&str, Made), Failure> {
        let version = self.rules.knowledge.version.as_str();
        Ok((version, medication::made(engine, version).await?))
    }

    pub fn operations(&self) -> Vec<Box<dyn Operation>> {
        vec![
            Box::new(MedicationCompatibility(self.rules.clone())),
            Box::new(MedicationCheck(self.rules.clone())),
            Box::new(SriTrials(self.rules.clone())),
            Box::new(KetamineCandidacy(self.rules.clone())),
            Box::new(PlanCourse(self.rules.clone())),
            Box::new(Extract(self.rules.clone())),
            Box::new(YbocsTrajectory(self.rules.clone())),
            Box::new(SessionReadiness(self.rules.clone())),
            Box::new(SessionMonitor(self.rules.clone())),
            Box::new(FindAppointments),
            Box::new(HoldAppointment(self.rules.clone())),
            Box::new(ArrangeAppointment(&scheduling::BOOK, self.rules.clone())),
            Box::new(ArrangeAppointment(&scheduling::CANCEL, self.rules.clone())),
            Box::new(LastN),
            Box::new(Stats(|content| {
                !observation::has_tag(content, observation::IMPLAUSIBLE)
            })),
        ]
    }
}

/// The operations of this room, for documents.
pub static OPERATIONS: &[&Definition] = &[
    &medication::COMPATIBILITY,
    &medication::CHECK,
    &sri::SRI_TRIALS,
    &candidacy::CANDIDACY,
    &course::PLAN_COURSE,
    &extract::EXTRACT,
    &trajectory::YBOCS_TRAJECTORY,
    &readiness::READINESS,
    &monitor::MONITOR,
    &scheduling::FIND,
    &scheduling::HOLD,
    &scheduling::BOOK,
    &scheduling::CANCEL,
    &LASTN,
    &STATS,
];

/// Where the project's own resources have their canonical URLs.
pub const CANONICAL: &str = "https://unloop.dev/fhir";
