//! Tokens: what is believed, what is refused, and where keys come from.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::string_slice)]

mod judge;
mod keys;
mod web;

mod bearer;
mod claims;
mod external;
mod token;
