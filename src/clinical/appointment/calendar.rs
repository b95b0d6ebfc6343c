//! Whose time is taken. An appointment claims the time of its patient, practitioners
//! and places, and of those whose Schedules its Slots belong to; no other appointment
//! may take it as well. A practitioner is one person in all roles and Schedules.
//!
//! A claim is a condition of the commit: nothing but what was looked at takes
//! the time of this actor between these two ends. Two claims on one actor share
//! a lock, so that the store judges one after the other, and an appointment that
//! was looked at and found not to be in the way keeps its version. So of any
//! number of bookings of one time at once one succeeds, whatever instance they
//! come to; bookings of other times and other actors never wait for long.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::booking::{Booking, Participant, Span};
use super::status::TAKES_TIME;
use crate::fhir::engine::Draft;
use crate::fhir::operation::{Records, Version};
use crate::fhir::outcome::Failure;
use crate::fhir::record::{Guard, ResourceKey};
use crate::fhir::resource::instant;
use crate::fhir::search::date;
use crate::fhir::search::path::{items, text};
use crate::fhir::search::reference::{Base, local};

/// Those who can be at one place only, or hold one appointment at a time.
const CLAIMED: [&str; 4] = ["Patient", "Practitioner", "PractitionerRole", "Location"];

/// No Slot that is taken lasts longer, in microseconds.
const LONGEST_SLOT: i64 = 86_400_000_000;

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
        for slot in booking.slots(&self.base) {
            if let Some(other) = self.in_slot(own, span, &slot, &mut look).await? {
                look.taken = Some((slot, other));
                return Ok(look);
            }
        }
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

    /// An appointment that has the actor among its participants, or takes a Slot of the
    /// actor's Schedules.
    async fn stored(
        &self,
        own: &ResourceKey,
        span: Span,
        actor: &ResourceKey,
        names: &[ResourceKey],
        look: &mut Look,
    ) -> Result<Option<ResourceKey>, Failure> {
        let taken = |other: &Booking<'_>| self.in_the_way(other, span, names);
        let asked = Asked {
            parameter: "actor",
            keys: names,
            lock: format!("calendar/{actor}"),
        };
        if let Some(other) = self.matching(own, span, &asked, &taken, look).await? {
            return Ok(Some(other));
        }
        let slots = self.slots_of(span, names).await?;
        if slots.is_empty() {
            return Ok(None);
        }
        // A participant who declined gives the time of the Slot back.
        let taken = |other: &Booking<'_>| overlaps(other, span) && !self.has_declined(other, names);
        let asked = Asked {
            parameter: "slot",
            keys: &slots,
            lock: format!("calendar/{actor}"),
        };
        self.matching(own, span, &asked, &taken, look).await
    }

    /// Another appointment in this Slot.
    async fn in_slot(
        &self,
        own: &ResourceKey,
        span: Span,
        slot: &ResourceKey,
        look: &mut Look,
    ) -> Result<Option<ResourceKey>, Failure> {
        let takes_slot =
            |other: &Booking<'_>| overlaps(other, span) && other.slots(&self.base).contains(slot);
        let drafts = self
            .drafts
            .iter()
            .filter(|draft| draft.key.resource_type == "Appointment" && draft.key != *own);
        for draft in drafts {
            let content = draft.content.as_ref().map(|resource| &resource.content);
            if content.is_some_and(|content| takes_slot(&Booking::of(content))) {
                return Ok(Some(draft.key.clone()));
            }
        }
        let asked = Asked {
            parameter: "slot",
            keys: std::slice::from_ref(slot),
            lock: format!("calendar/{slot}"),
        };
        self.matching(own, span, &asked, &takes_slot, look).await
    }

    /// The Slots of the Schedules of these that lie in this time.
    async fn slots_of(
        &self,
        span: Span,
        names: &[ResourceKey],
    ) -> Result<Vec<ResourceKey>, Failure> {
        let criteria = [("actor", joined(names))];
        let schedules = self.search("Schedule", &criteria).await?;
        if schedules.is_empty() {
            return Ok(Vec::new());
        }
        let schedules: Vec<ResourceKey> = schedules.into_iter().map(|one| one.key).collect();
        let criteria = [
            ("schedule", joined(&schedules)),
            ("start", format!("lt{}", instant(span.1))),
            (
                "start",
                format!("gt{}", instant(span.0.saturating_sub(LONGEST_SLOT))),
            ),
        ];
        let slots = self.search("Slot", &criteria).await?.into_iter();
        let ends_later = |slot: &Version| {
            let end = text(&slot.resource.content, "end").and_then(date::range);
            end.is_none_or(|(end, _)| end > span.0)
        };
        Ok(slots.filter(ends_later).map(|slot| slot.key).collect())
    }

    async fn search(
        &self,
        resource_type: &str,
        criteria: &[(&str, String)],
    ) -> Result<Vec<Version>, Failure> {
        let criteria: Vec<(&str, &str)> = criteria
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        Ok(self
            .records
            .search(resource_type, &criteria)
            .await?
            .resources)
    }

    /// The first appointment that is found and is in the way. Where there is none, that it
    /// stays so becomes a condition of the commit.
    async fn matching(
        &self,
        own: &ResourceKey,
        span: Span,
        asked: &Asked<'_>,
        in_the_way: &(dyn Fn(&Booking<'_>) -> bool + Sync),
        look: &mut Look,
    ) -> Result<Option<ResourceKey>, Failure> {
        let criteria = [
            (asked.parameter, joined(asked.keys)),
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
            if in_the_way(&Booking::of(&version.resource.content)) {
                return Ok(Some(version.key));
            }
            let guard = Guard::VersionIs(version.version);
            look.rests_on.push((version.key, guard));
        }
        let none_else = self
            .records
            .none_guard("Appointment", &criteria, &known, &asked.lock)?;
        let claim = ResourceKey::new(
            format!("{}/{}", asked.lock, asked.parameter),
            own.to_string(),
        );
        look.rests_on.push((claim, none_else));
        Ok(None)
    }

    fn in_the_way(&self, other: &Booking<'_>, span: Span, names: &[ResourceKey]) -> bool {
        overlaps(other, span)
            && other
                .participants()
                .filter(|one| !one.declined())
                .any(|one| {
                    one.actor(&self.base)
                        .is_some_and(|key| names.contains(&key))
                })
    }

    fn has_declined(&self, other: &Booking<'_>, names: &[ResourceKey]) -> bool {
        let mut declined = other.participants().filter(Participant::declined);
        declined.any(|one| {
            one.actor(&self.base)
                .is_some_and(|key| names.contains(&key))
        })
    }

    /// The participants and the actors of the Slots' Schedules, without those who declined.
    async fn claimants(&self, booking: &Booking<'_>) -> Result<Vec<ResourceKey>, Failure> {
        let (declined, attending): (Vec<_>, Vec<_>) =
            booking.participants().partition(Participant::declined);
        let keys = |all: Vec<Participant<'_>>| -> Vec<ResourceKey> {
            all.iter().filter_map(|one| one.actor(&self.base)).collect()
        };
        let (declined, mut claimants) = (keys(declined), keys(attending));
        for slot in booking.slots(&self.base) {
            let Some(slot) = self.records.find(&slot).await? else {
                continue;
            };
            for schedule in links_of(&self.base, &slot.resource.content, "schedule") {
                if let Some(schedule) = self.records.find(&schedule).await? {
                    claimants.extend(links_of(&self.base, &schedule.resource.content, "actor"));
                }
            }
        }
        claimants.retain(|key| CLAIMED.contains(&key.resource_type.as_str()));
        // The place of a Schedule may be a whole clinic; for the programme it is a room.
        if booking.kind.is_none() && !booking.slots(&self.base).is_empty() {
            claimants.retain(|key| key.resource_type != "Location");
        }
        claimants.retain(|key| !declined.contains(key));
        claimants.sort_unstable();
        claimants.dedup();
        Ok(claimants)
    }

    /// Whose time the appointment takes; with the roles by which that is known.
    async fn actors(
        &self,
        booking: &Booking<'_>,
    ) -> Result<(Actors, Vec<(ResourceKey, Guard)>), Failure> {
        let mut actors = Actors::new();
        let mut rests_on = Vec::new();
        for mut key in self.claimants(booking).await? {
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

/// Which appointments are asked for: those where this parameter names one of these.
struct Asked<'a> {
    parameter: &'static str,
    keys: &'a [ResourceKey],
    lock: String,
}

fn joined(keys: &[ResourceKey]) -> String {
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    keys.join(",")
}

fn links_of(base: &Base, content: &Map<String, Value>, name: &str) -> Vec<ResourceKey> {
    let links = items(content, name).iter();
    let references = links.filter_map(|link| link.get("reference")?.as_str());
    references
        .filter_map(|reference| local(base.normalise(reference)?))
        .collect()
}

fn overlaps(other: &Booking<'_>, span: Span) -> bool {
    takes(other).is_some_and(|other| other.0 < span.1 && span.0 < other.1)
}

/// The time that the appointment takes.
fn takes(booking: &Booking<'_>) -> Option<Span> {
    booking
        .span
        .filter(|_| TAKES_TIME.contains(&booking.status))
}
