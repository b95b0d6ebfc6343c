//! Which parameter a name means in the types that are searched, and what to
//! say where it means none. <https://hl7.org/fhir/R4/search.html#errors>

use super::catalogue::{Catalogue, Param};
use super::result::RESULT_PARAMETERS;
use super::suggest::nearest;
use crate::fhir::outcome::{Failure, Kind};

/// Parameters of the specification that are refused for what they are.
const REFUSED: [(&str, &str); 4] = [
    ("_filter", "expressions"),
    ("_text", "full texts"),
    ("_content", "full texts"),
    ("_query", "named queries"),
];

/// The parameter in every type that is searched.
pub(super) fn find<'c>(
    catalogue: &'c Catalogue,
    types: &[String],
    name: &str,
    code: &str,
) -> Result<&'c Param, Refused> {
    let mut found: Option<&Param> = None;
    for resource_type in &common_types(catalogue, types) {
        let param = catalogue
            .param(resource_type, code)
            // Without a type only what every type has can be asked.
            .filter(|param| !types.is_empty() || every_type_has(param));
        match (param, found) {
            (Some(param), Some(first)) if param.kind != first.kind => {
                return Err(unknown(
                    name,
                    "means different things in the types searched",
                ));
            }
            (Some(param), _) => found = found.or(Some(param)),
            (None, _) => return Err(no_such(catalogue, types, resource_type, name, code)),
        }
    }
    found.ok_or_else(|| unknown(name, "is not supported here"))
}

fn no_such(
    catalogue: &Catalogue,
    types: &[String],
    resource_type: &str,
    name: &str,
    code: &str,
) -> Refused {
    if let Some((_, by)) = REFUSED.iter().find(|(refused, _)| *refused == code) {
        return unknown(name, &format!("is not supported: searching by {by}"));
    }
    let place = match types {
        [] => "a search of all types".to_owned(),
        _ => resource_type.to_owned(),
    };
    let defined = catalogue.definitions.search_param(resource_type, code);
    if let Some(param) = defined.filter(|_| !types.is_empty()) {
        let why = match param.components.len() > 2 {
            true => {
                ": its official description and its official components contradict each other; search by the parameters that it combines"
            }
            false => "",
        };
        return unknown(name, &format!("of {place} is not supported{why}"));
    }
    let params = catalogue
        .params(resource_type)
        .iter()
        .filter(|param| !types.is_empty() || every_type_has(param))
        .map(|param| param.code.as_str());
    let near = nearest(code, params.chain(RESULT_PARAMETERS));
    let hint = if near.is_empty() {
        String::new()
    } else {
        format!("; did you mean `{}`?", near.join("`, `"))
    };
    unknown(name, &format!("is unknown for {place}{hint}"))
}

/// A parameter that is refused: unknown ones may be left out, wrong ones not.
pub(super) enum Refused {
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

pub(super) fn unknown(name: &str, problem: &str) -> Refused {
    let text = format!("Search parameter `{name}` {problem}");
    Refused::Unknown(Failure::new(Kind::NotSupported, text))
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
