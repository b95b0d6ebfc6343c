//! The one decision: caller and interaction in, scope or refusal out.

use super::caller::{Caller, Subject};
use crate::fhir::audit::Actor;
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

    fn actor(&self) -> Actor {
        let mut actor = match &self.subject {
            Subject::Nobody => Actor::default(),
            Subject::Internal(work) => Actor {
                internal: Some(work.name().to_owned()),
                ..Actor::default()
            },
            Subject::Bearer(bearer) => Actor {
                issuer: Some(bearer.issuer.clone()),
                subject: Some(bearer.subject.clone()),
                client: bearer.client.clone(),
                token: bearer.token_id.clone(),
                grant: bearer.grant.clone(),
                user: bearer.fhir_user.clone(),
                patient: bearer.patient.clone(),
                ..Actor::default()
            },
        };
        actor.address.clone_from(&self.origin.address);
        actor.request.clone_from(&self.origin.request);
        actor
    }
}
