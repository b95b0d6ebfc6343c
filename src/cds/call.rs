//! One call of a service. <https://cds-hooks.hl7.org/2.0/#calling-a-cds-service>

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::service::{self, Subject};
use super::{given, medication, progress, readiness};
use crate::access::Caller;
use crate::fhir::audit::{self, Event};
use crate::fhir::authority::Authority as _;
use crate::fhir::engine::Engine;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::search::path::text;

/// The cards for one call.
pub async fn answer(
    engine: &Arc<Engine>,
    caller: &Caller,
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
    let prefetch = content.get("prefetch").and_then(Value::as_object);
    let cards = match service.subject {
        Subject::Medicines => {
            medication::cards(engine, caller, service.hook, context, prefetch).await?
        }
        Subject::Progress => progress::cards(engine, caller, context).await?,
        Subject::Readiness => readiness::cards(engine, caller, context).await?,
    };
    let patient = text(context, "patientId").unwrap_or_default();
    let sent = format!("POST /cds-services/{}", service.id);
    let event = Event::command("cds-service", sent).concerning(vec![patient.to_owned()]);
    let kept = given::kept(caller, service.id, patient, &cards);
    audit::record_with(engine, &caller.actor(), &[event], kept).await?;
    Ok(json!({"cards": cards}))
}

/// Every hook here is about one patient.
pub fn patient(context: &Map<String, Value>) -> Result<&str, Failure> {
    text(context, "patientId").ok_or_else(|| {
        Failure::at(
            Kind::Required,
            "context.patientId",
            "The context names the patient.",
        )
    })
}
