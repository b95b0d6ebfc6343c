//! What a stored document refers to, without reading all of it.
//! <https://hl7.org/fhir/R4/references.html#literal>

use super::reference::Base;
use crate::fhir::literal_reference::LiteralReference;
use crate::store::ResourceKey;

/// A quote inside of a text is escaped, so this is a member wherever it stands.
const MEMBER: &str = r#""reference":""#;

/// The resources of this service that References of a stored body name, in the
/// order met. Bodies are stored without space between their tokens.
pub fn mentioned<'b>(body: &'b str, base: &'b Base) -> impl Iterator<Item = ResourceKey> + 'b {
    body.split(MEMBER).skip(1).filter_map(|rest| {
        // What has to be escaped is no part of an id.
        let (text, _) = rest.split_once('"')?;
        match base.read(text) {
            LiteralReference::Local(key, _) => Some(key),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn keys(body: &serde_json::Value) -> Vec<String> {
        let base = Base::new("http://here/fhir");
        let body = body.to_string();
        mentioned(&body, &base).map(|key| key.to_string()).collect()
    }

    #[test]
    fn relative_and_own_absolute_references_name_what_is_here() {
        let body = json!({
            "resourceType": "Observation",
            "subject": {"reference": "Patient/1"},
            "performer": [
                {"reference": "http://here/fhir/Practitioner/2/_history/3", "display": "B"},
                {"reference": "http://there/fhir/Practitioner/4"},
                {"reference": "#contained"},
                {"reference": "urn:uuid:0b9a1c3e-7f1e-4f5e-9f43-6f3f6e3b8f11"}
            ],
            "contained": [{"resourceType": "Device", "owner": {"reference": "Organization/5"}}]
        });
        assert_eq!(
            keys(&body),
            ["Patient/1", "Practitioner/2", "Organization/5"]
        );
    }

    #[test]
    fn what_a_text_says_is_no_reference() {
        let body = json!({
            "note": [{"text": "\"reference\":\"Patient/1\""}, {"text": "reference"}],
            "focus": [{"display": "\\", "reference": "Device/\"1"}, {"reference": "Device/2"}]
        });
        assert_eq!(keys(&body), ["Device/2"]);
    }
}
