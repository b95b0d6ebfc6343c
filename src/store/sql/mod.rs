//! SQL that both stores speak: what a plan asks for, written once.
//!
//! A [`Sql`] collects text and binds, [`Dialect`] names the few places where
//! the stores differ, and the rest of this room turns plans into statements.
//!
//! Architecture invariant: nothing here opens a connection.

pub mod audit;
pub mod compare;
pub mod dialect;
pub mod filter;
pub mod history;
pub mod link;
pub mod order;
pub mod registry;
pub mod reindex;
pub mod row;
pub mod select;
pub mod statement;

use crate::store::StoreError;

pub use dialect::{Dialect, Lead, Leader, Reach};
pub use filter::Part;
pub use link::{Far, Linked};
pub use statement::{Bind, Sql, Statement};

/// A database with migrations that the program does not know is of a newer one, which
/// may keep things in ways that this one would break.
pub fn refuse_unknown(applied: &[String], known: &[String]) -> Result<(), StoreError> {
    let unknown = applied.iter().filter(|version| !known.contains(version));
    let unknown: Vec<&str> = unknown.map(String::as_str).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(StoreError::Unavailable(format!(
        "it was written by a newer version of unloop (this one does not know its migrations \
         {}); start that version, or restore a backup from before the upgrade",
        unknown.join(", ")
    )))
}
