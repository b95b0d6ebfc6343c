//! What an Appointment says, as the programme reads it.
//! <https://hl7.org/fhir/R4/appointment.html>

use serde_json::{Map, Value};

use crate::clinical::CANONICAL;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::record::ResourceKey;
use crate::fhir::search::date;
use crate::fhir::search::path::{items, text};
use crate::fhir::search::reference::{Base, local};

/// `preparation`, `ketamine-session`, `integration`, `follow-up`.
pub fn kind_system() -> String {
    format!("{CANONICAL}/CodeSystem/appointment-kind")
}

/// `home`, `clinic`.
pub fn setting_system() -> String {
    format!("{CANONICAL}/CodeSystem/session-setting")
}

pub const SESSION: &str = "ketamine-session";

/// From the first microsecond to that behind the last.
pub type Span = (i64, i64);

pub struct Booking<'c> {
    pub content: &'c Map<String, Value>,
    /// The kind, where it is an appointment of the programme.
    pub kind: Option<&'c str>,
    pub setting: Option<&'c str>,
    pub status: &'c str,
    pub span: Option<Span>,
}

impl<'c> Booking<'c> {
    pub fn of(content: &'c Map<String, Value>) -> Self {
        Self {
            content,
            kind: code(content, "serviceType", &kind_system()),
            setting: code(content, "serviceCategory", &setting_system()),
            status: text(content, "status").unwrap_or_default(),
            span: span(content),
        }
    }

    pub fn participants(&self) -> impl Iterator<Item = Participant<'c>> {
        let participants = items(self.content, "participant").iter();
        participants
            .filter_map(Value::as_object)
            .map(|object| Participant { object })
    }

    /// The Slots of this service that it takes.
    pub fn slots(&self, base: &Base) -> Vec<ResourceKey> {
        let slots = items(self.content, "slot").iter();
        let references = slots.filter_map(|slot| slot.get("reference")?.as_str());
        references
            .filter_map(|reference| local(base.normalise(reference)?))
            .filter(|key| key.resource_type == "Slot")
            .collect()
    }

    /// The one patient of a session. A judgement about one of several would be read as
    /// one about all of them, and would tell one about the others.
    pub fn only_patient(&self, base: &Base) -> Result<ResourceKey, Failure> {
        let mut patients: Vec<ResourceKey> = self
            .participants()
            .filter(|one| !one.declined())
            .filter_map(|one| one.actor(base))
            .filter(|key| key.resource_type == "Patient")
            .collect();
        patients.sort();
        patients.dedup();
        let text = match (patients.pop(), patients.is_empty()) {
            (Some(patient), true) => return Ok(patient),
            (Some(_), false) => {
                "The appointment names more than one patient. Book an appointment for each of them."
            }
            (None, _) => "The appointment has no patient of this service.",
        };
        Err(Failure::new(Kind::BusinessRule, text))
    }

    /// The resource of this type that takes part and has not declined.
    pub fn actor(&self, base: &Base, resource_type: &str) -> Option<ResourceKey> {
        let mut actors = self.participants().filter(|one| !one.declined());
        actors.find_map(|one| {
            one.actor(base)
                .filter(|key| key.resource_type == resource_type)
        })
    }
}

pub struct Participant<'c> {
    object: &'c Map<String, Value>,
}

impl<'c> Participant<'c> {
    /// Whom it names on this service.
    pub fn actor(&self, base: &Base) -> Option<ResourceKey> {
        let actor = self.object.get("actor").and_then(Value::as_object)?;
        local(base.normalise(text(actor, "reference")?)?)
    }

    /// Somebody in particular, by whatever way.
    pub fn is_somebody(&self) -> bool {
        let actor = self.object.get("actor").and_then(Value::as_object);
        actor.is_some_and(|actor| {
            ["reference", "identifier", "display"]
                .iter()
                .any(|name| actor.contains_key(*name))
        })
    }

    pub fn declined(&self) -> bool {
        self.status() == Some("declined")
    }

    pub fn status(&self) -> Option<&'c str> {
        text(self.object, "status")
    }

    pub fn required(&self) -> Option<&'c str> {
        text(self.object, "required")
    }

    pub fn has_type(&self, system: &str, wanted: &str) -> bool {
        code_of(items(self.object, "type"), system, |code| code == wanted).is_some()
    }
}

fn code<'c>(content: &'c Map<String, Value>, name: &str, system: &str) -> Option<&'c str> {
    code_of(items(content, name), system, |_| true)
}

fn code_of<'c>(
    concepts: &'c [Value],
    system: &str,
    fits: impl Fn(&str) -> bool,
) -> Option<&'c str> {
    let concepts = concepts.iter().filter_map(Value::as_object);
    let codings = concepts.flat_map(|concept| items(concept, "coding"));
    let mut codes = codings
        .filter(|coding| coding.get("system").and_then(Value::as_str) == Some(system))
        .filter_map(|coding| coding.get("code").and_then(Value::as_str));
    codes.find(|code| fits(code))
}

fn span(content: &Map<String, Value>) -> Option<Span> {
    let at = |name| text(content, name).and_then(date::range);
    Some((at("start")?.0, at("end")?.0))
}
