//! Query + scope -> search plan. <https://hl7.org/fhir/R4/search.html#ptypes>

use super::catalogue::{Catalogue, Param, Storage};
use super::condition::{alike_or, any, flat, has, not};
use super::key::{Fact, compartment_key, fact_key, identity_key, link_key, param_key, unit_key};
use super::lookup::{common_types, every_type_has};
use super::parameter::{Has, Parameter, ReferenceTest, Test, TokenTest};
use super::prefix::{self, NumberTest};
use super::quantity::{QuantityTest, UnitName};
use super::query::{LIST, Query};
use super::{reference, sort, token, uri};
use crate::fhir::definitions::ParamKind;
use crate::fhir::outcome::{Failure, Kind};
use crate::store::{Bounds, Comparison, Filter, IndexKey, Link, Scope, SearchPlan, TextMatch};

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
pub(super) fn selection(catalogue: &Catalogue, query: &Query, now: i64) -> Result<Filter, Failure> {
    let compiler = Compiler { catalogue, now };
    let mut alternatives = Vec::new();
    for resource_type in common_types(catalogue, &query.types) {
        let mut filters = Vec::new();
        let mut shared = true;
        for parameter in &query.parameters {
            let param = catalogue.param(&resource_type, &parameter.code);
            shared &= parameter.code == LIST || param.is_some_and(every_type_has);
            filters.push(compiler.parameter(&resource_type, parameter)?);
        }
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

struct Compiler<'c> {
    catalogue: &'c Catalogue,
    now: i64,
}

impl Compiler<'_> {
    fn parameter(&self, resource_type: &str, parameter: &Parameter) -> Result<Filter, Failure> {
        let Parameter { code, test } = parameter;
        if let Test::Has(has) = test {
            return self.has(resource_type, has);
        }
        let param = self.catalogue.param(resource_type, code);
        let param = param.ok_or_else(|| no_longer(code))?;
        match test {
            Test::Chain(ends) => self.chain(param, ends),
            test => Ok(self.test(param, test)),
        }
    }

    fn chain(&self, param: &Param, ends: &[(String, Parameter)]) -> Result<Filter, Failure> {
        let mut alternatives = Vec::new();
        for (target, parameter) in ends.iter().filter(|(t, _)| param.may_refer_to(t)) {
            alternatives.push(Filter::RefersTo {
                by: link(param, target),
                to: Box::new(self.of_type(target, parameter)?),
            });
        }
        Ok(any(alternatives))
    }

    fn has(&self, resource_type: &str, has: &Has) -> Result<Filter, Failure> {
        let param = self.catalogue.param(&has.source, &has.link);
        let param = param.ok_or_else(|| no_longer(&has.link))?;
        Ok(Filter::ReferredBy {
            by: link(param, resource_type),
            from: Box::new(self.of_type(&has.source, &has.parameter)?),
        })
    }

    fn of_type(&self, resource_type: &str, parameter: &Parameter) -> Result<Filter, Failure> {
        let of_type = Filter::Is(Comparison::Type(vec![resource_type.to_owned()]));
        Ok(Filter::All(vec![
            of_type,
            self.parameter(resource_type, parameter)?,
        ]))
    }

    fn test(&self, param: &Param, test: &Test) -> Filter {
        if let Test::Missing(missing) = test {
            let present = self.present(param);
            return if *missing { not(present) } else { present };
        }
        if let Test::Not(inner) = test {
            return not(self.test(param, inner));
        }
        if !param.parts.is_empty() {
            return any(self
                .parts(param)
                .map(|part| self.test(part, test))
                .collect());
        }
        match test {
            Test::Id(ids) => Filter::Is(Comparison::Id(ids.clone())),
            Test::Token(tests) => has(token_keys(param, tests, param.folds_case())),
            Test::TokenText(texts) | Test::StartsWith(texts) => {
                text(param, texts, TextMatch::StartsWith)
            }
            Test::OfType(typed) => has(typed_keys(param, typed)),
            Test::Contains(texts) => text(param, texts, TextMatch::Contains),
            Test::Exact(texts) => has(keys(param, texts, Fact::Exact)),
            Test::Uri(uris) => has(keys(param, uris, Fact::Uri)),
            Test::UriBelow(uris) => any(uris.iter().map(|uri| below(param, uri)).collect()),
            Test::UriAbove(uris) => {
                let above: Vec<String> = uris.iter().flat_map(|uri| uri::above(uri)).collect();
                has(keys(param, &above, Fact::Uri))
            }
            Test::Reference(tests) => {
                reference_filter(param, &literals(self.catalogue, param, tests))
            }
            Test::ReferenceIdentifier(tests) => has(token_keys(param, tests, false)),
            Test::Date(tests) => {
                let bounds = tests.iter().flat_map(|test| test.bounds(self.now));
                any(bounds.map(|bounds| in_bounds(param, bounds)).collect())
            }
            Test::Number(tests) => {
                let bounds = tests.iter().flat_map(NumberTest::bounds);
                any(bounds.map(|bounds| in_bounds(param, bounds)).collect())
            }
            Test::Quantity(tests) => any(tests.iter().map(|test| quantity(param, test)).collect()),
            Test::Sounds(names) => any(names.iter().map(|words| sounds(param, words)).collect()),
            Test::Near(places) => any(places.iter().map(|near| near.filter(param)).collect()),
            Test::Composite(pairs) => self.composite(param, pairs),
            // Said above: these are of other resources, of whatever value, or not so.
            Test::Chain(_) | Test::Has(_) | Test::Missing(_) | Test::Not(_) => {
                Filter::Any(Vec::new())
            }
        }
    }

    fn parts<'s>(&'s self, param: &'s Param) -> impl Iterator<Item = &'s Param> {
        let codes = param.parts.iter();
        codes.filter_map(|code| self.catalogue.param(&param.scope, code))
    }

    /// The second value is looked for beside each fact of the first.
    fn composite(&self, param: &Param, pairs: &[(Test, Test)]) -> Filter {
        let mut alternatives = Vec::new();
        for composite in &param.composites {
            let named = Param {
                scope: param.scope.clone(),
                ..composite.first.clone()
            };
            for (first, second) in pairs {
                let Test::Token(tests) = first else { continue };
                for test in tests {
                    let beside = |key| self.test(&composite.beside(key), second);
                    let key = token_key(&named, test, named.folds_case());
                    let filter = match (&test.system, &test.code) {
                        (Some(_), Some(_)) => {
                            let whatever_system = TokenTest {
                                system: None,
                                ..test.clone()
                            };
                            let code = token_key(&named, &whatever_system, named.folds_case());
                            alike_or(beside(code), key, beside(key))
                        }
                        _ => beside(key),
                    };
                    if !alternatives.contains(&filter) {
                        alternatives.push(filter);
                    }
                }
            }
        }
        any(alternatives)
    }

    fn present(&self, param: &Param) -> Filter {
        if !param.parts.is_empty() {
            return any(self.parts(param).map(|part| self.present(part)).collect());
        }
        match param.kind {
            ParamKind::String if !param.has_present_fact() => {
                text(param, &[String::new()], TextMatch::StartsWith)
            }
            _ if param.has_present_fact() => {
                has(vec![fact_key(&param.scope, &param.code, Fact::Present)])
            }
            _ => in_bounds(param, prefix::any()),
        }
    }
}

/// How the parameter refers to resources of the type.
fn link(param: &Param, target: &str) -> Link {
    if param.is_owner(Some(target)) {
        Link::Owner
    } else {
        Link::Key(link_key(&param.scope, &param.code))
    }
}

/// Every word is there, said in one of its ways.
fn sounds(param: &Param, words: &[Vec<String>]) -> Filter {
    let one = |codes: &Vec<String>| has(keys(param, codes, Fact::Code));
    flat(words.iter().map(one).collect())
}

fn quantity(param: &Param, test: &QuantityTest) -> Filter {
    let ranges = |param| {
        let range = |bounds| Filter::Is(Comparison::Range { param, bounds });
        any(test.number.bounds().into_iter().map(range).collect())
    };
    let measured = |unit| unit_key(&param.scope, &param.code, unit);
    let unit = measured(&test.unit);
    if test.unit.names_plain_numbers() {
        alike_or(ranges(measured(&UnitName::Any)), unit, ranges(unit))
    } else {
        ranges(unit)
    }
}

/// The address itself, and whatever is in it.
fn below(param: &Param, uri: &str) -> Filter {
    let mut alternatives = vec![has(keys(param, &[uri.to_owned()], Fact::Uri))];
    if let Some(start) = uri::below(uri) {
        alternatives.push(text(param, &[start], TextMatch::StartsWith));
    }
    any(alternatives)
}

fn typed_keys(param: &Param, typed: &[[String; 3]]) -> Vec<IndexKey> {
    let key = |[system, code, value]: &[String; 3]| {
        fact_key(&param.scope, &param.code, Fact::OfType(system, code, value))
    };
    typed.iter().map(key).collect()
}

fn token_keys(param: &Param, tests: &[TokenTest], fold: bool) -> Vec<IndexKey> {
    let key = |test: &TokenTest| token_key(param, test, fold);
    tests.iter().map(key).collect()
}

fn token_key(param: &Param, test: &TokenTest, fold: bool) -> IndexKey {
    let code = test.code.as_ref().map(|code| token::folded(code, fold));
    let fact = match (test.system.as_deref(), code.as_deref()) {
        (None, code) => Fact::Code(code.unwrap_or_default()),
        (Some(system), None) => Fact::System(system),
        (Some(""), Some(code)) => Fact::NoSystem(code),
        (Some(system), Some(code)) => Fact::SystemCode(system, code),
    };
    fact_key(&param.scope, &param.code, fact)
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
    let is_owner = |target: &&String| param.is_owner(reference::literal_type(target));
    let (owners, others): (Vec<&String>, Vec<&String>) = targets.iter().partition(is_owner);
    let mut alternatives = Vec::new();
    if !owners.is_empty() {
        let owners = owners
            .into_iter()
            .map(|target| identity_key(target))
            .collect();
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

fn in_bounds(param: &Param, bounds: Bounds) -> Filter {
    Filter::Is(match param.storage {
        Storage::Updated => Comparison::Updated(bounds),
        Storage::Moment => Comparison::Moment(bounds),
        Storage::Id | Storage::Owner | Storage::Rows | Storage::Sounds | Storage::Place => {
            Comparison::Range {
                param: param_key(&param.scope, &param.code),
                bounds,
            }
        }
    })
}
