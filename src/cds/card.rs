//! One finding as a card. <https://cds-hooks.hl7.org/2.0/#card-attributes>

use serde_json::{Value, json};

/// "One-sentence, <140-character summary message".
const SUMMARY: usize = 139;

/// Reasons that R4 knows for going on all the same.
/// <https://hl7.org/fhir/R4/valueset-detectedissue-mitigation-action.html>
const REASONS: [(&str, &str); 4] = [
    ("1", "Therapy Appropriate"),
    ("2", "Assessed Patient"),
    ("5", "Consulted Prescriber"),
    ("9", "Instituted Ongoing Monitoring Program"),
];

pub struct Card {
    pub summary: String,
    /// The verdict on the medicine.
    pub verdict: String,
    pub detail: String,
    /// The rule's address.
    pub rule: Option<String>,
    /// The order that may be taken back, as `MedicationRequest/1`.
    pub order: Option<String>,
}

impl Card {
    pub fn to_json(&self) -> Value {
        let indicator = match self.verdict.as_str() {
            "contraindicated" => "critical",
            "caution" => "warning",
            _ => "info",
        };
        let system = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
        let reasons = REASONS
            .map(|(code, display)| json!({"system": system, "code": code, "display": display}));
        let mut card = json!({
            "uuid": uuid::Uuid::now_v7().to_string(),
            "summary": self.summary.chars().take(SUMMARY).collect::<String>(),
            "indicator": indicator,
            "detail": self.detail,
            "source": {"label": "Unloop: medicines with ketamine"},
            "overrideReasons": reasons,
        });
        let Some(members) = card.as_object_mut() else {
            return card;
        };
        if let Some(rule) = &self.rule {
            let link = json!([{"label": "The rule", "url": rule, "type": "absolute"}]);
            members.insert("links".to_owned(), link);
        }
        if let (Some(order), "contraindicated") = (&self.order, self.verdict.as_str()) {
            let suggestions = json!([{
                "label": "Take the order back",
                "uuid": uuid::Uuid::now_v7().to_string(),
                "actions": [{"type": "delete", "description": "Takes the order back", "resourceId": order}],
            }]);
            members.insert("suggestions".to_owned(), suggestions);
            members.insert("selectionBehavior".to_owned(), "any".into());
        }
        card
    }
}
