//! Composite parameters: two values that stand together. The second is kept
//! under a name made of the first, so that values of different places never mix.
//! <https://hl7.org/fhir/R4/search.html#composite>

use serde_json::{Map, Value};

use super::expression;
use super::param::Param;
use super::path::Path;
use crate::fhir::definitions::{Definitions, ParamKind, SearchParam};
use crate::store::IndexKey;

/// One place where the two values stand together.
#[derive(Clone, Debug, PartialEq)]
pub struct Composite {
    place: Path,
    /// Always a token.
    pub first: Param,
    pub second: Param,
}

/// Those with three values, of MolecularSequence, are described in one way and
/// composed in another: `1$lt345$gt123` is said to find "all strings within
/// region 1:124-344" in either coordinate system, while its components are the
/// plain start, below 345, and the plain end, above 123.
pub fn is_searchable(param: &SearchParam) -> bool {
    param.components.len() == 2
}

/// One for each place that the parameter's expression names.
pub(super) fn compile(
    definitions: &Definitions,
    resource_type: &str,
    param: &SearchParam,
    places: &[Path],
) -> Vec<Composite> {
    let component = |place: &Path, number: usize| {
        let (url, expression) = param.components.get(number)?;
        let kind = kind_of(definitions, resource_type, url)?;
        let compiled = expression::compile(definitions, &place.leaf, expression).ok()?;
        Some(Param::component(param, kind, compiled))
    };
    let composite = |place: &Path| {
        Some(Composite {
            first: component(place, 0).filter(|param| param.kind == ParamKind::Token)?,
            second: component(place, 1)?,
            place: place.clone(),
        })
    };
    places.iter().filter_map(composite).collect()
}

fn kind_of(definitions: &Definitions, resource_type: &str, url: &str) -> Option<ParamKind> {
    let params = definitions.search_params(resource_type);
    params.iter().find(|p| p.url == url).map(|p| p.kind)
}

impl Composite {
    pub(super) fn visit<'v>(
        &self,
        resource: &'v Map<String, Value>,
        visitor: &mut dyn FnMut(&'v Map<String, Value>),
    ) {
        if self.place.steps.is_empty() {
            return visitor(resource);
        }
        self.place.visit(resource, &mut |value| {
            if let Some(object) = value.as_object() {
                visitor(object);
            }
        });
    }

    pub(super) fn is_place_of(&self, other: &Self) -> bool {
        self.place == other.place
    }

    /// The second value's parameter beside one fact of the first.
    pub(super) fn beside(&self, first: IndexKey) -> Param {
        Param {
            scope: scope_beside(first),
            ..self.second.clone()
        }
    }
}

/// No type has such a name.
pub(super) fn scope_beside(first: IndexKey) -> String {
    format!("{:016x}", first.0)
}
