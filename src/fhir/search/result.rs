//! The parameters that shape the answer and select nothing.
//! <https://hl7.org/fhir/R4/search.html#return>

use super::catalogue::Catalogue;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::view::unqualified;

pub const RESULT_PARAMETERS: [&str; 12] = [
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
    "_contained",
];

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

pub(super) fn invalid(name: &str, problem: &str) -> Failure {
    Failure::new(Kind::Value, format!("Search parameter `{name}` {problem}"))
}

/// The type of the address, or those of `_type`.
pub fn types(
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

pub(super) fn count(value: &str) -> Result<usize, Failure> {
    // More than the largest page is the largest page.
    if value.bytes().all(|b| b.is_ascii_digit()) {
        Ok(value.parse().unwrap_or(usize::MAX))
    } else {
        Err(invalid("_count", "must be a whole number, 0 or more"))
    }
}

/// `_totalMethod` of Aidbox, which fhirpy counts with.
pub(super) fn total_method(value: &str) -> Result<Total, Failure> {
    match value {
        "count" => Ok(Total::Accurate),
        value => total(value),
    }
}

pub(super) fn total(value: &str) -> Result<Total, Failure> {
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

/// "A comma separated list of base element names": a misspelt one would hide
/// what it was to show.
pub(super) fn elements(
    catalogue: &Catalogue,
    types: &[String],
    value: &str,
) -> Result<Vec<String>, Failure> {
    let definitions = catalogue.definitions;
    let types = match types {
        [] => &definitions.resource_types,
        types => types,
    };
    let has = |name: &str| {
        if name == "resourceType" {
            // It is always shown.
            return true;
        }
        let mut all = types.iter().filter_map(|t| definitions.type_definition(t));
        all.any(|of| of.elements.iter().any(|element| element.name == name))
    };
    let names = value
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let names: Vec<String> = names.map(str::to_owned).collect();
    match names.iter().find(|name| !has(unqualified(name))) {
        Some(name) => Err(invalid(
            "_elements",
            &format!("names no element of the resource itself: `{name}`"),
        )),
        None => Ok(names),
    }
}

/// "false (default): Do not return contained resources." They have no rows.
pub(super) fn contained(value: &str) -> Result<(), Failure> {
    match value {
        "false" => Ok(()),
        _ => Err(Failure::new(
            Kind::NotSupported,
            "Search parameter `_contained` is `false` here: contained resources are not searched",
        )),
    }
}

pub(super) fn summary(value: &str) -> Result<Option<Summary>, Failure> {
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
