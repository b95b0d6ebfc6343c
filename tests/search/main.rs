//! Search without a store: extraction, queries and plans.
//! <https://hl7.org/fhir/R4/search.html>
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::print_stderr, clippy::string_slice)]

mod ask;
mod brought;
mod chains;
mod dates;
mod definitions;
mod found;
mod includes;
mod judge;
mod modifier_samples;
mod modifiers;
mod naive;
mod plans;
mod quantities;
mod queries;
mod random;
mod sorted;
mod values;
mod world;
