//! Where SQLite says it differently: lists travel as one JSON text, so that
//! their length neither changes the statement nor meets the limit on binds.

use std::cell::RefCell;

use diesel::sql_types::BigInt;
use diesel::{RunQueryDsl, SqliteConnection};

use super::error::store_error;
use super::lead;
use crate::store::sql::{Dialect, Far, Lead, Leader, Part, Reach, Sql, compare};
use crate::store::{IndexKey, ResourceKey, StoreError};

/// With a connection it can ask what leads to the fewest rows: SQLite's own
/// planner knows nothing of how often a fact stands.
#[derive(Default)]
pub struct SqliteDialect<'c> {
    probe: Option<RefCell<&'c mut SqliteConnection>>,
}

impl<'c> SqliteDialect<'c> {
    /// How many rows a question has, counted no further than `most`; all of
    /// them where there is no connection to ask.
    pub fn count(&self, mut sql: Sql, most: i64) -> Result<i64, StoreError> {
        let Some(connection) = &self.probe else {
            return Ok(most);
        };
        sql.sql(" LIMIT ").big(most).sql(")");
        sql.rows_of_client::<BigInt>()
            .get_result(&mut **connection.borrow_mut())
            .map_err(store_error)
    }

    pub fn probing(connection: &'c mut SqliteConnection) -> Self {
        Self {
            probe: Some(RefCell::new(connection)),
        }
    }
}

impl Dialect for SqliteDialect<'_> {
    fn lead(&self, parts: &[Part<'_>]) -> Result<Lead, StoreError> {
        match &self.probe {
            Some(_) => lead::choose(self, parts),
            None => Ok(Lead::Open),
        }
    }

    fn leads_a_history(&self, keys: &[IndexKey]) -> Result<bool, StoreError> {
        match &self.probe {
            Some(_) => lead::are_few(self, keys),
            None => Ok(false),
        }
    }

    fn orders_joins(&self) -> bool {
        false
    }

    fn resource(&self, lead: Lead) -> &'static str {
        match lead {
            Lead::Open | Lead::Few => "resource r",
            Lead::Owner => "resource r INDEXED BY resource_owner",
            Lead::Moment => "resource r INDEXED BY resource_moment",
            // By rowid, which is no index in this sense.
            Lead::Part(_) => "resource r NOT INDEXED",
        }
    }

    fn write_leader(
        &self,
        sql: &mut Sql,
        leader: Leader<'_>,
        _types: &[String],
    ) -> Result<(), StoreError> {
        sql.sql("r.rid IN (");
        match leader {
            Leader::Is(comparison) => compare::write_rids(self, sql, comparison),
            Leader::Ranges(ranges) => compare::write_range_rids(sql, ranges),
            Leader::Link(linked) => linked.write_rids(self, sql)?,
        }
        sql.sql(")");
        Ok(())
    }

    fn one_of_numbers(&self, sql: &mut Sql, column: &'static str, values: Vec<i64>) {
        write_one_of(sql, column, json(&values));
    }

    fn one_of_texts(&self, sql: &mut Sql, column: &'static str, values: Vec<String>) {
        write_one_of(sql, column, json(&values));
    }

    fn has_key(&self, sql: &mut Sql, keys: &[IndexKey], _reach: Reach) {
        sql.sql("EXISTS (SELECT 1 FROM resource_key k WHERE k.rid = r.rid AND ");
        compare::write_numbers(self, sql, "k.key", keys);
        sql.sql(")");
    }

    fn has_key_to(
        &self,
        sql: &mut Sql,
        key: IndexKey,
        far: &Far<'_>,
        _reach: Reach,
    ) -> Result<(), StoreError> {
        sql.sql("EXISTS (SELECT 1 FROM resource_key k WHERE k.rid = r.rid AND k.key IN (");
        far.write_keys(self, sql, key.0)?;
        sql.sql("))");
        Ok(())
    }

    fn keys_of(&self, sql: &mut Sql, key: IndexKey, far: &Far<'_>) -> Result<(), StoreError> {
        sql.sql("SELECT ");
        self.exclusive_or(sql, key.0, "k.key");
        sql.sql(" FROM resource_key k WHERE k.rid IN (SELECT r.rid");
        far.write(self, sql)?;
        sql.sql(")");
        Ok(())
    }

    /// SQLite has no operator for it: what stands in either and not in both.
    fn exclusive_or(&self, sql: &mut Sql, number: i64, column: &'static str) {
        sql.sql("((").big(number).sql(" | ").sql(column);
        sql.sql(") - (").big(number).sql(" & ").sql(column);
        sql.sql("))");
    }

    fn contains(&self, sql: &mut Sql, column: &'static str, text: &str) {
        sql.sql("instr(").sql(column).sql(", ").text(text);
        sql.sql(") > 0");
    }

    fn order_value(&self, sql: &mut Sql, names: &[String]) {
        let mut between = "coalesce(NULL, ";
        for name in names {
            sql.sql(between);
            write_order_value(sql, name);
            between = ", ";
        }
        sql.sql(")");
    }

    fn json_array(&self) -> &'static str {
        "json_array"
    }

    fn key_table(&self, sql: &mut Sql, keys: &[ResourceKey]) {
        let keys: Vec<_> = keys
            .iter()
            .map(|key| (&key.resource_type, &key.id))
            .collect();
        sql.sql(
            "(SELECT key + 1 AS n, value ->> 0 AS type, value ->> 1 AS id \
             FROM json_each(",
        );
        sql.text(json(&keys)).sql(")) w");
    }
}

fn write_one_of(sql: &mut Sql, column: &'static str, values: String) {
    sql.sql(column)
        .sql(" IN (SELECT value FROM json_each(")
        .text(values)
        .sql("))");
}

/// `->>` takes a name that does not look like a JSON path as it stands.
fn write_order_value(sql: &mut Sql, name: &str) {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.chars().all(is_plain) {
        sql.sql("r.ordering ->> ").text(name);
    } else {
        sql.sql("(SELECT o.value FROM json_each(r.ordering) o WHERE o.key = ");
        sql.text(name).sql(")");
    }
}

/// Strings, numbers and lists of them always have a JSON form.
pub fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
