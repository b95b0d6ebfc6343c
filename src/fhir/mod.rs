//! FHIR R4 (4.0.1): what a request means, in terms of the store's port.
//!
//! Architecture invariant: no actix, no Diesel, no psychiatry in here.

pub mod admission;
pub mod answer;
pub mod audit;
pub mod authority;
pub mod bundle;
pub mod cursor;
pub mod definitions;
pub mod engine;
pub mod fhirpath;
pub mod index;
pub mod interaction;
pub mod json;
pub mod judge;
pub mod link;
pub mod literal_reference;
pub mod mark;
pub mod operation;
pub mod outcome;
pub mod record;
pub mod request;
pub mod resource;
pub mod rule;
pub mod search;
pub mod validate;
pub mod view;
pub mod write_error;
