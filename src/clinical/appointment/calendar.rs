//! Whose time is taken. An appointment of the programme claims the time of its
//! patient, practitioners and places; no other appointment may take it as well.
//!
//! A claim is a condition of the commit: nothing but what was looked at takes
//! the time of this actor between these two ends. Two claims on one actor share
//! a lock, so that the store judges one after the other, and an appointment that
//! was looked at and found not to be in the way keeps its version. So of any
//! number of bookings of one time at once one succeeds, whatever instance they
//! come to; bookings of other times and other actors never wait for long.

use std::collections::BTreeMap;

use super::booking::{Booking, Span};
use super::status::TAKES_TIME;
use crate::fhir::engine::Draft;
use crate::fhir::operation::Records;
use crate::fhir::outcome::Failure;
use crate::fhir::record::{Guard, ResourceKey};
use crate::fhir::resource::instant;
use crate::fhir::search::reference::{Base, local};

/// Those who can be at one place only, or hold one appointment at a time.
const CLAIMED: [&str; 4] = ["Patient", "Practitioner", "PractitionerRole", "Location"];

/// Everybody whose time is asked about, each under all names that an
/// appointment may use: a practitioner also takes part in a role.
pub type Actors = BTreeMap<ResourceKey, Vec<ResourceKey>>;

pub struct Calendar<'c> {
    pub records: Records<'c>,
    pub base: Base,
    pub drafts: &'c [Draft],
}

/// What stands in the way, and what the answer rests on.
#[derive(Default)]
pub struct Look {
    /// The actor and the other appointment.
    pub taken: Option<(ResourceKey, ResourceKey)>,
    pub rests_on: Vec<(ResourceKey, Guard)>,
}

impl Calendar<'_> {
    /// Whether somebody's time is taken by another appointment than `own`.
    pub async fn look(&self, own: &ResourceKey, booking: &Booking<'_>) -> Result<Look, Failure> {
        let mut look = Look::default();
        let Some(span) = takes(booking) else {
            return Ok(look);
        };
        let (actors, roles) = self.actors(booking).await?;
        look.rests_on.extend(roles);
        for (actor, names) in &actors {
            if let Some(other) = self.among_drafts(own, span, names) {
                look.taken = Some((actor.clone(), other));
                return Ok(look);
            }
            if let Some(other) = self.stored(own, span, actor, names, &mut look).await? {
                look.taken = Some((actor.clone(), other));
                return Ok(look);
            }
        }
        Ok(look)
    }

    /// The same commit may bring another one.
    fn among_drafts(
        &self,
        own: &ResourceKey,
        span: Span,
        names: &[ResourceKey],
    ) -> Option<ResourceKey> {
        let mut others = self
            .drafts
            .iter()
            .filter(|draft| draft.key.resource_type == "Appointment" && draft.key != *own);
        let found = others.find(|draft| {
            let content = draft.content.as_ref().map(|resource| &resource.content);
            content.is_some_and(|content| self.in_the_way(&Booking::of(content), span, names))
        });
        found.map(|draft| draft.key.clone())
    }

    async fn stored(
        &self,
        own: &ResourceKey,
        span: Span,
        actor: &ResourceKey,
        names: &[ResourceKey],
        look: &mut Look,
    ) -> Result<Option<ResourceKey>, Failure> {
        let names_text: Vec<String> = names.iter().map(ToString::to_string).collect();
        let criteria = [
            ("actor", names_text.join(",")),
            ("status", TAKES_TIME.join(",")),
            ("date", format!("lt{}", instant(span.1))),
            ("end", format!("gt{}", instant(span.0))),
        ];
        let criteria: Vec<(&str, &str)> = criteria
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let found = self.records.search("Appointment", &criteria).await?;
        let mut known = Vec::new();
        for version in found.resources {
            known.push(version.key.id.clone());
            // What this commit replaces is judged by what it becomes.
            if version.key == *own || self.drafts.iter().any(|draft| draft.key == version.key) {
                continue;
            }
            if self.in_the_way(&Booking::of(&version.resource.content), span, names) {
                return Ok(Some(version.key));
            }
            let guard = Guard::VersionIs(version.version);
            look.rests_on.push((version.key, guard));
        }
        let lock = format!("calendar/{actor}");
        let none_else = self
            .records
            .none_guard("Appointment", &criteria, &known, &lock)?;
        let claim = ResourceKey::new(lock, own.to_string());
        look.rests_on.push((claim, none_else));
        Ok(None)
    }

    fn in_the_way(&self, other: &Booking<'_>, span: Span, names: &[ResourceKey]) -> bool {
        let overlaps = takes(other).is_some_and(|other| other.0 < span.1 && span.0 < other.1);
        overlaps
            && other
                .participants()
                .filter(|one| !one.declined())
                .any(|one| {
                    one.actor(&self.base)
                        .is_some_and(|key| names.contains(&key))
                })
    }

    /// Whose time the appointment takes; with the roles by which that is known.
    async fn actors(
        &self,
        booking: &Booking<'_>,
    ) -> Result<(Actors, Vec<(ResourceKey, Guard)>), Failure> {
        let mut actors = Actors::new();
        let mut rests_on = Vec::new();
        for participant in booking.participants().filter(|one| !one.declined()) {
            let Some(mut key) = participant.actor(&self.base) else {
                continue;
            };
            if !CLAIMED.contains(&key.resource_type.as_str()) {
                continue;
            }
            let mut names = vec![key.clone()];
            if key.resource_type == "PractitionerRole"
                && let Some(role) = self.records.find(&key).await?
            {
                rests_on.push((key.clone(), Guard::VersionIs(role.version)));
                let holder = role.resource.content.get("practitioner");
                let holder = holder.and_then(|one| one.get("reference")?.as_str());
                let holder = holder.and_then(|one| local(self.base.normalise(one)?));
                key = holder.unwrap_or(key);
            }
            if key.resource_type == "Practitioner" {
                names.push(key.clone());
                let criteria = [("practitioner", &*key.to_string())];
                let roles = self.records.search("PractitionerRole", &criteria).await?;
                names.extend(roles.resources.into_iter().map(|role| role.key));
            }
            let known = actors.entry(key).or_default();
            known.extend(names);
            known.sort_unstable();
            known.dedup();
        }
        Ok((actors, rests_on))
    }
}

/// The time that the appointment takes.
fn takes(booking: &Booking<'_>) -> Option<Span> {
    booking
        .span
        .filter(|_| TAKES_TIME.contains(&booking.status))
}
