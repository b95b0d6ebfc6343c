//! The input of an operation: a query, a Parameters resource, or the one
//! resource that it takes. <https://hl7.org/fhir/R4/operations.html#request>

use serde_json::{Map, Value};

use super::super::engine::Engine;
use super::super::outcome::{Failure, Kind};
use super::super::request::Content;
use super::super::resource::Resource;
use super::super::search::date;
use super::super::search::decimal::Decimal;
use super::{Definition, Parameter, SEARCH, UNCHECKED};

#[derive(Clone, Debug, PartialEq)]
enum Argument {
    Text(String),
    Resource(Resource),
}

/// Checked against the definition: known names, as often as they may stand,
/// required ones there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arguments {
    named: Vec<(&'static str, Argument)>,
    searched: Vec<(String, String)>,
}

impl Arguments {
    pub fn read(
        engine: &Engine,
        definition: &'static Definition,
        query: Vec<(String, String)>,
        content: Content,
    ) -> Result<Self, Failure> {
        let mut arguments = Self::default();
        for (name, value) in query {
            arguments.add(definition, &name, Argument::Text(value))?;
        }
        if let Content::None = content {
            arguments.demand(definition)?;
            return Ok(arguments);
        }
        let resource = Resource::from_object(content.into_resource()?)?;
        if !definition.parameters.contains(&UNCHECKED) {
            engine.check(&resource)?;
        }
        if resource.resource_type == "Parameters" {
            let parameters = resource.content.get("parameter").and_then(Value::as_array);
            for parameter in parameters.into_iter().flatten() {
                let name = parameter.get("name").and_then(Value::as_str);
                let argument = argument(parameter)?;
                arguments.add(definition, name.unwrap_or_default(), argument)?;
            }
        } else {
            // "If there is a single resource parameter, it may be sent alone."
            let mut takes = definition.parameters.iter();
            let Some(parameter) = takes.find(|parameter| parameter.kind == "Resource") else {
                return Err(Failure::at(
                    Kind::Structure,
                    "resourceType",
                    "An operation takes a Parameters resource.",
                ));
            };
            arguments.add(definition, parameter.name, Argument::Resource(resource))?;
        }
        arguments.demand(definition)?;
        Ok(arguments)
    }

    fn add(
        &mut self,
        definition: &'static Definition,
        name: &str,
        argument: Argument,
    ) -> Result<(), Failure> {
        let known = definition
            .parameters
            .iter()
            .find(|known| known.name == name);
        let Some(parameter) = known.filter(|known| **known != SEARCH) else {
            return match argument {
                Argument::Text(value) if definition.parameters.contains(&SEARCH) => {
                    self.searched.push((name.to_owned(), value));
                    Ok(())
                }
                _ => Err(unknown(definition, name)),
            };
        };
        if !parameter.repeats() && self.named.iter().any(|(given, _)| *given == name) {
            return Err(Failure::new(
                Kind::Value,
                format!("{name} is given more than once. Give it once."),
            ));
        }
        fits(parameter, &argument)?;
        self.named.push((parameter.name, argument));
        Ok(())
    }

    fn demand(&self, definition: &Definition) -> Result<(), Failure> {
        let mut required = definition.parameters.iter().filter(|one| one.required);
        let missing = required.find(|one| self.named.iter().all(|(given, _)| *given != one.name));
        match missing {
            None => Ok(()),
            Some(one) => Err(Failure::new(
                Kind::Required,
                format!("${} needs {}: {}", definition.name, one.name, one.text),
            )),
        }
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts(name).next()
    }

    /// Of a parameter that repeats.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        let all = self.named.iter();
        all.filter_map(move |(given, argument)| match argument {
            Argument::Text(text) if *given == name => Some(text.as_str()),
            _ => None,
        })
    }

    /// What stands for [`SEARCH`].
    pub fn searched(&self) -> &[(String, String)] {
        &self.searched
    }

    /// All that is no resource, as a query has it.
    pub fn query(&self) -> impl Iterator<Item = (&str, &str)> {
        let named = self.named.iter();
        let named = named.filter_map(|(name, argument)| match argument {
            Argument::Text(text) => Some((*name, text.as_str())),
            Argument::Resource(_) => None,
        });
        let searched = self.searched.iter();
        named.chain(searched.map(|(name, value)| (name.as_str(), value.as_str())))
    }

    pub fn resource(&self, name: &str) -> Option<&Resource> {
        self.named
            .iter()
            .find_map(|(given, argument)| match argument {
                Argument::Resource(resource) if *given == name => Some(resource),
                _ => None,
            })
    }
}

fn argument(parameter: &Value) -> Result<Argument, Failure> {
    if let Some(Value::Object(resource)) = parameter.get("resource") {
        return Resource::from_object(resource.clone()).map(Argument::Resource);
    }
    let members = parameter.as_object().into_iter().flatten();
    let value = members
        .filter(|(name, _)| name.starts_with("value"))
        .map(|(_, value)| value)
        .next();
    let text = value.and_then(text_of).ok_or_else(|| {
        Failure::at(
            Kind::Value,
            "Parameters.parameter",
            "Each parameter has a simple value (valueCode, valueDate, …) or a resource.",
        )
    })?;
    Ok(Argument::Text(text))
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Object(object) => object_of(object),
        _ => None,
    }
}

/// A Reference by its address, a Coding as `system|code`, a Period as `start/end`.
fn object_of(object: &Map<String, Value>) -> Option<String> {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    if let Some(reference) = text("reference") {
        return Some(reference.to_owned());
    }
    if let Some(code) = text("code") {
        return Some(format!("{}|{code}", text("system").unwrap_or_default()));
    }
    let (start, end) = (text("start"), text("end"));
    let is_period = start.is_some() || end.is_some();
    is_period.then(|| format!("{}/{}", start.unwrap_or_default(), end.unwrap_or_default()))
}

fn fits(parameter: &Parameter, argument: &Argument) -> Result<(), Failure> {
    let name = parameter.name;
    let wrong = |what: String| Err(Failure::new(Kind::Value, format!("{name} {what}")));
    match argument {
        Argument::Resource(_) if parameter.kind == "Resource" => Ok(()),
        Argument::Resource(_) => wrong(format!("is a {}, not a resource.", parameter.kind)),
        Argument::Text(_) if parameter.kind == "Resource" => {
            wrong("is a resource. Send it in the content.".to_owned())
        }
        Argument::Text(text) if !parameter.codes.is_empty() => {
            if parameter.codes.contains(&text.as_str()) {
                return Ok(());
            }
            wrong(format!("is one of {}.", parameter.codes.join(", ")))
        }
        Argument::Text(text) => match parameter.datatype() {
            "date" | "dateTime" if date::range(text).is_none() => {
                wrong("is not a FHIR date or time. Example: 2026-11-21.".to_owned())
            }
            "boolean" if !matches!(text.as_str(), "true" | "false") => {
                wrong("is true or false.".to_owned())
            }
            "positiveInt" if !text.parse::<u32>().is_ok_and(|number| number > 0) => {
                wrong("is a whole number from 1.".to_owned())
            }
            "decimal" if Decimal::parse(text).is_none() => wrong("is a number.".to_owned()),
            _ => Ok(()),
        },
    }
}

fn unknown(definition: &Definition, name: &str) -> Failure {
    let known: Vec<&str> = definition.parameters.iter().map(|one| one.name).collect();
    let known = if known.is_empty() {
        "none".to_owned()
    } else {
        known.join(", ")
    };
    Failure::new(
        Kind::NotSupported,
        format!(
            "${} has no parameter \"{name}\". It has {known}.",
            definition.name
        ),
    )
}
