//! The store's terms that rooms above this one need to name records, to write
//! them and to put conditions.

pub use crate::store::{Guard, Method, ResourceKey};
