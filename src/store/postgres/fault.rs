//! What an error of the database means for the commits in hand.

use diesel::result::{DatabaseErrorKind, Error};

use crate::store::StoreError;

#[derive(Debug)]
pub(super) enum Fault {
    /// Nothing was written, and another try may succeed.
    Again(String),
    /// The connection was lost with the commit under way.
    Unknown(String),
    /// There is no connection to be had, or no way to ask.
    Down(StoreError),
}

/// What the store itself refuses, another try does not mend.
impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Down(error)
    }
}

/// Before anything was written a lost connection can be replaced.
impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Again(error.to_string())
    }
}

impl Fault {
    /// Whether the server itself refused, so that the connection still stands.
    pub fn is_refusal(error: &Error) -> bool {
        !matches!(
            error,
            Error::DatabaseError(
                DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection,
                _
            ) | Error::BrokenTransactionManager
        )
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Again(reason) => Self::Unavailable(format!("gave up after retries: {reason}")),
            Fault::Unknown(reason) => Self::Unavailable(format!("fate unknown: {reason}")),
            Fault::Down(error) => error,
        }
    }
}

/// The text is for the log.
pub(super) fn unavailable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// The error and what led to it, in one line.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
