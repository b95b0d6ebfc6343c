//! `Appointment/{id}/$session-monitor`: what is due, late or out of limits in a
//! session, what was noticed, and whether the patient may be let go.

use std::sync::Arc;

use super::readings::{RatedScore, SignReadings, Window, beyond_limits, fault_of_reading};
use super::timeline::{Clock, State, Step, TimedReading, steps};
use crate::clinical::appointment::Booking;
use crate::clinical::appointment::booking::SESSION;
use crate::clinical::appointment::companion::place;
use crate::clinical::knowledge::{DoseRoute, Entry, Knowledge, Place, Schedule};
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::medication::Rules;
use crate::clinical::readiness::check::State as Ready;
use crate::clinical::readiness::safety::is_event_over;
use crate::clinical::readiness::{asked_time, minutes_of, of_companion};
use crate::clinical::session_dose::{load_first_dose, route_of_dose};
use crate::clinical::vitals::limits::LimitCrossed;
use crate::clinical::vitals::measured::VitalReading;
use crate::fhir::answer::Answer;
use crate::fhir::engine::now;
use crate::fhir::operation::{
    Call, Definition, LIMITED_VIEW, Level, Operation, Parameter, Part, output,
};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::resource::instant;
use crate::fhir::search::reference::Base;

const MINUTE: i64 = 60_000_000;
/// Every measurement of these is looked at, also where the place does not ask for it.
const WATCHED_SIGNS: [&str; 3] = ["blood-pressure", "heart-rate", "oxygen-saturation"];
/// How long after the end of the appointment something still belongs to it.
const AFTER: i64 = 24 * 60 * MINUTE;

pub static MONITOR: Definition = Definition {
    name: "session-monitor",
    url: "https://unloop.dev/fhir/OperationDefinition/session-monitor",
    title: "What is watched in a session",
    text: "The measurements of a ketamine session by the schedule of its route, counted from the dose (the first MedicationAdministration of ketamine in the session, or `dose`): done, due, late, upcoming or not done with a reason; readings out of the limits before or after a dose with what to do; dissociation; AdverseEvents; and whether the conditions of discharge are met. What the caller may not see counts as not done. It advises; the clinician decides.",
    types: &["Appointment"],
    levels: &[Level::Instance],
    affects_state: false,
    parameters: &[
        Parameter {
            name: "at",
            kind: "dateTime",
            required: false,
            codes: &[],
            text: "A time in the past that is asked about; now unless said otherwise.",
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
        let patient = booking.only_patient(&base)?;
        let parts = (place(knowledge, &booking), booking.span);
        let (Some(place), Some((start, end))) = parts else {
            return Err(refusal("The appointment has no setting or no time yet."));
        };
        if booking.kind != Some(SESSION) {
            return Err(refusal(
                "The appointment is no ketamine session of the programme.",
            ));
        }
        let (tolerance, before) = tolerances(knowledge)?;
        let now = asked_time(&call, "at")?.unwrap_or_else(now);
        let said = asked_time(&call, "dose")?;
        let patient = PatientRecords::load_or_unseen(records, &patient).await?;
        let window = Window {
            patient: &patient,
            from: start - before,
            to: now.min(end + AFTER),
        };
        let within = (window.from, window.to);
        let recorded = load_first_dose(&self.0, call.engine, &patient, within).await?;
        let dose = said.or(recorded.as_ref().map(|dose| dose.at));
        let route = route_of_dose(knowledge, recorded.as_ref());
        let schedule = schedule_of(knowledge, place, route)?;
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
        parts.extend(route.map(|route| Part::code("route", &route.id)));
        parts.extend(
            recorded
                .as_ref()
                .map(|dose| Part::reference("doseEvidence", &dose.key.to_string())),
        );
        let watch = Watch {
            knowledge,
            place,
            schedule,
            window,
            clock,
        };
        watch.time_since_dose(route, &mut open);
        parts.extend(watch.signs(&mut open).await?);
        parts.extend(watch.dissociation(route, &mut open).await?);
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
    /// Nobody is let go before the time that the route asks for; where it is not known,
    /// the longest.
    fn time_since_dose(&self, route: Option<&Entry<DoseRoute>>, open: &mut Open) {
        let longest = self.knowledge.routes.iter().map(|one| one.fact.observe);
        let observe = route.map(|route| route.fact.observe).or(longest.max());
        let (Some(dose), Some(observe)) = (self.clock.dose, observe) else {
            return;
        };
        if self.clock.now < dose + observe * MINUTE {
            let how = route.map_or("a way that is not recorded or not known", |one| {
                one.fact.text.as_str()
            });
            open.0.push(format!(
                "{observe} minutes have not passed since the dose ({how})."
            ));
        }
    }

    /// The signs that the place asks for, and all other measured signs that have limits.
    async fn signs(&self, open: &mut Open) -> Result<Vec<Part>, Failure> {
        let mut parts = Vec::new();
        for sign in WATCHED_SIGNS {
            let asked = self.place.fact.signs.iter().any(|one| one == sign);
            let readings = self.window.load_readings(self.knowledge, sign).await?;
            if readings.hidden {
                open.limited();
            }
            for key in &readings.open {
                open.0.push(format!("{key} ({sign}) is not confirmed."));
            }
            if asked {
                let times: Vec<TimedReading> = readings
                    .of_sign
                    .iter()
                    .map(|(at, reading)| TimedReading {
                        at: *at,
                        absent: reading.absent,
                    })
                    .collect();
                let steps = steps(&self.schedule.fact.minutes, &self.clock, &times);
                open.of_steps(sign, &steps);
                let steps = steps.iter();
                parts.extend(steps.map(|step| step_part(sign, step, &readings.of_sign)));
            }
            parts.extend(self.limits_of(sign, &readings, open));
        }
        Ok(parts)
    }

    /// Every reading out of limits; the last one keeps the patient here.
    fn limits_of(&self, sign: &str, readings: &SignReadings, open: &mut Open) -> Vec<Part> {
        let mut parts = Vec::new();
        let dose = self.clock.dose;
        for (at, reading) in &readings.of_sign {
            let crossed = beyond_limits(self.knowledge, (*at, reading), self.place, dose);
            let crossed = crossed.first();
            parts.extend(crossed.map(|one| limit_part(sign, *at, reading, one)));
        }
        let measured = readings.of_sign.iter().filter(|(_, one)| !one.absent);
        let newest = measured.clone().map(|(at, _)| *at).max();
        // Of several at one time the worst counts.
        for (at, reading) in measured.filter(|(at, _)| Some(*at) == newest) {
            let fault = fault_of_reading(self.knowledge, (*at, reading), self.place, dose);
            open.0
                .extend(fault.map(|reason| format!("The last {sign}: {reason}")));
        }
        parts
    }

    /// Dissociation is over: by the last rating where there is one, and after a dose into
    /// the nose there has to be one.
    async fn dissociation(
        &self,
        route: Option<&Entry<DoseRoute>>,
        open: &mut Open,
    ) -> Result<Vec<Part>, Failure> {
        let thresholds = self.knowledge.thresholds.iter();
        let Some(threshold) = thresholds.clone().find(|one| one.id == "dissociation") else {
            return Ok(Vec::new());
        };
        let mut scores = self.knowledge.scores.iter();
        let Some(score) = scores.find(|score| score.id == threshold.fact.score) else {
            return Ok(Vec::new());
        };
        let (ratings, hidden) = self.window.load_scores(score).await?;
        let name = &score.fact.name;
        if hidden {
            open.limited();
        }
        let is_before = |one: &&RatedScore| self.clock.dose.is_none_or(|dose| one.at <= dose);
        let before = ratings.iter().filter(is_before);
        let before = before.filter_map(|one| one.points).next_back().unwrap_or(0);
        let after = ratings.iter().filter(|one| !is_before(one));
        let newest = after.clone().map(|one| one.at).max();
        let bound = threshold.fact.at_least + before;
        let mut parts = Vec::new();
        for rating in after.filter(|one| Some(one.at) == newest) {
            parts.push(Part::reference("dissociation", &rating.key.to_string()));
            match rating.points {
                Some(points) if points >= bound => open.0.push(format!(
                    "The last {name} is {points}, {before} before the dose. {}",
                    threshold.fact.text
                )),
                Some(_) => {}
                None => open
                    .0
                    .push(format!("The last {name} has no points that can be read.")),
            }
        }
        if newest.is_none() && route.is_some_and(|route| route.id == "nasal") {
            open.0.push(format!(
                "No {name} is recorded after the dose; whether dissociation is over was not looked at."
            ));
        }
        Ok(parts)
    }

    async fn events(&self, open: &mut Open) -> Result<Vec<Part>, Failure> {
        let (events, hidden) = self.window.load_adverse_events().await?;
        if hidden {
            open.limited();
        }
        let lasting = events
            .iter()
            .filter(|event| !is_event_over(&event.resource.content));
        open.0
            .extend(lasting.map(|event| format!("{} is not over.", event.key)));
        let events = events.iter();
        Ok(events
            .map(|event| Part::reference("adverseEvent", &event.key.to_string()))
            .collect())
    }
}

/// How much earlier or later a reading may be, and how long before the dose the first.
fn tolerances(knowledge: &Knowledge) -> Result<(i64, i64), Failure> {
    let tolerance = minutes_of(knowledge, "reading-tolerance");
    let before = minutes_of(knowledge, "before-dose");
    tolerance.zip(before).ok_or_else(no_schedule)
}

/// That of the route; that of the setting until the route is known.
fn schedule_of<'k>(
    knowledge: &'k Knowledge,
    place: &Entry<Place>,
    route: Option<&Entry<DoseRoute>>,
) -> Result<&'k Entry<Schedule>, Failure> {
    let wanted = route.map_or(&place.fact.schedule, |route| &route.fact.schedule);
    let mut schedules = knowledge.schedules.iter();
    schedules
        .find(|one| one.id == *wanted)
        .ok_or_else(no_schedule)
}

fn no_schedule() -> Failure {
    let text = "The knowledge base has no schedule for this setting.";
    Failure::new(Kind::NotSupported, text)
}

impl Open {
    /// Said once, however much is beyond the caller's rights.
    fn limited(&mut self) {
        if !self.0.iter().any(|reason| reason == LIMITED_VIEW) {
            self.0.push(LIMITED_VIEW.to_owned());
        }
    }

    /// What was not measured keeps the patient until somebody says why; the last
    /// measurement has to be made.
    fn of_steps(&mut self, sign: &str, steps: &[Step]) {
        let missed = steps
            .iter()
            .filter(|step| !matches!(step.state, State::Done | State::Excused));
        let missed: Vec<String> = missed.map(|step| step.minute.to_string()).collect();
        if !missed.is_empty() {
            self.0.push(format!(
                "{sign} was not measured at minute {}. Measure it, or record an Observation of that time with its dataAbsentReason.",
                missed.join(", ")
            ));
        }
        if steps
            .last()
            .is_some_and(|step| step.state == State::Excused)
        {
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

fn step_part(sign: &str, step: &Step, readings: &[(i64, VitalReading)]) -> Part {
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
    let sources = reading.into_iter().flat_map(|(_, one)| &one.sources);
    parts.extend(sources.map(|key| Part::reference("reading", &key.to_string())));
    Part::parts("measurement", parts)
}

fn limit_part(sign: &str, at: i64, reading: &VitalReading, crossed: &LimitCrossed) -> Part {
    let mut parts = vec![
        Part::code("sign", sign),
        Part::value("at", "DateTime", instant(at)),
        Part::code("effect", crossed.effect.code()),
        Part::text("reason", &crossed.text),
    ];
    let sources = reading.sources.iter();
    parts.extend(sources.map(|key| Part::reference("reading", &key.to_string())));
    Part::parts("outOfLimits", parts)
}

fn refusal(text: &str) -> Failure {
    Failure::new(Kind::BusinessRule, text)
}
