//! Who may see what, proven from outside: the rules of SMART scopes and of the
//! official compartments against the engine, on every store.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::string_slice
)]

#[path = "../api/support/database.rs"]
#[expect(dead_code, reason = "the tests of the API reach below their database")]
mod database;
mod support;

mod absent;
mod attacks;
mod compartments;
mod conditions;
mod cursors;
mod every_type;
mod grammar;
mod labels;
mod membership;
mod operations;
mod oracle;
mod path_links;
mod path_writes;
mod paths;
mod tokens;
mod two_worlds;
mod worlds;
mod writes;
