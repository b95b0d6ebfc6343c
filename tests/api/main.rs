//! The REST API over real HTTP, each test on every store. One file per interaction.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::string_slice
)]

mod support;

mod create;
