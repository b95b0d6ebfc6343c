//! The header `Authorization` at the gate, and how a refusal looks.
//! <https://www.rfc-editor.org/rfc/rfc6750#section-3>

use actix_web::http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse};

use super::auth::tell_bearer;
use super::response;
use crate::access::gate::{Admitted, Gate};
use crate::access::token::Refusal;
use crate::fhir::outcome::{Failure, Kind};

pub async fn admit(http: &HttpRequest, gate: &Gate) -> Result<Admitted, Refusal> {
    gate.admit(authorization(http)).await
}

/// Every header of the name: there may be one only.
pub fn authorization(http: &HttpRequest) -> impl Iterator<Item = &[u8]> {
    http.headers()
        .get_all(AUTHORIZATION)
        .map(HeaderValue::as_bytes)
}

/// Why somebody was not let in.
pub enum Closed {
    Refusal(Refusal),
    Failure(Failure),
}

impl From<Refusal> for Closed {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<Failure> for Closed {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl Closed {
    pub fn failure(&self) -> Failure {
        match self {
            Self::Refusal(refusal) => Failure::from(*refusal),
            Self::Failure(failure) => failure.clone(),
        }
    }

    /// The header that says what would help.
    pub fn challenge(&self, response: &mut HttpResponse) {
        let text = match self {
            Self::Refusal(refusal) => refusal.challenge(),
            Self::Failure(failure) if failure.kind == Kind::Unauthenticated => {
                Refusal::Invalid("What the token rests on has ended.").challenge()
            }
            Self::Failure(_) => None,
        };
        let value = text.and_then(|text| HeaderValue::from_str(&text).ok());
        if let Some(value) = value {
            response.headers_mut().insert(WWW_AUTHENTICATE, value);
        }
    }

    pub fn respond(self) -> HttpResponse {
        let mut response = response::write("", self.failure().into());
        self.challenge(&mut response);
        response
    }
}

/// The bearer, where it may administrate.
pub async fn administrator(http: &HttpRequest, gate: &Gate) -> Result<Admitted, Closed> {
    let admitted = admit(http, gate).await?;
    tell_bearer(http, &admitted.token);
    if admitted.is_administrator() {
        return Ok(admitted);
    }
    let text = "This needs a token with the scope system/*.cruds.";
    Err(Failure::new(Kind::Forbidden, text).into())
}
