//! Codes, identifiers and flags as system and code.
//! <https://hl7.org/fhir/R4/search.html#token>

use serde_json::{Map, Value};

use super::key::{Fact, fact_key};
use super::path::{items, text};
use crate::store::IndexKey;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token<'v> {
    pub system: Option<&'v str>,
    pub code: Option<&'v str>,
}

/// The tokens of one value; `leaf` is its type.
pub fn tokens<'v>(leaf: &str, value: &'v Value) -> Vec<Token<'v>> {
    match (leaf, value) {
        ("CodeableConcept", Value::Object(concept)) => items(concept, "coding")
            .iter()
            .filter_map(Value::as_object)
            .map(|coding| of_object(coding, "code"))
            .collect(),
        ("Coding", Value::Object(coding)) => vec![of_object(coding, "code")],
        ("Identifier", Value::Object(identifier)) => vec![of_object(identifier, "value")],
        ("ContactPoint", Value::Object(contact)) => vec![Token {
            system: None,
            code: text(contact, "value"),
        }],
        (_, Value::String(code)) => vec![without_system(code)],
        (_, Value::Bool(flag)) => vec![flag_token(*flag)],
        _ => Vec::new(),
    }
}

/// The texts beside the codes of one value, for `:text`.
pub fn texts<'v>(leaf: &str, value: &'v Value) -> Vec<&'v str> {
    let Value::Object(object) = value else {
        return Vec::new();
    };
    let displays = |object: &'v Map<String, Value>| {
        let codings = items(object, "coding").iter().filter_map(Value::as_object);
        let displays = codings.filter_map(|coding| text(coding, "display"));
        text(object, "text").into_iter().chain(displays).collect()
    };
    match leaf {
        "CodeableConcept" => displays(object),
        "Coding" => text(object, "display").into_iter().collect(),
        "Identifier" => object
            .get("type")
            .and_then(Value::as_object)
            .and_then(|of_type| text(of_type, "text"))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// The types of an identifier, each with its value, for `:of-type`.
pub fn typed<'v>(leaf: &str, value: &'v Value) -> Vec<Fact<'v>> {
    let (Value::Object(identifier), "Identifier") = (value, leaf) else {
        return Vec::new();
    };
    let types = identifier.get("type").and_then(Value::as_object);
    let Some((types, value)) = types.zip(text(identifier, "value")) else {
        return Vec::new();
    };
    let codings = items(types, "coding").iter().filter_map(Value::as_object);
    codings
        .filter_map(|coding| {
            let system = text(coding, "system").unwrap_or_default();
            Some(Fact::OfType(system, text(coding, "code")?, value))
        })
        .collect()
}

pub fn flag_token(flag: bool) -> Token<'static> {
    without_system(if flag { "true" } else { "false" })
}

fn without_system(code: &str) -> Token<'_> {
    Token {
        system: None,
        code: Some(code),
    }
}

fn of_object<'v>(object: &'v Map<String, Value>, code: &str) -> Token<'v> {
    Token {
        system: text(object, "system").filter(|system| !system.is_empty()),
        code: text(object, code).filter(|code| !code.is_empty()),
    }
}

/// Codes are compared without case ("when in doubt, servers SHOULD treat tokens
/// in a case-insensitive manner"); an Identifier's value and a uri are exact.
pub fn folds_case<'a>(mut leaves: impl Iterator<Item = &'a str>) -> bool {
    !leaves.any(|leaf| {
        matches!(
            leaf,
            "Identifier" | "id" | "uri" | "canonical" | "oid" | "url"
        )
    })
}

/// The ways that name a code: with its system, and whatever the system.
pub fn code_keys(scope: &str, param: &str, token: &Token<'_>, fold: bool) -> Option<[IndexKey; 2]> {
    let code = folded(token.code?, fold);
    let with_system = match token.system {
        Some(system) => Fact::SystemCode(system, &code),
        None => Fact::NoSystem(&code),
    };
    Some([with_system, Fact::Code(&code)].map(|fact| fact_key(scope, param, fact)))
}

/// Every way in which the token can be asked for.
pub fn keys(scope: &str, param: &str, token: &Token<'_>, fold: bool) -> Vec<IndexKey> {
    let code = token.code.map(|code| folded(code, fold));
    let code = code.as_deref();
    let mut keys = Vec::with_capacity(3);
    let mut push = |fact| keys.push(fact_key(scope, param, fact));
    match (token.system, code) {
        (Some(system), Some(code)) => push(Fact::SystemCode(system, code)),
        (None, Some(code)) => push(Fact::NoSystem(code)),
        _ => {}
    }
    if let Some(code) = code {
        push(Fact::Code(code));
    }
    if let Some(system) = token.system {
        push(Fact::System(system));
    }
    keys
}

pub fn folded(code: &str, fold: bool) -> String {
    if fold {
        code.to_lowercase()
    } else {
        code.to_owned()
    }
}
