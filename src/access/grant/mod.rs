//! Therapist grants: what an outside therapist may see of some patients, for
//! how long, and the FHIR Consent that it rests on.
//!
//! A token of a grant carries the grant's id and nothing else. Patients, scopes
//! and end are looked up with every request, so that revoking the grant, ending
//! the Consent or deactivating the Practitioner shuts every token out.

mod book;
mod consent;
mod invite;
mod model;

pub use book::{Grants, NewGrant};
pub use invite::{Invite, Invites};
pub use model::{Basis, Grant, Standing};
