//! The program as an operator has it: commands, settings, start and end.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::string_slice
)]

mod demo;
mod import;
mod import_b8;
mod knowledge;
mod lifecycle;
mod limits;
mod migrate;
mod nothing_harmful_b6;
mod nothing_harmful_c5;
mod nothing_harmful_d5;
mod reindex;
mod settings;
mod summary;
mod support;
mod synthea;
mod telemetry;
mod tokens;
mod trail;
