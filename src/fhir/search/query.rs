//! The parameters of a search URL as a typed query.
//! <https://hl7.org/fhir/R4/search.html>

use super::catalogue::{Catalogue, Param};
use super::include::Include;
use super::parameter::{self, Parameter};
use super::sort::{self, SortKey};
use super::suggest::nearest;
use crate::fhir::outcome::{Failure, Kind};

#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The types searched; empty: all.
    pub types: Vec<String>,
    /// All of them hold.
    pub parameters: Vec<Parameter>,
    pub sort: Vec<SortKey>,
    /// Matches on a page; 0: only their number.
    pub count: usize,
    pub includes: Vec<Include>,
    pub revincludes: Vec<Include>,
    pub total: Option<Total>,
    pub summary: Option<Summary>,
    pub elements: Vec<String>,
    pub cursor: Option<String>,
    /// The pairs that had an effect, for the self link.
    pub used: Vec<(String, String)>,
    /// Names of the parameters that lenient handling left out.
    pub ignored: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    None,
    Estimate,
    Accurate,
}

/// <https://hl7.org/fhir/R4/search.html#summary>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Summary {
    True,
    Text,
    Data,
    Count,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub default_count: usize,
    pub max_count: usize,
    /// `Prefer: handling=lenient`: unknown parameters are left out.
    pub lenient: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_count: 20,
            max_count: 1000,
            lenient: false,
        }
    }
}

/// Parameters that shape the answer or the request and select nothing.
pub const RESULT_PARAMETERS: [&str; 11] = [
    "_sort",
    "_count",
    "_include",
    "_revinclude",
    "_total",
    "_summary",
    "_elements",
    "_format",
    "_pretty",
    "_cursor",
    "_type",
];

impl Query {
    /// `resource_type` is `None` for a search of the whole system.
    pub fn parse(
        catalogue: &Catalogue,
        resource_type: Option<&str>,
        pairs: &[(String, String)],
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let mut query = Self::empty(settings);
        query.types = types(catalogue, resource_type, pairs)?;
        for (name, value) in pairs {
            let taken = query.take(catalogue, name, value, settings);
            match taken {
                Ok(()) => query.used.push((name.clone(), value.clone())),
                Err(Refused::Unknown(_)) if settings.lenient => query.ignored.push(name.clone()),
                Err(Refused::Unknown(failure) | Refused::Wrong(failure)) => return Err(failure),
            }
        }
        Ok(query)
    }

    fn empty(settings: &Settings) -> Self {
        Self {
            types: Vec::new(),
            parameters: Vec::new(),
            sort: Vec::new(),
            count: settings.default_count,
            includes: Vec::new(),
            revincludes: Vec::new(),
            total: None,
            summary: None,
            elements: Vec::new(),
            cursor: None,
            used: Vec::new(),
            ignored: Vec::new(),
        }
    }

    fn take(
        &mut self,
        catalogue: &Catalogue,
        name: &str,
        value: &str,
        settings: &Settings,
    ) -> Result<(), Refused> {
        let (code, modifier) = match name.split_once(':') {
            Some((code, modifier)) => (code, Some(modifier)),
            None => (name, None),
        };
        if value.is_empty() {
            return Err(Refused::Wrong(invalid(name, "has no value")));
        }
        match code {
            "_include" => self.includes.push(Include::parse(catalogue, name, value)?),
            "_revinclude" => self
                .revincludes
                .push(Include::parse(catalogue, name, value)?),
            _ if modifier.is_none() && RESULT_PARAMETERS.contains(&code) => {
                self.result_parameter(catalogue, name, value, settings)?;
            }
            _ => {
                let param = self.find(catalogue, name, code)?;
                // A modifier must be refused also where handling is lenient.
                let parsed = parameter::parse(catalogue, param, name, modifier, value)
                    .map_err(Refused::Wrong)?;
                self.parameters.push(parsed);
            }
        }
        Ok(())
    }

    fn result_parameter(
        &mut self,
        catalogue: &Catalogue,
        name: &str,
        value: &str,
        settings: &Settings,
    ) -> Result<(), Failure> {
        match name {
            "_sort" => self.sort = sort::parse(catalogue, &self.types, value)?,
            "_count" => self.count = count(value)?.min(settings.max_count),
            "_cursor" => self.cursor = Some(value.to_owned()),
            "_elements" => self.elements = value.split(',').map(str::to_owned).collect(),
            "_total" => self.total = Some(total(value)?),
            "_summary" => self.summary = summary(value)?,
            // `_type` has been read; `_format` and `_pretty` are the transport's.
            _ => {}
        }
        Ok(())
    }

    /// The parameter in every type that is searched.
    fn find<'c>(
        &self,
        catalogue: &'c Catalogue,
        name: &str,
        code: &str,
    ) -> Result<&'c Param, Refused> {
        if name.starts_with("_has:") {
            return Err(unknown(name, "is not supported: reverse chaining"));
        }
        if name.contains('.') {
            return Err(unknown(name, "is not supported: chaining"));
        }
        let common = common_types(catalogue, &self.types);
        let mut found: Option<&Param> = None;
        for resource_type in &common {
            let param = catalogue
                .param(resource_type, code)
                // Without a type only what every type has can be asked.
                .filter(|param| !self.types.is_empty() || every_type_has(param));
            match (param, found) {
                (Some(param), Some(first)) if param.kind != first.kind => {
                    return Err(unknown(
                        name,
                        "means different things in the types searched",
                    ));
                }
                (Some(param), _) => found = found.or(Some(param)),
                (None, _) => return Err(self.no_such(catalogue, resource_type, name, code)),
            }
        }
        found.ok_or_else(|| unknown(name, "is not supported here"))
    }

    fn no_such(
        &self,
        catalogue: &Catalogue,
        resource_type: &str,
        name: &str,
        code: &str,
    ) -> Refused {
        let place = match self.types.as_slice() {
            [] => "a search of all types".to_owned(),
            _ => resource_type.to_owned(),
        };
        if !self.types.is_empty()
            && catalogue
                .definitions
                .search_param(resource_type, code)
                .is_some()
        {
            return unknown(name, &format!("of {place} is not supported yet"));
        }
        let params = catalogue
            .params(resource_type)
            .iter()
            .filter(|param| !self.types.is_empty() || every_type_has(param))
            .map(|param| param.code.as_str());
        let near = nearest(code, params.chain(RESULT_PARAMETERS));
        let hint = if near.is_empty() {
            String::new()
        } else {
            format!("; did you mean `{}`?", near.join("`, `"))
        };
        unknown(name, &format!("is unknown for {place}{hint}"))
    }
}

/// A parameter that is refused: unknown ones may be left out, wrong ones not.
enum Refused {
    Unknown(Failure),
    Wrong(Failure),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        match failure.kind {
            Kind::NotSupported => Self::Unknown(failure),
            _ => Self::Wrong(failure),
        }
    }
}

fn unknown(name: &str, problem: &str) -> Refused {
    let text = format!("Search parameter `{name}` {problem}");
    Refused::Unknown(Failure::new(Kind::NotSupported, text))
}

pub(super) fn invalid(name: &str, problem: &str) -> Failure {
    Failure::new(Kind::Value, format!("Search parameter `{name}` {problem}"))
}

pub(super) fn every_type_has(param: &Param) -> bool {
    param.scope.is_empty()
}

/// The types whose parameters count: those searched, or any one of all for the
/// parameters that every type has.
pub(super) fn common_types(catalogue: &Catalogue, types: &[String]) -> Vec<String> {
    match types {
        [] => catalogue
            .definitions
            .resource_types
            .iter()
            .take(1)
            .cloned()
            .collect(),
        types => types.to_vec(),
    }
}

/// The type of the address, or those of `_type`.
fn types(
    catalogue: &Catalogue,
    resource_type: Option<&str>,
    pairs: &[(String, String)],
) -> Result<Vec<String>, Failure> {
    let mut types: Vec<String> = resource_type.map(str::to_owned).into_iter().collect();
    for (_, value) in pairs.iter().filter(|(name, _)| name == "_type") {
        if resource_type.is_some() {
            return Err(invalid("_type", "only selects in a search without a type"));
        }
        for name in value.split(',') {
            if !catalogue.definitions.is_resource_type(name) {
                return Err(invalid("_type", &format!("has an unknown type: `{name}`")));
            }
            types.push(name.to_owned());
        }
    }
    types.sort_unstable();
    types.dedup();
    Ok(types)
}

fn count(value: &str) -> Result<usize, Failure> {
    // More than the largest page is the largest page.
    if value.bytes().all(|b| b.is_ascii_digit()) {
        Ok(value.parse().unwrap_or(usize::MAX))
    } else {
        Err(invalid("_count", "must be a whole number, 0 or more"))
    }
}

fn total(value: &str) -> Result<Total, Failure> {
    match value {
        "none" => Ok(Total::None),
        "estimate" => Ok(Total::Estimate),
        "accurate" => Ok(Total::Accurate),
        _ => Err(invalid(
            "_total",
            "must be `none`, `estimate` or `accurate`",
        )),
    }
}

fn summary(value: &str) -> Result<Option<Summary>, Failure> {
    match value {
        "false" => Ok(None),
        "true" => Ok(Some(Summary::True)),
        "text" => Ok(Some(Summary::Text)),
        "data" => Ok(Some(Summary::Data)),
        "count" => Ok(Some(Summary::Count)),
        _ => Err(invalid(
            "_summary",
            "must be `true`, `text`, `data`, `count` or `false`",
        )),
    }
}
