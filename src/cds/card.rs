//! One finding as a card. <https://cds-hooks.hl7.org/2.0/#card-attributes>

use serde_json::{Map, Value, json};

use crate::fhir::search::path::text;

/// "One-sentence, <140-character summary message".
const SUMMARY: usize = 139;

const REASON_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// Reasons that R4 knows for going on all the same.
/// <https://hl7.org/fhir/R4/valueset-detectedissue-mitigation-action.html>
const REASONS: [(&str, &str); 4] = [
    ("1", "Therapy Appropriate"),
    ("2", "Assessed Patient"),
    ("5", "Consulted Prescriber"),
    ("9", "Instituted Ongoing Monitoring Program"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indicator {
    Info,
    Warning,
    Critical,
}

pub struct Card {
    pub summary: String,
    pub indicator: Indicator,
    pub detail: String,
    /// The service, in words.
    pub source: &'static str,
    /// The rule's address.
    pub rule: Option<String>,
    /// Where it may be overridden.
    pub reasons: Option<Override>,
}

/// What is done about a finding.
pub struct Override {
    /// The order that may be taken back, as `MedicationRequest/1`.
    pub order: Option<String>,
}

impl Card {
    pub fn to_json(&self) -> Value {
        let indicator = match self.indicator {
            Indicator::Info => "info",
            Indicator::Warning => "warning",
            Indicator::Critical => "critical",
        };
        let mut card = json!({
            "uuid": uuid::Uuid::now_v7().to_string(),
            "summary": self.summary.chars().take(SUMMARY).collect::<String>(),
            "indicator": indicator,
            "detail": self.detail,
            "source": {"label": self.source},
        });
        let Some(members) = card.as_object_mut() else {
            return card;
        };
        if let Some(rule) = &self.rule {
            let link = json!([{"label": "The rule", "url": rule, "type": "absolute"}]);
            members.insert("links".to_owned(), link);
        }
        if let Some(reasons) = &self.reasons {
            reasons.write(members);
        }
        card
    }
}

impl Override {
    fn write(&self, card: &mut Map<String, Value>) {
        let reasons = REASONS.map(
            |(code, display)| json!({"system": REASON_SYSTEM, "code": code, "display": display}),
        );
        card.insert("overrideReasons".to_owned(), json!(reasons));
        let Some(order) = &self.order else { return };
        let suggestions = json!([{
            "label": "Take the order back",
            "uuid": uuid::Uuid::now_v7().to_string(),
            "actions": [{"type": "delete", "description": "Takes the order back", "resourceId": order}],
        }]);
        card.insert("suggestions".to_owned(), suggestions);
        card.insert("selectionBehavior".to_owned(), "any".into());
    }
}

/// The code of a reason that cards name.
pub fn reason(coding: &Map<String, Value>) -> Option<&'static str> {
    let (system, code) = (text(coding, "system")?, text(coding, "code")?);
    let mut known = REASONS.iter().map(|(code, _)| *code);
    known.find(|known| system == REASON_SYSTEM && *known == code)
}
