//! HTTP in, HTTP out. Parsing ends in `request.rs`; what a request means is
//! decided in [`crate::fhir`]; headers are made in `response.rs`.
//!
//! Architecture invariant: no SQL, no store types here.

pub mod auth;
pub mod binary;
mod budget;
mod burst;
mod cds;
mod content;
pub mod gate;
pub mod health;
pub mod media;
pub mod observe;
mod offload;
pub mod openapi;
pub mod protect;
pub mod rate;
pub mod request;
pub mod response;
pub mod routes;
