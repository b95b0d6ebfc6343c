//! `Appointment/{id}/$book` and `$cancel`: the appointment and its slots change
//! together.

use serde_json::{Map, Value, json};

use super::desk::{changed, links, reference, taken, write};
use crate::clinical::appointment::Booking;
use crate::clinical::appointment::booking::SESSION;
use crate::clinical::appointment::companion::{PARTICIPATION, place};
use crate::clinical::appointment::status::{TAKES_TIME, may_follow};
use crate::clinical::medication::Rules;
use crate::clinical::patient::refuse_treatment;
use crate::fhir::answer::Answer;
use crate::fhir::engine::{Engine, now};
use crate::fhir::operation::{Call, Definition, Level, Operation, Parameter, Records};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::record::ResourceKey;
use crate::fhir::search::path::text;
use crate::fhir::search::reference::Base;
use std::sync::Arc;

pub static BOOK: Definition = Definition {
    name: "book",
    url: "https://unloop.dev/fhir/OperationDefinition/appointment-book",
    title: "Book an appointment",
    text: "A proposed, pending or waiting Appointment becomes booked, the patient has accepted, and its Slots are busy, in one commit. A ketamine session needs its companion or driver. It is refused for a patient who has died, is under age, or whose record is not active or was replaced.",
    types: &["Appointment"],
    levels: &[Level::Instance],
    affects_state: true,
    parameters: &[Parameter::of(
        "companion",
        "Reference",
        false,
        "The RelatedPerson who is present at home or drives home from the clinic, where a ketamine session names nobody yet.",
    )],
};

pub static CANCEL: Definition = Definition {
    name: "cancel",
    url: "https://unloop.dev/fhir/OperationDefinition/appointment-cancel",
    title: "Cancel an appointment",
    text: "An Appointment that has not taken place becomes cancelled, with the reason, and its Slots are free again, in one commit.",
    types: &["Appointment"],
    levels: &[Level::Instance],
    affects_state: true,
    parameters: &[Parameter::of("reason", "string", true, "Why, in words.")],
};

/// Both, by their definition.
pub struct ArrangeAppointment(pub &'static Definition, pub Arc<Rules>);

#[async_trait::async_trait]
impl Operation for ArrangeAppointment {
    fn definition(&self) -> &'static Definition {
        self.0
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let key = call.instance()?;
        let records = call.records();
        let appointment = records.read(key).await?;
        let base = Base::new(&call.engine.settings.base_url);
        let books = self.0.name == BOOK.name;
        let from = Booking::of(&appointment.resource.content).status.to_owned();
        let to = if books { "booked" } else { "cancelled" };
        if !may_follow(&from, to) {
            let text = format!("The appointment is {from} and cannot be {to}. Make a new one.");
            return Err(Failure::at(Kind::BusinessRule, "Appointment.status", text));
        }
        if books {
            self.refuse_patient(&records, &base, &appointment.resource.content)
                .await?;
        }
        let mut drafts = Vec::new();
        for slot in links(&base, &appointment.resource.content, "slot") {
            let slot = records.read(&slot).await?;
            let now = text(&slot.resource.content, "status");
            let status = if books {
                // Whoever holds nothing finds the slot free, or too late.
                let holds = matches!(from.as_str(), "pending" | "booked");
                if now != Some("free") && !holds {
                    return Err(taken());
                }
                "busy"
            } else if is_used_otherwise(call.engine, &slot.key, key).await? {
                continue;
            } else {
                "free"
            };
            drafts.push(changed(slot, |slot| {
                slot.insert("status".to_owned(), status.into());
            }));
        }
        let companion = reference(&call, "companion", &["RelatedPerson"])?;
        if let Some(companion) = &companion {
            records.read(companion).await?;
        }
        let reason = call.arguments.text("reason").map(str::to_owned);
        let appointment = changed(appointment, |content| {
            if books {
                self.book(content, &base, companion.as_ref());
            } else {
                content.insert("status".to_owned(), "cancelled".into());
                content.insert("cancelationReason".to_owned(), json!({"text": reason}));
            }
        });
        drafts.insert(0, appointment);
        write(&call, drafts).await
    }
}

/// Another appointment is in the slot. Whose it is does not matter: a Slot says to
/// everybody whether its time is free, and has to be right.
async fn is_used_otherwise(
    engine: &Engine,
    slot: &ResourceKey,
    own: &ResourceKey,
) -> Result<bool, Failure> {
    let statuses = TAKES_TIME.join(",");
    let criteria = [("slot", &*slot.to_string()), ("status", &statuses)];
    let seen = Records::all(engine)
        .search("Appointment", &criteria)
        .await?;
    Ok(seen.resources.iter().any(|one| one.key != *own))
}

impl ArrangeAppointment {
    /// Nobody books for somebody who cannot come.
    async fn refuse_patient(
        &self,
        records: &Records<'_>,
        base: &Base,
        appointment: &Map<String, Value>,
    ) -> Result<(), Failure> {
        let booking = Booking::of(appointment);
        let Some(key) = booking.actor(base, "Patient") else {
            return Ok(());
        };
        let at = booking.span.map_or_else(now, |(start, _)| start);
        match records.find(&key).await? {
            Some(patient) => refuse_treatment(&self.1.knowledge, &patient.resource.content, at),
            // The rule of Appointments looks at what the caller may not see.
            None => Ok(()),
        }
    }

    fn book(&self, content: &mut Map<String, Value>, base: &Base, companion: Option<&ResourceKey>) {
        content.insert("status".to_owned(), "booked".into());
        let booking = Booking::of(content);
        let patient = booking.actor(base, "Patient");
        let place = place(&self.1.knowledge, &booking);
        let kind = place.filter(|_| booking.kind == Some(SESSION));
        let kind = kind.map(|place| place.fact.companion.clone());
        let participants = content.get_mut("participant").and_then(Value::as_array_mut);
        let Some(participants) = participants else {
            return;
        };
        for participant in participants.iter_mut().filter_map(Value::as_object_mut) {
            let actor = participant.get("actor").and_then(Value::as_object);
            let actor = actor.and_then(|actor| text(actor, "reference"));
            let actor = actor.and_then(|actor| base.normalise(actor));
            if actor.is_some()
                && actor.map(str::to_owned) == patient.as_ref().map(ToString::to_string)
            {
                participant.insert("status".to_owned(), "accepted".into());
            }
        }
        if let (Some(companion), Some(kind)) = (companion, kind) {
            participants.push(json!({
                "type": [{"coding": [{"system": PARTICIPATION, "code": kind}]}],
                "actor": {"reference": companion.to_string()},
                "required": "required",
                "status": "needs-action",
            }));
        }
    }
}
