//! Links between resources as conditions on the row `r`. Each subquery stands
//! by itself: the `r` inside is the resource at the other end.

use super::dialect::{Dialect, Reach};
use super::filter::{Part, Rows, write_rows};
use super::statement::Sql;
use crate::store::{Filter, Link, StoreError};

/// The condition on the resource at the other end, and the scope it must be in.
pub struct Far<'p> {
    pub scope: &'p Filter,
    pub filter: &'p Filter,
}

/// The two directions of a link.
pub enum Linked<'p> {
    To(Link, Far<'p>),
    By(Link, Far<'p>),
}

impl<'p> Linked<'p> {
    /// `None` where the filter is no link.
    pub fn of(part: Part<'p>) -> Option<Self> {
        let far = |filter: &'p Filter| Far {
            scope: part.scope,
            filter,
        };
        match part.filter {
            Filter::RefersTo { by, to } => Some(Self::To(*by, far(to))),
            Filter::ReferredBy { by, from } => Some(Self::By(*by, far(from))),
            _ => None,
        }
    }

    /// Appends the test on `r`.
    pub fn write(
        &self,
        dialect: &dyn Dialect,
        sql: &mut Sql,
        reach: Reach,
    ) -> Result<(), StoreError> {
        match self {
            Self::To(Link::Owner, far) => {
                let mut owners = Sql::new("SELECT r.identity");
                far.write(dialect, &mut owners)?;
                write_among(dialect, sql, "r.owner", owners);
                Ok(())
            }
            Self::To(Link::Key(key), far) => dialect.has_key_to(sql, *key, far, reach),
            Self::By(Link::Owner, far) => {
                let mut identities = Sql::new("SELECT r.owner");
                far.write(dialect, &mut identities)?;
                write_among(dialect, sql, "r.identity", identities);
                Ok(())
            }
            Self::By(Link::Key(key), far) => {
                let mut identities = Sql::default();
                dialect.keys_of(&mut identities, *key, far)?;
                write_among(dialect, sql, "r.identity", identities);
                Ok(())
            }
        }
    }

    /// Appends a `SELECT` of the rids that the link leads to, for a store
    /// that lets one condition lead; the facts stand in a table there.
    pub fn write_rids(&self, dialect: &dyn Dialect, sql: &mut Sql) -> Result<(), StoreError> {
        match self {
            Self::To(Link::Owner, far) => {
                sql.sql("SELECT r.rid FROM (SELECT r.identity AS far");
                far.write(dialect, sql)?;
                // SQLite keeps the order of a CROSS JOIN.
                sql.sql(") s CROSS JOIN resource r WHERE r.owner = s.far");
            }
            Self::To(Link::Key(key), far) => {
                sql.sql("SELECT k.rid FROM resource_key k WHERE k.key IN (");
                far.write_keys(dialect, sql, key.0)?;
                sql.sql(")");
            }
            Self::By(..) => {
                sql.sql("SELECT r.rid FROM resource r WHERE ");
                self.write(dialect, sql, Reach::Open)?;
            }
        }
        Ok(())
    }
}

fn write_among(dialect: &dyn Dialect, sql: &mut Sql, column: &'static str, numbers: Sql) {
    let [begin, end] = dialect.among(!numbers.is_open());
    sql.sql(column).sql(begin).append(numbers).sql(end);
}

impl Far<'_> {
    /// Appends ` FROM resource r WHERE …`.
    pub fn write(&self, dialect: &dyn Dialect, sql: &mut Sql) -> Result<(), StoreError> {
        write_rows(dialect, sql, [self.scope, self.filter], Rows::All)
    }

    /// Appends a `SELECT` of the facts by which others refer to the resources.
    pub fn write_keys(
        &self,
        dialect: &dyn Dialect,
        sql: &mut Sql,
        key: i64,
    ) -> Result<(), StoreError> {
        sql.sql("SELECT ");
        dialect.exclusive_or(sql, key, "r.identity");
        self.write(dialect, sql)
    }
}
