//! Refusals of the authorization server.
//! <https://www.rfc-editor.org/rfc/rfc6749#section-5.2>

use serde_json::{Value, json};

use crate::access::token::Refusal;
use crate::fhir::outcome::{Failure, Kind};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthError {
    pub code: &'static str,
    pub status: u16,
    pub text: String,
}

impl OAuthError {
    fn new(code: &'static str, status: u16, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { code, status, text }
    }

    pub fn request(text: impl Into<String>) -> Self {
        Self::new("invalid_request", 400, text)
    }

    pub fn client(text: impl Into<String>) -> Self {
        Self::new("invalid_client", 401, text)
    }

    pub fn scope(text: impl Into<String>) -> Self {
        Self::new("invalid_scope", 400, text)
    }

    pub fn grant(text: impl Into<String>) -> Self {
        Self::new("invalid_grant", 400, text)
    }

    pub fn grant_type(text: impl Into<String>) -> Self {
        Self::new("unsupported_grant_type", 400, text)
    }

    pub fn unauthorized(text: impl Into<String>) -> Self {
        Self::new("unauthorized_client", 400, text)
    }

    pub fn unavailable() -> Self {
        Self::new(
            "temporarily_unavailable",
            503,
            "The database does not answer now; try again.",
        )
    }

    pub fn json(&self) -> Value {
        json!({"error": self.code, "error_description": self.text})
    }
}

/// Of a bearer token with which an endpoint is asked.
impl From<Refusal> for OAuthError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unavailable(_) => Self::unavailable(),
            Refusal::Malformed(text) => Self::request(text),
            Refusal::Missing => Self::client(
                "The request needs a client assertion (private_key_jwt), or a bearer token in the header Authorization.",
            ),
            Refusal::Invalid(text) => Self::new("invalid_token", 401, text),
        }
    }
}

impl From<Failure> for OAuthError {
    fn from(failure: Failure) -> Self {
        match failure.kind {
            Kind::Unavailable | Kind::Internal | Kind::Conflict => Self::unavailable(),
            _ => Self::request(
                failure
                    .issues
                    .into_iter()
                    .next()
                    .map_or_else(String::new, |issue| issue.text),
            ),
        }
    }
}
