//! The store's terms that rooms above this one need to name records, to write
//! them, to put conditions, and to keep small documents beside them.

pub use crate::store::{Guard, Method, RegistryChange, RegistryEntry, RegistryWrite, ResourceKey};
