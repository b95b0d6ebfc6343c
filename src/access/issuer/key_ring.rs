//! The signing keys as they stand in the registry, opened.
//! <https://www.rfc-editor.org/rfc/rfc7518#section-6.2>

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Secret;
use crate::access::token::{Key, KeySet};
use crate::fhir::outcome::{Failure, Kind};
use crate::store::registry::RegistryEntry;

/// A key in the registry. One that has an end signs nothing new.
#[derive(Deserialize)]
pub struct KeyBody {
    /// PKCS #8, sealed under its own id.
    sealed: String,
    /// Seconds since 1970: when the last listed token of it expires.
    pub until: i64,
}

/// What an operator may know of a key.
pub struct KeyState {
    pub kid: String,
    /// Seconds since 1970; `None`: it signs.
    pub ends: Option<i64>,
}

pub struct SigningKey {
    pub kid: String,
    pair: EcdsaKeyPair,
}

pub struct Ring {
    versions: Vec<(String, i64)>,
    pub verifying: Arc<KeySet>,
    pub signing: Option<SigningKey>,
    /// A JWK Set.
    pub published: Value,
}

impl KeyBody {
    pub fn generate(secret: &Secret, kid: &str) -> Option<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).ok()?;
        let sealed = secret.seal(kid, pair.to_pkcs8v1().ok()?.as_ref().to_vec())?;
        Some(Self { sealed, until: 0 })
    }

    pub fn encode(&self) -> String {
        json!({"sealed": self.sealed, "until": self.until}).to_string()
    }

    pub fn decode(entry: &RegistryEntry) -> Result<Self, Failure> {
        serde_json::from_str(&entry.body).map_err(|error| {
            tracing::error!(kid = entry.key.id, %error, "a signing key in the registry cannot be read");
            Failure::new(Kind::Internal, "A signing key in the registry cannot be read.")
        })
    }
}

impl KeyState {
    pub fn of(entry: &RegistryEntry) -> Self {
        Self {
            kid: entry.key.id.clone(),
            ends: entry.expires.map(|expires| expires.div_euclid(1_000_000)),
        }
    }
}

impl SigningKey {
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let signature = self.pair.sign(&SystemRandom::new(), message).ok()?;
        Some(signature.as_ref().to_vec())
    }
}

impl Ring {
    /// A key that does not open counts for nothing: whoever can write into the
    /// database alone cannot add one.
    pub fn open(secret: &Secret, entries: &[RegistryEntry]) -> Result<Self, Failure> {
        let mut verifying = Vec::new();
        let mut published = Vec::new();
        let mut signing = None;
        for entry in entries {
            let kid = &entry.key.id;
            let body = KeyBody::decode(entry)?;
            let opened = secret.open(kid, &body.sealed).and_then(|pkcs8| {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &pkcs8).ok()
            });
            let Some(pair) = opened else {
                tracing::error!(kid, "a signing key was sealed with another UNLOOP_SECRET");
                continue;
            };
            let Some((key, jwk)) = public(kid, &pair) else {
                continue;
            };
            verifying.push(key);
            published.push(jwk);
            // Ids grow with time: the last one is the newest.
            if entry.expires.is_none() {
                let kid = kid.clone();
                signing = Some(SigningKey { kid, pair });
            }
        }
        Ok(Self {
            versions: versions(entries).collect(),
            verifying: Arc::new(KeySet::new(verifying)),
            signing,
            published: json!({"keys": published}),
        })
    }

    pub fn is_of(&self, entries: &[RegistryEntry]) -> bool {
        self.versions.iter().cloned().eq(versions(entries))
    }
}

fn versions(entries: &[RegistryEntry]) -> impl Iterator<Item = (String, i64)> {
    entries
        .iter()
        .map(|entry| (entry.key.id.clone(), entry.version))
}

fn public(kid: &str, pair: &EcdsaKeyPair) -> Option<(Key, Value)> {
    let (x, y) = pair.public_key().as_ref().get(1..)?.split_at_checked(48)?;
    let encoded = |bytes: &[u8]| Value::from(URL_SAFE_NO_PAD.encode(bytes));
    let mut jwk = Map::new();
    for (name, value) in [
        ("kty", "EC"),
        ("crv", "P-384"),
        ("alg", "ES384"),
        ("use", "sig"),
        ("kid", kid),
    ] {
        jwk.insert(name.to_owned(), value.into());
    }
    jwk.insert("x".to_owned(), encoded(x));
    jwk.insert("y".to_owned(), encoded(y));
    Some((Key::parse(&jwk).ok()?, jwk.into()))
}
