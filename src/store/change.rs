//! A write as data: what should be stored, and under which condition.

use super::audit::AuditRow;
use super::plan::SearchPlan;
use super::registry::RegistryChange;

/// Names one resource: `Patient/123`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceKey {
    pub resource_type: String,
    pub id: String,
}

impl ResourceKey {
    pub fn new(resource_type: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            resource_type: resource_type.into(),
            id: id.into(),
        }
    }
}

impl std::fmt::Display for ResourceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.resource_type, self.id)
    }
}

/// One searchable fact, hashed above the port (`fhir::search::key`): equality
/// of keys is equality of facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexKey(pub i64);

/// The form in which a program makes [`IndexRows`]. What one form finds,
/// another may not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexForm(pub i64);

/// What makes a document findable. All values are normalised above the port.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IndexRows {
    /// What the owners and the links of other documents call this one.
    pub identity: Option<IndexKey>,
    /// The one patient the document belongs to, where its type allows only one.
    pub owner: Option<IndexKey>,
    /// The document's clinical time in microseconds since 1970, both ends inclusive.
    pub moment: Option<(i64, i64)>,
    /// Facts that are searched by equality (token, reference, uri).
    pub keys: Vec<IndexKey>,
    /// `(parameter, folded text)`.
    pub texts: Vec<(IndexKey, String)>,
    /// `(parameter, low, high)`, both ends inclusive: dates in microseconds,
    /// numbers as integers of the same order.
    pub ranges: Vec<(IndexKey, i64, i64)>,
    /// `(name, value)` for ordering; values compare bytewise. A name stands once.
    pub order: Vec<(String, String)>,
}

/// How a version came to be; kept for the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Post,
    Put,
    Patch,
    Delete,
}

/// The condition under which a change may happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Guard {
    /// Unconditional: the last writer wins.
    None,
    /// The identity was made by this service just now and cannot exist yet.
    New,
    /// No live or deleted resource has this identity.
    Absent,
    /// The current version, live, is this one.
    VersionIs(i64),
    /// Nothing matches the plan. Two commits that share a lock are judged one
    /// after the other, so the check cannot be raced.
    NoMatch {
        plan: Box<SearchPlan>,
        locks: Vec<i64>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// The document's body; see `fhir::resource` for its form. Opaque here.
    Put {
        body: String,
        index: IndexRows,
    },
    Delete,
    /// Nothing: the guard alone matters. Whoever judged by a resource it does
    /// not write makes sure that it still stands as it was read.
    Keep,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub key: ResourceKey,
    pub method: Method,
    pub guard: Guard,
    pub write: Write,
}

/// A message that must become durable together with the changes.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxRow {
    pub topic: String,
    pub payload: String,
}

/// All or nothing. A [`ResourceKey`] may stand in one change only, and so may
/// the key of an entry of the registry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Commit {
    pub changes: Vec<Change>,
    pub outbox: Vec<OutboxRow>,
    pub registry: Vec<RegistryChange>,
    /// Somebody's access may depend on what is written: the epoch moves.
    pub touches_access: bool,
    /// What happened, durable with the rest.
    pub audit: Vec<AuditRow>,
}

/// What a change did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The resource did not exist, or was deleted, before.
    Created,
    Updated,
    Deleted,
    /// A delete of something absent or already deleted: no version was made.
    Nothing,
}

/// The result of one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    pub version: i64,
    /// Microseconds since 1970; grows with every commit, on all instances together.
    pub updated: i64,
    pub effect: Effect,
}

/// One stored version. `body` is `None` where the version is a deletion.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub key: ResourceKey,
    pub version: i64,
    pub updated: i64,
    pub method: Method,
    pub body: Option<String>,
}
