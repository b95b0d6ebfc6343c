//! Diesel's and SQLite's errors as the port's, in one place.

use diesel::ConnectionError;
use diesel::result::{DatabaseErrorKind, Error};

use crate::budget::BudgetExceeded;
use crate::store::StoreError;

/// Messages of SQLite that mean that the file itself is wrong.
const BROKEN: [&str; 2] = ["file is not a database", "database disk image is malformed"];

/// What SQLite says of a statement that was ended.
const INTERRUPTED: &str = "interrupted";

pub fn store_error(error: Error) -> StoreError {
    match error {
        Error::DatabaseError(DatabaseErrorKind::Unknown, info) => from_message(info.message()),
        Error::BrokenTransactionManager | Error::AlreadyInTransaction | Error::NotInTransaction => {
            StoreError::Unavailable(error.to_string())
        }
        other => StoreError::Corrupt(one_line(&other.to_string())),
    }
}

pub fn connection_error(error: ConnectionError) -> StoreError {
    from_message(&error.to_string())
}

/// Whether another connection holds what this one needs.
pub fn is_busy(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(message) if message.contains("locked"))
}

pub fn from_message(message: &str) -> StoreError {
    let text = one_line(message);
    if text == INTERRUPTED {
        return StoreError::Exceeded(BudgetExceeded::Statement);
    }
    if BROKEN.iter().any(|broken| text.contains(broken)) {
        StoreError::Corrupt(text)
    } else {
        StoreError::Unavailable(text)
    }
}

fn one_line(message: &str) -> String {
    message.lines().collect::<Vec<_>>().join(" ")
}
