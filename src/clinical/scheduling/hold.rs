//! `Appointment/$hold`: a slot becomes tentatively busy with a pending
//! appointment of the patient, in one commit.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::desk::{changed, reference, taken, write};
use super::find::proposal;
use crate::clinical::appointment::Booking;
use crate::clinical::appointment::booking::kind_system;
use crate::clinical::medication::Rules;
use crate::clinical::patient::refuse_treatment;
use crate::fhir::answer::Answer;
use crate::fhir::engine::now;
use crate::fhir::interaction::create::new_draft;
use crate::fhir::operation::{Call, Definition, Level, Operation, Parameter};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::record::Guard;
use crate::fhir::resource::Resource;
use crate::fhir::search::date;
use crate::fhir::search::path::text;

pub static HOLD: Definition = Definition {
    name: "hold",
    url: "https://unloop.dev/fhir/OperationDefinition/appointment-hold",
    title: "Hold a free slot for a patient",
    text: "Makes a pending Appointment in a free Slot and the Slot busy-tentative, in one commit. It is refused for a patient who has died, is under age, or whose record is not active or was replaced. Of many at once one succeeds (409 for the others). $book books it, $cancel gives it back.",
    types: &["Appointment"],
    levels: &[Level::Type],
    affects_state: true,
    parameters: &[
        Parameter::of("slot", "Reference", true, "A free Slot, as $find names it."),
        Parameter::of("patient", "Reference", true, "For whom."),
        Parameter::of(
            "kind",
            "code",
            false,
            "A code of the CodeSystem appointment-kind, where the Slot has no serviceType of its own.",
        ),
    ],
};

pub struct HoldAppointment(pub Arc<Rules>);

#[async_trait::async_trait]
impl Operation for HoldAppointment {
    fn definition(&self) -> &'static Definition {
        &HOLD
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let slot = reference(&call, "slot", &["Slot"])?;
        let patient = reference(&call, "patient", &["Patient"])?;
        let (Some(slot), Some(patient)) = (slot, patient) else {
            return Err(Failure::new(
                Kind::Required,
                "$hold needs slot and patient.",
            ));
        };
        let records = call.records();
        let slot = records.read(&slot).await?;
        let patient = records.read(&patient).await?;
        let start = text(&slot.resource.content, "start").and_then(date::range);
        let at = start.map_or_else(now, |(low, _)| low);
        refuse_treatment(&self.0.knowledge, &patient.resource.content, at)?;
        let patient = patient.key;
        if text(&slot.resource.content, "status") != Some("free") {
            return Err(taken());
        }
        let mut content = proposal(&call, &slot, Some(&patient)).await?;
        content.insert("status".to_owned(), "pending".into());
        if let Some(kind) = call.arguments.text("kind") {
            set_kind(&mut content, kind)?;
        }
        let appointment = new_draft(Resource::from_object(content)?, Guard::New);
        let slot = changed(slot, |slot| {
            slot.insert("status".to_owned(), "busy-tentative".into());
        });
        write(&call, vec![appointment, slot]).await
    }
}

/// The kind stands beside what else the Slot says of its service, and never against it.
fn set_kind(content: &mut Map<String, Value>, kind: &str) -> Result<(), Failure> {
    if let Some(own) = Booking::of(content).kind {
        if own == kind {
            return Ok(());
        }
        let text = format!("The Slot is for {own}. Leave kind out, or hold another Slot.");
        return Err(Failure::new(Kind::BusinessRule, text));
    }
    let kind = json!({"coding": [{"system": kind_system(), "code": kind}]});
    let all = content.entry("serviceType").or_insert_with(|| json!([]));
    if let Some(all) = all.as_array_mut() {
        all.insert(0, kind);
    }
    Ok(())
}
