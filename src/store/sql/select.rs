//! The questions on current versions.

use diesel::sql_types::BigInt;

use super::dialect::Dialect;
use super::filter::{Rows, is_unconditional, write_each, write_rows};
use super::order::Order;
use super::row::{FoundSql, KeyedSql};
use super::statement::{Sql, Statement};
use crate::store::{ResourceKey, Scope, SearchPlan, StoreError};

/// The rows of one page and one more, which tells whether there are more.
pub fn search(dialect: &dyn Dialect, plan: &SearchPlan) -> Result<Statement<FoundSql>, StoreError> {
    let order = Order::new(dialect, plan);
    let mut sql = Sql::new(
        "SELECT r.type, r.id, r.version, r.updated, r.method, r.body, \
         r.moment_low, r.moment_high, ",
    );
    order.write_place(&mut sql);
    write_from(dialect, &mut sql, plan)?;
    if let Some(place) = &plan.after {
        sql.sql(" AND ");
        order.write_behind(&mut sql, place)?;
    }
    order.write_order(&mut sql);
    write_limit(&mut sql, plan.limit);
    Ok(sql.rows_of_client())
}

/// How many rows the plan has in all.
pub fn count(dialect: &dyn Dialect, plan: &SearchPlan) -> Result<Statement<BigInt>, StoreError> {
    let mut sql = Sql::new("SELECT count(*)");
    write_from(dialect, &mut sql, plan)?;
    Ok(sql.rows_of_client())
}

/// One row where the plan has any.
pub fn matches(dialect: &dyn Dialect, plan: &SearchPlan) -> Result<Statement<BigInt>, StoreError> {
    let mut sql = Sql::new("SELECT CAST(1 AS BIGINT)");
    write_from(dialect, &mut sql, plan)?;
    sql.sql(" LIMIT 1");
    Ok(sql.rows_of_client())
}

/// Current versions by key, each with the number (from 1) of its key.
pub fn read(
    dialect: &dyn Dialect,
    scope: &Scope,
    keys: &[ResourceKey],
) -> Result<Statement<KeyedSql>, StoreError> {
    let mut sql = Sql::new("SELECT ");
    match keys {
        [key] => {
            sql.sql(
                "CAST(1 AS BIGINT), r.type, r.id, r.version, r.updated, r.method, r.body \
                 FROM resource r WHERE r.type = ",
            );
            sql.text(key.resource_type.as_str());
            sql.sql(" AND r.id = ").text(key.id.as_str());
        }
        keys => {
            sql.sql(
                "w.n, r.type, r.id, r.version, r.updated, r.method, r.body \
                 FROM ",
            );
            dialect.key_table(&mut sql, keys);
            // SQLite keeps the order of a CROSS JOIN: keys first.
            sql.sql(" CROSS JOIN resource r WHERE r.type = w.type AND r.id = w.id");
        }
    }
    let mut types: Vec<&str> = keys.iter().map(|key| key.resource_type.as_str()).collect();
    types.sort_unstable();
    types.dedup();
    write_scope(dialect, &mut sql, &scope.within(&types))?;
    Ok(sql.rows_of_client())
}

/// Appends ` AND …` for rows that were found by something else already. A
/// deletion is in scope only where nothing is asked.
pub fn write_scope(dialect: &dyn Dialect, sql: &mut Sql, scope: &Scope) -> Result<(), StoreError> {
    if !is_unconditional(scope.filter()) {
        sql.sql(" AND r.body IS NOT NULL AND ");
        write_each(dialect, sql, scope.filter())?;
    }
    Ok(())
}

pub fn write_limit(sql: &mut Sql, limit: usize) {
    let rows = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    sql.sql(" LIMIT ").big(rows);
}

fn write_from(dialect: &dyn Dialect, sql: &mut Sql, plan: &SearchPlan) -> Result<(), StoreError> {
    write_rows(
        dialect,
        sql,
        [plan.scope.filter(), &plan.filter],
        Rows::First,
    )
}
