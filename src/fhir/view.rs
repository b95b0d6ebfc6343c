//! `_summary`, `_elements` and `_pretty`: how much of a resource is shown.
//! <https://hl7.org/fhir/R4/search.html#summary>

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::definitions::{Definitions, Element, TypeDefinition, TypeKind};
use super::outcome::{Failure, Kind};
use super::request::Request;

/// Bytes of an answer that is laid out for people: it has to be read again for that.
const MOST_PRETTY: usize = 4 << 20;

#[derive(Clone, Debug, PartialEq)]
enum Part {
    All,
    /// `_summary=true`
    Summary,
    /// `_summary=text`
    Text,
    /// `_summary=data`
    Data,
    /// `_summary=count`: a bundle without entries.
    Count,
    Elements(Vec<String>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct View {
    part: Part,
    pretty: bool,
}

impl View {
    /// The view of a request that answers with one resource.
    pub fn of_resource(request: &Request) -> Result<Self, Failure> {
        for (name, _) in &request.query {
            if !matches!(
                name.as_str(),
                "_summary" | "_elements" | "_pretty" | "_format"
            ) {
                return Err(Failure::new(
                    Kind::NotSupported,
                    format!(
                        "This address has no parameter \"{name}\". It has _summary, _elements, _pretty and _format."
                    ),
                ));
            }
        }
        let view = Self::of(request)?;
        if view.part == Part::Count {
            return Err(Failure::new(
                Kind::Value,
                "_summary=count is for searches. Use true, text, data or false here.",
            ));
        }
        Ok(view)
    }

    pub fn of(request: &Request) -> Result<Self, Failure> {
        let part = match (
            request.parameter("_summary"),
            request.parameter("_elements"),
        ) {
            (Some("count"), _) => Part::Count,
            (None | Some("false"), None) => Part::All,
            (None | Some("false"), Some(names)) => Part::Elements(
                names
                    .split(',')
                    .map(|name| name.trim().to_owned())
                    .filter(|name| !name.is_empty())
                    .collect(),
            ),
            (Some(_), Some(_)) => {
                return Err(Failure::new(
                    Kind::Value,
                    "_summary and _elements exclude each other. Send one of them.",
                ));
            }
            (Some("true"), None) => Part::Summary,
            (Some("text"), None) => Part::Text,
            (Some("data"), None) => Part::Data,
            (Some(_), None) => {
                return Err(Failure::new(
                    Kind::Value,
                    "_summary has none of the values true, text, data, count, false.",
                ));
            }
        };
        let pretty = match request.parameter("_pretty") {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                return Err(Failure::new(Kind::Value, "_pretty is true or false."));
            }
        };
        Ok(Self { part, pretty })
    }

    pub fn is_count(&self) -> bool {
        self.part == Part::Count
    }

    /// One resource as this view shows it.
    pub fn resource(&self, definitions: &Definitions, text: String) -> Result<String, Failure> {
        if matches!(self.part, Part::All | Part::Count) {
            return Ok(text);
        }
        let mut content: Map<String, Value> =
            serde_json::from_str(&text).map_err(|_| unreadable())?;
        let name = content.get("resourceType").and_then(Value::as_str);
        let Some(definition) = name.and_then(|name| definitions.type_definition(name)) else {
            return Ok(text);
        };
        self.reduce(definitions, definition, &mut content);
        mark_subsetted(&mut content);
        Ok(Value::Object(content).to_string())
    }

    /// The answer with its content reduced and laid out.
    pub fn apply(&self, definitions: &Definitions, mut answer: Answer) -> Result<Answer, Failure> {
        if let Some(text) = answer.content.take() {
            answer.content = Some(self.layout(self.resource(definitions, text)?)?);
        }
        Ok(answer)
    }

    /// The text with indentation, where asked for.
    pub fn layout(&self, text: String) -> Result<String, Failure> {
        if !self.pretty {
            return Ok(text);
        }
        if text.len() > MOST_PRETTY {
            let text =
                "The answer is too large for _pretty. Ask without it, or for less at a time.";
            return Err(Failure::new(Kind::TooCostly, text));
        }
        let value: Value = serde_json::from_str(&text).map_err(|_| unreadable())?;
        serde_json::to_string_pretty(&value).map_err(|_| unreadable())
    }

    fn reduce(
        &self,
        definitions: &Definitions,
        definition: &TypeDefinition,
        content: &mut Map<String, Value>,
    ) {
        content.retain(|name, _| {
            let base = name.strip_prefix('_').unwrap_or(name);
            matches!(base, "resourceType" | "id" | "meta")
                || element(definition, base).is_none_or(|element| self.shows(element))
        });
        if self.part == Part::Summary {
            summarize(definitions, definition, content);
        }
    }

    fn shows(&self, element: &Element) -> bool {
        match &self.part {
            Part::All | Part::Count => true,
            Part::Summary => element.summary,
            Part::Text => element.name == "text" || element.min > 0,
            Part::Data => element.name != "text",
            Part::Elements(names) => {
                let named = |name: &String| unqualified(name) == element.name;
                element.min > 0 || element.modifier || names.iter().any(named)
            }
        }
    }
}

/// `name` of `name` and of `Patient.name`.
pub fn unqualified(name: &str) -> &str {
    match name.split_once('.') {
        Some((of_type, name)) if of_type.starts_with(|c: char| c.is_ascii_uppercase()) => name,
        _ => name,
    }
}

fn element<'d>(definition: &'d TypeDefinition, property: &str) -> Option<&'d Element> {
    let (index, _) = definition.properties.get(property)?;
    definition.elements.get(*index)
}

/// Inside backbone elements too only summary elements stay.
fn summarize(
    definitions: &Definitions,
    definition: &TypeDefinition,
    content: &mut Map<String, Value>,
) {
    for (name, value) in content.iter_mut() {
        let inner = definition
            .properties
            .get(name)
            .and_then(|(_, type_name)| definitions.type_definition(type_name))
            .filter(|inner| inner.kind == TypeKind::Backbone);
        let Some(inner) = inner else { continue };
        let items = match value {
            Value::Array(items) => items.as_mut_slice(),
            single => std::slice::from_mut(single),
        };
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            item.retain(|name, _| {
                let base = name.strip_prefix('_').unwrap_or(name);
                base == "id" || element(inner, base).is_none_or(|element| element.summary)
            });
            summarize(definitions, inner, item);
        }
    }
}

fn mark_subsetted(content: &mut Map<String, Value>) {
    let tag = json!({
        "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
        "code": "SUBSETTED",
    });
    if let Some(Value::Object(meta)) = content.get_mut("meta") {
        match meta.get_mut("tag") {
            Some(Value::Array(tags)) => tags.push(tag),
            _ => {
                meta.insert("tag".to_owned(), json!([tag]));
            }
        }
    }
}

fn unreadable() -> Failure {
    Failure::new(
        Kind::Internal,
        "A stored resource cannot be read. The operator's log has the details.",
    )
}
