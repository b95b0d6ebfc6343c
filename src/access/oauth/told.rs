//! What an endpoint learns of a request, for the audit trail.

use crate::access::Caller;
use crate::access::caller::{Bearer, Origin, Subject};
use crate::access::token::Verified;
use crate::fhir::audit::{Actor, Deed, Event};
use crate::fhir::authority::Authority as _;

#[derive(Clone, Debug, Default)]
pub struct Told {
    pub asked: Asked,
    /// Who asked, once that was proven.
    pub bearer: Option<Bearer>,
    /// The token, client or grant that it was about.
    pub id: Option<String>,
    /// Ids of the patients whose records it opens or closes.
    pub patients: Vec<String>,
    /// The code of the refusal.
    pub error: Option<&'static str>,
    /// The commit of what was done has recorded it.
    pub recorded: bool,
}

/// The request itself.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Empty where the address or the method leads nowhere.
    pub interaction: &'static str,
    /// Method and address.
    pub sent: String,
    pub origin: Origin,
    /// The URL of the service that was asked.
    pub base: String,
    /// The status of success.
    pub success: u16,
}

impl Told {
    pub fn of(asked: Asked) -> Self {
        Self {
            asked,
            ..Self::default()
        }
    }

    pub fn is_bearer(&mut self, token: &Verified) {
        self.bearer = Some(token.into());
    }

    /// A client that has proven itself without a token.
    pub(super) fn is_client(&mut self, issuer: &str, id: &str) {
        self.bearer = Some(Bearer {
            issuer: issuer.to_owned(),
            subject: id.to_owned(),
            client: Some(id.to_owned()),
            ..Bearer::default()
        });
    }

    pub fn actor(&self) -> Actor {
        let mut caller = Caller::nobody().at(self.asked.origin.clone());
        if let Some(bearer) = &self.bearer {
            caller.subject = Subject::Bearer(Box::new(bearer.clone()));
        }
        caller.actor()
    }

    /// What happened, as far as it is known.
    pub fn event(&self, status: u16) -> Event {
        let mut sent = self.asked.sent.clone();
        if let Some(error) = self.error {
            sent = format!("{sent} {error}");
        }
        let mut event = Event::command(self.asked.interaction, sent);
        event.status = status;
        event.id.clone_from(&self.id);
        event.patients.clone_from(&self.patients);
        event
    }

    /// What is about to be done for whoever asked.
    pub fn deed(&self) -> Deed {
        let event = self.event(self.asked.success);
        Deed::new(&self.asked.base, self.actor(), event)
    }
}
