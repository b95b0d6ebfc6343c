//! Clinical knowledge and what follows from it, without a server.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod conditions;
mod differential;
mod knowledge;
mod measures;
mod medicines;
mod nothing_harmful_a6;
mod outcomes_a10;
mod screens;
mod sri;
mod support;
mod table;
mod trajectory;
