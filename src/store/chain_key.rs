//! The key of a chain of the audit trail: whoever has the database and not the
//! key makes no hashes that fit. <https://www.rfc-editor.org/rfc/rfc2104>

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;

/// Hex digits of a key's name.
const NAME: usize = 8;

/// Shows nothing of itself but its name.
#[derive(Clone)]
pub struct ChainKey {
    key: hmac::Key,
    name: String,
}

impl ChainKey {
    /// The bytes are derived for this use alone.
    pub fn new(bytes: &[u8; 32]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let named = hmac::sign(&key, b"name");
        let name = HEXLOWER.encode(named.as_ref()).chars().take(NAME).collect();
        Self { key, name }
    }

    /// Tells keys apart; nothing of the key follows from it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A chain under this key says so in its writer's name, which every hash of
    /// the chain covers. Names of runs grow with time, and so do those of writers.
    pub(super) fn writer(&self, run: &str) -> String {
        format!("{run}-k{}", self.name)
    }

    /// Unambiguous: each part is preceded by its length.
    pub(super) fn sign(&self, parts: &[&[u8]]) -> String {
        let mut signing = hmac::Context::with_key(&self.key);
        for part in parts {
            signing.update(&(part.len() as u64).to_be_bytes());
            signing.update(part);
        }
        HEXLOWER.encode(signing.sign().as_ref())
    }
}

/// The name of the key under which a writer has made its chain; `None`: none.
pub(super) fn key_name(writer: &str) -> Option<&str> {
    let (_, name) = writer.split_once("-k")?;
    (name.len() == NAME).then_some(name)
}

impl PartialEq for ChainKey {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ChainKey({})", self.name)
    }
}
