//! The one decision: caller and interaction in, scope or refusal out.

use super::caller::{Caller, Subject};
use crate::fhir::audit::Actor;
use crate::fhir::authority::{Authority, Permission};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::search::key::compartment_key;
use crate::store::Scope;
use crate::store::plan::{Comparison, Filter};

const AUDIT_EVENT: &str = "AuditEvent";

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

    fn trail(&self, patient: &str) -> Result<Scope, Failure> {
        if self.rights.covers(Permission::Search, Some(AUDIT_EVENT)) {
            return Ok(self.rights.view(Permission::Search));
        }
        if self.is_patient(patient) {
            return Ok(Scope::only(Filter::All(vec![
                Filter::Is(Comparison::Type(vec![AUDIT_EVENT.to_owned()])),
                Filter::Is(Comparison::Key(vec![compartment_key("Patient", patient)])),
            ])));
        }
        let text = "Who has looked at a record is told to its patient, by a token whose fhirUser is that Patient and that rests on no grant, and to bearers of system/AuditEvent.rs.";
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
                purpose: self.rights.purpose().map(str::to_owned),
                user: bearer.fhir_user.clone(),
                patient: bearer.patient.clone(),
                ..Actor::default()
            },
        };
        actor.address.clone_from(&self.origin.address);
        actor.account.clone_from(&self.origin.account);
        actor.request.clone_from(&self.origin.request);
        actor
    }
}

impl Caller {
    /// Whether this is the patient, and nobody who acts for one. A patient in
    /// context says whose record an app has opened, and not who uses the app; that is
    /// `fhirUser`. <https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html>
    fn is_patient(&self, id: &str) -> bool {
        let Subject::Bearer(bearer) = &self.subject else {
            return false;
        };
        let user = bearer.fhir_user.as_deref();
        let own = user.and_then(|user| user.strip_prefix("Patient/")) == Some(id);
        own && bearer.grant.is_none()
    }
}
