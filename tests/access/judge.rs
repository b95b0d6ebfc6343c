//! An issuer of the test, and what a verifier that trusts it makes of a token.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use unloop::access::token::{Issuer, KeySet, Now, Refusal, Verified, Verifier};

use super::keys::{TestKey, set};

pub const NOW: i64 = 1_800_000_000;
pub const ISSUER: &str = "https://id.example.org";
pub const AUDIENCE: &str = "https://records.example.org/fhir";

pub fn at(seconds: i64) -> Now {
    Now { seconds, epoch: 1 }
}

pub struct Fixed {
    pub name: &'static str,
    pub built_in: bool,
    pub keys: Mutex<Arc<KeySet>>,
}

#[async_trait::async_trait]
impl Issuer for Fixed {
    fn name(&self) -> &str {
        self.name
    }
    fn audience(&self) -> &str {
        AUDIENCE
    }
    fn is_built_in(&self) -> bool {
        self.built_in
    }
    async fn keys(&self, _: i64, _: Option<&str>) -> Result<Arc<KeySet>, Refusal> {
        Ok(self.keys.lock().unwrap().clone())
    }
}

pub fn issuer(name: &'static str, keys: &Value) -> Arc<Fixed> {
    let keys = Mutex::new(Arc::new(KeySet::usable(keys).unwrap()));
    Arc::new(Fixed {
        name,
        built_in: false,
        keys,
    })
}

pub fn verifier(keys: &[&TestKey]) -> Verifier {
    Verifier::new(vec![issuer(ISSUER, &set(keys))])
}

pub fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "user-1",
        "iat": NOW - 10,
        "exp": NOW + 300,
        "jti": "t-1",
        "client_id": "ehr",
        "scope": "system/*.rs",
    })
}

/// The claims with one member set; `null`: without it.
pub fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

pub async fn judged(key: &TestKey, token: &str) -> Result<Arc<Verified>, Refusal> {
    verifier(&[key]).verify(token, at(NOW)).await
}

pub async fn assert_refused(key: &TestKey, token: &str, what: &str) {
    let judged = judged(key, token).await;
    assert!(
        matches!(judged, Err(Refusal::Invalid(_))),
        "{what}: {judged:?}"
    );
}
