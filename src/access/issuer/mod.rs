//! Those whose tokens count: identity providers by their published keys, and
//! this service by its own.

mod built_in;
mod external;
mod freshness;
mod key_ring;
mod listed;
mod published;
mod secret;

pub use built_in::{BuiltIn, Issued, MAX_TTL, SHORT, TokenTerms};
pub use external::External;
pub use key_ring::KeyState;
pub use listed::{ListedToken, Tokens};
pub use published::{Pace, Place, Published};
pub use secret::{MIN_SECRET, Secret, derived};
