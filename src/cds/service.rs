//! The services, as discovery shows them.
//! <https://cds-hooks.hl7.org/2.0/#discovery>

use serde_json::{Map, Value, json};

use super::taken::LISTS;
use crate::fhir::outcome::{Failure, Kind};

/// What a service looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Medicines,
    Progress,
    Readiness,
}

/// One entry of the discovery: the specification has one hook for a service.
pub struct Service {
    pub id: &'static str,
    pub hook: &'static str,
    pub subject: Subject,
}

const SERVICES: [Service; 4] = [
    Service {
        id: "ketamine-medication-check",
        hook: "order-select",
        subject: Subject::Medicines,
    },
    Service {
        id: "ketamine-medication-check-sign",
        hook: "order-sign",
        subject: Subject::Medicines,
    },
    Service {
        id: "ocd-progress",
        hook: "patient-view",
        subject: Subject::Progress,
    },
    Service {
        id: "session-readiness",
        hook: "appointment-book",
        subject: Subject::Readiness,
    },
];

pub fn required(id: &str) -> Result<&'static Service, Failure> {
    let found = SERVICES.iter().find(|service| service.id == id);
    found.ok_or_else(|| {
        Failure::new(
            Kind::NotFound,
            "There is no such service. GET /cds-services lists those that there are.",
        )
    })
}

pub fn discovery() -> Value {
    json!({"services": SERVICES.each_ref().map(Service::to_json)})
}

impl Service {
    fn to_json(&self) -> Value {
        let (title, description) = match self.subject {
            Subject::Medicines => (
                "Medicines with ketamine",
                "Whether ordered medicines go with ketamine, for patients with a course. For ordered ketamine: whether what the patient takes goes with it, the criteria of candidacy, and readiness for the next session; what was not checked is named. Advice for a clinician, with rule, source and tier.",
            ),
            Subject::Progress => (
                "Course of OCD",
                "The last Y-BOCS total, its change since the baseline, and which outcomes are met, not met or undetermined.",
            ),
            Subject::Readiness => (
                "Readiness for a session",
                "What holds a ketamine session of the programme, checked on the Appointment as it is stored here. Whatever is unknown holds it.",
            ),
        };
        let mut service = json!({
            "hook": self.hook,
            "id": self.id,
            "title": title,
            "description": description,
        });
        if let (Subject::Medicines, Some(members)) = (self.subject, service.as_object_mut()) {
            let templates = LISTS.iter().map(|list| {
                let query = "patient=Patient/{{context.patientId}}";
                let template = format!("{}?{query}", list.resource_type);
                (list.key.to_owned(), template.into())
            });
            let templates: Map<String, Value> = templates.collect();
            members.insert("prefetch".to_owned(), templates.into());
        }
        service
    }
}
