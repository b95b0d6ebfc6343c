//! `Appointment/$find`: what is free, as proposals. Nothing is written.
//!
//! As in Argonaut's and IHE's scheduling a Slot that is free is what may be asked
//! for: its status is meant to be seen. Whether an Appointment stands in its way that
//! the caller may not see is not told by leaving the Slot out; who wants it finds out
//! when it is held or booked.
//! <http://fhir.org/guides/argonaut-scheduling/>, <https://profiles.ihe.net/ITI/Scheduling/>

use serde_json::{Map, Value, json};

use super::desk::{bundle, links, reference};
use crate::clinical::appointment::Booking;
use crate::clinical::appointment::calendar::Calendar;
use crate::fhir::answer::Answer;
use crate::fhir::authority::Permission;
use crate::fhir::operation::records::Version;
use crate::fhir::operation::{Call, Definition, Level, Operation, Parameter};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::record::ResourceKey;
use crate::fhir::search::date;
use crate::fhir::search::path::text;
use crate::fhir::search::reference::Base;

/// More proposals help nobody to choose.
const MOST: usize = 200;

pub static FIND: Definition = Definition {
    name: "find",
    url: "https://unloop.dev/fhir/OperationDefinition/appointment-find",
    title: "Find free appointments",
    text: "Free Slots of the Schedules of a practitioner or place between two times, each as a proposed Appointment that $hold or $book takes. Slots whose time is taken by an Appointment that the caller may see are left out; of all others the Slot's own status tells, and $hold and $book decide.",
    types: &["Appointment"],
    levels: &[Level::Type],
    affects_state: false,
    parameters: &[
        Parameter::of("start", "dateTime", true, "The earliest start."),
        Parameter::of("end", "dateTime", true, "The latest start."),
        Parameter::of(
            "actor",
            "Reference",
            true,
            "Whose Schedules: Practitioner, PractitionerRole, Location or HealthcareService.",
        ),
        Parameter::of(
            "patient",
            "Reference",
            false,
            "For whom; his time is then looked at too.",
        ),
    ],
};

pub struct FindAppointments;

#[async_trait::async_trait]
impl Operation for FindAppointments {
    fn definition(&self) -> &'static Definition {
        &FIND
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let actors = [
            "Practitioner",
            "PractitionerRole",
            "Location",
            "HealthcareService",
        ];
        let actor = reference(&call, "actor", &actors)?;
        let actor = actor.map(|key| key.to_string()).unwrap_or_default();
        let patient = reference(&call, "patient", &["Patient"])?;
        let bound = |name| call.arguments.text(name).and_then(date::range);
        if bound("start") > bound("end") {
            return Err(Failure::new(Kind::Value, "start lies behind end."));
        }
        let records = call.records();
        // Proposals are for those who handle appointments.
        let search = call
            .authority
            .scope(Permission::Search, Some("Appointment"));
        search.map_err(|_| {
            let text = "$find needs the right to search Appointments.";
            Failure::new(Kind::Forbidden, text)
        })?;
        let from = format!("ge{}", call.arguments.text("start").unwrap_or_default());
        let to = format!("le{}", call.arguments.text("end").unwrap_or_default());
        let criteria = [
            ("schedule.actor", actor.as_str()),
            ("status", "free"),
            ("start", &from),
            ("start", &to),
        ];
        let mut slots = records.search("Slot", &criteria).await?.resources;
        slots.sort_by_key(|slot| text(&slot.resource.content, "start").and_then(date::range));
        let mut proposals = Vec::new();
        for slot in slots {
            if proposals.len() == MOST {
                break;
            }
            proposals.extend(proposal_if_free(&call, &slot, patient.as_ref()).await?);
        }
        Ok(bundle(&call, proposals))
    }
}

async fn proposal_if_free(
    call: &Call<'_>,
    slot: &Version,
    patient: Option<&ResourceKey>,
) -> Result<Option<Value>, Failure> {
    let content = proposal(call, slot, patient).await?;
    let calendar = Calendar {
        records: call.quiet_records(),
        base: Base::new(&call.engine.settings.base_url),
        drafts: &[],
    };
    let nobody = ResourceKey::new("Appointment", "");
    let look = calendar.look(&nobody, &Booking::of(&content)).await?;
    Ok(look.taken.is_none().then_some(Value::Object(content)))
}

/// An appointment in this slot with the actors of its schedule.
pub async fn proposal(
    call: &Call<'_>,
    slot: &Version,
    patient: Option<&ResourceKey>,
) -> Result<Map<String, Value>, Failure> {
    let base = Base::new(&call.engine.settings.base_url);
    let records = call.records();
    let of_slot = &slot.resource.content;
    let mut actors: Vec<ResourceKey> = patient.into_iter().cloned().collect();
    let mut schedules = Vec::new();
    for key in links(&base, of_slot, "schedule") {
        let schedule = records.read(&key).await?;
        actors.extend(links(&base, &schedule.resource.content, "actor"));
        schedules.push(schedule.resource.content);
    }
    let participants: Vec<Value> = actors
        .iter()
        .map(|key| json!({"actor": {"reference": key.to_string()}, "required": "required", "status": "needs-action"}))
        .collect();
    let content = json!({
        "resourceType": "Appointment",
        "status": "proposed",
        "slot": [{"reference": slot.key.to_string()}],
        "participant": participants,
    });
    let mut content = content.as_object().cloned().unwrap_or_default();
    for name in ["start", "end"] {
        content.extend(
            of_slot
                .get(name)
                .map(|time| (name.to_owned(), time.clone())),
        );
    }
    // The slot knows better than its schedule.
    for name in ["serviceCategory", "serviceType", "specialty"] {
        let found = std::iter::once(of_slot)
            .chain(&schedules)
            .find_map(|from| from.get(name));
        content.extend(found.map(|found| (name.to_owned(), found.clone())));
    }
    Ok(content)
}
