//! A primitive: its JSON value, and the `_name` beside it with id and extensions.
//! <https://hl7.org/fhir/R4/json.html#primitive>

use serde_json::Value;

use super::place::Place;
use super::report::shown;
use super::structure::{Member, Walk, items, json_kind};
use crate::fhir::definitions::TypeDefinition;
use crate::fhir::outcome::Kind;

impl<'d> Walk<'d> {
    /// The member `name`.
    pub fn primitive(&mut self, member: &Member<'_, 'd>, place: &Place<'_>) {
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
                value => self.primitive_value(member.type_definition, member.key, value, &place),
            }
        }
    }

    /// Steps on one value of a known primitive type.
    fn primitive_value(
        &mut self,
        of: &TypeDefinition,
        key: &str,
        value: &Value,
        place: &Place<'_>,
    ) {
        let fits = match json_type(&of.name) {
            JsonType::Boolean => value.is_boolean(),
            JsonType::Number => value.is_number(),
            JsonType::String => value.is_string(),
        };
        if !fits {
            let json_type = json_type(&of.name);
            let text = format!(
                "{} is of type {}, in JSON {}, not {}: write {}",
                shown(key),
                of.name,
                json_type.article(),
                json_kind(value),
                json_type.remedy(),
            );
            return self.report.structure(place, text);
        }
        match value.as_str() {
            Some("") => {
                let text = format!("{} is empty: remove it or give it content", shown(key));
                self.report.problem(Kind::Value, place, text);
            }
            Some(text) if text.contains('\0') => {
                let text = format!("{} has the character U+0000: remove it", shown(key));
                self.report.problem(Kind::Value, place, text);
            }
            _ => {}
        }
    }

    /// The member `_name`: an object, or for a repeating element an array of
    /// objects and nulls as long as the array of values.
    pub fn sibling(&mut self, member: &Member<'_, 'd>, place: &Place<'_>) {
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
fn has_sibling(member: &Member<'_, '_>, index: Option<usize>) -> bool {
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
