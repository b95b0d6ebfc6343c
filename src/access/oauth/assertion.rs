//! A client proves itself: a short token of its own, signed with its key, that
//! counts once. <https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html>

use jsonwebtoken::Algorithm;
use sha2::{Digest as _, Sha256};

use super::{AuthorizationServer, Client, Form, OAuthError};
use crate::access::token::bearer::MAX_TOKEN;
use crate::access::token::claims::{Claims, LEEWAY};
use crate::access::token::jws::Jws;
use crate::access::token::{Key, KeySet, Now, Refusal};
use crate::store::StoreError;
use crate::store::registry::{RegistryChange, RegistryWrite};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The kind of an assertion in the registry.
const ASSERTION: &str = "assertion";

/// Seconds that an assertion may live.
const LONGEST: i64 = 300;

impl AuthorizationServer {
    /// The client that the form proves. All that is wrong with a signature, a key
    /// or a client sounds the same.
    pub(super) async fn authenticate(&self, form: &Form, now: Now) -> Result<Client, OAuthError> {
        if form.get("client_secret").is_some() {
            return Err(OAuthError::client(
                "Secrets are not used here, but private_key_jwt.",
            ));
        }
        if form.required("client_assertion_type")? != TYPE {
            let text = format!("client_assertion_type must be {TYPE}.");
            return Err(OAuthError::request(text));
        }
        let assertion = form.required("client_assertion")?;
        if assertion.len() > MAX_TOKEN {
            return Err(OAuthError::client("The assertion is longer than 16 KiB."));
        }
        let jws = Jws::parse(assertion).map_err(refused)?;
        if !matches!(jws.algorithm, Algorithm::RS384 | Algorithm::ES384) {
            return Err(OAuthError::client(
                "Sign the assertion with RS384 or ES384.",
            ));
        }
        let claims = Claims(&jws.claims);
        let id = claims.required("iss", UNPROVEN_CLAIM).map_err(refused)?;
        let client = self.clients().find(id).await?;
        let client = client
            .filter(|client| !client.disabled)
            .ok_or_else(unproven)?;
        self.check_signature(&client, &jws).await?;
        if claims.required("sub", UNPROVEN_CLAIM).map_err(refused)? != client.id {
            return Err(OAuthError::client(
                "iss and sub of the assertion must both be the client's id.",
            ));
        }
        if form
            .get("client_id")
            .is_some_and(|named| named != client.id)
        {
            return Err(OAuthError::client(
                "client_id names another client than the assertion.",
            ));
        }
        self.check_claims(&client, claims, now.seconds).await?;
        Ok(client)
    }

    async fn check_signature(&self, client: &Client, jws: &Jws<'_>) -> Result<(), OAuthError> {
        let kid = jws.kid.as_deref();
        let kid = kid.ok_or_else(|| OAuthError::client("The assertion's header has no kid."))?;
        // An address that the header brings counts only where it is the registered one.
        if jws.key_address.is_some() && jws.key_address != client.jwks_uri {
            return Err(OAuthError::client(
                "jku of the assertion is not the registered jwks_uri.",
            ));
        }
        let fits = |keys: &KeySet| {
            let key: Option<&Key> = keys.find(Some(kid), jws.algorithm);
            key.is_some_and(|key| jws.is_signed_by(key))
        };
        let proven = match (&client.jwks, &client.jwks_uri) {
            (Some(jwks), _) => KeySet::usable(jwks).is_ok_and(|keys| fits(&keys)),
            (None, Some(address)) => {
                let keys = self.published(address).keys(Some(kid)).await;
                keys.ok_or_else(|| {
                    OAuthError::client("The client's keys cannot be fetched from its jwks_uri.")
                })
                .map(|keys| fits(&keys))?
            }
            (None, None) => false,
        };
        if proven { Ok(()) } else { Err(unproven()) }
    }

    async fn check_claims(
        &self,
        client: &Client,
        claims: Claims<'_>,
        now: i64,
    ) -> Result<(), OAuthError> {
        let expires = claims.window(now).map_err(refused)?;
        let oldest = now - LONGEST - LEEWAY;
        let issued = claims.time("iat").map_err(refused)?;
        if expires > now + LONGEST + LEEWAY || issued.is_some_and(|issued| issued < oldest) {
            return Err(OAuthError::client(
                "The assertion lives longer than 5 minutes (exp).",
            ));
        }
        if claims.audiences().map_err(refused)? != [self.token_endpoint()] {
            let text = format!(
                "aud of the assertion must be {} alone.",
                self.token_endpoint()
            );
            return Err(OAuthError::client(text));
        }
        let jti = claims.required("jti", Refusal::Invalid("The assertion has no jti."));
        self.use_once(client, jti.map_err(refused)?, expires).await
    }

    /// Of all that come with it, on any instance, the first one.
    async fn use_once(&self, client: &Client, jti: &str, expires: i64) -> Result<(), OAuthError> {
        let mut digest = Sha256::new();
        digest.update(client.id.as_bytes());
        // No id has it.
        digest.update(b"\n");
        digest.update(jti.as_bytes());
        let id: String = digest
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let insert = RegistryWrite::Insert {
            body: "{}".to_owned(),
            expires: Some((expires + 2 * LEEWAY).saturating_mul(1_000_000)),
        };
        let change = RegistryChange::new(ASSERTION, &id, insert).silent();
        match self.registry().change(vec![change]).await {
            Ok(()) => Ok(()),
            Err(StoreError::Registry { .. }) => Err(OAuthError::client(
                "The assertion was used before (jti); make a new one.",
            )),
            Err(error) => {
                tracing::error!(%error, "an assertion could not be noted");
                Err(OAuthError::unavailable())
            }
        }
    }
}

const UNPROVEN_CLAIM: Refusal = Refusal::Invalid("The assertion has no iss or no sub.");

fn unproven() -> OAuthError {
    OAuthError::client("The client is not registered, is disabled, or did not sign the assertion.")
}

fn refused(refusal: Refusal) -> OAuthError {
    match refusal {
        Refusal::Unavailable(_) => OAuthError::unavailable(),
        other => OAuthError::client(other.text().replace("The token", "The assertion")),
    }
}
