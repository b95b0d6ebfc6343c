//! Facts as hashed keys: what is indexed and what is asked for meet here.
//! <https://hl7.org/fhir/R4/search.html#ptypes>

use sha2::{Digest, Sha256};

use super::quantity::UnitName;
use crate::store::IndexKey;

/// A fact about one parameter, before hashing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact<'a> {
    /// `system|code`
    SystemCode(&'a str, &'a str),
    /// `code`: whatever the system
    Code(&'a str),
    /// `|code`: no system
    NoSystem(&'a str),
    /// `system|`: whatever the code
    System(&'a str),
    /// `Type/id`, an absolute URL or a canonical
    Reference(&'a str),
    Uri(&'a str),
    /// `:exact`: the text as it was written
    Exact(&'a str),
    /// `:of-type`: type system, type code and value of an identifier
    OfType(&'a str, &'a str, &'a str),
    /// There is some value: `:missing=false`
    Present,
}

/// Names a parameter: `scope` is the type it belongs to, or empty for the
/// parameters that every type has (`_tag`).
pub fn fact_key(scope: &str, code: &str, fact: Fact<'_>) -> IndexKey {
    match fact {
        Fact::SystemCode(system, value) => hash(&["token", scope, code, system, value]),
        Fact::Code(value) => hash(&["code", scope, code, value]),
        Fact::NoSystem(value) => hash(&["no-system", scope, code, value]),
        Fact::System(system) => hash(&["system", scope, code, system]),
        Fact::Reference(text) => IndexKey(link_key(scope, code).0 ^ identity_key(text).0),
        Fact::Uri(text) => hash(&["uri", scope, code, text]),
        Fact::Exact(text) => hash(&["exact", scope, code, text]),
        Fact::OfType(system, code_of_type, value) => {
            hash(&["of-type", scope, code, system, code_of_type, value])
        }
        Fact::Present => hash(&["present", scope, code]),
    }
}

/// The parameter itself, for rows of text and of dates.
pub fn param_key(scope: &str, code: &str) -> IndexKey {
    hash(&["parameter", scope, code])
}

/// The values of a quantity that were measured alike.
pub fn unit_key(scope: &str, code: &str, unit: &UnitName) -> IndexKey {
    match unit {
        UnitName::Any => param_key(scope, code),
        UnitName::Code(unit) => hash(&["unit", scope, code, unit]),
        UnitName::SystemCode(system, unit) => hash(&["unit", scope, code, system, unit]),
        UnitName::Kind(kind) => hash(&["kind", scope, code, kind]),
    }
}

/// What a resource is called by those that refer to it: of a normalised
/// reference, and of itself.
pub fn identity_key(reference: &str) -> IndexKey {
    hash(&["identity", reference])
}

/// A reference parameter. With the identity of a target by exclusive or it is
/// the fact of referring to it, so that a store can follow it in both directions.
pub fn link_key(scope: &str, code: &str) -> IndexKey {
    hash(&["reference", scope, code])
}

/// Membership of a compartment: `("Patient", "123")`.
pub fn compartment_key(compartment: &str, id: &str) -> IndexKey {
    hash(&["compartment", compartment, id])
}

/// Unambiguous: each part is preceded by its length.
pub fn hash(parts: &[&str]) -> IndexKey {
    let mut text = Vec::with_capacity(192);
    for part in parts {
        text.extend((part.len() as u64).to_be_bytes());
        text.extend(part.as_bytes());
    }
    let mut head = [0; 8];
    for (to, from) in head.iter_mut().zip(Sha256::digest(text)) {
        *to = from;
    }
    IndexKey(i64::from_be_bytes(head))
}
