//! What a caller may not see of what is asked for: told by the rights alone, so that
//! no answer says whether hidden records exist.

use super::super::search::Catalogue;
use super::super::search::key::compartment_key;
use super::super::search::reference::{Base, local};
use crate::store::{Comparison, Filter, IndexKey, Scope};

/// What every operation says where the caller's view has limits: the same for every
/// cause, and whether or not anything lies beyond them.
pub const LIMITED_VIEW: &str = "This token may not reach every record that this rests on. What it does not reach was not looked at.";

/// Whether rows of the type that meet the criteria can be outside the scope.
///
/// It does not ask the store. All of a type are within reach where the scope puts no
/// condition on it, and all of a patient where it opens the whole compartment and the
/// criteria ask for that patient by a parameter of the compartment's definition.
pub fn is_limited(
    catalogue: &Catalogue,
    base: &Base,
    scope: &Scope,
    resource_type: &str,
    criteria: &[(&str, &str)],
) -> bool {
    let scope = scope.within(&[resource_type]);
    if scope.is_everything() {
        return false;
    }
    let confined = criteria.iter().any(|(name, value)| {
        let keys = compartments_of(catalogue, base, resource_type, name, value);
        !keys.is_empty() && keys.iter().all(|key| opens(scope.filter(), *key))
    });
    !confined
}

/// The compartments that all rows with this value of the parameter are in; none
/// where that cannot be told.
fn compartments_of(
    catalogue: &Catalogue,
    base: &Base,
    resource_type: &str,
    name: &str,
    value: &str,
) -> Vec<IndexKey> {
    let listed = catalogue.members_by("Patient", resource_type);
    let by_reference =
        !listed.is_empty() && (name == "patient" || listed.iter().any(|code| code == name));
    let by_id = resource_type == "Patient" && name == "_id";
    if !by_reference && !by_id {
        return Vec::new();
    }
    let patient = |text: &str| {
        let id = match base.normalise(text).and_then(local) {
            Some(key) => (key.resource_type == "Patient").then_some(key.id)?,
            None => (by_id || name == "patient")
                .then(|| text.to_owned())
                .filter(|text| !text.contains(['/', '|', ':', '\\']))?,
        };
        Some(compartment_key("Patient", &id))
    };
    let keys: Option<Vec<IndexKey>> = value.split(',').map(patient).collect();
    keys.unwrap_or_default()
}

/// Whether the condition holds for every row of the compartment.
fn opens(filter: &Filter, compartment: IndexKey) -> bool {
    match filter {
        Filter::All(parts) => parts.iter().all(|part| opens(part, compartment)),
        Filter::Any(parts) => parts.iter().any(|part| opens(part, compartment)),
        Filter::Is(Comparison::Key(keys)) => keys.contains(&compartment),
        _ => false,
    }
}
