//! `Appointment/{id}/$session-monitor`: what is due, late or out of limits in a
//! session, what was noticed, and whether the patient may be let go.

use std::sync::Arc;

use super::readings::{Window, beyond};
use super::timeline::{Clock, State, Step, steps};
use crate::clinical::appointment::Booking;
use crate::clinical::appointment::booking::SESSION;
use crate::clinical::appointment::companion::place;
use crate::clinical::knowledge::{Entry, Knowledge, Place, Schedule};
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::medication::{AGENTS, Rules};
use crate::clinical::readiness::check::State as Ready;
use crate::clinical::readiness::of_companion;
use crate::fhir::answer::Answer;
use crate::fhir::engine::now;
use crate::fhir::operation::records::Version;
use crate::fhir::operation::{
    Call, Definition, LIMITED_VIEW, Level, Operation, Parameter, Part, output,
};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::resource::instant;
use crate::fhir::search::date;
use crate::fhir::search::reference::Base;

const MINUTE: i64 = 60_000_000;
/// How long after the end of the appointment something still belongs to it.
const AFTER: i64 = 24 * 60 * MINUTE;

pub static MONITOR: Definition = Definition {
    name: "session-monitor",
    url: "https://unloop.dev/fhir/OperationDefinition/session-monitor",
    title: "What is watched in a session",
    text: "The measurements of a ketamine session by its schedule, counted from the dose (the first MedicationAdministration of ketamine in the session, or `dose`): done, due, late or upcoming; readings out of limits with what to do; AdverseEvents; and whether the conditions of discharge are met. What the caller may not see counts as not done. It advises; the clinician decides.",
    types: &["Appointment"],
    levels: &[Level::Instance],
    affects_state: false,
    parameters: &[
        Parameter {
            name: "at",
            kind: "dateTime",
            required: false,
            codes: &[],
            text: "The time that is asked about; now unless said otherwise.",
        },
        Parameter {
            name: "dose",
            kind: "dateTime",
            required: false,
            codes: &[],
            text: "When the dose was given, where no MedicationAdministration says so.",
        },
    ],
};

pub struct SessionMonitor(pub Arc<Rules>);

/// What speaks against letting the patient go.
#[derive(Default)]
struct Open(Vec<String>);

#[async_trait::async_trait]
impl Operation for SessionMonitor {
    fn definition(&self) -> &'static Definition {
        &MONITOR
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let key = call.instance()?;
        let knowledge = &self.0.knowledge;
        let records = call.records();
        let base = Base::new(&call.engine.settings.base_url);
        let appointment = records.read(key).await?;
        let booking = Booking::of(&appointment.resource.content);
        let patient = booking.actor(&base, "Patient");
        let parts = (place(knowledge, &booking), booking.span, patient);
        let (Some(place), Some((start, end)), Some(patient)) = parts else {
            return Err(refusal(
                "The appointment has no setting, no time or no patient yet.",
            ));
        };
        if booking.kind != Some(SESSION) {
            return Err(refusal(
                "The appointment is no ketamine session of the programme.",
            ));
        }
        let (schedule, tolerance, before) = protocol(knowledge, place)?;
        let time = |name| {
            call.arguments
                .text(name)
                .and_then(date::range)
                .map(|(low, _)| low)
        };
        let now = time("at").unwrap_or_else(now);
        let patient = PatientRecords::load_or_unseen(records, &patient).await?;
        let window = Window {
            patient: &patient,
            from: start - before,
            to: now.min(end + AFTER),
        };
        let recorded = window.dose(&self.0, call.engine, AGENTS).await?;
        let dose = time("dose").or(recorded.as_ref().map(|(at, _)| *at));
        let clock = Clock {
            start,
            dose,
            now,
            tolerance,
            before,
        };
        let mut open = Open::default();
        let mut parts = vec![
            Part::code("schedule", &schedule.id),
            Part::value("at", "DateTime", instant(now)),
        ];
        parts.extend(dose.map(|at| Part::value("dose", "DateTime", instant(at))));
        parts.extend(recorded.map(|(_, key)| Part::reference("doseEvidence", &key.to_string())));
        let watch = Watch {
            knowledge,
            place,
            schedule,
            window,
            clock,
        };
        parts.extend(watch.signs(&mut open).await?);
        parts.extend(watch.events(&mut open).await?);
        let companion = of_companion(place, &booking, &base);
        if companion.state != Ready::Go {
            open.0.push(companion.reason);
        }
        parts.push(open.part());
        let advice = knowledge
            .advice
            .iter()
            .filter(|one| one.fact.about == "discharge");
        parts.extend(advice.map(|one| Part::text("advice", &one.fact.text)));
        parts.push(Part::text("ruleSetVersion", &knowledge.version));
        Ok(output::answer(parts))
    }
}

/// A session as it is being watched.
struct Watch<'w> {
    knowledge: &'w Knowledge,
    place: &'w Entry<Place>,
    schedule: &'w Entry<Schedule>,
    window: Window<'w>,
    clock: Clock,
}

impl Watch<'_> {
    async fn signs(&self, open: &mut Open) -> Result<Vec<Part>, Failure> {
        let mut parts = Vec::new();
        for sign in &self.place.fact.signs {
            let known = self.knowledge.signs.iter().find(|known| known.id == *sign);
            let Some(known) = known else { continue };
            let readings = self.window.readings(known).await?;
            if readings.hidden {
                open.limited();
            }
            for key in &readings.open {
                open.0.push(format!("{key} ({sign}) is not confirmed."));
            }
            let times: Vec<i64> = readings.of_sign.iter().map(|(at, _)| *at).collect();
            let steps = steps(&self.schedule.fact.minutes, &self.clock, &times);
            open.of_steps(sign, &steps);
            let steps = steps.iter();
            parts.extend(steps.map(|step| step_part(sign, step, &readings.of_sign)));
            let mut last = None;
            for (at, reading) in &readings.of_sign {
                let content = &reading.resource.content;
                last = beyond(self.knowledge, sign, content, self.place);
                let limit = last.iter();
                parts.extend(limit.map(|reason| limit_part(sign, *at, reading, reason)));
            }
            open.0
                .extend(last.map(|reason| format!("The last {sign}: {reason}")));
        }
        Ok(parts)
    }

    async fn events(&self, open: &mut Open) -> Result<Vec<Part>, Failure> {
        let (events, hidden) = self.window.adverse_events().await?;
        if hidden {
            open.limited();
        }
        let lasting = events.iter().filter(|event| !is_over(event));
        open.0
            .extend(lasting.map(|event| format!("{} is not over.", event.key)));
        let events = events.iter();
        Ok(events
            .map(|event| Part::reference("adverseEvent", &event.key.to_string()))
            .collect())
    }
}

/// The schedule of the setting, and how exactly it is to be kept.
fn protocol<'k>(
    knowledge: &'k Knowledge,
    place: &Entry<Place>,
) -> Result<(&'k Entry<Schedule>, i64, i64), Failure> {
    let schedule = knowledge
        .schedules
        .iter()
        .find(|one| one.id == place.fact.schedule);
    let minutes = |id: &str| {
        let found = knowledge.freshness.iter().find(|one| one.id == id);
        found.map(|one| one.fact.minutes * MINUTE)
    };
    let found = (
        schedule,
        minutes("reading-tolerance"),
        minutes("before-dose"),
    );
    let (Some(schedule), Some(tolerance), Some(before)) = found else {
        let text = "The knowledge base has no schedule for this setting.";
        return Err(Failure::new(Kind::NotSupported, text));
    };
    Ok((schedule, tolerance, before))
}

impl Open {
    /// Said once, however much is beyond the caller's rights.
    fn limited(&mut self) {
        if !self.0.iter().any(|reason| reason == LIMITED_VIEW) {
            self.0.push(LIMITED_VIEW.to_owned());
        }
    }

    fn of_steps(&mut self, sign: &str, steps: &[Step]) {
        // What was missed cannot be made up; the last reading has to be there.
        if steps.last().is_none_or(|step| step.state != State::Done) {
            self.0.push(format!(
                "The last measurement of {sign} in the schedule is not done."
            ));
        }
    }

    fn part(&self) -> Part {
        let state = if self.0.is_empty() { "met" } else { "not-met" };
        let mut parts = vec![Part::code("state", state)];
        parts.extend(self.0.iter().map(|reason| Part::text("reason", reason)));
        Part::parts("discharge", parts)
    }
}

fn step_part(sign: &str, step: &Step, readings: &[(i64, Version)]) -> Part {
    let mut parts = vec![
        Part::code("sign", sign),
        Part::value("minute", "Integer", step.minute),
        Part::code("state", step.state.code()),
    ];
    parts.extend(
        step.due
            .map(|due| Part::value("due", "DateTime", instant(due))),
    );
    let reading = step.by.and_then(|by| readings.get(by));
    parts.extend(reading.map(|(_, one)| Part::reference("reading", &one.key.to_string())));
    Part::parts("measurement", parts)
}

fn limit_part(sign: &str, at: i64, reading: &Version, reason: &str) -> Part {
    Part::parts(
        "outOfLimits",
        vec![
            Part::code("sign", sign),
            Part::value("at", "DateTime", instant(at)),
            Part::text("reason", reason),
            Part::reference("reading", &reading.key.to_string()),
        ],
    )
}

/// Resolved, with or without consequences.
fn is_over(event: &Version) -> bool {
    let outcome = event.resource.content.get("outcome");
    let codings = outcome.and_then(|outcome| outcome.get("coding")?.as_array());
    codings.into_iter().flatten().any(|coding| {
        let code = coding.get("code").and_then(|code| code.as_str());
        matches!(code, Some("resolved" | "resolvedWithSequelae"))
    })
}

fn refusal(text: &str) -> Failure {
    Failure::new(Kind::BusinessRule, text)
}
