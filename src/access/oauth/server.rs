//! The endpoints: token, introspection, revocation; and who may administrate.
//! <https://www.rfc-editor.org/rfc/rfc6749#section-4.4>,
//! <https://www.rfc-editor.org/rfc/rfc7662>, <https://www.rfc-editor.org/rfc/rfc7009>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};

use super::scope::{granted, is_administrator};
use super::{CdsClient, Client, Clients, Form, NewClient, OAuthError, Told};
use crate::access::caller::Bearer;
use crate::access::gate::{Admitted, Gate};
use crate::access::grant::{Grants, Invites};
use crate::access::issuer::{self, BuiltIn, Pace, Published, SHORT, TokenTerms, Tokens};
use crate::access::outbound::Outbound;
use crate::access::rights::refuse_unusable;
use crate::access::token::{Now, Refusal, Verified};
use crate::fhir::audit::Deed;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::search::Catalogue;
use crate::store::registry::Registry;

/// Where the service is reached.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its issuer URL: what `/auth` and `/.well-known` stand below.
    pub root: String,
    pub fhir_base: String,
}

pub struct AuthorizationServer {
    pub(super) place: Place,
    token_endpoint: String,
    pub built_in: Arc<BuiltIn>,
    gate: Arc<Gate>,
    clients: Clients,
    tokens: Tokens,
    registry: Arc<dyn Registry>,
    outbound: Arc<Outbound>,
    pub(super) cds_clients: Vec<CdsClient>,
    /// The keys of clients by address.
    published: Mutex<HashMap<String, Published>>,
}

/// `grant_type` of a code that `unloop grant invite` printed.
pub const INVITE: &str = "urn:unloop:grant-type:invite";

/// Who asks about a token.
enum Asker {
    Client(Client),
    Bearer(Admitted),
}

impl AuthorizationServer {
    pub fn new(
        place: Place,
        built_in: Arc<BuiltIn>,
        gate: Arc<Gate>,
        registry: Arc<dyn Registry>,
        outbound: Arc<Outbound>,
    ) -> Self {
        Self {
            token_endpoint: format!("{}/auth/token", place.root),
            place,
            built_in,
            gate,
            clients: Clients::new(registry.clone()),
            tokens: Tokens::new(registry.clone()),
            registry,
            outbound,
            cds_clients: Vec::new(),
            published: Mutex::default(),
        }
    }

    /// The same server, for EHRs that sign their calls of CDS services.
    #[must_use]
    pub fn with_cds_clients(mut self, clients: Vec<CdsClient>) -> Self {
        self.cds_clients = clients;
        self
    }

    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    pub(super) fn registry(&self) -> &dyn Registry {
        self.registry.as_ref()
    }

    pub(super) fn token_endpoint(&self) -> &str {
        &self.token_endpoint
    }

    pub(super) fn published(&self, address: &str) -> Published {
        let mut published = self
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let place = issuer::Place::Set(address.to_owned());
            Published::new(place, self.outbound.clone(), Pace::default())
        };
        published
            .entry(address.to_owned())
            .or_insert_with(make)
            .clone()
    }

    /// `POST /auth/token`, <https://www.rfc-editor.org/rfc/rfc6749#section-5.1>
    pub async fn token(&self, form: &Form, told: &mut Told) -> Result<Value, OAuthError> {
        match form.required("grant_type")? {
            "client_credentials" => {}
            _ => {
                return Err(OAuthError::grant_type(
                    "grant_type must be client_credentials, or urn:unloop:grant-type:invite with a code.",
                ));
            }
        }
        let now = self.gate.now().await?;
        let client = self.authenticate(form, now).await?;
        told.is_client(&self.place.root, &client.id);
        let asked = form.get("scope").unwrap_or_default();
        let scope = granted(asked, &client.scope);
        if scope.is_empty() {
            return Err(OAuthError::scope(
                "Nothing of the scope asked for is registered for the client; backend services ask for system/Type.cruds.",
            ));
        }
        let terms = TokenTerms {
            subject: client.id.clone(),
            client: Some(client.id.clone()),
            scope: scope.clone(),
            ttl: SHORT,
            ..TokenTerms::default()
        };
        let deed = told.deed();
        let issued = self.built_in.issue(&terms, now, &deed).await?;
        told.recorded = deed.is_done();
        told.id = Some(issued.id);
        Ok(json!({
            "access_token": issued.token,
            "token_type": "bearer",
            "expires_in": SHORT,
            "scope": scope,
        }))
    }

    /// `POST /auth/token` with the code of an invitation: a token of its grant.
    /// Why a code is not good is not told.
    pub async fn redeem(
        &self,
        form: &Form,
        grants: &Grants,
        told: &mut Told,
    ) -> Result<Value, OAuthError> {
        let now = self.gate.now().await?;
        let refused =
            || OAuthError::grant("The code is not good, was used, or its grant has ended.");
        let invites = Invites::new(self.registry.clone());
        let invite = invites.find(form.required("code")?).await?;
        let (invite, used_up) = invite.ok_or_else(refused)?;
        let standing = grants.standing(&invite.grant, now.seconds).await?;
        let standing = standing.ok_or_else(refused)?;
        let ttl = invite
            .token_ttl
            .min(standing.until.saturating_sub(now.seconds))
            .max(1);
        let user = format!("Practitioner/{}", standing.practitioner);
        told.bearer = Some(Bearer {
            issuer: self.place.root.clone(),
            subject: user.clone(),
            grant: Some(invite.grant.clone()),
            fhir_user: Some(user.clone()),
            ..Bearer::default()
        });
        told.patients.clone_from(&standing.terms.patients);
        let terms = TokenTerms {
            subject: user.clone(),
            scope: standing.terms.scope.clone(),
            fhir_user: Some(user.clone()),
            grant: Some(invite.grant),
            ttl: ttl.min(issuer::MAX_TTL),
            ..TokenTerms::default()
        };
        let deed = told.deed();
        let issued = self
            .built_in
            .issue_for(&terms, now, &deed, Some(used_up))
            .await?;
        let issued = issued.ok_or_else(refused)?;
        told.recorded = deed.is_done();
        told.id = Some(issued.id);
        Ok(json!({
            "access_token": issued.token,
            "token_type": "bearer",
            "expires_in": issued.expires - now.seconds,
            "scope": terms.scope,
            "fhirUser": user,
        }))
    }

    /// `POST /auth/introspect`: a client may ask about its own tokens, an
    /// administrator about all. Others learn that there is none.
    pub async fn introspect<'h>(
        &self,
        headers: impl IntoIterator<Item = &'h [u8]>,
        form: &Form,
        told: &mut Told,
    ) -> Result<Value, OAuthError> {
        let (asker, now) = self.asker(headers, form, told).await?;
        let inactive = json!({"active": false});
        let token = match self.gate.judge(form.required("token")?, now).await {
            Ok(admitted) => admitted.token,
            Err(Refusal::Unavailable(_)) => return Err(OAuthError::unavailable()),
            Err(_) => return Ok(inactive),
        };
        Ok(if asker.may_see(&token) {
            told.id.clone_from(&token.token_id);
            active(&token)
        } else {
            inactive
        })
    }

    /// `POST /auth/revoke`: what is no token is revoked already.
    pub async fn revoke<'h>(
        &self,
        headers: impl IntoIterator<Item = &'h [u8]>,
        form: &Form,
        told: &mut Told,
    ) -> Result<(), OAuthError> {
        let (asker, now) = self.asker(headers, form, told).await?;
        let token = match self.gate.judge(form.required("token")?, now).await {
            Ok(admitted) => admitted.token,
            Err(Refusal::Unavailable(_)) => return Err(OAuthError::unavailable()),
            Err(_) => return Ok(()),
        };
        told.id.clone_from(&token.token_id);
        if !asker.may_see(&token) {
            return Err(OAuthError::unauthorized(
                "The token was issued to another client.",
            ));
        }
        match &token.token_id {
            Some(id) if token.built_in => {
                let deed = told.deed();
                let until = Some(token.expires);
                self.tokens.revoke_until(id, until, &deed).await?;
                told.recorded = deed.is_done();
                Ok(())
            }
            _ => Err(OAuthError::unauthorized(
                "Another issuer made the token; revoke it there.",
            )),
        }
    }

    async fn asker<'h>(
        &self,
        headers: impl IntoIterator<Item = &'h [u8]>,
        form: &Form,
        told: &mut Told,
    ) -> Result<(Asker, Now), OAuthError> {
        let now = self.gate.now().await?;
        if form.get("client_assertion").is_some() {
            let client = self.authenticate(form, now).await?;
            told.is_client(&self.place.root, &client.id);
            return Ok((Asker::Client(client), now));
        }
        let token = crate::access::token::bearer::bearer(headers)?;
        let admitted = self.gate.judge(token, now).await?;
        told.is_bearer(&admitted.token);
        Ok((Asker::Bearer(admitted), now))
    }

    /// Registers a client whose scopes and address can be used.
    pub async fn register(
        &self,
        catalogue: &Catalogue,
        new: NewClient,
        now: i64,
        deed: &Deed,
    ) -> Result<Client, Failure> {
        refuse_unusable(catalogue, &new.scope)?;
        if let Some(address) = &new.jwks_uri {
            self.outbound.check(address).map_err(|problem| {
                Failure::at(
                    Kind::Value,
                    "jwks_uri",
                    format!("jwks_uri is refused: {problem}."),
                )
            })?;
        }
        self.clients.add(new, now, deed).await
    }
}

impl Admitted {
    /// Whether the bearer may register clients and read about all tokens.
    pub fn is_administrator(&self) -> bool {
        self.token.grant.is_none() && is_administrator(&self.token.scope)
    }
}

impl Asker {
    fn may_see(&self, token: &Verified) -> bool {
        match self {
            Self::Client(client) => token.built_in && token.client.as_ref() == Some(&client.id),
            Self::Bearer(own) => own.is_administrator() || *own.token == *token,
        }
    }
}

fn active(token: &Verified) -> Value {
    let mut answer = Map::new();
    answer.insert("active".to_owned(), true.into());
    answer.insert("token_type".to_owned(), "Bearer".into());
    answer.insert("scope".to_owned(), token.scope.as_str().into());
    answer.insert("exp".to_owned(), token.expires.into());
    answer.insert("iss".to_owned(), token.issuer.as_str().into());
    answer.insert("sub".to_owned(), token.subject.as_str().into());
    for (name, value) in [
        ("client_id", &token.client),
        ("jti", &token.token_id),
        ("patient", &token.patient),
        ("fhirUser", &token.fhir_user),
    ] {
        if let Some(value) = value {
            answer.insert(name.to_owned(), value.as_str().into());
        }
    }
    answer.into()
}
