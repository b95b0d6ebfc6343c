//! What a client signs to prove itself: with a registered key, for a short time,
//! and once. <https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html>

use data_encoding::HEXLOWER;
use jsonwebtoken::Algorithm;
use sha2::{Digest as _, Sha256};

use super::{AuthorizationServer, Client};
use crate::access::token::claims::{Claims, LEEWAY};
use crate::access::token::jws::Jws;
use crate::access::token::{Key, KeySet, Refusal};
use crate::store::StoreError;
use crate::store::registry::{RegistryChange, RegistryWrite};

/// The kind of a proof in the registry.
const ASSERTION: &str = "assertion";

/// Seconds that a proof may live.
const LONGEST: i64 = 300;

impl AuthorizationServer {
    /// The client that signed it. All that is wrong with a signature, a key or a
    /// client sounds the same.
    pub(super) async fn signer(&self, id: &str, jws: &Jws<'_>) -> Result<Client, Refusal> {
        if !matches!(jws.algorithm, Algorithm::RS384 | Algorithm::ES384) {
            return Err(Refusal::Invalid(
                "The token is signed with another algorithm than RS384 and ES384.",
            ));
        }
        let client = self.clients().find(id).await.map_err(|_| UNKNOWN)?;
        let client = client.filter(|client| !client.disabled).ok_or(UNPROVEN)?;
        self.check_signature(&client, jws).await?;
        Ok(client)
    }

    async fn check_signature(&self, client: &Client, jws: &Jws<'_>) -> Result<(), Refusal> {
        let kid = jws.kid.as_deref();
        let kid = kid.ok_or(Refusal::Invalid("The token has no kid in its header."))?;
        // An address that the header brings counts only where it is the registered one.
        if jws.key_address.is_some() && jws.key_address != client.jwks_uri {
            return Err(Refusal::Invalid(
                "The token names another jku than the registered jwks_uri.",
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
                let keys = keys.ok_or(Refusal::Invalid(
                    "The client's keys cannot be fetched from its jwks_uri.",
                ))?;
                fits(&keys)
            }
            (None, None) => false,
        };
        if proven { Ok(()) } else { Err(UNPROVEN) }
    }

    /// Of all that come with it, on any instance, the first one.
    pub(super) async fn use_once(
        &self,
        client: &Client,
        claims: Claims<'_>,
        expires: i64,
    ) -> Result<(), Refusal> {
        let jti = claims.required("jti", Refusal::Invalid("The token has no jti."))?;
        let mut digest = Sha256::new();
        digest.update(client.id.as_bytes());
        // No id has it.
        digest.update(b"\n");
        digest.update(jti.as_bytes());
        let id = HEXLOWER.encode(&digest.finalize());
        let insert = RegistryWrite::Insert {
            body: "{}".to_owned(),
            expires: Some((expires + 2 * LEEWAY).saturating_mul(1_000_000)),
        };
        let change = RegistryChange::new(ASSERTION, &id, insert).silent();
        match self.registry().change(vec![change]).await {
            Ok(()) => Ok(()),
            Err(StoreError::Registry { .. }) => Err(Refusal::Invalid(
                "The token was used before (jti); make a new one.",
            )),
            Err(error) => {
                tracing::error!(%error, "a proof could not be noted");
                Err(UNKNOWN)
            }
        }
    }
}

/// `exp`, where it is near.
pub(super) fn short_lived(claims: Claims<'_>, now: i64) -> Result<i64, Refusal> {
    let expires = claims.window(now)?;
    let oldest = now - LONGEST - LEEWAY;
    let issued = claims.time("iat")?;
    if expires > now + LONGEST + LEEWAY || issued.is_some_and(|issued| issued < oldest) {
        return Err(Refusal::Invalid(
            "The token lives longer than 5 minutes (exp).",
        ));
    }
    Ok(expires)
}

const UNPROVEN: Refusal =
    Refusal::Invalid("The client is not registered, is disabled, or did not sign the token.");

const UNKNOWN: Refusal = Refusal::Unavailable("The database does not answer now; try again.");
