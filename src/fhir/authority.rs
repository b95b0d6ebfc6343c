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

/// One caller's rights. The engine asks for every interaction, entry by entry,
/// and passes the scope on to the store with every question.
pub trait Authority: Send + Sync {
    /// All rows, of whatever type, with which the caller may do this; a refusal
    /// where it may do it with no row of the type (`None`: of any type).
    fn scope(&self, permission: Permission, resource_type: Option<&str>) -> Result<Scope, Failure>;

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
