//! Tokens that were believed already, because a signature costs more than a read.
//! A hit counts only under the keys that it was checked with.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

use super::{KeySet, Verified};

/// Tokens that are remembered. Each takes less than a kilobyte.
const MOST: usize = 8192;

type Digest = [u8; 32];

#[derive(Default)]
pub struct Cache(Mutex<HashMap<Digest, Known>>);

#[derive(Clone)]
pub struct Known {
    pub verified: Arc<Verified>,
    /// Which of the issuers it is.
    pub issuer: usize,
    pub keys: Arc<KeySet>,
}

impl Cache {
    pub fn digest(token: &str) -> Digest {
        Sha256::digest(token.as_bytes()).into()
    }

    pub fn get(&self, digest: &Digest) -> Option<Known> {
        self.lock().get(digest).cloned()
    }

    pub fn put(&self, digest: Digest, known: Known, now: i64) {
        let mut map = self.lock();
        if map.len() >= MOST {
            map.retain(|_, known| known.verified.expires > now);
        }
        if map.len() >= MOST {
            map.clear();
        }
        map.insert(digest, known);
    }

    pub fn forget(&self, digest: &Digest) {
        self.lock().remove(digest);
    }

    /// No step of a change can leave the map half done.
    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
