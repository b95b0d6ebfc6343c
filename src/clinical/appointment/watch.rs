//! The rules of Appointments on every write. Those of the programme are held to
//! them; of others, which another system may know better, the writer is warned,
//! unless a setting holds them to the same.

use std::sync::Arc;

use super::booking::Booking;
use super::calendar::Calendar;
use super::{companion, status};
use crate::clinical::medication::{Rules, as_it_stands};
use crate::clinical::patient::{patient_after, refuse_treatment};
use crate::fhir::authority::Authority;
use crate::fhir::engine::{Draft, Engine, now};
use crate::fhir::operation::Records;
use crate::fhir::outcome::{Failure, Issue, Kind, Severity};
use crate::fhir::record::{Guard, ResourceKey};
use crate::fhir::rule::{Review, Rule};
use crate::fhir::search::reference::Base;

pub struct AppointmentWatch {
    pub rules: Arc<Rules>,
    /// Appointments that are not of the programme are held to the rules too.
    pub strict: bool,
}

#[async_trait::async_trait]
impl Rule for AppointmentWatch {
    fn concerns(&self, draft: &Draft) -> bool {
        draft.key.resource_type == "Appointment" && draft.content.is_some()
    }

    async fn review(
        &self,
        engine: &Engine,
        writer: &dyn Authority,
        drafts: &mut Vec<Draft>,
    ) -> Result<Review, Failure> {
        let desk = Desk {
            calendar: Calendar {
                records: Records::all(engine),
                base: Base::new(&engine.settings.base_url),
                drafts,
            },
            writers: Records::of(engine, writer),
        };
        let mut review = Review::default();
        for (number, draft) in drafts.iter().enumerate() {
            if !self.concerns(draft) {
                continue;
            }
            if let Err(refusal) = self.judge(&desk, draft, &mut review).await? {
                review.refused = Some((number, refusal));
                break;
            }
        }
        Ok(review)
    }
}

struct Desk<'d> {
    calendar: Calendar<'d>,
    /// What the writer may read, and so what may be named to him.
    writers: Records<'d>,
}

impl AppointmentWatch {
    async fn judge(
        &self,
        desk: &Desk<'_>,
        draft: &Draft,
        review: &mut Review,
    ) -> Result<Result<(), Failure>, Failure> {
        let Some(resource) = &draft.content else {
            return Ok(Ok(()));
        };
        let booking = Booking::of(&resource.content);
        let old = match draft.guard {
            Guard::New => None,
            _ => desk.calendar.records.find(&draft.key).await?,
        };
        let before = old.as_ref().map(|old| Booking::of(&old.resource.content));
        // Who drops the kind does not drop the rules with it.
        let ours = booking.kind.is_some() || before.as_ref().is_some_and(|old| old.kind.is_some());
        // Nor does one that takes time of the calendar which is kept here.
        let base = &desk.calendar.base;
        let in_calendar = !booking.slots(base).is_empty()
            || before
                .as_ref()
                .is_some_and(|old| !old.slots(base).is_empty());
        let held = ours || in_calendar || self.strict;
        if held && draft.guard != Guard::New {
            let guard = as_it_stands(&desk.calendar.records, &draft.key).await?;
            review.rests_on.push((draft.key.clone(), guard));
        }
        let mut issues = self.content(desk, &booking, before.as_ref(), ours);
        let faulty = held && issues.iter().any(|issue| issue.severity == Severity::Error);
        if faulty {
            return Ok(Err(Failure::of_issues(Kind::BusinessRule, issues)));
        }
        if ours && status::is_treatment_ahead(booking.status) {
            let refusal = self.patient(desk, &booking, review).await?;
            if let Some(refusal) = refusal {
                return Ok(Err(refusal));
            }
        }
        let look = desk.calendar.look(&draft.key, &booking).await?;
        if let Some((actor, other)) = look.taken {
            let issue = taken(&desk.writers, &actor, &other).await?;
            if held {
                return Ok(Err(Failure::of_issues(Kind::Conflict, vec![issue])));
            }
            issues.push(issue);
        } else {
            // Foreign ones claim their time too: whoever books it in the same instant
            // is refused or warned, and if that one was first, this one is.
            review.rests_on.extend(look.rests_on);
        }
        let warnings = issues.into_iter().map(|issue| Issue {
            severity: Severity::Warning,
            ..issue
        });
        review.issues.extend(warnings);
        Ok(Ok(()))
    }

    /// Nothing is arranged for the dead, for records that are not in use, and for those
    /// who are too young; what was arranged can still be cancelled. The reason is told to
    /// those who may read the patient.
    async fn patient(
        &self,
        desk: &Desk<'_>,
        booking: &Booking<'_>,
        review: &mut Review,
    ) -> Result<Option<Failure>, Failure> {
        let calendar = &desk.calendar;
        let Some(key) = booking.actor(&calendar.base, "Patient") else {
            return Ok(None);
        };
        let records = &calendar.records;
        let Some(patient) = patient_after(records, calendar.drafts, &key).await? else {
            return Ok(None);
        };
        let at = booking.span.map_or_else(now, |(start, _)| start);
        let knowledge = &self.rules.knowledge;
        let Err(refusal) = refuse_treatment(knowledge, &patient, at) else {
            if !calendar.drafts.iter().any(|draft| draft.key == key) {
                let guard = as_it_stands(records, &key).await?;
                review.rests_on.push((key, guard));
            }
            return Ok(None);
        };
        let sent = calendar.drafts.iter().any(|draft| draft.key == key);
        if sent || desk.writers.find(&key).await?.is_some() {
            return Ok(Some(refusal));
        }
        let text = "Nothing can be arranged for this patient. Somebody who may read the record of the patient can see why.";
        Ok(Some(Failure::at(
            Kind::BusinessRule,
            "Appointment.participant",
            text,
        )))
    }

    /// What is wrong with the content alone, or with the way to it.
    fn content(
        &self,
        desk: &Desk<'_>,
        booking: &Booking<'_>,
        before: Option<&Booking<'_>>,
        ours: bool,
    ) -> Vec<Issue> {
        let mut issues = Vec::new();
        if let Some(before) = before
            && !status::may_follow(before.status, booking.status)
        {
            issues.push(illegal(before.status, booking.status));
        }
        if booking.span.is_some_and(|(start, end)| start >= end) {
            let text = "The appointment ends before it has begun. Send an end behind the start.";
            issues.push(Issue::error(Kind::BusinessRule, text).at("Appointment.end"));
        }
        if ours && booking.actor(&desk.calendar.base, "Patient").is_none() {
            let text = "An appointment of the programme is one of a patient: name a Patient of this service among its participants.";
            issues.push(Issue::error(Kind::BusinessRule, text).at("Appointment.participant"));
        }
        if let Some(kind) = booking.kind
            && !self.rules.knowledge.kinds.iter().any(|one| one.id == kind)
        {
            let kinds: Vec<&str> = self
                .rules
                .knowledge
                .kinds
                .iter()
                .map(|one| one.id.as_str())
                .collect();
            let text = format!(
                "There is no such kind of appointment. Send one of {}.",
                kinds.join(", ")
            );
            issues.push(Issue::error(Kind::BusinessRule, text).at("Appointment.serviceType"));
        }
        issues.extend(companion::missing(&self.rules.knowledge, booking));
        issues
    }
}

fn illegal(from: &str, to: &str) -> Issue {
    let next = status::next(from);
    let remedy = if next.is_empty() {
        "It stays as it is; make a new Appointment.".to_owned()
    } else {
        format!("It may become {}.", next.join(", "))
    };
    let text = format!("The appointment is {from} and cannot become {to}. {remedy}");
    Issue::error(Kind::BusinessRule, text).at("Appointment.status")
}

/// The other appointment is named to those who may read it, and to nobody else.
async fn taken(
    writers: &Records<'_>,
    actor: &ResourceKey,
    other: &ResourceKey,
) -> Result<Issue, Failure> {
    let by = match writers.find(other).await? {
        Some(_) => format!(" by {other}"),
        None => String::new(),
    };
    let text = format!("The time of {actor} is taken{by}. Choose another time.");
    Ok(Issue::error(Kind::Conflict, text).at("Appointment.start"))
}
