//! `UNLOOP_TYPES`.

use super::values::Values;

#[derive(Clone, Debug, Default)]
pub struct Records {
    /// `UNLOOP_TYPES`: the exposed resource types; empty: all. Whether they
    /// exist is for those to say who know FHIR.
    pub types: Vec<String>,
}

impl Records {
    pub(super) fn read(values: &Values) -> Self {
        Self {
            types: values.list("UNLOOP_TYPES"),
        }
    }
}
