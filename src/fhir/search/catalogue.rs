//! The search parameters of each type, compiled once, and where each one's
//! values are kept. <https://hl7.org/fhir/R4/searchparameter-registry.html>

use std::collections::HashMap;
use std::sync::OnceLock;

use super::compartment::{self, Membership};
use super::composite;
pub use super::param::{Param, Storage};
use super::param::{place, share};
use super::reference::Base;
use crate::fhir::definitions::{Definitions, ParamKind, SearchParam};

/// What search knows. Built once; a type is compiled when it is first used.
pub struct Catalogue {
    pub definitions: &'static Definitions,
    pub base: Base,
    types: HashMap<&'static str, OnceLock<TypeSearch>>,
}

/// The searchable parameters of one type, sorted by code.
#[derive(Debug)]
pub struct TypeSearch {
    pub params: Vec<Param>,
    pub compartments: Vec<Membership>,
}

/// The service can answer with this parameter. The rest (those without an
/// expression and composites of three values) it refuses.
pub fn is_searchable(param: &SearchParam) -> bool {
    !param.expression.is_empty()
        && match param.kind {
            ParamKind::Composite => composite::is_searchable(param),
            _ => true,
        }
}

impl Catalogue {
    pub fn new(definitions: &'static Definitions, base_url: &str) -> Self {
        let names = definitions.resource_types.iter();
        Self {
            definitions,
            base: Base::new(base_url),
            types: names.map(|t| (t.as_str(), OnceLock::new())).collect(),
        }
    }

    /// Nothing for a name that is no resource type.
    pub fn of_type(&self, resource_type: &str) -> Option<&TypeSearch> {
        let (name, cell) = self.types.get_key_value(resource_type)?;
        Some(cell.get_or_init(|| TypeSearch::compile(self.definitions, name)))
    }

    pub fn params(&self, resource_type: &str) -> &[Param] {
        self.of_type(resource_type)
            .map_or(&[], |t| t.params.as_slice())
    }

    pub fn param(&self, resource_type: &str, code: &str) -> Option<&Param> {
        self.of_type(resource_type)?.param(code)
    }
}

impl TypeSearch {
    fn compile(definitions: &Definitions, resource_type: &str) -> Self {
        let mut params: Vec<Param> = definitions
            .search_params(resource_type)
            .iter()
            .filter(|param| is_searchable(param))
            .map(|param| Param::compile(definitions, resource_type, param))
            .collect();
        place(&mut params);
        share(&mut params);
        let compartments = compartment::memberships(definitions, resource_type, &params);
        Self {
            params,
            compartments,
        }
    }

    pub fn param(&self, code: &str) -> Option<&Param> {
        self.params.iter().find(|param| param.code == code)
    }
}
