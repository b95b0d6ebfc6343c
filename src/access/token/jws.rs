//! A signed token taken apart, before anybody believes it. The claims are read
//! with the strict reader of JSON, so that a claim that stands twice is refused.
//! <https://www.rfc-editor.org/rfc/rfc7515#section-7.1>

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::{Key, Refusal};
use crate::fhir::json;

/// Nested objects and arrays in a header or in claims.
const DEPTH: usize = 8;

/// Asymmetric only, and none weaker than SHA-256: `none` and `HS…` have no name here.
/// <https://www.rfc-editor.org/rfc/rfc7518#section-3.1>
pub fn algorithm(name: &str) -> Option<Algorithm> {
    Some(match name {
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "PS256" => Algorithm::PS256,
        "PS384" => Algorithm::PS384,
        _ => return None,
    })
}

/// `claims` is what somebody says; see [`Jws::is_signed_by`].
#[derive(Debug)]
pub struct Jws<'t> {
    pub algorithm: Algorithm,
    /// A name to look up among known keys, and nothing else.
    pub kid: Option<String>,
    pub kind: Option<String>,
    /// `jku`: nothing is fetched from there.
    pub key_address: Option<String>,
    pub claims: Map<String, Value>,
    signed: &'t str,
    signature: &'t str,
}

impl<'t> Jws<'t> {
    /// Keys and addresses that the header brings along (`jwk`, `jku`, `x5c`,
    /// `x5u`) are not read.
    pub fn parse(token: &'t str) -> Result<Self, Refusal> {
        let (signed, signature) = token.rsplit_once('.').ok_or(NO_JWT)?;
        let (header, claims) = signed.split_once('.').ok_or(NO_JWT)?;
        if claims.contains('.') {
            return Err(NO_JWT);
        }
        let header = object(header)?;
        if header.contains_key("crit") {
            return Err(Refusal::Invalid(
                "The token names critical extensions (crit); none is understood here.",
            ));
        }
        let name = header.get("alg").and_then(Value::as_str).ok_or(NO_JWT)?;
        Ok(Self {
            algorithm: algorithm(name).ok_or(Refusal::Invalid(
                "The token's algorithm is not accepted; use ES256, ES384, RS256, RS384, PS256 or PS384.",
            ))?,
            kid: text(&header, "kid")?,
            key_address: text(&header, "jku")?,
            kind: text(&header, "typ")?.map(|kind| kind.to_ascii_lowercase()),
            claims: object(claims)?,
            signed,
            signature,
        })
    }

    /// Whether the key made it, by an algorithm that the key is for.
    pub fn is_signed_by(&self, key: &Key) -> bool {
        let (signed, signature) = (self.signed.as_bytes(), self.signature);
        key.fits(self.algorithm)
            && jsonwebtoken::crypto::verify(signature, signed, &key.decoding, self.algorithm)
                .unwrap_or(false)
    }
}

const NO_JWT: Refusal = Refusal::Invalid("The token is not a signed JSON Web Token.");

fn object(part: &str) -> Result<Map<String, Value>, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| NO_JWT)?;
    json::parse_object(&bytes, DEPTH).map_err(|_| NO_JWT)
}

fn text(header: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(NO_JWT),
    }
}
