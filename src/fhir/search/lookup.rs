//! Which parameter a name means in the types that are searched, and what to
//! say where it means none. <https://hl7.org/fhir/R4/search.html#errors>

use super::catalogue::{Catalogue, Param};
use super::query::Query;
use super::result::RESULT_PARAMETERS;
use super::suggest::nearest;
use crate::fhir::outcome::{Failure, Kind};

impl Query {
    /// The parameter in every type that is searched.
    pub(super) fn find<'c>(
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

fn unknown(name: &str, problem: &str) -> Refused {
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
