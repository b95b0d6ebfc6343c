//! The companion or driver has accepted, and the patient's consent to the
//! treatment stands. <https://hl7.org/fhir/R4/consent.html>

use serde_json::{Map, Value};

use super::check::Check;
use crate::clinical::appointment::Booking;
use crate::clinical::appointment::companion::companion;
use crate::clinical::knowledge::{Entry, Place};
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::observation::has_code;
use crate::fhir::operation::LIMITED_VIEW;
use crate::fhir::outcome::Failure;
use crate::fhir::search::date;
use crate::fhir::search::path::text;
use crate::fhir::search::reference::Base;

const SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";

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

pub async fn of_consent(patient: &PatientRecords<'_>, at: i64) -> Result<Check, Failure> {
    let id = "consent";
    let seen = patient.search("Consent", &[("status", "active")]).await?;
    let treatment = seen
        .resources
        .into_iter()
        .filter(|one| has_code(one.resource.content.get("scope"), SCOPE, "treatment"));
    let (denied, permitted): (Vec<_>, Vec<_>) = treatment
        .filter(|one| covers(&one.resource.content, at))
        .partition(|one| denies(&one.resource.content));
    Ok(if !denied.is_empty() {
        let keys = denied.into_iter().map(|one| one.key);
        Check::hold(id, "The patient has refused the treatment.").by(keys)
    } else if seen.hidden {
        Check::unknown(id, LIMITED_VIEW)
    } else if permitted.is_empty() {
        let text =
            "No active Consent with the scope treatment covers the time of the session. Record it.";
        Check::hold(id, text)
    } else {
        let keys = permitted.into_iter().map(|one| one.key);
        Check::go(id, "The patient consents to the treatment.").by(keys)
    })
}

fn provision(content: &Map<String, Value>) -> Option<&Map<String, Value>> {
    content.get("provision").and_then(Value::as_object)
}

fn denies(content: &Map<String, Value>) -> bool {
    provision(content).and_then(|provision| text(provision, "type")) == Some("deny")
}

fn covers(content: &Map<String, Value>, at: i64) -> bool {
    let period = provision(content).and_then(|provision| provision.get("period"));
    let Some(period) = period.and_then(Value::as_object) else {
        return true;
    };
    let end = |name| text(period, name).map(date::range);
    // A time that cannot be read covers nothing.
    let begun = end("start").is_none_or(|start| start.is_some_and(|(low, _)| low <= at));
    let lasts = end("end").is_none_or(|end| end.is_some_and(|(_, high)| at <= high));
    begun && lasts
}
