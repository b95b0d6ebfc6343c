//! `_include` and `_revinclude`. <https://hl7.org/fhir/R4/search.html#include>

use serde_json::{Map, Value};

use super::catalogue::{Catalogue, Param};
use super::compile::reference_filter;
use super::key::{Fact, fact_key, identity_key};
use super::reference;
use crate::fhir::definitions::ParamKind;
use crate::fhir::outcome::{Failure, Kind};
use crate::store::{Comparison, Filter, OrderBy, OrderTerm, ResourceKey, Scope, SearchPlan};

/// `Type:parameter:Target`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// The type that refers; nothing for `*`.
    pub source: Option<String>,
    /// The reference parameter; nothing for all.
    pub code: Option<String>,
    /// Only targets of this type.
    pub target: Option<String>,
    /// `:iterate`: also of what was included.
    pub iterate: bool,
}

impl Include {
    /// `name` has the modifier: `_include:iterate`.
    pub fn parse(catalogue: &Catalogue, name: &str, value: &str) -> Result<Self, Failure> {
        let iterate = match name.split_once(':') {
            None => false,
            Some((_, "iterate")) => true,
            Some(_) => return Err(unsupported(name, value, "has an unsupported modifier")),
        };
        if value == "*" {
            return Ok(Self {
                source: None,
                code: None,
                target: None,
                iterate,
            });
        }
        let mut parts = value.split(':');
        let (Some(source), Some(code)) = (parts.next(), parts.next()) else {
            return Err(unsupported(name, value, "must be written `Type:parameter`"));
        };
        let target = parts.next();
        let definitions = catalogue.definitions;
        if !definitions.is_resource_type(source) {
            return Err(unsupported(name, value, "has an unknown type"));
        }
        let known = |param: &Param| param.kind == ParamKind::Reference;
        if code != "*" && !catalogue.param(source, code).is_some_and(known) {
            return Err(unsupported(
                name,
                value,
                "has no reference parameter of its type",
            ));
        }
        if parts.next().is_some() || target.is_some_and(|t| !definitions.is_resource_type(t)) {
            return Err(unsupported(name, value, "has an unknown target type"));
        }
        Ok(Self {
            source: Some(source.to_owned()),
            code: (code != "*").then(|| code.to_owned()),
            target: target.map(str::to_owned),
            iterate,
        })
    }
}

fn unsupported(name: &str, value: &str, problem: &str) -> Failure {
    let text = format!("Search parameter `{name}` {problem}: `{value}`");
    Failure::new(Kind::NotSupported, text)
}

impl Catalogue {
    /// The resources here that these refer to, by the parameters asked for. In
    /// the order met, each once.
    pub fn included(
        &self,
        matches: &[(&str, &Map<String, Value>)],
        includes: &[Include],
    ) -> Vec<ResourceKey> {
        let mut seen = std::collections::HashSet::new();
        let mut keys = Vec::new();
        for (resource_type, resource) in matches {
            for include in includes.iter().filter(|i| i.is_from(resource_type)) {
                for (_, key) in self.references(resource_type, include.code.as_deref(), resource) {
                    if include.is_to(&key.resource_type) && seen.insert(key.clone()) {
                        keys.push(key);
                    }
                }
            }
        }
        keys
    }

    /// What a resource refers to on this service: (parameter, target).
    pub fn references(
        &self,
        resource_type: &str,
        code: Option<&str>,
        resource: &Map<String, Value>,
    ) -> Vec<(String, ResourceKey)> {
        let mut found = Vec::new();
        for param in self.reference_params(resource_type, code) {
            self.each_target(param, resource, |target| {
                found.extend(reference::local(target).map(|key| (param.code.clone(), key)));
            });
        }
        found
    }

    /// One plan for each `_revinclude` that can concern the matches.
    pub fn revincluded(
        &self,
        matches: &[ResourceKey],
        revincludes: &[Include],
        scope: &Scope,
        limit: usize,
    ) -> Vec<SearchPlan> {
        let term = |by| OrderTerm {
            by,
            descending: false,
        };
        let plan = |include: &Include| {
            let targets: Vec<&ResourceKey> = matches
                .iter()
                .filter(|key| include.is_to(&key.resource_type))
                .collect();
            (!targets.is_empty()).then(|| SearchPlan {
                scope: scope.clone(),
                filter: self.referring(include, &targets),
                order: vec![term(OrderBy::Type), term(OrderBy::Id)],
                after: None,
                backwards: false,
                limit,
            })
        };
        revincludes.iter().filter_map(plan).collect()
    }

    /// What refers to one of these by the parameters asked for. With `*` these
    /// are hundreds, so that all facts are asked for at once.
    fn referring(&self, include: &Include, targets: &[&ResourceKey]) -> Filter {
        let texts: Vec<String> = targets.iter().map(ToString::to_string).collect();
        let Some(source) = include.source.as_deref() else {
            let owners = texts.iter().map(|text| identity_key(text)).collect();
            let types = self.definitions.resource_types.iter();
            let params = types.flat_map(|of_type| self.reference_params(of_type, None));
            let keys = params.flat_map(|param| {
                let able = targets
                    .iter()
                    .filter(|key| param.may_refer_to(&key.resource_type));
                able.map(|key| {
                    let text = key.to_string();
                    fact_key(&param.scope, &param.code, Fact::Reference(&text))
                })
            });
            return Filter::Any(vec![
                Filter::Is(Comparison::Owner(owners)),
                Filter::Is(Comparison::Key(keys.collect())),
            ]);
        };
        let refers = self
            .reference_params(source, include.code.as_deref())
            .map(|param| reference_filter(param, &texts))
            .collect();
        Filter::All(vec![
            Filter::Is(Comparison::Type(vec![source.to_owned()])),
            Filter::Any(refers),
        ])
    }

    fn reference_params<'c>(
        &'c self,
        resource_type: &str,
        code: Option<&'c str>,
    ) -> impl Iterator<Item = &'c Param> + 'c {
        self.params(resource_type).iter().filter(move |param| {
            param.kind == ParamKind::Reference && code.is_none_or(|code| param.code == code)
        })
    }
}

impl Include {
    fn is_from(&self, resource_type: &str) -> bool {
        self.source.as_deref().is_none_or(|t| t == resource_type)
    }

    fn is_to(&self, resource_type: &str) -> bool {
        self.target.as_deref().is_none_or(|t| t == resource_type)
    }
}
