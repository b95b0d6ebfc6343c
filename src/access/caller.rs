//! Who is asking. Internal work names itself too: there is no anonymous door.

/// Until tokens exist there are only callers on this machine; the server binds
/// to nothing but loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Somebody who reached the loopback address.
    Local,
    /// `unloop import`
    Import,
    /// `unloop export`
    Export,
    /// `unloop demo`, when it seeds its cohort
    Demo,
}
