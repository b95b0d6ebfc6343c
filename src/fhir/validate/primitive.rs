//! A primitive: its JSON value, and the `_name` beside it with id and extensions.
//! <https://hl7.org/fhir/R4/json.html#primitive>

use serde_json::Value;

use super::format;
use super::place::Place;
use super::report::shown;
use super::structure::{Member, Walk, items, json_kind};
use crate::fhir::outcome::Kind;

impl<'a> Walk<'a> {
    /// The member `name`.
    pub fn primitive(&mut self, member: &Member<'a>, place: &Place<'_>) {
        self.array_or_single(member, place);
        for (index, value) in items(member.value) {
            let place = place.item(index);
            match value {
                Value::Null if has_sibling(member, index) => {}
                Value::Null => {
                    let text = format!(
                        "null says nothing here: remove it from {}, or give its extension in `_{}`",
                        shown(member.key),
                        member.name,
                    );
                    self.report.structure(&place, text);
                }
                value => self.primitive_value(member, value, &place),
            }
        }
    }

    fn primitive_value(&mut self, member: &Member<'a>, value: &Value, place: &Place<'_>) {
        let name = member.type_definition.name.as_str();
        let json_type = json_type(name);
        if !json_type.is_of(value) {
            let text = format!(
                "{} is of type {name}, in JSON {}, not {}: write {}",
                shown(member.key),
                json_type.article(),
                json_kind(value),
                json_type.remedy(),
            );
            self.report.structure(place, text);
        } else if let Some(remedy) = format::remedy(name, value) {
            let text = format!("{} is not a legal {name}: {remedy}", shown(member.key));
            self.report.problem(Kind::Value, place, text);
        } else if let (Some(url), Value::String(code)) = (&member.element.required_binding, value) {
            self.code_binding(url, member.key, code, place);
        }
    }

    /// The member `_name`: an object, or for a repeating element an array of
    /// objects and nulls as long as the array of values.
    pub fn sibling(&mut self, member: &Member<'a>, place: &Place<'_>) {
        self.array_or_single(member, place);
        let values = member.object.get(member.name);
        if let (Value::Array(own), Some(Value::Array(values))) = (member.value, values)
            && own.len() != values.len()
        {
            let text = format!(
                "{} has {} items and {} has {}: fill the shorter one up with null",
                shown(member.key),
                own.len(),
                shown(member.name),
                values.len(),
            );
            self.report.structure(place, text);
        }
        for (index, item) in items(member.value) {
            let place = place.item(index);
            match item {
                Value::Object(map) => self.object(member.type_definition, map, &place),
                // Where the value is null too, the value's side tells it.
                Value::Null if index.is_some() && values.is_some() => {}
                other => {
                    let text = format!(
                        "{} has an object with `id` or `extension`, not {}",
                        shown(member.key),
                        json_kind(other)
                    );
                    self.report.structure(&place, text);
                }
            }
        }
    }
}

/// Does a null among the values stand for an entry of `_name`?
fn has_sibling(member: &Member<'_>, index: Option<usize>) -> bool {
    let Some(index) = index.filter(|_| member.element.array) else {
        return false;
    };
    let sibling = member.object.get(&format!("_{}", member.name));
    sibling
        .and_then(|s| s.get(index))
        .is_some_and(Value::is_object)
}

#[derive(Clone, Copy)]
enum JsonType {
    Boolean,
    Number,
    String,
}

impl JsonType {
    fn is_of(self, value: &Value) -> bool {
        match self {
            Self::Boolean => value.is_boolean(),
            Self::Number => value.is_number(),
            Self::String => value.is_string(),
        }
    }

    fn article(self) -> &'static str {
        match self {
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Boolean => "true or false without quotes",
            Self::Number => "the number without quotes",
            Self::String => "it in quotes",
        }
    }
}

fn json_type(primitive: &str) -> JsonType {
    match primitive {
        "boolean" => JsonType::Boolean,
        "decimal" | "integer" | "positiveInt" | "unsignedInt" => JsonType::Number,
        _ => JsonType::String,
    }
}
