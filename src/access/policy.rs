//! The one decision: caller and interaction in, scope or refusal out.

use super::Caller;
use crate::fhir::authority::{Authority, Permission};
use crate::fhir::outcome::Failure;
use crate::store::Scope;

impl Authority for Caller {
    fn scope(
        &self,
        _permission: Permission,
        _resource_type: Option<&str>,
    ) -> Result<Scope, Failure> {
        match self {
            Self::Local | Self::Import | Self::Export | Self::Demo => Ok(Scope::everything()),
        }
    }
}
