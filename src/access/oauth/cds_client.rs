//! The software of an EHR that calls CDS services: it signs every call by itself,
//! and may what the client may that it is registered as.
//! <https://cds-hooks.hl7.org/2.0/#trusting-cds-clients>

use std::sync::Arc;

use super::AuthorizationServer;
use super::proof::short_lived;
use super::scope::granted;
use crate::access::gate::Admitted;
use crate::access::token::bearer::MAX_TOKEN;
use crate::access::token::claims::Claims;
use crate::access::token::jws::Jws;
use crate::access::token::{Now, Refusal, Verified};

/// Whose calls count, and as which client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CdsClient {
    /// What `iss` says.
    pub issuer: String,
    /// The id of the registered client: its keys, its scopes, its end.
    pub client: String,
}

impl AuthorizationServer {
    /// `paths`: what was called, below the root. `None`: the token is none that a
    /// CDS client signed, and the gate judges it.
    pub async fn cds_client(
        &self,
        token: &str,
        paths: &[String],
        now: Now,
    ) -> Result<Option<Admitted>, Refusal> {
        if self.cds_clients.is_empty() || token.len() > MAX_TOKEN {
            return Ok(None);
        }
        let Ok(jws) = Jws::parse(token) else {
            return Ok(None);
        };
        let claims = Claims(&jws.claims);
        let issuer = claims.optional("iss")?.unwrap_or_default();
        let mut known = self.cds_clients.iter();
        let Some(known) = known.find(|known| known.issuer == issuer) else {
            return Ok(None);
        };
        let called: Vec<String> = paths
            .iter()
            .map(|path| format!("{}{path}", self.place.root))
            .collect();
        let audiences = claims.audiences()?;
        let for_this = matches!(audiences.as_slice(), [one] if called.iter().any(|url| url == one));
        // An EHR may issue access tokens under the same name.
        if !for_this && self.gate().trusts(issuer) {
            return Ok(None);
        }
        if jws.kind.as_deref().is_some_and(|kind| kind != "jwt") {
            return Err(Refusal::Invalid(
                "The token is no JWT of a CDS client (typ).",
            ));
        }
        let client = self.signer(&known.client, &jws).await?;
        let expires = short_lived(claims, now.seconds)?;
        claims.times(now.seconds)?;
        if !for_this {
            return Err(Refusal::Invalid(
                "The token is for another address (aud): it has to name the service that is called, alone.",
            ));
        }
        self.use_once(&client, claims, expires).await?;
        let token = Verified {
            issuer: known.issuer.clone(),
            subject: client.id.clone(),
            client: Some(client.id.clone()),
            token_id: claims.optional("jti")?.map(str::to_owned),
            scope: granted(&client.scope, &client.scope),
            patient: None,
            fhir_user: None,
            grant: None,
            built_in: false,
            expires,
        };
        Ok(Some(Admitted {
            token: Arc::new(token),
            now,
        }))
    }
}
