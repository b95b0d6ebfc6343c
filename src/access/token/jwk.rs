//! Public keys as issuers and clients publish them.
//! <https://www.rfc-editor.org/rfc/rfc7517>, <https://www.rfc-editor.org/rfc/rfc7518#section-6>

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

use super::jws::algorithm;

/// Keys of one set. Who has more is no issuer that somebody runs by hand.
const MAX_KEYS: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyType {
    Rsa,
    P256,
    P384,
}

pub struct Key {
    pub kid: Option<String>,
    key_type: KeyType,
    /// Where its owner says that it is for one algorithm.
    only: Option<Algorithm>,
    pub(super) decoding: DecodingKey,
}

impl Key {
    /// The error is a text for whoever registers the key.
    pub fn parse(jwk: &Map<String, Value>) -> Result<Self, &'static str> {
        if ["d", "k", "p", "q"]
            .iter()
            .any(|name| jwk.contains_key(*name))
        {
            return Err("holds a secret; send the public key only, and make a new pair");
        }
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if jwk.contains_key("use") && text("use") != Some("sig") {
            return Err("is not for signatures (use)");
        }
        if let Some(operations) = jwk.get("key_ops") {
            let operations = operations.as_array().map(Vec::as_slice).unwrap_or_default();
            if !operations.iter().any(|operation| operation == "verify") {
                return Err("is not for signatures (key_ops)");
            }
        }
        let (key_type, decoding) = match (text("kty"), text("crv")) {
            (Some("RSA"), _) => (KeyType::Rsa, rsa(text("n"), text("e"))?),
            (Some("EC"), Some("P-256")) => (KeyType::P256, point(text("x"), text("y"), 32)?),
            (Some("EC"), Some("P-384")) => (KeyType::P384, point(text("x"), text("y"), 48)?),
            _ => return Err("is neither RSA nor EC on P-256 or P-384"),
        };
        let mut key = Self {
            kid: text("kid").map(str::to_owned),
            key_type,
            only: None,
            decoding,
        };
        if jwk.contains_key("alg") {
            let named = text("alg").and_then(algorithm);
            key.only = Some(
                named
                    .filter(|named| key.fits(*named))
                    .ok_or("has an algorithm (alg) that is not accepted or not of its type")?,
            );
        }
        Ok(key)
    }

    /// The algorithm follows from the key, never from the token.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{ES256, ES384, PS256, PS384, RS256, RS384};
        let of_type = match self.key_type {
            KeyType::Rsa => matches!(algorithm, RS256 | RS384 | PS256 | PS384),
            KeyType::P256 => algorithm == ES256,
            KeyType::P384 => algorithm == ES384,
        };
        of_type && self.only.is_none_or(|only| only == algorithm)
    }
}

fn decoded(member: Option<&str>) -> Result<Vec<u8>, &'static str> {
    let bytes = URL_SAFE_NO_PAD.decode(member.ok_or("is not complete")?);
    bytes.map_err(|_| "is not base64url without padding")
}

fn rsa(n: Option<&str>, e: Option<&str>) -> Result<DecodingKey, &'static str> {
    let (n, e) = (decoded(n)?, decoded(e)?);
    let leading = n.iter().take_while(|byte| **byte == 0).count();
    let size = n.len() - leading;
    // 255 bytes with the highest bit unset would be short of 2048 bits.
    if !(256..=1024).contains(&size) || e.is_empty() || e.len() > 8 {
        return Err("is an RSA key of less than 2048 or more than 8192 bits");
    }
    Ok(DecodingKey::from_rsa_raw_components(&n, &e))
}

fn point(x: Option<&str>, y: Option<&str>, size: usize) -> Result<DecodingKey, &'static str> {
    let (x, y) = (decoded(x)?, decoded(y)?);
    if x.len() != size || y.len() != size {
        return Err("has coordinates of the wrong length");
    }
    let uncompressed = [&[4], x.as_slice(), y.as_slice()].concat();
    Ok(DecodingKey::from_ec_der(&uncompressed))
}

/// The keys of one issuer or client.
#[derive(Default)]
pub struct KeySet {
    keys: Vec<Key>,
}

impl KeySet {
    pub fn new(keys: Vec<Key>) -> Self {
        Self { keys }
    }

    /// The keys that can be used, of a set that may hold others.
    pub fn usable(set: &Value) -> Result<Self, &'static str> {
        let keys = members(set)?.iter().filter_map(Value::as_object);
        let keys: Vec<Key> = keys.filter_map(|jwk| Key::parse(jwk).ok()).collect();
        if keys.is_empty() {
            return Err("the set has no key that can be used here");
        }
        Ok(Self { keys })
    }

    /// All keys of a set, which must be public and usable.
    pub fn strict(set: &Value) -> Result<Self, String> {
        let mut keys = Vec::new();
        for (index, jwk) in members(set)?.iter().enumerate() {
            let jwk = jwk.as_object().ok_or("a key is no object")?;
            keys.push(Key::parse(jwk).map_err(|problem| format!("keys[{index}] {problem}"))?);
        }
        if keys.is_empty() {
            return Err("keys is empty".to_owned());
        }
        Ok(Self { keys })
    }

    pub fn knows(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid.as_deref() == Some(kid))
    }

    /// The key of that name; without a name, the only one for the algorithm.
    pub fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<&Key> {
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| key.fits(algorithm) && (kid.is_none() || key.kid.as_deref() == kid));
        let first = fitting.next()?;
        if kid.is_none() && fitting.next().is_some() {
            return None;
        }
        Some(first)
    }
}

fn members(set: &Value) -> Result<&[Value], &'static str> {
    let keys = set.get("keys").and_then(Value::as_array);
    let keys = keys.ok_or("there is no array `keys`")?;
    if keys.len() > MAX_KEYS {
        return Err("the set has more than 100 keys");
    }
    Ok(keys)
}
