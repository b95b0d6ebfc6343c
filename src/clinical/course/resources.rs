//! A course as EpisodeOfCare, CareTeam, CarePlan and Appointments. R4 has no
//! link from an Appointment to the course; `supportingInformation` has it, and
//! the CarePlan lists all of them.
//! <https://hl7.org/fhir/R4/episodeofcare.html>, <https://hl7.org/fhir/R4/careplan.html>

use jiff::Zoned;
use serde_json::{Value, json};

use super::timetable::Visit;
use super::wish::Wish;
use crate::clinical::CANONICAL;
use crate::clinical::appointment::booking::{SESSION, kind_system, setting_system};
use crate::clinical::appointment::companion::PARTICIPATION;
use crate::clinical::knowledge::{Entry, Place};
use crate::fhir::record::ResourceKey;

/// The system of a course's identifiers.
pub fn system() -> String {
    format!("{CANONICAL}/course")
}

/// Where the resources of one course find each other.
pub struct Course<'c> {
    pub wish: &'c Wish<'c>,
    pub place: &'c Entry<Place>,
    pub patient: ResourceKey,
    pub episode: ResourceKey,
    pub team: ResourceKey,
}

impl Course<'_> {
    /// Shared by all resources of the course.
    fn identifier(&self) -> Value {
        json!([{"system": system(), "value": value(&self.patient, &self.wish.key)}])
    }

    pub fn episode_of_care(&self, visits: &[Visit<'_>]) -> Value {
        let mut content = json!({
            "resourceType": "EpisodeOfCare",
            "identifier": self.identifier(),
            "status": "planned",
            "patient": link(&self.patient),
            "team": [link(&self.team)],
            "period": period(visits),
        });
        let people = &self.wish.people;
        if let Some(manager) = people.practitioner.as_ref() {
            set(&mut content, "careManager", link(manager));
        }
        if let Some(condition) = &people.condition {
            set(
                &mut content,
                "diagnosis",
                json!([{"condition": link(condition)}]),
            );
        }
        content
    }

    pub fn care_team(&self) -> Value {
        let people = &self.wish.people;
        let members = [
            Some(&self.patient),
            people.practitioner.as_ref(),
            people.therapist.as_ref(),
            people.companion.as_ref(),
        ];
        let members: Vec<Value> = members
            .into_iter()
            .flatten()
            .map(|key| json!({"member": link(key)}))
            .collect();
        json!({
            "resourceType": "CareTeam",
            "identifier": self.identifier(),
            "status": "proposed",
            "subject": link(&self.patient),
            "participant": members,
        })
    }

    pub fn care_plan(&self, visits: &[Visit<'_>], appointments: &[ResourceKey]) -> Value {
        let protocol = self.wish.protocol;
        let activities: Vec<Value> = appointments
            .iter()
            .map(|key| json!({"reference": link(key)}))
            .collect();
        let mut content = json!({
            "resourceType": "CarePlan",
            "identifier": self.identifier(),
            "instantiatesUri": [format!("{CANONICAL}/protocol/{}|{}", protocol.id, protocol.provenance.version)],
            "status": "draft",
            "intent": "plan",
            "title": protocol.fact.text,
            "subject": link(&self.patient),
            "period": period(visits),
            "careTeam": [link(&self.team)],
            "supportingInfo": [link(&self.episode)],
            "activity": activities,
        });
        if let Some(condition) = &self.wish.people.condition {
            set(&mut content, "addresses", json!([link(condition)]));
        }
        content
    }

    pub fn appointment(&self, visit: &Visit<'_>) -> Value {
        let kind = visit.kind;
        let display = &kind.fact.display;
        let mut content = json!({
            "resourceType": "Appointment",
            "identifier": self.identifier(),
            "status": "proposed",
            "serviceType": [{"coding": [{"system": kind_system(), "code": kind.id, "display": display}]}],
            "description": format!("{display} {}", visit.number),
            "supportingInformation": [link(&self.episode)],
            "start": at(&visit.start),
            "end": at(&visit.end),
            "minutesDuration": kind.fact.minutes,
            "participant": self.participants(&kind.id),
        });
        if kind.id == SESSION {
            let setting = json!([{"coding": [{
                "system": setting_system(), "code": self.place.id, "display": self.place.fact.display,
            }]}]);
            set(&mut content, "serviceCategory", setting);
        }
        content
    }

    fn participants(&self, kind: &str) -> Vec<Value> {
        let people = &self.wish.people;
        let therapist = people.therapist.as_ref().filter(|_| kind == "integration");
        let mut all = vec![part(&self.patient)];
        all.extend(therapist.or(people.practitioner.as_ref()).map(part));
        if kind == SESSION {
            all.extend(people.location.as_ref().map(part));
            let companion = people.companion.as_ref().map(|key| {
                let mut companion = part(key);
                let kind = json!([{"coding": [{"system": PARTICIPATION, "code": self.place.fact.companion}]}]);
                set(&mut companion, "type", kind);
                companion
            });
            all.extend(companion);
        }
        all
    }
}

/// The value of the identifiers of a course.
pub fn value(patient: &ResourceKey, key: &str) -> String {
    format!("{}/{key}", patient.id)
}

fn part(key: &ResourceKey) -> Value {
    json!({"actor": link(key), "required": "required", "status": "needs-action"})
}

fn link(key: &ResourceKey) -> Value {
    json!({"reference": key.to_string()})
}

fn period(visits: &[Visit<'_>]) -> Value {
    let first = visits.first().map(|visit| at(&visit.start));
    let last = visits.last().map(|visit| at(&visit.end));
    json!({"start": first, "end": last})
}

/// A FHIR instant with the offset of the zone on that day.
fn at(time: &Zoned) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

fn set(content: &mut Value, name: &str, value: Value) {
    if let Some(members) = content.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}
