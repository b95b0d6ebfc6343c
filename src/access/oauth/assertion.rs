//! A client proves itself at the token endpoint, by a short token of its own.
//! <https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html>

use super::proof::short_lived;
use super::{AuthorizationServer, Client, Form, OAuthError};
use crate::access::token::bearer::MAX_TOKEN;
use crate::access::token::claims::Claims;
use crate::access::token::jws::Jws;
use crate::access::token::{Now, Refusal};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl AuthorizationServer {
    /// The client that the form proves.
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
        let claims = Claims(&jws.claims);
        let id = claims.required("iss", UNPROVEN_CLAIM).map_err(refused)?;
        let client = self.signer(id, &jws).await.map_err(refused)?;
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
        let expires = short_lived(claims, now.seconds).map_err(refused)?;
        if claims.audiences().map_err(refused)? != [self.token_endpoint()] {
            let text = format!(
                "aud of the assertion must be {} alone.",
                self.token_endpoint()
            );
            return Err(OAuthError::client(text));
        }
        let once = self.use_once(&client, claims, expires).await;
        once.map_err(refused)?;
        Ok(client)
    }
}

const UNPROVEN_CLAIM: Refusal = Refusal::Invalid("The assertion has no iss or no sub.");

fn refused(refusal: Refusal) -> OAuthError {
    match refusal {
        Refusal::Unavailable(_) => OAuthError::unavailable(),
        other => {
            let text = other.text().replace("The token", "The assertion");
            OAuthError::client(text.replace("sign the token", "sign the assertion"))
        }
    }
}
