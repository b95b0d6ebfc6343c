//! What happened, append-only: the rows of one writer are a chain of hashes, so
//! that one that was removed, changed or moved is noticed.
//!
//! A writer is one run of one instance: instances do not queue for one another.
//! The first link of a chain names the newest other chain as it then was, so
//! that no chain vanishes as a whole.
//!
//! Where there is a key, all hashes are made with it, and the place that is kept
//! of a chain is sealed: a row's own hash does not tell how the chain would be
//! kept if it ended there, so that nobody without the key cuts off its end.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::StoreError;
use super::chain_key::{ChainKey, key_name};

/// One thing that happened, as text that means nothing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    pub record: String,
}

/// A row as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// From 1, without gaps.
    pub position: i64,
    /// Microseconds since 1970.
    pub made: i64,
    pub record: String,
    pub hash: String,
}

/// A place in a chain; position 0 is before its first row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainPlace {
    pub writer: String,
    pub position: i64,
    /// With a key: the seal of the place.
    pub hash: String,
}

/// What a writer says that finds less of its chain than was durable.
pub const PUT_BACK: &str = "the database was put back to an earlier state while it was in use; \
     what has ended since may be valid in it: start the service anew once that is seen to";

/// A chain as its writer left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    pub began: i64,
    /// The newest other chain when this one began.
    pub after: Option<ChainPlace>,
    pub end: ChainPlace,
}

impl ChainPlace {
    /// The name of the chain's key; `None`: it has none.
    pub fn key_name(&self) -> Option<&str> {
        key_name(&self.writer)
    }
}

impl Chain {
    /// As [`ChainPlace::key_name`].
    pub fn key_name(&self) -> Option<&str> {
        self.end.key_name()
    }

    /// Along the chain from before its first row; `None`: its key is not among these.
    pub fn walk(&self, keys: &[ChainKey]) -> Option<Walk> {
        let key = match self.key_name() {
            None => None,
            Some(name) => Some(keys.iter().find(|key| key.name() == name)?.clone()),
        };
        let writer = self.end.writer.clone();
        Some(Walk::start(key, writer, self.began, self.after.as_ref()))
    }
}

/// Goes along a chain row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Walk {
    key: Option<ChainKey>,
    writer: String,
    position: i64,
    /// Of the row here.
    hash: String,
}

impl Walk {
    fn start(
        key: Option<ChainKey>,
        writer: String,
        began: i64,
        after: Option<&ChainPlace>,
    ) -> Self {
        let began = began.to_be_bytes();
        let position = after.map_or(0, |after| after.position).to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![writer.as_bytes(), &began];
        if let Some(after) = after {
            parts.extend([
                after.writer.as_bytes(),
                position.as_slice(),
                after.hash.as_bytes(),
            ]);
        }
        let hash = hash(key.as_ref(), b"begin", &parts);
        Self {
            key,
            writer,
            position: 0,
            hash,
        }
    }

    pub fn writer(&self) -> &str {
        &self.writer
    }

    pub fn position(&self) -> i64 {
        self.position
    }

    /// Moves behind the row and says how it is kept.
    pub fn append(&mut self, made: i64, row: AuditRow) -> AuditEntry {
        self.position += 1;
        let parts = [
            self.hash.as_bytes(),
            &made.to_be_bytes(),
            row.record.as_bytes(),
        ];
        self.hash = hash(self.key.as_ref(), b"row", &parts);
        AuditEntry {
            position: self.position,
            made,
            record: row.record,
            hash: self.hash.clone(),
        }
    }

    /// Moves behind a row as it stands, whether it fits or not.
    pub fn skip_to(&mut self, row: &AuditEntry) {
        self.position = row.position;
        self.hash.clone_from(&row.hash);
    }

    /// The chain's end, if it ended here.
    pub fn end(&self) -> ChainPlace {
        let hash = match &self.key {
            None => self.hash.clone(),
            Some(key) => key.sign(&[
                b"end",
                self.writer.as_bytes(),
                &self.position.to_be_bytes(),
                self.hash.as_bytes(),
            ]),
        };
        ChainPlace {
            writer: self.writer.clone(),
            position: self.position,
            hash,
        }
    }
}

/// A chain while its writer appends to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Growing {
    began: i64,
    after: Option<ChainPlace>,
    walk: Walk,
}

impl Growing {
    /// A new chain behind the newest there is. Behind one with a key none
    /// without begins: nobody could tell it from a made-up one.
    pub fn begin(
        key: Option<&ChainKey>,
        began: i64,
        newest: Option<Chain>,
    ) -> Result<Self, StoreError> {
        let sealed = newest.as_ref().is_some_and(|it| it.key_name().is_some());
        if sealed && key.is_none() {
            return Err(StoreError::Unavailable(
                "the audit trail is kept under UNLOOP_SECRET, which is not set".to_owned(),
            ));
        }
        let run = uuid::Uuid::now_v7().simple().to_string();
        let writer = key.map_or_else(|| run.clone(), |key| key.writer(&run));
        let after = newest.map(|newest| newest.end);
        let walk = Walk::start(key.cloned(), writer, began, after.as_ref());
        Ok(Self { began, after, walk })
    }

    pub fn append(&mut self, made: i64, row: AuditRow) -> AuditEntry {
        self.walk.append(made, row)
    }

    pub fn writer(&self) -> &str {
        &self.walk.writer
    }

    /// Where it ends, without its seal.
    pub fn end_place(&self) -> ChainPlace {
        ChainPlace {
            writer: self.walk.writer.clone(),
            position: self.walk.position,
            hash: String::new(),
        }
    }

    /// The chain as it is kept.
    pub fn kept(&self) -> Chain {
        Chain {
            began: self.began,
            after: self.after.clone(),
            end: self.walk.end(),
        }
    }
}

/// Without a key as the first version of the trail made it: what is kept must
/// fit for ever.
fn hash(key: Option<&ChainKey>, label: &[u8], parts: &[&[u8]]) -> String {
    match key {
        Some(key) => key.sign(&[&[label], parts].concat()),
        None => {
            // Unambiguous: each part is preceded by its length.
            let mut digest = Sha256::new();
            for part in parts {
                digest.update((part.len() as u64).to_be_bytes());
                digest.update(part);
            }
            HEXLOWER.encode(&digest.finalize())
        }
    }
}

#[async_trait::async_trait]
pub trait AuditTrail: Send + Sync {
    /// Every chain, the oldest first.
    async fn chains(&self) -> Result<Vec<Chain>, StoreError>;

    /// The rows of a chain behind a position, in order.
    async fn chain(
        &self,
        writer: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError>;
}
