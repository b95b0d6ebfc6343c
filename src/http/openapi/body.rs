//! What a request may bring. <https://hl7.org/fhir/R4/http.html#mime-type>

use serde_json::{Map, Value, json};

use super::{SPELLED_OUT, example, reference, search_parameter};

pub const JSON_PATCH: &str = "JsonPatch";

#[derive(Clone, Copy)]
pub enum Body {
    None,
    /// The resource of the address.
    Resource,
    JsonPatch,
    /// The form of `_search`.
    Form,
    Bundle,
    /// The parameters of an operation; may be left out.
    Parameters,
}

impl Body {
    /// Points at the component, for a type or (`None`) any.
    pub fn request(self, subject: Option<&str>) -> Option<Value> {
        let name = match self {
            Self::None => return None,
            Self::Resource => subject.unwrap_or("Resource").to_owned(),
            Self::JsonPatch => JSON_PATCH.to_owned(),
            Self::Form => search_parameter::form(subject),
            Self::Bundle => "Bundle".to_owned(),
            Self::Parameters => "Parameters".to_owned(),
        };
        Some(reference("requestBodies", &name))
    }
}

pub fn bodies() -> Map<String, Value> {
    let mut all = Map::new();
    for name in SPELLED_OUT {
        all.insert(name.to_owned(), resource(name, name, true));
        let form = search_parameter::form(Some(name));
        all.insert(form.clone(), self::form(&form));
    }
    let form = search_parameter::form(None);
    all.insert(form.clone(), self::form(&form));
    all.insert(
        "Resource".to_owned(),
        resource("Resource", example::OTHER, true),
    );
    all.insert(
        "Bundle".to_owned(),
        resource("Bundle", example::TRANSACTION, true),
    );
    all.insert(
        "Parameters".to_owned(),
        resource("Parameters", example::PARAMETERS, false),
    );
    let media = media(JSON_PATCH, JSON_PATCH);
    all.insert(
        JSON_PATCH.to_owned(),
        json!({"required": true, "content": {
            "application/json-patch+json": media,
            "application/fhir+json": {"schema": reference("schemas", "Parameters")},
        }}),
    );
    all
}

fn resource(schema: &str, example: &str, required: bool) -> Value {
    let media = media(schema, example);
    json!({
        "required": required,
        "content": {"application/fhir+json": media, "application/json": media},
    })
}

/// A schema with one named example.
pub fn media(schema: &str, example: &str) -> Value {
    json!({
        "schema": reference("schemas", schema),
        "examples": {example: reference("examples", example)},
    })
}

fn form(schema: &str) -> Value {
    let media = json!({"schema": reference("schemas", schema)});
    json!({"content": {"application/x-www-form-urlencoded": media}})
}

/// <https://www.rfc-editor.org/rfc/rfc6902>
pub fn json_patch_schema() -> Value {
    let pointer = json!({"type": "string", "pattern": "^(/([^~/]|~[01])*)*$"});
    let operation = |names: &[&str], further: &str, schema: Value| {
        json!({
            "type": "object",
            "required": ["op", "path", further],
            "properties": {"op": {"enum": names}, "path": pointer, further: schema},
        })
    };
    json!({
        "type": "array",
        "description": "RFC 6902. The operations are done in order, all or none.",
        "items": {
            "oneOf": [
                operation(&["add", "replace", "test"], "value", json!({})),
                operation(&["copy", "move"], "from", pointer.clone()),
                {
                    "type": "object",
                    "required": ["op", "path"],
                    "properties": {"op": {"const": "remove"}, "path": pointer},
                },
            ],
        },
    })
}
