//! One resource as a document: what clients send, what the store keeps, what
//! goes out again.
//!
//! The store keeps a *body*: the JSON text behind `meta.lastUpdated`. Type, id,
//! version and time live in columns only, so a read is a header and a copy, and
//! the two can't disagree. <https://hl7.org/fhir/R4/resource.html>

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::outcome::{Failure, Kind};
use crate::store::{ResourceKey, Stored};

/// A JSON object with a `resourceType`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub resource_type: String,
    pub content: Map<String, Value>,
}

impl Resource {
    pub fn from_object(content: Map<String, Value>) -> Result<Self, Failure> {
        match content.get("resourceType") {
            Some(Value::String(name)) => Ok(Self {
                resource_type: name.clone(),
                content,
            }),
            Some(_) => Err(Failure::at(
                Kind::Structure,
                "resourceType",
                "The resourceType must be a string, such as \"Patient\".",
            )),
            None => Err(Failure::at(
                Kind::Required,
                "resourceType",
                "The content has no resourceType. Name the type of the resource, such as \"Patient\".",
            )),
        }
    }

    pub fn id(&self) -> Option<&str> {
        self.content.get("id").and_then(Value::as_str)
    }

    /// The text the store keeps, without identity, version and time.
    pub fn body(&self) -> String {
        let mut body = String::with_capacity(1024);
        if let Some(Value::Object(meta)) = self.content.get("meta") {
            let kept = |name: &str| name != "versionId" && name != "lastUpdated";
            push_members(&mut body, meta.iter().filter(|(name, _)| kept(name)));
        }
        body.push('}');
        let kept = |name: &str| !matches!(name, "resourceType" | "id" | "meta");
        push_members(
            &mut body,
            self.content.iter().filter(|(name, _)| kept(name)),
        );
        body.push('}');
        body
    }
}

fn push_members<'a>(body: &mut String, members: impl Iterator<Item = (&'a String, &'a Value)>) {
    for (name, value) in members {
        let name = Value::from(name.as_str());
        write!(body, ",{name}:{value}").expect("a String takes whatever is written to it");
    }
}

/// The whole resource as JSON text; `None` where the version is a deletion.
pub fn render(stored: &Stored) -> Option<String> {
    stored
        .body
        .as_deref()
        .map(|body| render_parts(&stored.key, stored.version, stored.updated, body))
}

pub fn render_parts(key: &ResourceKey, version: i64, updated: i64, body: &str) -> String {
    let head = format!(
        r#"{{"resourceType":"{}","id":"{}","meta":{{"versionId":"{version}","lastUpdated":"{}""#,
        key.resource_type,
        key.id,
        instant(updated),
    );
    let mut text = String::with_capacity(head.len() + body.len());
    text.push_str(&head);
    text.push_str(body);
    text
}

/// Reads a stored version back into a document.
pub fn parse_stored(stored: &Stored) -> Result<Option<Resource>, Failure> {
    let Some(text) = render(stored) else {
        return Ok(None);
    };
    match serde_json::from_str(&text) {
        Ok(content) => Resource::from_object(content).map(Some),
        Err(error) => {
            tracing::error!(line = error.line(), "a stored resource is not JSON");
            Err(Failure::new(
                Kind::Internal,
                "A stored resource cannot be read. The operator's log has the details.",
            ))
        }
    }
}

/// A FHIR instant in UTC with microseconds.
pub fn instant(micros: i64) -> String {
    match jiff::Timestamp::from_microsecond(micros) {
        Ok(time) => format!("{time:.6}"),
        Err(_) => format!("{:.6}", jiff::Timestamp::UNIX_EPOCH),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Method;

    fn round_trip(text: &str) -> String {
        let resource = Resource::from_object(serde_json::from_str(text).unwrap()).unwrap();
        let stored = Stored {
            key: ResourceKey::new("Basic", "b"),
            version: 7,
            updated: 1_500_000,
            method: Method::Put,
            body: Some(resource.body()),
        };
        render(&stored).unwrap()
    }

    #[test]
    fn identity_and_version_come_from_the_columns() {
        assert_eq!(
            round_trip(r#"{"resourceType":"Basic","id":"b","meta":{"versionId":"3"},"code":{}}"#),
            r#"{"resourceType":"Basic","id":"b","meta":{"versionId":"7","lastUpdated":"1970-01-01T00:00:01.500000Z"},"code":{}}"#
        );
    }

    #[test]
    fn the_rest_of_meta_and_all_digits_survive() {
        let out = round_trip(
            r#"{"resourceType":"Basic","meta":{"lastUpdated":"x","tag":[{"code":"\"é"}]},"_a":{"v":1.10}}"#,
        );
        assert!(
            out.ends_with(r#"000Z","tag":[{"code":"\"é"}]},"_a":{"v":1.10}}"#),
            "{out}"
        );
    }
}
