//! What the engine asks of whoever decides on access.

use super::audit::Actor;
use super::outcome::Failure;
use crate::store::Scope;

/// What is about to happen, in the letters of SMART scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    Create,
    /// read, vread, instance history
    Read,
    Update,
    Delete,
    /// search, type and system history
    Search,
}

impl Permission {
    pub const ALL: [Self; 5] = [
        Self::Create,
        Self::Read,
        Self::Update,
        Self::Delete,
        Self::Search,
    ];
}

/// How it is found whether a caller may have one resource that it names by its id.
#[derive(Clone, Debug)]
pub enum Sight {
    /// By the index rows that the store keeps.
    ByRows(Scope),
    /// By what the resource says itself: its index rows may be of yesterday.
    ByContent(Scope),
}

/// One caller's rights. The engine asks for every interaction, entry by entry,
/// and passes the scope on to the store with every question.
pub trait Authority: Send + Sync {
    /// All rows, of whatever type, with which the caller may do this; a refusal
    /// where it may do it with no row of the type (`None`: of any type).
    fn scope(&self, permission: Permission, resource_type: Option<&str>) -> Result<Scope, Failure>;

    /// The same for a resource that is asked for by its id.
    fn sight(&self, permission: Permission, resource_type: &str) -> Result<Sight, Failure> {
        self.scope(permission, Some(resource_type))
            .map(Sight::ByRows)
    }

    /// The AuditEvents in which this caller may see who has had to do with a
    /// patient's records; a refusal where that is not this one's to know.
    fn trail(&self, _patient: &str) -> Result<Scope, Failure> {
        self.scope(Permission::Search, Some("AuditEvent"))
    }

    /// Tells this caller from all others: what one was given, such as the
    /// place in a search, another cannot use.
    fn identity(&self) -> &str;

    /// Who this is, for the audit trail.
    fn actor(&self) -> Actor;
}
