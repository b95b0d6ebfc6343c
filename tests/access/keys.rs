//! Keys made here, and tokens signed with them, also such as nobody should make.

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PSS_SHA256, RSA_PSS_SHA384, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, jwk::Jwk};
use serde_json::{Value, json};

pub enum Pair {
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

pub struct TestKey {
    pub kid: String,
    pub pair: Pair,
}

pub fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl TestKey {
    pub fn p256(kid: &str) -> Self {
        Self::of(
            kid,
            Pair::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
        )
    }

    pub fn p384(kid: &str) -> Self {
        Self::of(
            kid,
            Pair::P384(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap()),
        )
    }

    pub fn rsa(kid: &str) -> Self {
        Self::of(
            kid,
            Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
        )
    }

    fn of(kid: &str, pair: Pair) -> Self {
        let kid = kid.to_owned();
        Self { kid, pair }
    }

    /// The public half.
    pub fn jwk(&self) -> Value {
        match &self.pair {
            Pair::P256(pair) => self.point("P-256", pair.public_key().as_ref(), 32),
            Pair::P384(pair) => self.point("P-384", pair.public_key().as_ref(), 48),
            Pair::Rsa(pair) => {
                let key = DecodingKey::from_rsa_der(pair.public_key().as_ref());
                let jwk = Jwk::from_decoding_key(&key, None).unwrap();
                let mut jwk = serde_json::to_value(jwk).unwrap();
                jwk["kid"] = self.kid.as_str().into();
                jwk
            }
        }
    }

    fn point(&self, curve: &str, public: &[u8], size: usize) -> Value {
        let (x, y) = public[1..].split_at(size);
        json!({"kty": "EC", "crv": curve, "kid": self.kid, "x": b64(x), "y": b64(y)})
    }

    pub fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::P256(pair) | Pair::P384(pair) => {
                pair.sign(&random, message).unwrap().as_ref().to_vec()
            }
            Pair::Rsa(pair) => {
                let encoding: &dyn aws_lc_rs::signature::RsaEncoding = match algorithm {
                    Algorithm::RS256 => &RSA_PKCS1_SHA256,
                    Algorithm::RS384 => &RSA_PKCS1_SHA384,
                    Algorithm::PS256 => &RSA_PSS_SHA256,
                    Algorithm::PS384 => &RSA_PSS_SHA384,
                    _ => panic!("not RSA"),
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature)
                    .unwrap();
                signature
            }
        }
    }

    /// The algorithm that the key is most used with.
    pub fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::P256(_) => Algorithm::ES256,
            Pair::P384(_) => Algorithm::ES384,
            Pair::Rsa(_) => Algorithm::RS384,
        }
    }

    pub fn token(&self, claims: &Value) -> String {
        let header =
            json!({"alg": format!("{:?}", self.algorithm()), "kid": self.kid, "typ": "JWT"});
        self.token_of(self.algorithm(), &header.to_string(), &claims.to_string())
    }

    /// Signs whatever text stands for header and claims.
    pub fn token_of(&self, algorithm: Algorithm, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", b64(header), b64(claims));
        let signature = self.sign(algorithm, message.as_bytes());
        format!("{message}.{}", b64(signature))
    }
}

/// Made once: RSA keys take their time.
pub fn rsa() -> &'static TestKey {
    static KEY: OnceLock<TestKey> = OnceLock::new();
    KEY.get_or_init(|| TestKey::rsa("rsa"))
}

pub fn set(keys: &[&TestKey]) -> Value {
    json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()})
}
