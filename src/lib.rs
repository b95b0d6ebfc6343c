//! Unloop: FHIR R4 records for practices that treat OCD with ketamine.
//!
//! Read in this order: [`store`] (what is kept), [`fhir`] (what it means),
//! [`access`] (who may see it), [`http`] (how it is asked for), [`app`] (how
//! the pieces are put together). `ARCHITECTURE.md` has the map.

pub mod access;
pub mod app;
pub mod budget;
pub mod cds;
pub mod cli;
pub mod clinical;
pub mod config;
pub mod fhir;
pub mod http;
pub mod store;
pub mod telemetry;
