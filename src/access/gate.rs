//! The one way in: the header of a request becomes a token that counts now,
//! after everything that may have happened to it on any instance.

use std::sync::Arc;

use super::caller::{Bearer, Caller};
use super::fresh::{Fresh, Kept};
use super::grant::Grants;
use super::issuer::{ListedToken, Tokens};
use super::oauth::Clients;
use super::rights::{Holder, Rights};
use super::token::bearer::bearer;
use super::token::{Issuer, Now, Refusal, Verified, Verifier};
use crate::fhir::engine::Engine;
use crate::fhir::outcome::{Failure, Kind};
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
    /// Under what the token says of its rights, until a time: what they are.
    rights: Kept<(i64, Arc<Rights>)>,
    shows_psychotherapy_notes: bool,
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
            rights: Kept::new(KEPT),
            shows_psychotherapy_notes: false,
        }
    }

    /// Whether patients read the psychotherapy notes in their records.
    #[must_use]
    pub fn with_psychotherapy_notes(self, shown: bool) -> Self {
        Self {
            shows_psychotherapy_notes: shown,
            ..self
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

    /// The bearer as a caller, with all that the token and its grant allow now.
    pub async fn caller(
        &self,
        engine: &Arc<Engine>,
        admitted: &Admitted,
    ) -> Result<Caller, Failure> {
        let Admitted { token, now } = admitted;
        let identity = identity(token);
        let kept = self.rights.get(now.epoch, &identity);
        let rights = match kept.filter(|(until, _)| now.seconds < *until) {
            Some((_, rights)) => rights,
            None => {
                let (until, rights) = load_rights(
                    engine,
                    token,
                    now.seconds,
                    &identity,
                    self.shows_psychotherapy_notes,
                )
                .await?;
                let rights = Arc::new(rights);
                self.rights
                    .keep(now.epoch, &identity, (until, rights.clone()));
                rights
            }
        };
        let mut bearer = Bearer::from(token.as_ref());
        if let Some(own) = own_user(token, &engine.settings.base_url) {
            bearer.fhir_user = Some(own.to_owned());
        }
        Ok(Caller::bearer(bearer, rights))
    }

    /// Whether access tokens of this issuer count.
    pub fn trusts(&self, issuer: &str) -> bool {
        self.verifier.knows(issuer)
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

/// All that decides on rights. It does not change with each new token.
fn identity(token: &Verified) -> String {
    let Verified {
        issuer,
        subject,
        client,
        scope,
        patient,
        fhir_user,
        grant,
        ..
    } = token;
    format!(
        "{:?}",
        (issuer, subject, client, scope, patient, fhir_user, grant)
    )
}

/// Until when (seconds since 1970) the rights are these.
async fn load_rights(
    engine: &Arc<Engine>,
    token: &Verified,
    now: i64,
    identity: &str,
    sees_psychotherapy_notes: bool,
) -> Result<(i64, Rights), Failure> {
    let mut until = i64::MAX;
    let grants = Grants {
        engine: engine.clone(),
    };
    let user = fhir_user(token, &engine.settings.base_url);
    if let Some(user) = &user
        && grants.has_left(user).await?
    {
        let text = "The practitioner whom the token names practises here no more.";
        return Err(Failure::new(Kind::Unauthenticated, text));
    }
    let grant = match &token.grant {
        None => None,
        Some(id) => {
            let standing = grants.standing(id, now).await?.ok_or_else(ended)?;
            until = standing.until;
            Some(standing.terms)
        }
    };
    let holder = Holder {
        sees_psychotherapy_notes,
        scope: token.scope.clone(),
        patient: token.patient.clone(),
        fhir_user: user,
        grant,
        identity: identity.to_owned(),
    };
    Ok((until, Rights::of(&engine.catalogue, &holder)?))
}

/// `Practitioner/1`. Of another server's users only the type is known: their ids
/// are not those of the records here.
fn fhir_user(token: &Verified, base: &str) -> Option<String> {
    let user = token.fhir_user.as_deref()?;
    match own_user(token, base) {
        Some(own) => Some(own.to_owned()),
        None if user.contains("://") => {
            let kind = user.rsplit('/').nth(1)?;
            kind.starts_with("Practitioner").then(|| format!("{kind}/"))
        }
        None => Some(user.to_owned()),
    }
}

/// Where the token names the user by an address of this service.
fn own_user<'t>(token: &'t Verified, base: &str) -> Option<&'t str> {
    let user = token.fhir_user.as_deref()?.strip_prefix(base)?;
    user.strip_prefix('/')
}

fn ended() -> Failure {
    Failure::new(
        Kind::Unauthenticated,
        "The grant of the token has ended, was revoked, or no patient consents to it any more.",
    )
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
