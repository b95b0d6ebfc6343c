//! Who is asking, and what they may touch.

pub mod caller;
pub mod compartment;
pub mod fresh;
pub mod grant;
pub mod label;
pub mod policy;
pub mod rights;
pub mod scope;

pub use caller::{Bearer, Caller, Internal, Subject};
pub use rights::{GrantTerms, Holder, Rights};
