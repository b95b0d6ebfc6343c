//! What the engine knows of R4. <https://hl7.org/fhir/R4/downloads.html>

use std::collections::BTreeMap;

use super::by_name::ByName;
use super::value_set::ValueSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeKind {
    Resource,
    Complex,
    Primitive,
    /// An element with children of its own, named by its path: `Observation.component`.
    Backbone,
}

/// A type and its elements, inherited ones included.
#[derive(Debug)]
pub struct TypeDefinition {
    pub name: String,
    pub kind: TypeKind,
    /// The type it specialises.
    pub parent: Option<String>,
    pub elements: Vec<Element>,
    /// JSON property name -> (index into `elements`, type). A choice `value[x]`
    /// stands here once for each of its types: `valueQuantity`.
    pub properties: ByName<(usize, String)>,
    /// The elements that must be there: bit n stands for `elements[n]`.
    pub required: u128,
}

#[derive(Clone, Debug)]
pub struct Element {
    /// Without `[x]`.
    pub name: String,
    /// Type names; more than one only for a choice. A backbone element or a
    /// content reference has the path of its definition as its type.
    pub types: Vec<String>,
    /// `value[x]`: the type is part of the property's name.
    pub choice: bool,
    pub min: u32,
    /// `max` is `*` or above 1: a JSON array.
    pub array: bool,
    pub summary: bool,
    pub modifier: bool,
    /// Types a Reference may point at; empty: any.
    pub targets: Vec<String>,
    /// Types a canonical may point at; empty: any.
    pub canonical_targets: Vec<String>,
    /// Canonical URL of the value set, where the binding is required.
    pub required_binding: Option<String>,
}

impl Element {
    /// Where a value of this type may point; empty: anywhere, or it points nowhere.
    pub fn targets_of(&self, type_name: &str) -> &[String] {
        match type_name {
            "Reference" => &self.targets,
            "canonical" => &self.canonical_targets,
            _ => &[],
        }
    }

    /// The JSON property name when the value is of this type.
    pub fn property(&self, type_name: &str) -> String {
        if !self.choice {
            return self.name.clone();
        }
        let mut letters = type_name.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        self.name.chars().chain(first).chain(letters).collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    Number,
    Date,
    String,
    Token,
    Reference,
    Composite,
    Quantity,
    Uri,
    Special,
}

#[derive(Clone, Debug)]
pub struct SearchParam {
    pub code: String,
    pub url: String,
    pub kind: ParamKind,
    /// The official expression, only the alternatives that concern the type it
    /// is listed under. Inherited ones start at `Resource` (`Resource.id`); a few
    /// start at no type (`name | alias`).
    pub expression: String,
    /// Types a reference parameter may point at.
    pub targets: Vec<String>,
    /// For composites: (definition URL, expression relative to `expression`).
    pub components: Vec<(String, String)>,
}

/// <https://hl7.org/fhir/R4/compartmentdefinition.html>
#[derive(Debug)]
pub struct Compartment {
    /// `Patient`, `Encounter`, …
    pub code: String,
    /// Type -> reference parameters that make it a member; `{def}` (the
    /// resource itself) stands as it is in the definition. Types that are never
    /// members are absent.
    pub members: BTreeMap<String, Vec<String>>,
}

#[derive(Debug)]
pub struct Definitions {
    /// Every type by name or path.
    pub types: ByName<TypeDefinition>,
    /// The concrete resource types, sorted.
    pub resource_types: Vec<String>,
    /// Type -> its parameters sorted by code, those of Resource and
    /// DomainResource included.
    pub search_params: ByName<Vec<SearchParam>>,
    pub compartments: Vec<Compartment>,
    /// The value sets of required bindings by their canonical URL.
    pub value_sets: ByName<ValueSet>,
}

impl Definitions {
    pub fn is_resource_type(&self, name: &str) -> bool {
        self.resource_types
            .binary_search_by(|t| t.as_str().cmp(name))
            .is_ok()
    }

    pub fn type_definition(&self, name: &str) -> Option<&TypeDefinition> {
        self.types.get(name)
    }

    pub fn value_set(&self, url: &str) -> Option<&ValueSet> {
        self.value_sets.get(url)
    }

    /// Is a type this one, or derived from it?
    pub fn is_a(&self, name: &str, ancestor: &str) -> bool {
        let parent = |name: &&str| self.types.get(*name)?.parent.as_deref();
        std::iter::successors(Some(name), parent).any(|n| n == ancestor)
    }

    /// The parameters of a type; none for an unknown type.
    pub fn search_params(&self, resource_type: &str) -> &[SearchParam] {
        self.search_params
            .get(resource_type)
            .map_or(&[], Vec::as_slice)
    }

    pub fn search_param(&self, resource_type: &str, code: &str) -> Option<&SearchParam> {
        self.search_params(resource_type)
            .iter()
            .find(|p| p.code == code)
    }

    pub fn compartment(&self, code: &str) -> Option<&Compartment> {
        self.compartments.iter().find(|c| c.code == code)
    }
}
