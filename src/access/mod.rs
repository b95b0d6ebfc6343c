//! Who is asking, and what they may touch.

pub mod caller;
pub mod policy;

pub use caller::Caller;
