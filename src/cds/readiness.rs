//! Whether sessions that are about to be booked can go ahead.

use serde_json::{Map, Value};

use super::ask::{ask, named, said};
use super::call::Asked;
use super::card::{Card, Indicator};
use crate::clinical::appointment::Booking;
use crate::clinical::appointment::booking::SESSION;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::request::{Content, Verb};
use crate::fhir::search::path::{items, text};

/// More sessions than one books at once are not looked at.
const MOST: usize = 20;

const ELSEWHERE: &str = "The appointment is one of the EHR's own server. Sessions are checked as they stand in this service: look it up here.";

/// A card for each session that something holds. Of other appointments nothing is said.
pub async fn cards(asked: &Asked<'_>) -> Result<Vec<Value>, Failure> {
    let Some(bundle) = asked.context.get("appointments").and_then(Value::as_object) else {
        return Err(Failure::at(
            Kind::Required,
            "context.appointments",
            "The context brings the appointments as a Bundle.",
        ));
    };
    let entries = items(bundle, "entry").iter();
    let sessions: Vec<&Map<String, Value>> = entries
        .filter_map(|entry| entry.get("resource")?.as_object())
        .filter(|one| Booking::of(one).kind == Some(SESSION))
        .collect();
    if sessions.len() > MOST {
        let text = format!("There are more than {MOST} sessions.");
        return Err(Failure::at(Kind::TooLarge, "context.appointments", text));
    }
    let mut cards = Vec::new();
    for session in sessions {
        let id = text(session, "id").unwrap_or("unknown");
        let path = ["Appointment", id, "$session-readiness"];
        let answer = match &asked.ehr {
            None => ask(asked.engine, asked.caller, Verb::Get, &path, Content::None).await?,
            // By its id it would be another one here.
            Some(_) => Err(ELSEWHERE.to_owned()),
        };
        cards.extend(card(session, answer));
    }
    Ok(cards)
}

pub fn card(session: &Map<String, Value>, answer: Result<Value, String>) -> Option<Value> {
    let start = text(session, "start").unwrap_or("without a time");
    let (summary, detail) = match answer {
        Ok(answer) if said(&answer, "overall") == "go" => return None,
        Ok(answer) => {
            let checks = named(&answer, "check").filter(|check| said(check, "state") != "go");
            let lines: Vec<String> = checks
                .map(|check| {
                    let (id, state) = (said(check, "id"), said(check, "state"));
                    format!("- {id}: {state}. {}", said(check, "reason"))
                })
                .collect();
            let notice = said(&answer, "notice");
            (
                format!("Hold the ketamine session ({start})"),
                format!("{}\n\n{notice}", lines.join("\n")),
            )
        }
        Err(why) => (
            format!("The ketamine session ({start}) is not checked"),
            why,
        ),
    };
    let card = Card {
        summary,
        indicator: Indicator::Warning,
        source: "Unloop: readiness for a session",
        detail,
        rule: None,
        reasons: None,
    };
    Some(card.to_json())
}
