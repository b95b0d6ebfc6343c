//! Which compartments a resource is in.
//! <https://hl7.org/fhir/R4/compartmentdefinition.html>

use serde_json::{Map, Value};

use super::catalogue::{Catalogue, Param};
use super::key::compartment_key;
use super::path::text;
use super::reference;
use crate::fhir::definitions::Definitions;
use crate::store::IndexKey;

/// How a type becomes a member of one compartment.
#[derive(Debug)]
pub struct Membership {
    /// `Patient`, `Encounter`, …
    pub compartment: String,
    /// Codes of the reference parameters that say so.
    params: Vec<String>,
    /// A resource of the compartment's own type is in its own compartment.
    itself: bool,
}

pub(super) fn memberships(
    definitions: &Definitions,
    resource_type: &str,
    params: &[Param],
) -> Vec<Membership> {
    let of = |compartment: &crate::fhir::definitions::Compartment| {
        let listed = compartment.members.get(resource_type);
        let params = params
            .iter()
            .filter(|param| listed.is_some_and(|codes| codes.contains(&param.code)))
            .map(|param| param.code.clone())
            .collect::<Vec<_>>();
        let itself = compartment.code == resource_type;
        (itself || !params.is_empty()).then(|| Membership {
            compartment: compartment.code.clone(),
            params,
            itself,
        })
    };
    definitions.compartments.iter().filter_map(of).collect()
}

impl Catalogue {
    /// Parameters by which resources of the type are in a compartment.
    pub fn members_by(&self, compartment: &str, resource_type: &str) -> &[String] {
        let memberships = self
            .of_type(resource_type)
            .map(|search| &search.compartments);
        let mut memberships = memberships.into_iter().flatten();
        let found = memberships.find(|membership| membership.compartment == compartment);
        found
            .map(|membership| membership.params.as_slice())
            .unwrap_or_default()
    }

    /// The compartments of a resource as keys.
    pub fn compartments(
        &self,
        resource_type: &str,
        resource: &Map<String, Value>,
    ) -> Vec<IndexKey> {
        self.memberships_of(resource_type, resource, |_| true)
    }

    /// Those of one kind: whose record a resource is, of all `Patient`s.
    pub fn compartments_of(
        &self,
        compartment: &str,
        resource_type: &str,
        resource: &Map<String, Value>,
    ) -> Vec<IndexKey> {
        self.memberships_of(resource_type, resource, |code| code == compartment)
    }

    fn memberships_of(
        &self,
        resource_type: &str,
        resource: &Map<String, Value>,
        wanted: impl Fn(&str) -> bool,
    ) -> Vec<IndexKey> {
        let Some(search) = self.of_type(resource_type) else {
            return Vec::new();
        };
        let mut keys = Vec::new();
        let memberships = search.compartments.iter();
        for membership in memberships.filter(|membership| wanted(&membership.compartment)) {
            let compartment = membership.compartment.as_str();
            if let Some(id) = text(resource, "id").filter(|_| membership.itself) {
                keys.push(compartment_key(compartment, id));
            }
            for param in search
                .params
                .iter()
                .filter(|param| membership.params.contains(&param.code))
            {
                self.each_target(param, resource, |target| {
                    if let Some(key) = reference::local(target)
                        && key.resource_type == compartment
                    {
                        keys.push(compartment_key(compartment, &key.id));
                    }
                });
            }
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The literal targets of a reference parameter, normalised.
    pub(super) fn each_target(
        &self,
        param: &Param,
        resource: &Map<String, Value>,
        mut visitor: impl FnMut(&str),
    ) {
        for path in &param.expression.paths {
            path.visit(resource, &mut |value| {
                let targets = reference::targets(&self.base, &path.leaf, value);
                targets.texts.iter().for_each(|text| visitor(text));
            });
        }
    }
}
