//! What is told when ketamine is ordered: candidacy and readiness as they stand in
//! this service, or why they were not looked at. And whether a patient has a course,
//! without which other orders are no concern of these services.

use serde_json::{Map, Value};

use super::ask::{ask, named, said, value};
use super::call::Asked;
use super::card::{Card, Indicator};
use super::readiness;
use crate::clinical::appointment::Booking;
use crate::clinical::appointment::booking::SESSION;
use crate::clinical::course;
use crate::clinical::linked_patients::PatientRecords;
use crate::fhir::engine::now;
use crate::fhir::operation::{Records, Version};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::record::ResourceKey;
use crate::fhir::request::{Content, Verb};
use crate::fhir::resource::instant;
use crate::fhir::search::date;
use crate::fhir::search::path::text;

const SOURCE: &str = "Unloop: ketamine";

/// What this service knows of the treatment of a patient.
pub enum Treatment {
    /// The patient is not known here, or not to this caller.
    Unknown,
    Known {
        patient: ResourceKey,
        /// A course of the programme that has not ended, or a session to come; where not
        /// all may be seen, there may be one.
        has_course: bool,
        /// The next session.
        session: Option<Box<Version>>,
    },
}

pub async fn load_treatment(asked: &Asked<'_>) -> Result<Treatment, Failure> {
    let Some(patient) = asked.patient_here().await? else {
        return Ok(Treatment::Unknown);
    };
    let patient = ResourceKey::new("Patient", patient);
    let records = Records::of(asked.engine, asked.caller);
    let of_patient = match PatientRecords::load(records, &patient).await {
        Ok(of_patient) => of_patient,
        Err(failure) => {
            return match failure.kind {
                Kind::NotFound | Kind::Deleted | Kind::Forbidden => Ok(Treatment::Unknown),
                _ => Err(failure),
            };
        }
    };
    let courses = format!("{}|", course::system());
    let episodes = of_patient
        .search("EpisodeOfCare", &[("identifier", &courses)])
        .await?;
    let day: String = instant(now()).chars().take(10).collect();
    let appointments = of_patient
        .search("Appointment", &[("date", &format!("ge{day}"))])
        .await?;
    let hidden = episodes.hidden || appointments.hidden;
    let session = next_session(appointments.resources);
    let mut running = episodes.resources.iter().map(|one| &one.resource.content);
    let has_course = hidden || session.is_some() || running.any(is_running);
    Ok(Treatment::Known {
        patient,
        has_course,
        session: session.map(Box::new),
    })
}

fn is_running(episode: &Map<String, Value>) -> bool {
    let status = text(episode, "status");
    !matches!(status, Some("finished" | "cancelled" | "entered-in-error"))
}

fn next_session(appointments: Vec<Version>) -> Option<Version> {
    let sessions = appointments.into_iter().filter(|one| {
        let booking = Booking::of(&one.resource.content);
        let status = booking.status;
        booking.kind == Some(SESSION)
            && matches!(
                status,
                "proposed" | "pending" | "booked" | "arrived" | "checked-in"
            )
    });
    sessions.min_by_key(|one| {
        let start = text(&one.resource.content, "start").and_then(date::range);
        start.map_or(i64::MAX, |(low, _)| low)
    })
}

/// The cards of candidacy and readiness; one of them at least says something.
pub async fn cards(asked: &Asked<'_>, treatment: &Treatment) -> Result<Vec<Value>, Failure> {
    let Treatment::Known {
        patient, session, ..
    } = treatment
    else {
        let why = "The patient is not known here, or not all that is linked here may be seen.";
        return Ok(vec![not_checked("Candidacy and readiness", why)]);
    };
    let path = ["Patient", patient.id.as_str(), "$ketamine-candidacy"];
    let answer = ask(asked.engine, asked.caller, Verb::Get, &path, Content::None).await?;
    let mut cards = vec![match answer {
        Ok(answer) => candidacy_card(&answer),
        Err(why) => not_checked("Candidacy", &why),
    }];
    let Some(session) = session else {
        let why = "No session is booked here. Blood pressure, consent, companion and screening are looked at for a session.";
        cards.push(not_checked("Readiness", why));
        return Ok(cards);
    };
    let path = ["Appointment", session.key.id.as_str(), "$session-readiness"];
    let answer = ask(asked.engine, asked.caller, Verb::Get, &path, Content::None).await?;
    let content = &session.resource.content;
    cards.push(readiness::card(content, answer).unwrap_or_else(|| ready(content)));
    Ok(cards)
}

fn candidacy_card(answer: &Value) -> Value {
    let overall = said(answer, "overall");
    let open = named(answer, "criterion").filter(|one| said(one, "status") != "met");
    let open: Vec<&Value> = open.collect();
    let against = open.iter().filter(|one| said(one, "status") == "not-met");
    let against: Vec<&str> = against.map(|one| said(one, "id")).collect();
    let mut summary = format!("Ketamine: {overall}");
    if !against.is_empty() {
        summary.push_str(&format!("; not met: {}", against.join(", ")));
    }
    let lines = open.iter().map(|one| {
        let reasons = named(one, "reason").filter_map(|reason| reason.get("valueString")?.as_str());
        let reasons: Vec<&str> = reasons.collect();
        let (id, status) = (said(one, "id"), said(one, "status"));
        let settle = value(one, "toSettle").and_then(Value::as_str);
        format!(
            "- {id}: {status}. {} {}",
            reasons.join(" "),
            settle.unwrap_or_default()
        )
    });
    let lines: Vec<String> = lines.collect();
    let indicator = match overall {
        "eligible-for-review" => Indicator::Info,
        "not-a-candidate-now" => Indicator::Critical,
        _ => Indicator::Warning,
    };
    let notice = said(answer, "notice");
    plain_card(
        summary,
        indicator,
        format!("{}\n\n{notice}", lines.join("\n")),
    )
}

fn ready(session: &Map<String, Value>) -> Value {
    let start = text(session, "start").unwrap_or("without a time");
    let detail =
        "Nothing that is recorded holds it. Advice for a clinician's review, not a decision.";
    let summary = format!("Nothing holds the ketamine session ({start})");
    plain_card(summary, Indicator::Info, detail.to_owned())
}

fn not_checked(what: &str, why: &str) -> Value {
    let summary = format!("{what} for ketamine: not checked");
    let detail = format!("{why}\n\nNothing can be said of what was not seen.");
    plain_card(summary, Indicator::Warning, detail)
}

fn plain_card(summary: String, indicator: Indicator, detail: String) -> Value {
    let card = Card {
        summary,
        indicator,
        detail,
        source: SOURCE,
        rule: None,
        reasons: None,
    };
    card.to_json()
}
