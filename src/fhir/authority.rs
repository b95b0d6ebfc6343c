//! What the engine asks of whoever decides on access.

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

/// One caller's rights. The engine asks for every interaction, entry by entry,
/// and passes the scope on to the store with every question.
pub trait Authority: Send + Sync {
    /// The rows the caller may touch, or a refusal of the interaction as a
    /// whole. `resource_type` is `None` for system-wide interactions.
    fn scope(&self, permission: Permission, resource_type: Option<&str>) -> Result<Scope, Failure>;
}
