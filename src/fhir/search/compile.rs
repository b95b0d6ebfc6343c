//! Query + scope -> search plan. <https://hl7.org/fhir/R4/search.html#ptypes>

use super::catalogue::{Catalogue, Param, Storage};
use super::key::{Fact, compartment_key, fact_key, owner_key, param_key};
use super::lookup::{common_types, every_type_has};
use super::parameter::{Parameter, ReferenceTest, Test, TokenTest};
use super::prefix::{self, DateTest};
use super::query::Query;
use super::{reference, sort, token};
use crate::fhir::definitions::ParamKind;
use crate::fhir::outcome::{Failure, Kind};
use crate::store::{Bounds, Comparison, Filter, IndexKey, Scope, SearchPlan, TextMatch};

/// `Patient/123`, where the search is limited to what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compartment {
    pub code: String,
    pub id: String,
}

/// The first page of a search; the caller sets the place for the others. `now`
/// (microseconds) is what `ap` measures its margin from.
pub fn compile(
    catalogue: &Catalogue,
    query: &Query,
    compartment: Option<&Compartment>,
    scope: Scope,
    now: i64,
) -> Result<SearchPlan, Failure> {
    let mut parts = Vec::new();
    if let Some(Compartment { code, id }) = compartment {
        let key = compartment_key(code, id);
        parts.push(Filter::Is(Comparison::Key(vec![key])));
    }
    parts.push(selection(catalogue, query, now)?);
    Ok(SearchPlan {
        scope,
        filter: flat(parts),
        order: sort::order(catalogue, &query.types, &query.sort),
        after: None,
        backwards: false,
        limit: query.count,
    })
}

/// The types searched and the parameters, which mean the same facts in all of
/// them or are said for each.
fn selection(catalogue: &Catalogue, query: &Query, now: i64) -> Result<Filter, Failure> {
    let of_type = |resource_type: &str| -> Result<(bool, Vec<Filter>), Failure> {
        let mut filters = Vec::new();
        let mut shared = true;
        for parameter in &query.parameters {
            let param = catalogue
                .param(resource_type, &parameter.code)
                .ok_or_else(|| no_longer(&parameter.code))?;
            shared &= every_type_has(param);
            filters.push(filter(catalogue, param, parameter, now));
        }
        Ok((shared, filters))
    };
    let mut alternatives = Vec::new();
    for resource_type in common_types(catalogue, &query.types) {
        let (shared, mut filters) = of_type(&resource_type)?;
        if shared {
            if !query.types.is_empty() {
                filters.insert(0, Filter::Is(Comparison::Type(query.types.clone())));
            }
            return Ok(Filter::All(filters));
        }
        filters.insert(0, Filter::Is(Comparison::Type(vec![resource_type])));
        alternatives.push(Filter::All(filters));
    }
    Ok(any(alternatives))
}

fn no_longer(code: &str) -> Failure {
    let text = format!("Search parameter `{code}` is not supported here");
    Failure::new(Kind::NotSupported, text)
}

fn filter(catalogue: &Catalogue, param: &Param, parameter: &Parameter, now: i64) -> Filter {
    match &parameter.test {
        Test::Id(ids) => Filter::Is(Comparison::Id(ids.clone())),
        Test::Token(tests) => has(token_keys(param, tests)),
        Test::TokenNot(tests) => not(has(token_keys(param, tests))),
        Test::StartsWith(texts) => text(param, texts, TextMatch::StartsWith),
        Test::Contains(texts) => text(param, texts, TextMatch::Contains),
        Test::Exact(texts) => has(keys(param, texts, Fact::Exact)),
        Test::Uri(uris) => has(keys(param, uris, Fact::Uri)),
        Test::Reference(tests) => reference_filter(param, &literals(catalogue, param, tests)),
        Test::ReferenceIdentifier(tests) => has(identifier_keys(param, tests)),
        Test::Date(tests) => dates(param, tests, now),
        Test::Missing(missing) => {
            let present = present(param);
            if *missing { not(present) } else { present }
        }
    }
}

fn token_keys(param: &Param, tests: &[TokenTest]) -> Vec<IndexKey> {
    let fold = param.folds_case();
    let key = |test: &TokenTest| {
        let code = test.code.as_ref().map(|code| token::folded(code, fold));
        let fact = match (test.system.as_deref(), code.as_deref()) {
            (None, code) => Fact::Code(code.unwrap_or_default()),
            (Some(system), None) => Fact::System(system),
            (Some(""), Some(code)) => Fact::NoSystem(code),
            (Some(system), Some(code)) => Fact::SystemCode(system, code),
        };
        fact_key(&param.scope, &param.code, fact)
    };
    tests.iter().map(key).collect()
}

fn identifier_keys(param: &Param, tests: &[TokenTest]) -> Vec<IndexKey> {
    let key = |test: &TokenTest| {
        let system = test.system.as_deref().unwrap_or_default();
        let value = test.code.as_deref().unwrap_or_default();
        fact_key(&param.scope, &param.code, Fact::Identifier(system, value))
    };
    tests.iter().map(key).collect()
}

fn keys<'t>(param: &Param, texts: &'t [String], fact: fn(&'t str) -> Fact<'t>) -> Vec<IndexKey> {
    texts
        .iter()
        .map(|text| fact_key(&param.scope, &param.code, fact(text)))
        .collect()
}

/// An id without a type is an id of any type the parameter may point at.
fn literals(catalogue: &Catalogue, param: &Param, tests: &[ReferenceTest]) -> Vec<String> {
    let types = match param.targets.as_slice() {
        [] => &catalogue.definitions.resource_types,
        targets => targets,
    };
    let texts = |test: &ReferenceTest| match test {
        ReferenceTest::Literal(text) => vec![text.clone()],
        ReferenceTest::Id(id) => types.iter().map(|t| format!("{t}/{id}")).collect(),
    };
    tests.iter().flat_map(texts).collect()
}

/// The parameter points at one of these (normalised) targets. What is about the
/// resource's one patient asks for the owner.
pub(super) fn reference_filter(param: &Param, targets: &[String]) -> Filter {
    let is_owner = |target: &&String| {
        param.storage == Storage::Owner
            || (param.names_owner && reference::literal_type(target) == Some("Patient"))
    };
    let (owners, others): (Vec<&String>, Vec<&String>) = targets.iter().partition(is_owner);
    let mut alternatives = Vec::new();
    if !owners.is_empty() {
        let owners = owners.into_iter().map(|target| owner_key(target)).collect();
        alternatives.push(Filter::Is(Comparison::Owner(owners)));
    }
    if !others.is_empty() {
        let key = |target: &String| fact_key(&param.scope, &param.code, Fact::Reference(target));
        alternatives.push(has(others.into_iter().map(key).collect()));
    }
    any(alternatives)
}

fn text(param: &Param, texts: &[String], test: fn(String) -> TextMatch) -> Filter {
    let row = param_key(&param.scope, &param.code);
    let one = |text: &String| {
        Filter::Is(Comparison::Text {
            param: row,
            test: test(text.clone()),
        })
    };
    any(texts.iter().map(one).collect())
}

fn dates(param: &Param, tests: &[DateTest], now: i64) -> Filter {
    let bounds = tests.iter().flat_map(|test| test.bounds(now));
    any(bounds.map(|bounds| in_bounds(param, bounds)).collect())
}

fn in_bounds(param: &Param, bounds: Bounds) -> Filter {
    Filter::Is(match param.storage {
        Storage::Updated => Comparison::Updated(bounds),
        Storage::Moment => Comparison::Moment(bounds),
        Storage::Id | Storage::Owner | Storage::Rows => Comparison::Date {
            param: param_key(&param.scope, &param.code),
            bounds,
        },
    })
}

fn present(param: &Param) -> Filter {
    match param.kind {
        ParamKind::Date => in_bounds(param, prefix::any()),
        ParamKind::String => text(param, &[String::new()], TextMatch::StartsWith),
        _ => has(vec![fact_key(&param.scope, &param.code, Fact::Present)]),
    }
}

fn has(keys: Vec<IndexKey>) -> Filter {
    Filter::Is(Comparison::Key(keys))
}

fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

fn any(mut alternatives: Vec<Filter>) -> Filter {
    match alternatives.len() {
        1 => alternatives.remove(0),
        _ => Filter::Any(alternatives),
    }
}

/// One list of conditions instead of lists in lists.
fn flat(parts: Vec<Filter>) -> Filter {
    let mut conditions = Vec::new();
    for part in parts {
        match part {
            Filter::All(inner) => conditions.extend(inner),
            other => conditions.push(other),
        }
    }
    Filter::All(conditions)
}
