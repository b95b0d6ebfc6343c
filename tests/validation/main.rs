//! What the input check accepts and refuses, held against the specification.
//! <https://hl7.org/fhir/R4/validation.html>
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::print_stderr)]

mod bindings;
mod cardinality;
mod examples;
mod mutations;
mod primitives;
mod references;
mod structure;
mod support;
