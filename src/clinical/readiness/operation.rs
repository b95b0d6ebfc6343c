//! `Appointment/{id}/$session-readiness`: go or hold, with reasons.

use std::sync::Arc;

use super::check::{Check, State};
use super::criteria::of_candidacy;
use super::measured::{of_blood_pressure, of_suicidality};
use super::medicines::of_medicines;
use super::people::{of_companion, of_consent};
use crate::clinical::appointment::Booking;
use crate::clinical::appointment::booking::SESSION;
use crate::clinical::appointment::companion::place;
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::medication::{Question, Rules, Setting};
use crate::fhir::answer::Answer;
use crate::fhir::engine::Engine;
use crate::fhir::operation::{Call, Definition, Level, Operation, Part, Records, output};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::record::ResourceKey;
use crate::fhir::search::reference::Base;

pub static READINESS: Definition = Definition {
    name: "session-readiness",
    url: "https://unloop.dev/fhir/OperationDefinition/session-readiness",
    title: "Whether a session can go ahead",
    text: "Checks of a booked ketamine session, each go, hold or unknown with its reason and evidence: companion or driver, consent, medicines, blood pressure, criteria of candidacy, suicidality. Whatever is unknown, or outside the caller's view, holds the session. It advises; the clinician decides.",
    types: &["Appointment"],
    levels: &[Level::Instance],
    affects_state: false,
    parameters: &[],
};

pub struct SessionReadiness(pub Arc<Rules>);

#[async_trait::async_trait]
impl Operation for SessionReadiness {
    fn definition(&self) -> &'static Definition {
        &READINESS
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let key = call.instance()?;
        let checks = readiness(&self.0, call.engine, &call.records(), key).await?;
        let go = checks.iter().all(|check| check.state == State::Go);
        let mut parts = vec![
            Part::code("overall", if go { "go" } else { "hold" }),
            Part::text("ruleSetVersion", &self.0.knowledge.version),
            Part::text(
                "notice",
                "Advice for the clinician who is responsible for the session, not a decision.",
            ),
        ];
        parts.extend(checks.iter().map(Check::part));
        Ok(output::answer(parts))
    }
}

/// All checks of a session, as far as the caller may see what they rest on.
pub async fn readiness(
    rules: &Rules,
    engine: &Engine,
    records: &Records<'_>,
    key: &ResourceKey,
) -> Result<Vec<Check>, Failure> {
    let knowledge = &rules.knowledge;
    let base = Base::new(&engine.settings.base_url);
    let appointment = records.read(key).await?;
    let booking = Booking::of(&appointment.resource.content);
    if booking.kind != Some(SESSION) {
        return Err(refusal(
            "The appointment is no ketamine session of the programme.",
        ));
    }
    let patient = booking.actor(&base, "Patient");
    let patient =
        patient.ok_or_else(|| refusal("The appointment has no patient of this service."))?;
    let patient = PatientRecords::load_or_unseen(*records, &patient).await?;
    let (Some(place), Some((start, _))) = (place(knowledge, &booking), booking.span) else {
        return Err(refusal("The appointment has no setting or no time yet."));
    };
    let question = Question {
        setting: Setting::from_code(&place.id),
        at: start,
    };
    Ok(vec![
        of_status(&booking).by([appointment.key.clone()]),
        of_companion(place, &booking, &base),
        of_consent(&patient, start).await?,
        of_medicines(rules, engine, &patient, &question).await?,
        of_blood_pressure(knowledge, &patient, place, start).await?,
        of_candidacy(rules, engine, &patient, &question).await?,
        of_suicidality(knowledge, &patient, start).await?,
    ])
}

fn of_status(booking: &Booking<'_>) -> Check {
    let id = "booked";
    match booking.status {
        "booked" | "arrived" | "checked-in" => Check::go(id, "The session is booked."),
        status => Check::hold(id, format!("The session is {status}, not booked.")),
    }
}

fn refusal(text: &str) -> Failure {
    Failure::new(Kind::BusinessRule, text)
}
