//! FHIRPath against the official cases, and the invariants of R4 that are
//! written in it against the official examples.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::print_stderr, clippy::print_stdout)]

mod bounds;
mod exceptions;
mod invariants;
mod official;
mod shared;
mod violations;
