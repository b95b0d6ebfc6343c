//! Writes a Parameters resource. <https://hl7.org/fhir/R4/parameters.html>

use serde_json::{Map, Value, json};

use super::super::answer::Answer;

/// One parameter: a value, a resource, or parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Part(Map<String, Value>);

impl Part {
    /// `kind` is the datatype's name as it stands behind `value`: `Code`.
    pub fn value(name: &str, kind: &str, value: impl Into<Value>) -> Self {
        Self::member(name, &format!("value{kind}"), value.into())
    }

    pub fn code(name: &str, code: &str) -> Self {
        Self::value(name, "Code", code)
    }

    pub fn text(name: &str, text: &str) -> Self {
        Self::value(name, "String", text)
    }

    pub fn flag(name: &str, flag: bool) -> Self {
        Self::value(name, "Boolean", flag)
    }

    pub fn reference(name: &str, reference: &str) -> Self {
        Self::value(name, "Reference", json!({"reference": reference}))
    }

    pub fn resource(name: &str, resource: Value) -> Self {
        Self::member(name, "resource", resource)
    }

    pub fn parts(name: &str, parts: Vec<Part>) -> Self {
        let parts: Vec<Value> = parts.into_iter().map(|part| part.0.into()).collect();
        Self::member(name, "part", parts.into())
    }

    fn member(name: &str, member: &str, value: Value) -> Self {
        let mut members = Map::new();
        members.insert("name".to_owned(), name.into());
        members.insert(member.to_owned(), value);
        Self(members)
    }
}

/// 200 with a Parameters resource.
pub fn answer(parts: Vec<Part>) -> Answer {
    let parameters: Vec<Value> = parts.into_iter().map(|part| part.0.into()).collect();
    let content = json!({"resourceType": "Parameters", "parameter": parameters});
    Answer::content(200, content.to_string())
}
