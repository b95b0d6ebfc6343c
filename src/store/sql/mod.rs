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

pub use dialect::{Dialect, Lead, Leader, Reach};
pub use filter::Part;
pub use link::{Far, Linked};
pub use statement::{Bind, Sql, Statement};
