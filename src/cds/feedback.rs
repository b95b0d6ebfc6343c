//! What became of cards. <https://cds-hooks.hl7.org/2.0/#feedback>

use std::sync::Arc;

use serde_json::{Map, Value};

use super::card::reason;
use super::given::{self, Feedback, Given};
use super::service;
use crate::access::Caller;
use crate::fhir::audit::{self, Event};
use crate::fhir::authority::Authority as _;
use crate::fhir::engine::{Engine, now};
use crate::fhir::outcome::{Failure, Issue, Kind};
use crate::fhir::search::path::{items, text};

/// Cards that are answered at once.
const MOST: usize = 100;

/// Characters of a comment.
const COMMENT: usize = 4_000;

/// Stores all of it or nothing; one refusal names all problems.
pub async fn take(
    engine: &Arc<Engine>,
    caller: &Caller,
    service: &str,
    content: &Map<String, Value>,
) -> Result<(), Failure> {
    let service = service::required(service)?;
    let told = items(content, "feedback");
    if told.is_empty() || told.len() > MOST {
        let text = format!("feedback is a list of 1 to {MOST} cards with what became of each.");
        return Err(Failure::at(Kind::Required, "feedback", text));
    }
    let mut issues = Vec::new();
    let mut answers: Vec<(&str, Feedback)> = Vec::new();
    for (index, one) in told.iter().enumerate() {
        let place = format!("feedback[{index}]");
        match read(one, &place) {
            Ok((card, _)) if answers.iter().any(|(other, _)| *other == card) => issues.push(
                Issue::error(Kind::Value, "The card is answered twice.")
                    .at(format!("{place}.card")),
            ),
            Ok(answer) => answers.push(answer),
            Err(issue) => issues.push(issue),
        }
    }
    if !issues.is_empty() {
        return Err(Failure::of_issues(Kind::Value, issues));
    }
    let mut changes = Vec::new();
    let mut patients = Vec::new();
    for (index, (card, answer)) in answers.into_iter().enumerate() {
        let place = format!("feedback[{index}]");
        let Some((entry, mut given)) = given::find(engine, caller, service.id, card).await? else {
            let text = "This service has given you no such card, or not within the last 30 days. Send the uuid of the card as it came.";
            issues.push(Issue::error(Kind::NotFound, text).at(format!("{place}.card")));
            continue;
        };
        if let Err(issue) = fits(&given, &answer, &place) {
            issues.push(issue);
            continue;
        }
        patients.extend(given.server.is_none().then(|| given.patient.clone()));
        given.feedback = Some(answer);
        changes.extend(given::answered(&entry, &given));
    }
    if !issues.is_empty() {
        return Err(Failure::of_issues(Kind::Value, issues));
    }
    patients.sort_unstable();
    patients.dedup();
    let sent = format!("POST /cds-services/{}/feedback", service.id);
    let event = Event::command("cds-feedback", sent).concerning(patients);
    audit::record_with(engine, &caller.actor(), &[event], changes).await
}

/// One card and what became of it, as far as the content alone tells.
fn read<'v>(told: &'v Value, place: &str) -> Result<(&'v str, Feedback), Issue> {
    let wrong = |name: &str, text: &str| {
        Issue::error(Kind::Value, text.to_owned()).at(format!("{place}.{name}"))
    };
    let Some(told) = told.as_object() else {
        let text = "Each is an object with card, outcome and outcomeTimestamp.";
        return Err(Issue::error(Kind::Structure, text).at(place));
    };
    let card = text(told, "card").filter(|card| uuid::Uuid::parse_str(card).is_ok());
    let card = card.ok_or_else(|| wrong("card", "card is the uuid of a card."))?;
    let decided = text(told, "outcomeTimestamp")
        .filter(|time| time.parse::<jiff::Timestamp>().is_ok())
        .ok_or_else(|| {
            let text =
                "outcomeTimestamp is the time of the decision, such as 2026-11-21T10:00:00Z.";
            wrong("outcomeTimestamp", text)
        })?;
    let outcome = text(told, "outcome").filter(|one| matches!(*one, "accepted" | "overridden"));
    let outcome = outcome.ok_or_else(|| wrong("outcome", "outcome is accepted or overridden."))?;
    let mut feedback = Feedback {
        outcome: outcome.to_owned(),
        accepted: Vec::new(),
        reason: None,
        comment: None,
        decided: decided.to_owned(),
        received: now(),
    };
    for one in items(told, "acceptedSuggestions") {
        let id = one.get("id").and_then(Value::as_str);
        let id = id.ok_or_else(|| {
            let text = "Each accepted suggestion has its uuid as id.";
            wrong("acceptedSuggestions", text)
        })?;
        feedback.accepted.push(id.to_owned());
    }
    if feedback.accepted.is_empty() == (outcome == "accepted") {
        let text = "acceptedSuggestions names at least one suggestion of a card that was accepted, and none of one that was overridden.";
        return Err(wrong("acceptedSuggestions", text));
    }
    match told.get("overrideReason") {
        None => {}
        Some(Value::Object(why)) if outcome == "overridden" => {
            override_reason(why, &mut feedback).map_err(|text| wrong("overrideReason", &text))?;
        }
        Some(_) => {
            let text = "overrideReason is an object, and only where the outcome is overridden.";
            return Err(wrong("overrideReason", text));
        }
    }
    Ok((card, feedback))
}

fn override_reason(why: &Map<String, Value>, feedback: &mut Feedback) -> Result<(), String> {
    let comment = text(why, "userComment");
    if comment.is_some_and(|comment| comment.chars().count() > COMMENT) {
        return Err(format!("userComment has more than {COMMENT} characters."));
    }
    feedback.comment = comment.map(str::to_owned);
    let Some(chosen) = why.get("reason") else {
        return match comment {
            Some(_) => Ok(()),
            None => Err("overrideReason has a reason of the card's or a userComment.".to_owned()),
        };
    };
    let chosen = chosen.as_object().and_then(reason);
    let chosen =
        chosen.ok_or("reason is one of the card's overrideReasons, by system and code.")?;
    feedback.reason = Some(chosen.to_owned());
    Ok(())
}

/// Whether the card had what is said of it.
fn fits(given: &Given, answer: &Feedback, place: &str) -> Result<(), Issue> {
    let known = |id: &String| given.suggestions.contains(id);
    if !answer.accepted.iter().all(known) {
        let text = "The card had no such suggestion. Send the uuid of the suggestion as it came.";
        let place = format!("{place}.acceptedSuggestions");
        return Err(Issue::error(Kind::Value, text).at(place));
    }
    if answer.reason.is_some() && !given.reasons {
        let text = "The card named no reasons. Say why in userComment.";
        let place = format!("{place}.overrideReason.reason");
        return Err(Issue::error(Kind::Value, text).at(place));
    }
    Ok(())
}
