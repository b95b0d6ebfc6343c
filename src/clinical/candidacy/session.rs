//! What stands in the appointments that are to come, and the watch for mania.
//! <https://hl7.org/fhir/R4/appointment.html>

use serde_json::{Map, Value, json};

use super::evidence::Evidence;
use super::status::Finding;
use crate::clinical::appointment::booking::{SESSION, kind_system};
use crate::clinical::knowledge::{Criterion, Entry};
use crate::clinical::observation::has_code;
use crate::clinical::programme;
use crate::fhir::operation::LIMITED_VIEW;
use crate::fhir::operation::records::Version;
use crate::fhir::search::path::{items, text};

const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";

/// The next session of ketamine that has not been called off.
fn next(evidence: &Evidence) -> Option<&Version> {
    let kind = kind_system();
    let planned = evidence.appointments.resources.iter().filter(|version| {
        let content = &version.resource.content;
        let services = items(content, "serviceType").iter();
        let session = services
            .clone()
            .any(|service| has_code(Some(service), &kind, SESSION));
        let alive = matches!(
            text(content, "status"),
            Some("proposed" | "pending" | "booked" | "arrived" | "checked-in")
        );
        session && alive
    });
    planned.min_by_key(|version| {
        let start = text(&version.resource.content, "start").unwrap_or("9999");
        crate::fhir::search::date::range(start).map_or(i64::MAX, |(low, _)| low)
    })
}

fn none(evidence: &Evidence) -> Finding {
    if evidence.appointments.hidden {
        return Finding::unknown(LIMITED_VIEW);
    }
    Finding::unknown("No session is planned.")
}

/// Somebody of this kind takes part in the next session, and has accepted.
pub fn participant(criterion: &Entry<Criterion>, evidence: &Evidence) -> Finding {
    let Some(session) = next(evidence) else {
        return none(evidence);
    };
    let code = criterion.fact.participant.as_deref().unwrap_or_default();
    let content = &session.resource.content;
    let of_kind = |participant: &&Map<String, Value>| {
        let mut types = items(participant, "type").iter();
        types.any(|one| has_code(Some(one), PARTICIPATION, code))
            && participant.contains_key("actor")
    };
    let participants = items(content, "participant").iter();
    let mut asked = participants.filter_map(Value::as_object).filter(of_kind);
    let source = [session.key.to_string()];
    if asked.any(|participant| text(participant, "status") == Some("accepted")) {
        Finding::met("Accepted the next session.").by(source)
    } else {
        Finding::not_met(format!(
            "Nobody of the kind {code} has accepted the next session."
        ))
        .by(source)
    }
}

/// The next session is at a place.
pub fn location(evidence: &Evidence) -> Finding {
    let Some(session) = next(evidence) else {
        return none(evidence);
    };
    let participants = items(&session.resource.content, "participant").iter();
    let mut places = participants.filter_map(|one| one.get("actor")?.get("reference")?.as_str());
    let source = [session.key.to_string()];
    if places.any(|reference| reference.contains("Location/")) {
        let text = "The next session has its place. Vital signs are checked during it.";
        Finding::met(text).by(source)
    } else {
        Finding::not_met("The next session has no Location.").by(source)
    }
}

/// The code of the Flag and of the schedule by which mania is watched for.
pub fn watch_code() -> Value {
    json!({
        "coding": [{"system": programme::system(), "code": programme::MANIA_WATCH}],
        "text": "Bipolar disorder: watch for mania",
    })
}

/// The active Flag and the active schedule, as far as they are there.
pub fn watch(evidence: &Evidence) -> Vec<String> {
    let system = programme::system();
    [&evidence.flags, &evidence.schedules]
        .into_iter()
        .filter_map(|seen| {
            let found = seen.resources.iter().find(|version| {
                let content = &version.resource.content;
                text(content, "status") == Some("active")
                    && has_code(content.get("code"), &system, programme::MANIA_WATCH)
            });
            found.map(|version| version.key.to_string())
        })
        .collect()
}
