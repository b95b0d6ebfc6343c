//! Search without a store: extraction, queries and plans.
//! <https://hl7.org/fhir/R4/search.html>

mod dates;
mod definitions;
mod found;
mod includes;
mod judge;
mod plans;
mod quantities;
mod queries;
