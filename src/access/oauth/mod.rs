//! The authorization server: clients, their proofs, their tokens.
//! <https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html>

mod assertion;
mod cds_client;
mod client;
mod error;
mod form;
mod metadata;
mod proof;
pub mod scope;
mod server;
mod told;

pub use cds_client::CdsClient;
pub use client::{Client, Clients, NewClient};
pub use error::OAuthError;
pub use form::Form;
pub use server::{AuthorizationServer, INVITE, Place};
pub use told::{Asked, Told};
