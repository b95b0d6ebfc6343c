//! Judges a plan on one resource in the plainest way: what a store must do.

use serde_json::{Map, Value};
use unloop::fhir::definitions::r4;
use unloop::fhir::outcome::Failure;
use unloop::fhir::search::{Catalogue, Compartment, Query, Settings, compile};
use unloop::store::{Bounds, Comparison, Filter, IndexRows, Scope, SearchPlan, TextMatch};

pub const BASE: &str = "http://localhost:8080/fhir";
/// 2024-01-01T00:00:00Z
pub const NOW: i64 = 1_704_067_200_000_000;

pub fn catalogue() -> Catalogue {
    Catalogue::new(r4(), BASE)
}

pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} should be an object"),
    }
}

pub fn pairs(url: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(url.as_bytes())
        .into_owned()
        .collect()
}

pub fn query(resource_type: Option<&str>, url: &str) -> Result<Query, Failure> {
    Query::parse(
        &catalogue(),
        resource_type,
        &pairs(url),
        &Settings::default(),
    )
}

pub fn plan(
    resource_type: Option<&str>,
    url: &str,
    compartment: Option<&Compartment>,
) -> SearchPlan {
    let query = query(resource_type, url).unwrap_or_else(|failure| panic!("{url}: {failure:?}"));
    compile(&catalogue(), &query, compartment, Scope::everything(), NOW)
        .unwrap_or_else(|failure| panic!("{url}: {failure:?}"))
}

/// The search has the resource, which was last changed `NOW`.
pub fn finds(url: &str, resource: &Value) -> bool {
    let (path, parameters) = url.split_once('?').unwrap_or((url, ""));
    let plan = plan((!path.is_empty()).then_some(path), parameters, None);
    matches(&plan.filter, resource)
}

pub fn matches(filter: &Filter, resource: &Value) -> bool {
    holds_on(&catalogue(), filter, resource)
}

/// The same with a catalogue that is compiled already.
pub fn holds_on(catalogue: &Catalogue, filter: &Filter, resource: &Value) -> bool {
    let resource_type = resource["resourceType"]
        .as_str()
        .expect("a resource of the test");
    let rows = catalogue.extract(resource_type, &object(resource.clone()));
    holds(filter, resource, &rows)
}

fn holds(filter: &Filter, resource: &Value, rows: &IndexRows) -> bool {
    match filter {
        Filter::All(all) => all.iter().all(|f| holds(f, resource, rows)),
        Filter::Any(any) => any.iter().any(|f| holds(f, resource, rows)),
        Filter::Not(inner) => !holds(inner, resource, rows),
        Filter::Is(comparison) => compares(comparison, resource, rows),
        Filter::RefersTo { .. } | Filter::ReferredBy { .. } => {
            panic!("one resource alone has no links: {filter:?}")
        }
    }
}

fn compares(comparison: &Comparison, resource: &Value, rows: &IndexRows) -> bool {
    let is = |name: &str, texts: &[String]| {
        texts
            .iter()
            .any(|text| resource[name].as_str() == Some(text))
    };
    match comparison {
        Comparison::Type(types) => is("resourceType", types),
        Comparison::Id(ids) => is("id", ids),
        Comparison::Updated(bounds) => within(bounds, (NOW, NOW)),
        Comparison::Owner(owners) => rows.owner.is_some_and(|owner| owners.contains(&owner)),
        Comparison::Key(keys) => keys.iter().any(|key| rows.keys.contains(key)),
        Comparison::Text { param, test } => rows.texts.iter().any(|(of, text)| {
            of == param
                && match test {
                    TextMatch::StartsWith(start) => text.starts_with(start),
                    TextMatch::Contains(part) => text.contains(part),
                    TextMatch::Equals(whole) => text == whole,
                }
        }),
        Comparison::Within(_) => panic!("tests/api/search_table has places"),
        Comparison::Moment(bounds) => rows.moment.is_some_and(|range| within(bounds, range)),
        Comparison::Range { param, bounds } => rows
            .ranges
            .iter()
            .any(|(of, low, high)| of == param && within(bounds, (*low, *high))),
    }
}

pub fn within(bounds: &Bounds, (low, high): (i64, i64)) -> bool {
    bounds.low_min.is_none_or(|min| low >= min)
        && bounds.low_max.is_none_or(|max| low <= max)
        && bounds.high_min.is_none_or(|min| high >= min)
        && bounds.high_max.is_none_or(|max| high <= max)
}
