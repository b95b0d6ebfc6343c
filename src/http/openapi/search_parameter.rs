//! Search parameters from the definitions: components, and the forms of
//! `_search`. <https://hl7.org/fhir/R4/search.html>

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{SPELLED_OUT, primitive, reference, result_parameter};
use crate::fhir::definitions::{Definitions, ParamKind, SearchParam};
use crate::fhir::interaction::capabilities::kind_code;
use crate::fhir::search::is_searchable;

/// What the service can search by in a type; without one, in every type.
pub fn searchable<'d>(definitions: &'d Definitions, subject: Option<&str>) -> Vec<&'d SearchParam> {
    let any = definitions.resource_types.first().map(String::as_str);
    definitions
        .search_params(subject.or(any).unwrap_or_default())
        .iter()
        .filter(|param| is_searchable(param))
        .filter(|param| subject.is_some() || of_every_type(param))
        .collect()
}

fn of_every_type(param: &SearchParam) -> bool {
    param.code.starts_with('_')
}

/// The component of a search parameter of this type.
pub fn component(subject: Option<&str>, param: &SearchParam) -> String {
    match subject {
        Some(name) if !of_every_type(param) => format!("{name}-{}", param.code),
        _ => param.code.clone(),
    }
}

/// The schema of a `_search` form.
pub fn form(subject: Option<&str>) -> String {
    format!("{}-search", subject.unwrap_or("any"))
}

pub fn components(definitions: &Definitions) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for subject in subjects() {
        for param in searchable(definitions, subject) {
            all.insert(component(subject, param), search_parameter(param));
        }
    }
    all
}

fn subjects() -> impl Iterator<Item = Option<&'static str>> {
    SPELLED_OUT.into_iter().map(Some).chain([None])
}

fn search_parameter(param: &SearchParam) -> Value {
    let mut text = format!("{}: `{}`", kind_code(param.kind), param.expression);
    if !param.targets.is_empty() && param.targets.len() < 20 {
        text = format!("{text}, to {}", param.targets.join(", "));
    }
    json!({"name": param.code, "in": "query", "description": text, "schema": values(param.kind)})
}

/// A parameter may be repeated.
fn values(kind: ParamKind) -> Value {
    json!({"type": "array", "items": reference("schemas", &format!("search-{}", kind_code(kind)))})
}

/// The kinds of search values and the forms of `_search`.
pub fn schemas(definitions: &Definitions) -> BTreeMap<String, Value> {
    let text = |examples: &[&str]| json!({"type": "string", "minLength": 1, "examples": examples});
    let mut all = BTreeMap::from([
        ("search-date".to_owned(), primitive::search_date()),
        (
            "search-reference".to_owned(),
            text(&["Patient/example", "example"]),
        ),
        (
            "search-quantity".to_owned(),
            text(&["gt140", "5.4|http://unitsofmeasure.org|mg", "70||kg"]),
        ),
        (
            "search-composite".to_owned(),
            text(&["http://loinc.org|8480-6$gt140"]),
        ),
        ("search-string".to_owned(), text(&["Ada"])),
        (
            "search-token".to_owned(),
            text(&["http://loinc.org|8480-6", "final", "male,female"]),
        ),
        (
            "search-uri".to_owned(),
            text(&["http://hl7.org/fhir/StructureDefinition/vitalsigns"]),
        ),
    ]);
    for subject in subjects() {
        let mut properties = Map::new();
        for param in searchable(definitions, subject) {
            properties.insert(param.code.clone(), values(param.kind));
        }
        let types = subject.is_none().then(result_parameter::types);
        for parameter in result_parameter::of_search().into_iter().chain(types) {
            properties.insert(parameter.name.to_owned(), parameter.schema);
        }
        let form = json!({
            "type": "object",
            "description": "The parameters of the search by GET; further ones are those with a modifier.",
            "properties": properties,
        });
        all.insert(self::form(subject), form);
    }
    all
}
