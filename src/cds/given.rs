//! Cards that were given: kept as long as feedback on them may come, and with the
//! feedback from then on. They stand in the registry, not among the records:
//! whoever may read cards need not have a right to write.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::call::Asked;
use crate::access::{Caller, Subject};
use crate::fhir::engine::{Engine, now, unavailable};
use crate::fhir::outcome::Failure;
use crate::fhir::record::{RegistryChange, RegistryEntry, RegistryWrite};
use crate::fhir::search::path::{items, text};

/// The kind of a card in the registry.
pub const CARD: &str = "cds-card";

/// For so long (in microseconds) feedback on a card is taken: 30 days.
const KEPT: i64 = 30 * 24 * 3600 * 1_000_000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    pub service: String,
    /// Who got it, and nobody else answers it.
    pub to: String,
    /// As the context named the patient.
    pub patient: String,
    /// The FHIR server whose patient that is, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Microseconds since 1970.
    pub at: i64,
    pub summary: String,
    pub indicator: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<String>,
    /// It may be overridden for the reasons that all such cards name.
    pub reasons: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedback: Option<Feedback>,
}

/// What became of a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    /// `accepted` or `overridden`
    pub outcome: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<String>,
    /// The code of the reason that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// When it was decided, as it was sent.
    pub decided: String,
    /// Microseconds since 1970.
    pub received: i64,
}

/// Which software it is, or who, where the token names none.
pub fn recipient(caller: &Caller) -> String {
    match &caller.subject {
        Subject::Bearer(bearer) => {
            let who = bearer.client.as_ref().unwrap_or(&bearer.subject);
            format!("{} {who}", bearer.issuer)
        }
        Subject::Nobody | Subject::Internal(_) => String::new(),
    }
}

/// The cards as they are about to be kept.
pub fn kept(
    asked: &Asked<'_>,
    service: &str,
    patient: &str,
    cards: &[Value],
) -> Vec<RegistryChange> {
    let (at, to) = (now(), recipient(asked.caller));
    let server = asked.ehr.as_ref().map(|ehr| ehr.server.to_owned());
    let cards = cards.iter().filter_map(Value::as_object);
    let cards = cards.filter_map(|card| {
        let given = Given {
            service: service.to_owned(),
            to: to.clone(),
            patient: patient.to_owned(),
            server: server.clone(),
            at,
            ..Given::of(card)
        };
        let insert = RegistryWrite::Insert {
            body: serde_json::to_string(&given).ok()?,
            expires: Some(at + KEPT),
        };
        Some(RegistryChange::new(CARD, text(card, "uuid")?, insert).silent())
    });
    cards.collect()
}

impl Given {
    fn of(card: &Map<String, Value>) -> Self {
        let said = |name| text(card, name).unwrap_or_default().to_owned();
        let uuid = |one: &Value| Some(one.get("uuid")?.as_str()?.to_owned());
        let link = items(card, "links").first();
        Self {
            service: String::new(),
            to: String::new(),
            patient: String::new(),
            server: None,
            at: 0,
            summary: said("summary"),
            indicator: said("indicator"),
            rule: link.and_then(|link| Some(link.get("url")?.as_str()?.to_owned())),
            suggestions: items(card, "suggestions").iter().filter_map(uuid).collect(),
            reasons: card.contains_key("overrideReasons"),
            feedback: None,
        }
    }
}

/// A card that this caller got from this service, and its place.
pub async fn find(
    engine: &Engine,
    caller: &Caller,
    service: &str,
    uuid: &str,
) -> Result<Option<(RegistryEntry, Given)>, Failure> {
    let entry = engine.store.get(CARD, uuid).await;
    let Some(entry) = entry.map_err(|error| unavailable(&error))? else {
        return Ok(None);
    };
    let given: Option<Given> = serde_json::from_str(&entry.body).ok();
    let given = given.filter(|given| given.service == service && given.to == recipient(caller));
    Ok(given.map(|given| (entry, given)))
}

/// The card with its feedback, which is kept for good.
pub fn answered(entry: &RegistryEntry, given: &Given) -> Option<RegistryChange> {
    let replace = RegistryWrite::Replace {
        version: entry.version,
        body: serde_json::to_string(given).ok()?,
        expires: None,
    };
    Some(RegistryChange::new(CARD, &entry.key.id, replace).silent())
}
