//! Who is asking, and what they may touch.

pub mod caller;
pub mod compartment;
pub mod fresh;
pub mod gate;
pub mod grant;
pub mod issuer;
pub mod label;
pub mod oauth;
pub mod outbound;
pub mod policy;
mod public;
pub mod rights;
pub mod scope;
pub mod token;
mod views;

pub use caller::{Bearer, Caller, Internal, Subject};
pub use rights::{GrantTerms, Holder, Rights};
