//! The one decision: caller and interaction in, scope or refusal out.

use super::Caller;
use crate::fhir::authority::{Authority, Permission};
use crate::fhir::outcome::{Failure, Kind};
use crate::store::Scope;

impl Authority for Caller {
    fn scope(&self, permission: Permission, resource_type: Option<&str>) -> Result<Scope, Failure> {
        if self.rights.covers(permission, resource_type) {
            return Ok(self.rights.view(permission));
        }
        let (letter, what) = match permission {
            Permission::Create => ('c', "create"),
            Permission::Read => ('r', "read"),
            Permission::Update => ('u', "update"),
            Permission::Delete => ('d', "delete"),
            Permission::Search => ('s', "search"),
        };
        let name = resource_type.unwrap_or("*");
        let text = format!(
            "The token has no scope to {what} {name}. A scope that has it ends in /{name}.{letter}; ask for it when the token is issued."
        );
        Err(Failure::new(Kind::Forbidden, text))
    }

    fn identity(&self) -> &str {
        self.rights.identity()
    }
}
