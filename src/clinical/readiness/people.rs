//! The companion or driver has accepted.

use super::check::Check;
use crate::clinical::appointment::Booking;
use crate::clinical::appointment::companion::companion;
use crate::clinical::knowledge::{Entry, Place};
use crate::fhir::search::reference::Base;

pub fn of_companion(place: &Entry<Place>, booking: &Booking<'_>, base: &Base) -> Check {
    let id = "companion";
    let who = &place.fact.companion_text;
    let Some(participant) = companion(place, booking) else {
        return Check::hold(id, format!("The session needs {who}; nobody is named."));
    };
    let actor = participant.actor(base);
    match participant.status() {
        Some("accepted") => Check::go(id, format!("There is {who}, who has accepted.")),
        _ => Check::hold(id, format!("There is {who}, who has not accepted yet.")),
    }
    .by(actor)
}
