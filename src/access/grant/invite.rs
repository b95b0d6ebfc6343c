//! One-time codes that a therapist's software exchanges for a token. The
//! registry keeps a digest: whoever reads it cannot use the code.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::fhir::audit::Deed;
use crate::fhir::engine::unavailable;
use crate::fhir::outcome::{Failure, Kind};
use crate::store::registry::{Registry, RegistryChange, RegistryWrite};

/// The kind of an invitation in the registry.
const KIND: &str = "invite";

/// Bytes of a code: nobody guesses it while it lives.
const CODE: usize = 24;

/// Seconds that a code lives at most.
pub const LONGEST: i64 = 7 * 24 * 3600;

pub struct Invites {
    registry: Arc<dyn Registry>,
}

/// What a code stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    pub grant: String,
    /// Seconds that the token will live.
    pub token_ttl: i64,
}

impl Invites {
    pub fn new(registry: Arc<dyn Registry>) -> Self {
        Self { registry }
    }

    /// A new code, good for `ttl` seconds.
    pub async fn make(
        &self,
        invite: &Invite,
        ttl: i64,
        now: i64,
        deed: &Deed,
    ) -> Result<String, Failure> {
        if !(1..=LONGEST).contains(&ttl) {
            let text = "An invitation is good for at least a second and at most 7 days.";
            return Err(Failure::new(Kind::Value, text));
        }
        let mut bytes = [0; CODE];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| broken())?;
        let code = URL_SAFE_NO_PAD.encode(bytes);
        let write = RegistryWrite::Insert {
            body: serde_json::to_string(invite).map_err(|_| broken())?,
            expires: Some((now + ttl).saturating_mul(1_000_000)),
        };
        let change = RegistryChange::new(KIND, &digest(&code), write).silent();
        let registry = self.registry.as_ref();
        let made = deed.change(registry, vec![change], &invite.grant).await;
        made.map_err(|error| unavailable(&error))?;
        Ok(code)
    }

    /// What the code stands for, and the change that uses it up: of many at the
    /// same time, one can make it.
    pub async fn find(&self, code: &str) -> Result<Option<(Invite, RegistryChange)>, Failure> {
        let id = digest(code);
        let entry = self.registry.get(KIND, &id).await;
        let Some(entry) = entry.map_err(|error| unavailable(&error))? else {
            return Ok(None);
        };
        let write = RegistryWrite::Delete {
            version: Some(entry.version),
        };
        let change = RegistryChange::new(KIND, &id, write).silent();
        let invite = serde_json::from_str(&entry.body).map_err(|_| broken())?;
        Ok(Some((invite, change)))
    }
}

fn digest(code: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(code.as_bytes()))
}

fn broken() -> Failure {
    Failure::new(Kind::Internal, "An invitation could not be made or read.")
}
