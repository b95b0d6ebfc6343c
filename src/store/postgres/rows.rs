//! What a batch writes, gathered table by table.

use diesel::sql_types::BigInt;

use super::audit::Appended;
use super::columns::{Columns, Row};
use super::parts::{
    Parts, change, insert, move_to_history, reindex, replace, select_rows, select_unnest,
};
use super::registry::Registered;
use crate::store::sql::reindex::write_advance;
use crate::store::sql::{Bind, Statement};
use crate::store::{ChainPlace, IndexForm, OutboxRow, ResourceKey};

/// What one batch writes.
#[derive(Default)]
pub(super) struct Rows {
    inserted: Columns,
    inserted_keys: (Vec<String>, Vec<String>),
    changed: Columns,
    /// The newest time of the versions that are superseded.
    newest: i64,
    rebuilt: Columns,
    advance: Option<(i64, i64)>,
    /// Of resources that had none, and of those that may have had the same before.
    fresh: Indexed,
    replaced: Indexed,
    outbox: (Vec<i64>, Vec<String>, Vec<String>),
    pub registered: Registered,
    pub appended: Option<Appended>,
}

impl Rows {
    pub fn insert(&mut self, key: &ResourceKey, row: &Row<'_>) {
        self.inserted_keys.0.push(key.resource_type.clone());
        self.inserted_keys.1.push(key.id.clone());
        self.inserted.push(row);
        self.fresh.push(row);
    }

    /// The version before moves to the history.
    /// `before` is its time.
    pub fn supersede(&mut self, row: &Row<'_>, before: i64) {
        self.newest = self.newest.max(before);
        self.changed.push(row);
        self.replaced.push(row);
    }

    /// The version stays; only its index rows are replaced.
    pub fn rebuild(&mut self, row: &Row<'_>) {
        self.rebuilt.push(row);
        self.replaced.push(row);
    }

    /// The rebuild goes on from one place to another.
    pub fn advance(&mut self, from: i64, through: i64) {
        self.advance = Some((from, through));
    }

    pub fn send(&mut self, message: &OutboxRow, created: i64) {
        self.outbox.0.push(created);
        self.outbox.1.push(message.topic.clone());
        self.outbox.2.push(message.payload.clone());
    }

    /// One statement that writes everything, or `None` where there is nothing.
    /// `durable` is where the audit trail of this writer ended last.
    pub fn statement(
        self,
        form: IndexForm,
        durable: Option<&ChainPlace>,
    ) -> Option<Statement<BigInt>> {
        let mut parts = Parts::default();
        let times = || self.inserted.updated.iter().chain(&self.changed.updated);
        if let (Some(low), Some(high)) = (times().min(), times().max()) {
            parts.move_clock(*low, *high, self.newest);
        }
        let indexed = [&self.inserted, &self.changed, &self.rebuilt];
        let indexed = indexed.iter().any(|columns| !columns.rid.is_empty());
        let indexed = indexed || self.advance.is_some();
        if !self.inserted.rid.is_empty() {
            insert(parts.next(), self.inserted, self.inserted_keys);
        }
        let rids = [self.changed.rid.as_slice(), self.rebuilt.rid.as_slice()].concat();
        if !rids.is_empty() {
            self.replaced.replace(&mut parts, &rids);
        }
        if !self.changed.rid.is_empty() {
            let rids = self.changed.rid.clone();
            let updated = self.changed.updated.clone();
            move_to_history(parts.next(), rids, updated);
            change(parts.next(), self.changed);
        }
        if !self.rebuilt.rid.is_empty() {
            reindex(parts.next(), self.rebuilt);
        }
        if let Some((from, through)) = self.advance {
            write_advance(parts.next(), from, through);
        }
        self.fresh.insert(&mut parts);
        if !self.outbox.0.is_empty() {
            let (created, topic, payload) = self.outbox;
            let sql = parts.next();
            sql.sql("INSERT INTO outbox (created, topic, payload)");
            let texts = [topic, payload].map(Bind::TextArray);
            select_unnest(sql, [Bind::BigArray(created)], texts);
        }
        self.registered.write(&mut parts);
        if let Some(appended) = self.appended {
            appended.write(&mut parts);
        }
        parts.finish(indexed.then_some(form), durable)
    }
}

/// Index rows in tables of their own.
#[derive(Default)]
struct Indexed {
    texts: (Vec<i64>, Vec<i64>, Vec<String>),
    ranges: (Vec<i64>, Vec<i64>, Vec<i64>, Vec<i64>),
}

impl Indexed {
    fn push(&mut self, row: &Row<'_>) {
        let Some((_, index)) = row.document else {
            return;
        };
        for (param, value) in &index.texts {
            self.texts.0.push(param.0);
            self.texts.1.push(row.rid);
            self.texts.2.push(indexable(value));
        }
        for (param, low, high) in &index.ranges {
            self.ranges.0.push(param.0);
            self.ranges.1.push(*low);
            self.ranges.2.push(*high);
            self.ranges.3.push(row.rid);
        }
    }

    fn insert(self, parts: &mut Parts) {
        if !self.texts.0.is_empty() {
            let sql = parts.next();
            sql.sql("INSERT INTO resource_text (param, rid, value)");
            select_rows(sql, self.texts());
        }
        if !self.ranges.0.is_empty() {
            let sql = parts.next();
            sql.sql("INSERT INTO resource_range (param, low, high, rid)");
            select_rows(sql, self.ranges());
        }
    }

    /// Writes only what differs from what the resources have.
    fn replace(self, parts: &mut Parts, rids: &[i64]) {
        replace(parts, ["resource_text", "param, rid, value"], rids, || {
            self.texts()
        });
        let range = ["resource_range", "param, low, high, rid"];
        replace(parts, range, rids, || self.ranges());
    }

    fn texts(&self) -> Vec<Bind> {
        let (param, rid, value) = self.texts.clone();
        vec![
            Bind::BigArray(param),
            Bind::BigArray(rid),
            Bind::TextArray(value),
        ]
    }

    fn ranges(&self) -> Vec<Bind> {
        let (param, low, high, rid) = self.ranges.clone();
        [param, low, high, rid].map(Bind::BigArray).to_vec()
    }
}

/// A b-tree entry has room for 2,704 bytes in all.
const INDEXED_BYTES: usize = 2_600;

/// PostgreSQL refuses texts that its index cannot hold; what is behind that is not found.
fn indexable(value: &str) -> String {
    if value.len() <= INDEXED_BYTES {
        return value.to_owned();
    }
    let ends = value.char_indices().map(|(start, c)| start + c.len_utf8());
    let end = ends.take_while(|end| *end <= INDEXED_BYTES).last();
    value.get(..end.unwrap_or(0)).unwrap_or_default().to_owned()
}
