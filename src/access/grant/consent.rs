//! The Consent behind a grant. <https://hl7.org/fhir/R4/consent.html>

use serde_json::{Map, Value, json};

use super::model::Grant;
use crate::access::scope::SmartScope;
use crate::fhir::authority::Permission;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::search::date;
use crate::fhir::search::path::{items, text};

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

/// Until when (seconds since 1970) the Consent lets the practitioner of the grant see the
/// patient's records; `None`: it does not, now. What is not understood is no consent:
/// neither a code of another system nor a member that narrows what is permitted.
pub(super) fn permits(
    consent: &Map<String, Value>,
    patient: &str,
    grant: &Grant,
    now: i64,
) -> Option<i64> {
    let active = text(consent, "status") == Some("active");
    let about = consent.get("patient").and_then(reference) == Some(&format!("Patient/{patient}"));
    let verified = items(consent, "verification")
        .iter()
        .all(|one| one.get("verified") == Some(&Value::Bool(true)));
    let provision = consent.get("provision").and_then(Value::as_object)?;
    let understood = active
        && about
        && verified
        && !has_modifier(consent)
        && PRIVACY.names_all(consent.get("scope"))
        && items(consent, "category").iter().all(is_known_category)
        && consent
            .get("policyRule")
            .is_none_or(|rule| OPT_IN.names_all(Some(rule)))
        && permits_access(provision, grant);
    if !understood {
        return None;
    }
    let (start, end) = period(provision.get("period"))?;
    (start <= now && now < end).then_some(end)
}

/// Members of a provision that a grant carries out.
const UNDERSTOOD: [&str; 7] = [
    "id",
    "extension",
    "type",
    "period",
    "actor",
    "action",
    "purpose",
];

fn permits_access(provision: &Map<String, Value>, grant: &Grant) -> bool {
    let known = provision
        .keys()
        .all(|name| UNDERSTOOD.contains(&name.as_str()));
    let practitioner = format!("Practitioner/{}", grant.practitioner);
    let receives = |actor: &Value| {
        let named = actor.get("reference").and_then(reference) == Some(&practitioner);
        named && RECIPIENT.names_all(actor.get("role")) && !has_modifier_in(actor)
    };
    let actions = items(provision, "action");
    let wanted: &[&str] = match grants_writing(&grant.scope) {
        true => &["access", "collect", "correct"],
        false => &["access"],
    };
    let does = |code: &&str| actions.iter().any(|action| ACTION.names(action, code));
    let purposes = items(provision, "purpose");
    let meant = |purpose: &Value| {
        let of_reason = text_of(purpose, "system").is_some_and(|system| REASON.is_of(system));
        of_reason && text_of(purpose, "code") == Some(&grant.purpose)
    };
    known
        && text(provision, "type") == Some("permit")
        && items(provision, "actor").iter().any(receives)
        && (!provision.contains_key("action") || wanted.iter().all(does))
        && (!provision.contains_key("purpose") || purposes.iter().any(meant))
}

/// Codes of one system that mean the same here.
struct ConsentCodes {
    systems: &'static [&'static str],
    codes: &'static [&'static str],
}

const PRIVACY: ConsentCodes = ConsentCodes {
    systems: &["http://terminology.hl7.org/CodeSystem/consentscope"],
    codes: &["patient-privacy"],
};
const OPT_IN: ConsentCodes = ConsentCodes {
    systems: &[
        "http://terminology.hl7.org/CodeSystem/v3-ActCode",
        "http://hl7.org/fhir/v3/ActCode",
        "urn:oid:2.16.840.1.113883.5.4",
    ],
    codes: &["OPTIN"],
};
/// Information access, and disclosure.
const DISCLOSURE: ConsentCodes = ConsentCodes {
    systems: OPT_IN.systems,
    codes: &["INFA", "INFAO", "INFASO", "IDSCL", "ICOL"],
};
/// "Consent Document", and "Release of information consent".
const DOCUMENT: ConsentCodes = ConsentCodes {
    systems: &["http://loinc.org", "urn:oid:2.16.840.1.113883.6.1"],
    codes: &["59284-0", "64292-6"],
};
/// Who gets the information.
const RECIPIENT: ConsentCodes = ConsentCodes {
    systems: &[
        "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
        "http://hl7.org/fhir/v3/ParticipationType",
        "urn:oid:2.16.840.1.113883.5.90",
    ],
    codes: &["PRCP", "IRCP"],
};
const ACTION: ConsentCodes = ConsentCodes {
    systems: &["http://terminology.hl7.org/CodeSystem/consentaction"],
    codes: &["access", "collect", "correct", "use", "disclose"],
};
const REASON: ConsentCodes = ConsentCodes {
    systems: &[
        "http://terminology.hl7.org/CodeSystem/v3-ActReason",
        "http://hl7.org/fhir/v3/ActReason",
        "urn:oid:2.16.840.1.113883.5.8",
    ],
    codes: &[],
};

impl ConsentCodes {
    fn is_of(&self, system: &str) -> bool {
        self.systems.contains(&system)
    }

    fn has(&self, coding: &Value, codes: &[&str]) -> bool {
        let system = text_of(coding, "system").is_some_and(|system| self.is_of(system));
        system && text_of(coding, "code").is_some_and(|code| codes.contains(&code))
    }

    /// The concept has codings, and each is one of these.
    fn names_all(&self, concept: Option<&Value>) -> bool {
        let codings = concept.and_then(|concept| concept.get("coding")?.as_array());
        codings.is_some_and(|codings| {
            !codings.is_empty() && codings.iter().all(|coding| self.has(coding, self.codes))
        })
    }

    /// The concept means this code, and no other of the system.
    fn names(&self, concept: &Value, code: &str) -> bool {
        let codings = concept.get("coding").and_then(Value::as_array);
        codings.is_some_and(|codings| {
            !codings.is_empty() && codings.iter().all(|coding| self.has(coding, &[code]))
        })
    }
}

fn is_known_category(category: &Value) -> bool {
    DISCLOSURE.names_all(Some(category)) || DOCUMENT.names_all(Some(category))
}

/// Whether any scope of the grant lets its bearer create, change or delete.
fn grants_writing(scope: &str) -> bool {
    let mut scopes = scope.split_ascii_whitespace().filter_map(SmartScope::parse);
    scopes.any(|scope| {
        let letters = scope.permissions;
        [Permission::Create, Permission::Update, Permission::Delete]
            .into_iter()
            .any(|permission| letters.has(permission))
    })
}

/// What changes the meaning of all else.
fn has_modifier(members: &Map<String, Value>) -> bool {
    let modifies = |name: &str| matches!(name, "modifierExtension" | "implicitRules");
    members.keys().any(|name| modifies(name))
}

fn has_modifier_in(value: &Value) -> bool {
    value.as_object().is_none_or(has_modifier)
}

fn reference(value: &Value) -> Option<&str> {
    text_of(value, "reference")
}

fn text_of<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
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
