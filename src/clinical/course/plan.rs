//! `Patient/{id}/$plan-course`: a course of sessions by one of the protocols,
//! written in one transaction, or only shown.

use std::sync::Arc;

use serde_json::{Value, json};

use super::resources::{Course, system, value};
use super::timetable::{Visit, visits};
use super::wish::Wish;
use crate::clinical::knowledge::Knowledge;
use crate::clinical::medication::Rules;
use crate::clinical::patient::refuse_treatment;
use crate::fhir::answer::Answer;
use crate::fhir::engine::{Draft, Engine, now};
use crate::fhir::operation::{
    Call, Definition, Level, Operation, Parameter, Part, Records, output,
};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::record::{Guard, Method, ResourceKey};
use crate::fhir::resource::Resource;
use crate::fhir::search::reference::Base;

/// What a course is made of, in the order of the answer.
const PARTS: [(&str, &str); 4] = [
    ("episodeOfCare", "EpisodeOfCare"),
    ("careTeam", "CareTeam"),
    ("carePlan", "CarePlan"),
    ("appointment", "Appointment"),
];

pub static PLAN_COURSE: Definition = Definition {
    name: "plan-course",
    url: "https://unloop.dev/fhir/OperationDefinition/plan-course",
    title: "Plan a course of sessions",
    text: "Writes, in one transaction, an EpisodeOfCare, a CareTeam, a CarePlan and proposed Appointments: preparation, sessions, integration in the days after each, follow-up with Y-BOCS. Times are those of the wall clock in the zone. It is refused for a patient who has died, is under age, or whose record is not active or was replaced. The same key again changes nothing and answers what is there. Somebody's time that is taken refuses the whole (409). Nothing is approved by it: a proposal.",
    types: &["Patient"],
    levels: &[Level::Instance],
    affects_state: true,
    parameters: &[
        Parameter::of(
            "protocol",
            "code",
            true,
            "home-sublingual, clinic-induction, clinic-series or clinic-maintenance.",
        ),
        Parameter::of(
            "key",
            "string",
            true,
            "Tells this course of the patient from others: letters, digits, '-' and '.'. Sent again, nothing changes.",
        ),
        Parameter::of(
            "start",
            "date",
            true,
            "The day from which the first session may lie.",
        ),
        Parameter::of(
            "time",
            "time",
            true,
            "The time of day of the appointments on the wall clock: 09:30.",
        ),
        Parameter::of(
            "zone",
            "string",
            true,
            "The time zone, by its IANA name: Europe/Berlin.",
        ),
        Parameter::of(
            "sessions",
            "positiveInt",
            false,
            "How many sessions, within what the protocol allows.",
        ),
        Parameter::of(
            "every",
            "positiveInt",
            false,
            "Days between sessions (months in maintenance), within what the protocol allows: 7 weekly, 14 every two weeks.",
        ),
        Parameter::of(
            "weekdays",
            "string",
            false,
            "Days that sessions may lie on: mon,thu.",
        ),
        Parameter::of(
            "practitioner",
            "Reference",
            false,
            "Who treats: Practitioner or PractitionerRole.",
        ),
        Parameter::of(
            "therapist",
            "Reference",
            false,
            "Who does the integration, where it is somebody else.",
        ),
        Parameter::of(
            "companion",
            "Reference",
            false,
            "The RelatedPerson who is present at home, or drives home from the clinic.",
        ),
        Parameter::of("location", "Reference", false, "The room of the sessions."),
        Parameter::of(
            "condition",
            "Reference",
            false,
            "The Condition that is treated.",
        ),
        Parameter::of(
            "dry-run",
            "boolean",
            false,
            "true: shows the course and writes nothing.",
        ),
    ],
};

pub struct PlanCourse(pub Arc<Rules>);

#[async_trait::async_trait]
impl Operation for PlanCourse {
    fn definition(&self) -> &'static Definition {
        &PLAN_COURSE
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let patient = call.instance()?;
        let knowledge = &self.0.knowledge;
        let base = Base::new(&call.engine.settings.base_url);
        let wish = Wish::read(knowledge, &call.arguments, &base)?;
        let records = call.records();
        let patient = records.read(patient).await?;
        refuse_treatment(knowledge, &patient.resource.content, now())?;
        let patient = patient.key;
        for key in wish.people.all() {
            records.read(key).await?;
        }
        if let Some(found) = existing(&records, &patient, &wish.key).await? {
            return Ok(answer(knowledge, "unchanged", found));
        }
        let today = jiff::Timestamp::now().to_zoned(wish.zone.clone()).date();
        let visits = visits(knowledge, &wish, today)?;
        let drafts = drafts(call.engine, knowledge, &wish, &patient, &visits)?;
        if call.arguments.text("dry-run") == Some("true") {
            let contents = drafts.into_iter().filter_map(|draft| draft.content);
            let shown = contents
                .map(|resource| Value::Object(resource.content.clone()))
                .collect();
            return Ok(answer(knowledge, "dry-run", shown));
        }
        match call.engine.write(call.authority, drafts).await {
            Ok(done) => {
                let shown = done
                    .drafts
                    .iter()
                    .zip(&done.shown)
                    .filter_map(|(draft, shown)| {
                        let content = draft.content.as_ref()?.content.clone();
                        let hidden =
                            json!({"resourceType": draft.key.resource_type, "id": draft.key.id});
                        Some(if *shown {
                            Value::Object(content)
                        } else {
                            hidden
                        })
                    });
                Ok(answer(knowledge, "created", shown.collect()))
            }
            // Somebody else may have planned it meanwhile: then its time is taken by itself.
            Err(error) => match existing(&records, &patient, &wish.key).await? {
                Some(found) => Ok(answer(knowledge, "unchanged", found)),
                None => Err(error.into()),
            },
        }
    }
}

/// The key is one of this patient's record alone, and no judgement over a person: linked
/// patients have courses of their own. Asking for the patient shows that nothing is beyond
/// the reach of who sees the whole record.
const OF_PATIENT: &str = "patient";

/// The course that was planned under this key; a refusal where there is one
/// that the caller may not read.
async fn existing(
    records: &Records<'_>,
    patient: &ResourceKey,
    key: &str,
) -> Result<Option<Vec<Value>>, Failure> {
    let wanted = format!("{}|{}", system(), value(patient, key));
    let patient = patient.to_string();
    let criteria = [("identifier", wanted.as_str()), (OF_PATIENT, &patient)];
    let mut all = Vec::new();
    for (_, name) in PARTS {
        let seen = records.search(name, &criteria).await?;
        if name == "EpisodeOfCare" && seen.resources.is_empty() {
            return if seen.hidden { Err(hidden()) } else { Ok(None) };
        }
        let mut contents: Vec<Value> = seen
            .resources
            .into_iter()
            .map(|version| Value::Object(version.resource.content))
            .collect();
        contents.sort_by_key(|content| content["start"].as_str().map(str::to_owned));
        all.extend(contents);
    }
    Ok(Some(all))
}

fn hidden() -> Failure {
    Failure::new(
        Kind::Conflict,
        "A course with this key may exist already, and this token may not read it. It needs EpisodeOfCare.rs, or another key.",
    )
}

/// The first one is the claim on the key.
fn drafts(
    engine: &Engine,
    knowledge: &Knowledge,
    wish: &Wish<'_>,
    patient: &ResourceKey,
    visits: &[Visit<'_>],
) -> Result<Vec<Draft>, Failure> {
    let place = knowledge
        .places
        .iter()
        .find(|place| place.id == wish.protocol.fact.setting);
    let place = place.ok_or_else(|| {
        Failure::new(
            Kind::NotSupported,
            "The knowledge base has no such setting.",
        )
    })?;
    let new_key = |name: &str| ResourceKey::new(name, uuid::Uuid::now_v7().to_string());
    let course = Course {
        wish,
        place,
        patient: patient.clone(),
        episode: new_key("EpisodeOfCare"),
        team: new_key("CareTeam"),
    };
    let appointments: Vec<ResourceKey> = visits.iter().map(|_| new_key("Appointment")).collect();
    let wanted = format!("{}|{}", system(), value(patient, &wish.key));
    let none_else = Records::all(engine).none_guard(
        "EpisodeOfCare",
        &[("identifier", &wanted)],
        &[],
        &format!("course/{wanted}"),
    )?;
    let plan = course.care_plan(visits, &appointments);
    let mut drafts = vec![
        draft(
            engine,
            course.episode.clone(),
            course.episode_of_care(visits),
            none_else,
        )?,
        draft(engine, course.team.clone(), course.care_team(), Guard::New)?,
        draft(engine, new_key("CarePlan"), plan, Guard::New)?,
    ];
    for (key, visit) in appointments.into_iter().zip(visits) {
        drafts.push(draft(engine, key, course.appointment(visit), Guard::New)?);
    }
    Ok(drafts)
}

fn answer(knowledge: &Knowledge, status: &str, resources: Vec<Value>) -> Answer {
    let mut parts = vec![
        Part::code("status", status),
        Part::text("ruleSetVersion", &knowledge.version),
        Part::text(
            "notice",
            "A proposal for a clinician's review. Whether the patient is a candidate is not asked here.",
        ),
    ];
    for (name, resource_type) in PARTS {
        let of_type = resources
            .iter()
            .filter(|one| one["resourceType"] == resource_type);
        parts.extend(of_type.map(|one| Part::resource(name, one.clone())));
    }
    output::answer(parts)
}

fn draft(
    engine: &Engine,
    key: ResourceKey,
    content: Value,
    guard: Guard,
) -> Result<Draft, Failure> {
    let mut resource = Resource::from_object(content.as_object().cloned().unwrap_or_default())?;
    resource
        .content
        .insert("id".to_owned(), key.id.clone().into());
    engine.check(&resource)?;
    Ok(Draft {
        key,
        method: Method::Post,
        guard,
        content: Some(resource.into()),
    })
}
