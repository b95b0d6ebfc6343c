//! Bearer tokens: what a header brings becomes a [`Verified`], or a refusal.
//! <https://www.rfc-editor.org/rfc/rfc8725> (best practices that this follows)

pub mod bearer;
mod cache;
pub mod claims;
pub mod jwk;
pub mod jws;
mod refusal;
mod verified;
mod verify;

pub use jwk::{Key, KeySet};
pub use refusal::Refusal;
pub use verified::Verified;
pub use verify::{Issuer, Now, Verifier};
