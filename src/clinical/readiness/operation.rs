//! `Appointment/{id}/$session-readiness`: go or hold, with reasons.

use std::sync::Arc;

use super::check::{Check, State};
use super::consent::check_consent;
use super::criteria::of_candidacy;
use super::measured::check_vital_sign;
use super::medicines::of_medicines;
use super::moment::{SessionMoment, minutes_of, offset_of};
use super::people::of_companion;
use super::safety::{check_adverse_events, check_mania, check_patient};
use super::suicidality::check_suicidality;
use crate::clinical::appointment::Booking;
use crate::clinical::appointment::booking::{SESSION, Span};
use crate::clinical::appointment::companion::place;
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::medication::{Question, Rules, Setting};
use crate::clinical::session_dose::load_first_dose;
use crate::fhir::answer::Answer;
use crate::fhir::engine::{Engine, now};
use crate::fhir::operation::{
    Call, Definition, Level, Operation, Parameter, Part, Records, output,
};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::record::ResourceKey;
use crate::fhir::resource::instant;
use crate::fhir::search::date;
use crate::fhir::search::path::text;
use crate::fhir::search::reference::Base;

pub static READINESS: Definition = Definition {
    name: "session-readiness",
    url: "https://unloop.dev/fhir/OperationDefinition/session-readiness",
    title: "Whether a session can go ahead",
    text: "Checks of a booked ketamine session, each go, hold or unknown with its reason and evidence: the patient's own record, companion or driver, consent to ketamine, medicines, blood pressure, heart rate and oxygen saturation of the last hour, criteria of candidacy, suicidality, mania, adverse events. The time judged for ends now, or at the first dose of the session; any later value that is worse holds. What is unknown, or outside the caller's view, holds the session. It advises; the clinician decides.",
    types: &["Appointment"],
    levels: &[Level::Instance],
    affects_state: false,
    parameters: &[Parameter::of(
        "at",
        "dateTime",
        false,
        "A time in the past that is asked about, by the records as they are now; now unless said otherwise.",
    )],
};

const SIGNS: [&str; 3] = ["blood-pressure", "heart-rate", "oxygen-saturation"];

pub struct SessionReadiness(pub Arc<Rules>);

#[async_trait::async_trait]
impl Operation for SessionReadiness {
    fn definition(&self) -> &'static Definition {
        &READINESS
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let key = call.instance()?;
        let at = asked_time(&call, "at")?;
        let checks = readiness(&self.0, call.engine, &call.records(), key, at).await?;
        let go = checks.iter().all(|check| check.state == State::Go);
        let mut parts = vec![
            Part::code("overall", if go { "go" } else { "hold" }),
            Part::text("ruleSetVersion", &self.0.knowledge.version),
            Part::text(
                "notice",
                "Advice for the clinician who is responsible for the session, not a decision.",
            ),
        ];
        parts.extend(at.map(|at| Part::value("at", "DateTime", instant(at))));
        parts.extend(checks.iter().map(Check::part));
        Ok(output::answer(parts))
    }
}

/// All checks of a session, as far as the caller may see what they rest on. `at` is
/// the time asked about, in microseconds since 1970; without it, now.
pub async fn readiness(
    rules: &Rules,
    engine: &Engine,
    records: &Records<'_>,
    key: &ResourceKey,
    at: Option<i64>,
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
    let patient = booking.only_patient(&base)?;
    let patient = PatientRecords::load_or_unseen(*records, &patient).await?;
    let (Some(place), Some(span)) = (place(knowledge, &booking), booking.span) else {
        return Err(refusal("The appointment has no setting or no time yet."));
    };
    let moment = load_moment(rules, engine, &patient, &booking, (span, at)).await?;
    let question = Question {
        setting: Setting::from_code(&place.id),
        at: moment.due(),
    };
    let mut checks = vec![
        of_status(&booking).by([appointment.key.clone()]),
        check_patient(knowledge, &patient, &moment),
        of_companion(place, &booking, &base),
        check_consent(rules, &patient, &moment).await?,
        of_medicines(rules, engine, &patient, &question).await?,
    ];
    for sign in SIGNS {
        checks.push(check_vital_sign(knowledge, &patient, place, &moment, sign).await?);
    }
    checks.push(of_candidacy(rules, engine, &patient, &question).await?);
    checks.push(check_suicidality(knowledge, &patient, &moment).await?);
    checks.push(check_mania(knowledge, &patient, &moment).await?);
    checks.push(check_adverse_events(&patient).await?);
    Ok(checks)
}

/// Now, or the time asked about; and the first dose until then.
async fn load_moment(
    rules: &Rules,
    engine: &Engine,
    patient: &PatientRecords<'_>,
    booking: &Booking<'_>,
    ((start, end), at): (Span, Option<i64>),
) -> Result<SessionMoment, Failure> {
    let knowledge = &rules.knowledge;
    let clock = now();
    let now = at.unwrap_or(clock);
    let before = minutes_of(knowledge, "before-dose").unwrap_or_default();
    let window = (start - before, now.min(end));
    let dose = load_first_dose(rules, engine, patient, window).await?;
    let written = text(booking.content, "start").unwrap_or_default();
    Ok(SessionMoment {
        now,
        clock,
        start,
        offset: offset_of(written),
        dose: dose.map(|dose| dose.at),
    })
}

/// The time of a parameter; one that has not come is refused.
pub fn asked_time(call: &Call<'_>, name: &str) -> Result<Option<i64>, Failure> {
    let time = call.arguments.text(name).and_then(date::range);
    match time {
        Some((low, _)) if low > now() => {
            let text = format!(
                "{name} lies in the future; nothing is known of it yet. Send a time that has come, or leave it out."
            );
            Err(Failure::new(Kind::Value, text))
        }
        time => Ok(time.map(|(low, _)| low)),
    }
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
