//! One call of a service. <https://cds-hooks.hl7.org/2.0/#calling-a-cds-service>

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::ask::find;
use super::card::{Card, Indicator};
use super::ehr::{Ehr, FhirServers};
use super::service::{self, Subject};
use super::{given, medication, progress, readiness};
use crate::access::Caller;
use crate::clinical::linked_patients::PatientRecords;
use crate::fhir::audit::{self, Event};
use crate::fhir::authority::Authority as _;
use crate::fhir::engine::Engine;
use crate::fhir::operation::Records;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::record::ResourceKey;
use crate::fhir::search::path::{items, text};
use crate::fhir::validate::id;

/// One call, as a service sees it.
pub struct Asked<'c> {
    pub engine: &'c Arc<Engine>,
    pub caller: &'c Caller,
    pub servers: &'c FhirServers,
    pub hook: &'static str,
    pub context: &'c Map<String, Value>,
    prefetch: Option<&'c Map<String, Value>>,
    /// Whose records the context names, where they are not those of this service.
    pub ehr: Option<Ehr<'c>>,
}

/// The cards for one call.
pub async fn answer(
    engine: &Arc<Engine>,
    caller: &Caller,
    servers: &FhirServers,
    service: &str,
    content: &Map<String, Value>,
) -> Result<Value, Failure> {
    let service = service::required(service)?;
    if text(content, "hook") != Some(service.hook) {
        let said = format!("This service answers the hook {}.", service.hook);
        return Err(Failure::at(Kind::Value, "hook", said));
    }
    let instance = text(content, "hookInstance").unwrap_or_default();
    if uuid::Uuid::parse_str(instance).is_err() {
        return Err(Failure::at(
            Kind::Required,
            "hookInstance",
            "A call names itself by a UUID in hookInstance.",
        ));
    }
    let Some(context) = content.get("context").and_then(Value::as_object) else {
        return Err(Failure::at(
            Kind::Required,
            "context",
            "The hook's context is missing.",
        ));
    };
    let asked = Asked {
        engine,
        caller,
        servers,
        hook: service.hook,
        context,
        prefetch: content.get("prefetch").and_then(Value::as_object),
        ehr: Ehr::of(engine, content)?,
    };
    let cards = match service.subject {
        Subject::Medicines => medication::cards(&asked).await?,
        Subject::Progress => progress::cards(&asked).await?,
        Subject::Readiness => readiness::cards(&asked).await?,
    };
    let patient = text(context, "patientId").unwrap_or_default();
    let sent = format!("POST /cds-services/{}", service.id);
    let mut event = Event::command("cds-service", sent);
    if asked.ehr.is_none() {
        event = event.concerning(vec![patient.to_owned()]);
    }
    let kept = given::kept(&asked, service.id, patient, &cards);
    audit::record_with(engine, &caller.actor(), &[event], kept).await?;
    Ok(json!({"cards": cards}))
}

/// What is said where there was no time to look: of an order or a session silence would
/// be taken for "nothing against it".
pub fn late_answer(service: &str) -> Value {
    let subject = service::required(service).map(|service| service.subject);
    if matches!(subject, Ok(Subject::Progress)) {
        return json!({"cards": []});
    }
    let card = Card {
        summary: "Not checked with ketamine: the records took too long to answer".to_owned(),
        indicator: Indicator::Warning,
        detail: "Nothing can be said of what was not seen. Ask again.".to_owned(),
        source: "Unloop",
        rule: None,
        reasons: None,
    };
    json!({"cards": [card.to_json()]})
}

impl Asked<'_> {
    /// Every hook here is about one patient: the id as the caller has it.
    pub fn patient(&self) -> Result<&str, Failure> {
        let patient = text(self.context, "patientId").filter(|id| id::is_legal(id));
        patient.ok_or_else(|| {
            Failure::at(
                Kind::Required,
                "context.patientId",
                "The context names the patient by the id.",
            )
        })
    }

    /// The id of the same patient here. Of another server's patients only those are
    /// known to whom one record here is linked (Patient.link).
    /// <https://hl7.org/fhir/R4/patient-definitions.html#Patient.link>
    pub async fn patient_here(&self) -> Result<Option<String>, Failure> {
        let patient = self.patient()?;
        let Some(ehr) = &self.ehr else {
            return Ok(Some(patient.to_owned()));
        };
        let link = format!("{}/Patient/{patient}", ehr.server);
        let found = find(self.engine, self.caller, "Patient", ("link", &link)).await?;
        let found = found.unwrap_or_default();
        let linked = items(&found, "entry")
            .iter()
            .filter_map(|entry| entry.get("resource")?.as_object())
            .filter(|one| text(one, "resourceType") == Some("Patient"));
        let mut linked = linked.filter_map(|one| text(one, "id"));
        let Some(one) = linked.next() else {
            return Ok(None);
        };
        let others: Vec<&str> = linked.collect();
        Ok(self.are_linked(one, &others).await?.then(|| one.to_owned()))
    }

    /// Whether all of them are records of one person.
    async fn are_linked(&self, one: &str, others: &[&str]) -> Result<bool, Failure> {
        if others.is_empty() {
            return Ok(true);
        }
        let records = Records::of(self.engine, self.caller);
        let key = ResourceKey::new("Patient", one);
        let person = PatientRecords::load_or_unseen(records, &key).await?;
        let mut patients = others.iter().map(|id| ResourceKey::new("Patient", *id));
        Ok(patients.all(|other| person.all_patients().any(|one| one.key == other)))
    }

    /// All that came along: the orders, and lists that were fetched before.
    pub fn bundles(&self) -> Vec<&Map<String, Value>> {
        let orders = self.context.get("draftOrders").and_then(Value::as_object);
        let prefetched = self.prefetch.into_iter().flat_map(Map::values);
        let prefetched = prefetched.filter_map(Value::as_object);
        let is_bundle = |one: &&Map<String, Value>| text(one, "resourceType") == Some("Bundle");
        orders
            .into_iter()
            .chain(prefetched.filter(is_bundle))
            .collect()
    }

    /// A list that the caller has fetched for the service. What could not be
    /// fetched is null or an OperationOutcome.
    pub fn prefetched(&self, key: &str) -> Option<&Map<String, Value>> {
        let given = self.prefetch?.get(key)?.as_object()?;
        (text(given, "resourceType") == Some("Bundle")).then_some(given)
    }
}
