//! The statements of one write, put together as one.
//! <https://www.postgresql.org/docs/current/queries-with.html#QUERIES-WITH-MODIFYING>

use diesel::sql_types::BigInt;

use super::columns::Columns;
use crate::store::audit::PUT_BACK;
use crate::store::sql::reindex::SUPERSEDED;
use crate::store::sql::{Bind, Sql, Statement};
use crate::store::{ChainPlace, IndexForm};

/// The parts of one `WITH`; each writes, and none sees what another wrote.
#[derive(Default)]
pub(super) struct Parts {
    sql: Sql,
    count: usize,
    has_clock: bool,
}

impl Parts {
    /// The first part of those with new versions, whose times lie from `low` to `high`:
    /// moves them behind the last that any instance gave out, and behind `newest`, which a
    /// program of the version before may have written without the clock. Its row stays locked until
    /// the commit, so that versions become visible in the order of their times.
    pub fn move_clock(&mut self, low: i64, high: i64, newest: i64) {
        self.has_clock = true;
        let sql = self.next();
        sql.sql("UPDATE commit_clock SET last = ").big(high);
        sql.sql(" + greatest(0, greatest(last, ").big(newest);
        sql.sql(") + 1 - ").big(low);
        sql.sql(") RETURNING last - ").big(high).sql(" AS shift");
    }

    pub fn next(&mut self) -> &mut Sql {
        const HEADS: [&str; 20] = [
            "WITH p0 AS (",
            "), p1 AS (",
            "), p2 AS (",
            "), p3 AS (",
            "), p4 AS (",
            "), p5 AS (",
            "), p6 AS (",
            "), p7 AS (",
            "), p8 AS (",
            "), p9 AS (",
            "), p10 AS (",
            "), p11 AS (",
            "), p12 AS (",
            "), p13 AS (",
            "), p14 AS (",
            "), p15 AS (",
            "), p16 AS (",
            "), p17 AS (",
            "), p18 AS (",
            "), p19 AS (",
        ];
        self.sql
            .sql(HEADS.get(self.count).copied().unwrap_or_default());
        self.count += 1;
        &mut self.sql
    }

    /// Answers how far the times of the versions moved. Index rows of a form are
    /// refused where another one is claimed: the whole fails, as there is no number
    /// in a text.
    /// The same where the audit trail ends before `durable`.
    pub fn finish(
        mut self,
        form: Option<IndexForm>,
        durable: Option<&ChainPlace>,
    ) -> Option<Statement<BigInt>> {
        (self.count > 0).then(|| {
            let sql = &mut self.sql;
            // The clock leads, so that its lock is taken before those of other rows.
            sql.sql(match self.has_clock {
                true => ") SELECT (SELECT shift FROM p0)",
                false => ") SELECT CAST(0 AS BIGINT)",
            });
            sql.sql(match form {
                Some(_) => " FROM index_state WHERE TRUE",
                None => " WHERE TRUE",
            });
            if let Some(durable) = durable {
                sql.sql(" AND CAST(CASE WHEN EXISTS (SELECT FROM audit_writer WHERE writer = ");
                sql.text(durable.writer.as_str()).sql(" AND position >= ");
                sql.big(durable.position).sql(") THEN '1' ELSE ");
                sql.text(PUT_BACK).sql(" END AS INTEGER) = 1");
            }
            if let Some(form) = form {
                sql.sql(" AND CAST(CASE WHEN form IS NULL OR form = ");
                sql.big(form.0).sql(" THEN '1' ELSE ").text(SUPERSEDED);
                sql.sql(" END AS INTEGER) = 1");
            }
            self.sql.rows()
        })
    }
}

pub(super) fn insert(sql: &mut Sql, mut columns: Columns, identity: (Vec<String>, Vec<String>)) {
    let keys = std::mem::take(&mut columns.keys.values);
    sql.sql(
        "INSERT INTO resource (rid, version, updated, identity, owner, moment_low, moment_high, \
         method, ordering, body, type, id, keys) \
         SELECT rid, version, updated + (SELECT shift FROM p0), identity, owner, moment_low, moment_high, \
         method, ordering::jsonb, body, type, id, (",
    );
    sql.bind(Bind::BigArray(keys));
    sql.sql(")[first:last]");
    columns.unnest(sql, Some(identity));
}

pub(super) fn move_to_history(sql: &mut Sql, rids: Vec<i64>, updated: Vec<i64>) {
    sql.sql(
        "INSERT INTO history (rid, version, type, id, updated, superseded, method, body) \
         SELECT r.rid, r.version, r.type, r.id, r.updated, \
         n.updated + (SELECT shift FROM p0), r.method, r.body \
         FROM unnest(",
    );
    sql.bind(Bind::BigArray(rids));
    sql.sql(", ").bind(Bind::BigArray(updated));
    sql.sql(") AS n(rid, updated) JOIN resource r ON r.rid = n.rid");
}

pub(super) fn change(sql: &mut Sql, mut columns: Columns) {
    let keys = std::mem::take(&mut columns.keys.values);
    sql.sql(
        "UPDATE resource r SET version = n.version, \
         updated = n.updated + (SELECT shift FROM p0), \
         identity = n.identity, owner = n.owner, moment_low = n.moment_low, moment_high = n.moment_high, \
         method = n.method, ordering = n.ordering::jsonb, body = n.body, keys = (",
    );
    sql.bind(Bind::BigArray(keys));
    sql.sql(")[n.first:n.last]");
    columns.unnest(sql, None);
    sql.sql(" WHERE r.rid = n.rid");
}

/// The index rows in the resources' own rows, and nothing else of them.
pub(super) fn reindex(sql: &mut Sql, mut columns: Columns) {
    let keys = std::mem::take(&mut columns.keys.values);
    sql.sql(
        "UPDATE resource r SET identity = n.identity, owner = n.owner, \
         moment_low = n.moment_low, moment_high = n.moment_high, \
         ordering = n.ordering::jsonb, keys = (",
    );
    sql.bind(Bind::BigArray(keys));
    sql.sql(")[n.first:n.last]");
    columns.unnest(sql, None);
    sql.sql(" WHERE r.rid = n.rid");
}

pub(super) fn select_unnest<const N: usize, const M: usize>(
    sql: &mut Sql,
    first: [Bind; N],
    then: [Bind; M],
) {
    select_rows(sql, first.into_iter().chain(then));
}

pub(super) fn select_rows(sql: &mut Sql, columns: impl IntoIterator<Item = Bind>) {
    let mut between = " SELECT * FROM unnest(";
    for column in columns {
        sql.sql(between).bind(column);
        between = ", ";
    }
    sql.sql(")");
}

/// The index rows of superseded versions give way to new ones; what both
/// have stays as it is.
pub(super) fn replace(
    parts: &mut Parts,
    [table, columns]: [&'static str; 2],
    rids: &[i64],
    rows: impl Fn() -> Vec<Bind>,
) {
    let rids = || Bind::BigArray(rids.to_vec());
    let sql = parts.next();
    sql.sql("DELETE FROM ").sql(table);
    sql.sql(" WHERE rid = ANY(").bind(rids());
    sql.sql(") AND (").sql(columns).sql(") NOT IN (");
    select_rows(sql, rows());
    sql.sql(")");
    let sql = parts.next();
    sql.sql("INSERT INTO ").sql(table);
    sql.sql(" (").sql(columns).sql(")");
    select_rows(sql, rows());
    sql.sql(" EXCEPT SELECT ").sql(columns);
    sql.sql(" FROM ").sql(table);
    sql.sql(" WHERE rid = ANY(").bind(rids()).sql(")");
}
