//! Small documents by kind and id that are no resources, and the one number
//! that tells whether any of them has changed. What they mean is decided above.

use sha2::{Digest, Sha256};

use super::{AuditRow, Commit, Conflict, StoreError};

/// Names one entry: a kind, and an id within it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegistryKey {
    pub kind: String,
    pub id: String,
}

/// An entry as it stands. `version` is another number after every change, also
/// after it was removed and made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryEntry {
    pub key: RegistryKey,
    pub version: i64,
    pub body: String,
    /// Microseconds since 1970. From then on the entry is as good as absent.
    pub expires: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryWrite {
    /// Refused where the entry exists. Of many at the same time, one succeeds.
    Insert { body: String, expires: Option<i64> },
    /// Refused where the entry is absent or has another version.
    Replace {
        version: i64,
        body: String,
        expires: Option<i64>,
    },
    /// With a version: refused where the entry is absent or has another one.
    /// Without: also done where nothing is.
    Delete { version: Option<i64> },
    /// Removes an entry that has expired, and no other.
    Purge,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryChange {
    pub key: RegistryKey,
    pub write: RegistryWrite,
    /// Nobody's access depends on it, so the epoch stays.
    pub silent: bool,
}

impl RegistryChange {
    pub fn new(kind: &str, id: &str, write: RegistryWrite) -> Self {
        Self {
            key: RegistryKey {
                kind: kind.to_owned(),
                id: id.to_owned(),
            },
            write,
            silent: false,
        }
    }

    pub fn silent(self) -> Self {
        Self {
            silent: true,
            ..self
        }
    }
}

/// How many expired entries are removed with one commit.
const PURGED: usize = 500;

#[async_trait::async_trait]
pub trait Registry: Send + Sync {
    /// The entry, unless it has expired.
    async fn get(&self, kind: &str, id: &str) -> Result<Option<RegistryEntry>, StoreError>;

    /// All entries of a kind that have not expired, by id.
    async fn list(&self, kind: &str) -> Result<Vec<RegistryEntry>, StoreError>;

    /// All of them or none; a refusal is [`StoreError::Registry`].
    async fn change(&self, changes: Vec<RegistryChange>) -> Result<(), StoreError> {
        self.change_told(changes, Vec::new()).await
    }

    /// The same, with what the audit trail has to say of it in the same commit.
    async fn change_told(
        &self,
        changes: Vec<RegistryChange>,
        told: Vec<AuditRow>,
    ) -> Result<(), StoreError>;

    /// Another number than before wherever a commit has changed an entry that
    /// is not silent, or says so itself ([`Commit::touches_access`]).
    async fn epoch(&self) -> Result<i64, StoreError>;

    /// Some of the entries that have expired.
    async fn expired(&self, limit: usize) -> Result<Vec<RegistryKey>, StoreError>;

    /// Removes what has expired, and says how much that was.
    async fn purge(&self) -> Result<usize, StoreError> {
        let mut purged = 0;
        loop {
            let expired = self.expired(PURGED).await?;
            let some = expired.len();
            if some == 0 {
                return Ok(purged);
            }
            let remove = |key| RegistryChange {
                key,
                write: RegistryWrite::Purge,
                silent: true,
            };
            self.change(expired.into_iter().map(remove).collect())
                .await?;
            purged += some;
        }
    }
}

impl RegistryKey {
    /// A lock that only changes of this entry take (or, once in 2^64, of another).
    pub fn lock(&self) -> i64 {
        let mut digest = Sha256::new();
        digest.update((self.kind.len() as u64).to_be_bytes());
        digest.update(self.kind.as_bytes());
        digest.update(self.id.as_bytes());
        let mut head = [0; 8];
        for (to, from) in head.iter_mut().zip(digest.finalize()) {
            *to = from;
        }
        i64::from_be_bytes(head)
    }
}

impl RegistryEntry {
    pub fn is_live(&self, now: i64) -> bool {
        self.expires.is_none_or(|expires| expires > now)
    }
}

/// Why a write may not happen, by what stands under its key.
pub fn refusal(
    write: &RegistryWrite,
    current: Option<&RegistryEntry>,
    now: i64,
) -> Option<Conflict> {
    let current = current
        .filter(|current| current.is_live(now))
        .map(|current| current.version);
    match write {
        RegistryWrite::Insert { .. } => current.map(|_| Conflict::Exists),
        RegistryWrite::Replace { version, .. }
        | RegistryWrite::Delete {
            version: Some(version),
        } => (current != Some(*version)).then_some(Conflict::Version { current }),
        RegistryWrite::Delete { version: None } | RegistryWrite::Purge => None,
    }
}

impl Commit {
    /// Changes of the registry, and what the audit trail has to say of them.
    pub fn of_registry(registry: Vec<RegistryChange>, audit: Vec<AuditRow>) -> Self {
        Self {
            registry,
            audit,
            ..Self::default()
        }
    }

    /// Whether anything becomes durable with it, if it is not refused.
    pub fn is_writing(&self) -> bool {
        !(self.changes.is_empty()
            && self.outbox.is_empty()
            && self.registry.is_empty()
            && self.audit.is_empty()
            && !self.touches_access)
    }

    /// Whether the epoch moves with this commit.
    pub fn moves_epoch(&self) -> bool {
        self.touches_access || self.registry.iter().any(|change| !change.silent)
    }
}
