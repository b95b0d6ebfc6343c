//! The parameters of a search URL as a typed query.
//! <https://hl7.org/fhir/R4/search.html>

use super::catalogue::Catalogue;
use super::chain::Reader;
use super::include::Include;
use super::lookup::{Refused, unknown};
use super::parameter::{Has, Parameter, Test};
use super::result::{
    RESULT_PARAMETERS, Summary, Total, contained, count, elements, invalid, summary, total,
    total_method, types,
};
use super::sort::{self, SortKey};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::validate::id;

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

/// Each one is a condition of its own, which no database joins without end.
const MOST_PARAMETERS: usize = 64;

/// <https://hl7.org/fhir/R4/search.html#list>
pub const LIST: &str = "_list";

impl Query {
    /// `resource_type` is `None` for a search of the whole system.
    pub fn parse(
        catalogue: &Catalogue,
        resource_type: Option<&str>,
        pairs: &[(String, String)],
        settings: &Settings,
    ) -> Result<Self, Failure> {
        if pairs.len() > MOST_PARAMETERS {
            return Err(Failure::new(
                Kind::Value,
                format!(
                    "A search has at most {MOST_PARAMETERS} parameters. Put alternatives into one, separated by commas."
                ),
            ));
        }
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
        refuse_modifier(name, code, modifier)?;
        match code {
            "_include" => self.includes.push(Include::parse(catalogue, name, value)?),
            "_revinclude" => self
                .revincludes
                .push(Include::parse(catalogue, name, value)?),
            "_totalMethod" if modifier.is_none() => self.total = Some(total_method(value)?),
            LIST => self.parameters.push(listed(name, value)?),
            _ if RESULT_PARAMETERS.contains(&code) => {
                self.result_parameter(catalogue, name, value, settings)?;
            }
            _ => {
                let reader = Reader::new(catalogue);
                let parameter = reader.parameter(&self.types, name, value, 0)?;
                self.parameters.push(parameter);
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
            "_elements" => self.elements = elements(catalogue, &self.types, value)?,
            "_total" => self.total = Some(total(value)?),
            "_summary" => self.summary = summary(value)?,
            "_contained" => contained(value)?,
            // `_type` has been read; `_format` and `_pretty` are the transport's.
            _ => {}
        }
        Ok(())
    }
}

/// "Servers SHALL reject any search request that contains a modifier that they don't
/// support", lenient or not. Those of search parameters are judged by their kind.
/// <https://hl7.org/fhir/R4/search.html#modifiers>
fn refuse_modifier(name: &str, code: &str, modifier: Option<&str>) -> Result<(), Refused> {
    let Some(modifier) = modifier else {
        return Ok(());
    };
    let has_it = matches!(code, "_include" | "_revinclude") && modifier == "iterate";
    if has_it || !(code == LIST || RESULT_PARAMETERS.contains(&code)) {
        return Ok(());
    }
    let text = format!("Search parameter `{name}` has an unsupported modifier: send `{code}`");
    Err(Refused::Wrong(Failure::new(Kind::NotSupported, text)))
}

/// "Restrict the search to resources on the specified list": such a List refers to it.
fn listed(name: &str, value: &str) -> Result<Parameter, Refused> {
    if value.starts_with('$') {
        return Err(unknown(
            name,
            "takes the id of a List: there are no functional lists such as `$current-allergies`",
        ));
    }
    let ids: Vec<String> = value.split(',').map(str::to_owned).collect();
    if !ids.iter().all(|id| id::is_legal(id)) {
        return Err(Refused::Wrong(invalid(name, "takes the id of a List")));
    }
    let of_list = Parameter {
        code: "_id".to_owned(),
        test: Test::Id(ids),
    };
    Ok(Parameter {
        code: LIST.to_owned(),
        test: Test::Has(Has {
            source: "List".to_owned(),
            link: "item".to_owned(),
            parameter: Box::new(of_list),
        }),
    })
}
