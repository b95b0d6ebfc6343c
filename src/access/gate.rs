//! The one way in: the header of a request becomes a token that counts now,
//! after everything that may have happened to it on any instance.

use std::sync::Arc;

use super::caller::Bearer;
use super::fresh::{Fresh, Kept};
use super::issuer::{ListedToken, Tokens};
use super::oauth::Clients;
use super::token::bearer::bearer;
use super::token::{Issuer, Now, Refusal, Verified, Verifier};
use crate::store::registry::Registry;

/// Tokens and clients that are remembered.
const KEPT: usize = 4096;

pub struct Gate {
    verifier: Verifier,
    fresh: Arc<Fresh>,
    tokens: Tokens,
    clients: Clients,
    /// Under `jti`: whether the token may be used; under `client`: whether it may.
    listed: Kept<bool>,
    registered: Kept<bool>,
}

/// A token that counts, and when that was found.
#[derive(Clone, Debug)]
pub struct Admitted {
    pub token: Arc<Verified>,
    pub now: Now,
}

impl Gate {
    pub fn new(
        issuers: Vec<Arc<dyn Issuer>>,
        fresh: Arc<Fresh>,
        registry: Arc<dyn Registry>,
    ) -> Self {
        Self {
            verifier: Verifier::new(issuers),
            fresh,
            tokens: Tokens::new(registry.clone()),
            clients: Clients::new(registry),
            listed: Kept::new(KEPT),
            registered: Kept::new(KEPT),
        }
    }

    /// `headers`: the value of every header `Authorization` of the request.
    pub async fn admit<'h>(
        &self,
        headers: impl IntoIterator<Item = &'h [u8]>,
    ) -> Result<Admitted, Refusal> {
        let token = bearer(headers)?;
        let now = self.now().await?;
        self.judge(token, now).await
    }

    /// The moment for one request.
    pub async fn now(&self) -> Result<Now, Refusal> {
        let epoch = self.fresh.epoch().await.map_err(|_| UNKNOWN)?;
        Ok(Now::under(epoch))
    }

    pub async fn judge(&self, token: &str, now: Now) -> Result<Admitted, Refusal> {
        let token = self.verifier.verify(token, now).await?;
        if token.built_in {
            self.check_token(&token, now.epoch).await?;
            if let Some(client) = &token.client {
                self.check_client(client, now.epoch).await?;
            }
        }
        Ok(Admitted { token, now })
    }

    /// Nobody but the list vouches for a token without a client or that rests on
    /// a grant; of others it knows those that were revoked.
    async fn check_token(&self, token: &Verified, epoch: i64) -> Result<(), Refusal> {
        let id = token.token_id.as_deref().ok_or(REVOKED)?;
        let counts = match self.listed.get(epoch, id) {
            Some(counts) => counts,
            None => {
                let listed = self.tokens.find(id).await.map_err(|_| UNKNOWN)?;
                let must = token.client.is_none() || token.grant.is_some();
                let counts = listed.map_or(!must, |ListedToken { revoked, .. }| !revoked);
                self.listed.keep(epoch, id, counts);
                counts
            }
        };
        if counts { Ok(()) } else { Err(REVOKED) }
    }

    async fn check_client(&self, id: &str, epoch: i64) -> Result<(), Refusal> {
        let may = match self.registered.get(epoch, id) {
            Some(may) => may,
            None => {
                let client = self.clients.find(id).await.map_err(|_| UNKNOWN)?;
                let may = client.is_some_and(|client| !client.disabled);
                self.registered.keep(epoch, id, may);
                may
            }
        };
        if may {
            Ok(())
        } else {
            Err(Refusal::Invalid("The client of the token is disabled."))
        }
    }
}

const REVOKED: Refusal = Refusal::Invalid("The token was revoked.");
const UNKNOWN: Refusal =
    Refusal::Unavailable("The database does not answer, so no token can be judged; try again.");

impl From<&Verified> for Bearer {
    fn from(token: &Verified) -> Self {
        Self {
            issuer: token.issuer.clone(),
            subject: token.subject.clone(),
            client: token.client.clone(),
            token_id: token.token_id.clone(),
            grant: token.grant.clone(),
            fhir_user: token.fhir_user.clone(),
            patient: token.patient.clone(),
        }
    }
}
