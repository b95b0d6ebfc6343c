//! What happened, append-only: the rows of one writer are a chain of hashes, so
//! that one that was removed, changed or moved is noticed.
//!
//! A writer is one run of one instance: instances do not queue for one another.
//! The first link of a chain names the newest other chain as it then was, so
//! that no chain vanishes as a whole.

use sha2::{Digest, Sha256};

use super::StoreError;

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
    pub hash: String,
}

/// A chain as its writer left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    pub began: i64,
    /// The newest other chain when this one began.
    pub after: Option<ChainPlace>,
    pub end: ChainPlace,
}

impl Chain {
    pub fn begin(began: i64, after: Option<ChainPlace>) -> Self {
        let writer = uuid::Uuid::now_v7().simple().to_string();
        let hash = seed(&writer, began, after.as_ref());
        Self {
            began,
            after,
            end: ChainPlace {
                writer,
                position: 0,
                hash,
            },
        }
    }

    /// The chain before its first row.
    pub fn start(&self) -> ChainPlace {
        ChainPlace {
            writer: self.end.writer.clone(),
            position: 0,
            hash: seed(&self.end.writer, self.began, self.after.as_ref()),
        }
    }

    pub fn append(&mut self, made: i64, row: AuditRow) -> AuditEntry {
        self.end.append(made, row)
    }
}

impl ChainPlace {
    /// Moves behind the row and says how it is kept.
    pub fn append(&mut self, made: i64, row: AuditRow) -> AuditEntry {
        self.position += 1;
        self.hash = hash(&[
            self.hash.as_bytes(),
            &made.to_be_bytes(),
            row.record.as_bytes(),
        ]);
        AuditEntry {
            position: self.position,
            made,
            record: row.record,
            hash: self.hash.clone(),
        }
    }
}

fn seed(writer: &str, began: i64, after: Option<&ChainPlace>) -> String {
    let began = began.to_be_bytes();
    match after {
        None => hash(&[writer.as_bytes(), &began]),
        Some(after) => hash(&[
            writer.as_bytes(),
            &began,
            after.writer.as_bytes(),
            &after.position.to_be_bytes(),
            after.hash.as_bytes(),
        ]),
    }
}

/// Unambiguous: each part is preceded by its length.
fn hash(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let bytes = digest.finalize();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
