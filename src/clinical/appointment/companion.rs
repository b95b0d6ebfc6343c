//! Who has to be there besides the patient: a companion at home, somebody who
//! drives home from the clinic. A proposal may still lack them.

use super::booking::{Booking, Participant, SESSION};
use super::status::SETTLED;
use crate::clinical::knowledge::{Entry, Knowledge, Place};
use crate::fhir::outcome::{Issue, Kind};

/// The system of the types of participants.
pub const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";

/// Where the session takes place.
pub fn place<'k>(knowledge: &'k Knowledge, booking: &Booking<'_>) -> Option<&'k Entry<Place>> {
    let setting = booking.setting?;
    knowledge.places.iter().find(|place| place.id == setting)
}

/// The participant who has to be there, unless he has declined.
pub fn companion<'c>(place: &Entry<Place>, booking: &Booking<'c>) -> Option<Participant<'c>> {
    let mut all = booking.participants();
    all.find(|one| {
        one.has_type(PARTICIPATION, &place.fact.companion)
            && one.is_somebody()
            && one.required() == Some("required")
            && !one.declined()
    })
}

/// What a session that is settled lacks.
pub fn missing(knowledge: &Knowledge, booking: &Booking<'_>) -> Option<Issue> {
    if booking.kind != Some(SESSION) || !SETTLED.contains(&booking.status) {
        return None;
    }
    let Some(place) = place(knowledge, booking) else {
        let settings: Vec<&str> = knowledge.places.iter().map(|one| one.id.as_str()).collect();
        let text = format!(
            "Where does the session take place? serviceCategory needs a code of {}: {}.",
            super::booking::setting_system(),
            settings.join(" or ")
        );
        return Some(Issue::error(Kind::BusinessRule, text).at("Appointment.serviceCategory"));
    };
    if companion(place, booking).is_some() {
        return None;
    }
    let fact = &place.fact;
    let text = format!(
        "The session needs {}: a participant with the type {} ({PARTICIPATION}), required = required, who has not declined.",
        fact.companion_text, fact.companion
    );
    Some(Issue::error(Kind::BusinessRule, text).at("Appointment.participant"))
}
