//! The Consent behind a grant. <https://hl7.org/fhir/R4/consent.html>

use serde_json::{Map, Value, json};

use super::model::Grant;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::search::date;

/// The patient permits the practitioner to see records until the grant ends.
pub(super) fn written(grant: &Grant, patient: &str) -> Result<Value, Failure> {
    let system = |name: &str| format!("http://terminology.hl7.org/CodeSystem/{name}");
    let concept =
        |name: &str, code: &str| json!({"coding": [{"system": system(name), "code": code}]});
    let start = instant(grant.created)?;
    Ok(json!({
        "resourceType": "Consent",
        "identifier": [{
            "system": "urn:ietf:rfc:3986",
            "value": format!("urn:uuid:{}", grant.id),
        }],
        "status": "active",
        "scope": concept("consentscope", "patient-privacy"),
        // "Consent Document"
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": format!("Patient/{patient}")},
        "dateTime": start,
        "policyRule": concept("v3-ActCode", "OPTIN"),
        "provision": {
            "type": "permit",
            "period": {"start": start, "end": instant(grant.ends)?},
            "actor": [{
                "role": concept("v3-ParticipationType", "PRCP"),
                "reference": {"reference": format!("Practitioner/{}", grant.practitioner)},
            }],
            "purpose": [{"system": system("v3-ActReason"), "code": grant.purpose}],
        },
    }))
}

pub(super) fn instant(seconds: i64) -> Result<String, Failure> {
    let time = jiff::Timestamp::from_second(seconds);
    let time =
        time.map_err(|_| Failure::new(Kind::Value, "The end of the grant is out of range."))?;
    Ok(time.to_string())
}

/// Until when (seconds since 1970) the Consent lets the practitioner see the
/// patient's records; `None`: it does not, now.
pub(super) fn permits(
    consent: &Map<String, Value>,
    patient: &str,
    practitioner: &str,
    now: i64,
) -> Option<i64> {
    let of = |value: &Value, name: &str| {
        value
            .get(name)?
            .get("reference")?
            .as_str()
            .map(str::to_owned)
    };
    let provision = consent.get("provision");
    let active = consent.get("status").and_then(Value::as_str) == Some("active");
    let about = consent
        .get("patient")
        .and_then(|patient| patient.get("reference"));
    let about = about.and_then(Value::as_str) == Some(&format!("Patient/{patient}"));
    let denies = provision
        .and_then(|p| p.get("type"))
        .and_then(Value::as_str)
        == Some("deny");
    // Exceptions inside a provision are not understood here: no consent.
    let exceptions = provision.is_some_and(|p| p.get("provision").is_some());
    let actors = provision
        .and_then(|p| p.get("actor"))
        .and_then(Value::as_array);
    let named = actors.is_none_or(|actors| {
        let practitioner = format!("Practitioner/{practitioner}");
        actors
            .iter()
            .any(|actor| of(actor, "reference") == Some(practitioner.clone()))
    });
    if !active || !about || denies || exceptions || !named {
        return None;
    }
    let (start, end) = period(provision.and_then(|p| p.get("period")))?;
    (start <= now && now < end).then_some(end)
}

/// Seconds since 1970; open ends are far away. `None`: it cannot be read.
fn period(period: Option<&Value>) -> Option<(i64, i64)> {
    let bound = |name: &str| match period.and_then(|period| period.get(name)) {
        None => Some(None),
        Some(value) => date::range(value.as_str()?).map(Some),
    };
    let seconds = |micros: i64| micros.div_euclid(1_000_000);
    let start = bound("start")?.map_or(i64::MIN, |(low, _)| seconds(low));
    let end = bound("end")?.map_or(i64::MAX, |(_, high)| seconds(high).saturating_add(1));
    Some((start, end))
}
