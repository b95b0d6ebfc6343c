//! What a batch writes, gathered column by column for set-based statements.

use crate::store::sql::row::method_code;
use crate::store::sql::{Bind, Sql, Statement};
use crate::store::{Change, IndexRows, Method, OutboxRow, ResourceKey, Version, Write};

/// Keys of all rows end to end, and the slice of each row (from 1, inclusive);
/// PostgreSQL has no ragged arrays.
#[derive(Default)]
struct Slices {
    values: Vec<i64>,
    from: Vec<i64>,
    to: Vec<i64>,
}

impl Slices {
    fn push(&mut self, row: impl Iterator<Item = i64>) {
        self.from.push(self.values.len() as i64 + 1);
        self.values.extend(row);
        self.to.push(self.values.len() as i64);
    }
}

/// The columns that inserted and updated resources have in common.
#[derive(Default)]
struct Columns {
    rid: Vec<i64>,
    version: Vec<i64>,
    updated: Vec<i64>,
    owner: Vec<Option<i64>>,
    moment_low: Vec<Option<i64>>,
    moment_high: Vec<Option<i64>>,
    method: Vec<i16>,
    keys: Slices,
    ordering: Vec<Option<String>>,
    body: Vec<Option<String>>,
}

/// One new current version.
pub(super) struct Row<'a> {
    rid: i64,
    version: i64,
    updated: i64,
    method: Method,
    /// `None` is a deletion.
    document: Option<(&'a str, &'a IndexRows)>,
}

impl<'a> Row<'a> {
    pub fn new(rid: i64, change: &'a Change, version: Version) -> Self {
        Self {
            rid,
            version: version.version,
            updated: version.updated,
            method: change.method,
            document: match &change.write {
                Write::Put { body, index } => Some((body, index)),
                Write::Delete => None,
            },
        }
    }
}

impl Columns {
    fn push(&mut self, row: &Row<'_>) {
        let index = row.document.map(|(_, index)| index);
        let moment = index.and_then(|index| index.moment);
        let keys = index.map_or(&[][..], |index| &index.keys);
        self.rid.push(row.rid);
        self.version.push(row.version);
        self.updated.push(row.updated);
        self.owner
            .push(index.and_then(|index| index.owner).map(|key| key.0));
        self.moment_low.push(moment.map(|(low, _)| low));
        self.moment_high.push(moment.map(|(_, high)| high));
        self.method.push(method_code(row.method));
        self.keys.push(keys.iter().map(|key| key.0));
        self.ordering.push(index.and_then(ordering));
        self.body
            .push(row.document.map(|(body, _)| body.to_owned()));
    }

    /// Binds all columns in the order of [`columns`]; the flat keys stand elsewhere.
    fn bind(self, sql: &mut Sql) {
        sql.bind(Bind::BigArray(self.rid));
        for column in [self.version, self.updated] {
            sql.sql(", ").bind(Bind::BigArray(column));
        }
        for column in [self.owner, self.moment_low, self.moment_high] {
            sql.sql(", ").bind(Bind::NullableBigArray(column));
        }
        sql.sql(", ").bind(Bind::SmallArray(self.method));
        for column in [self.keys.from, self.keys.to] {
            sql.sql(", ").bind(Bind::BigArray(column));
        }
        for column in [self.ordering, self.body] {
            sql.sql(", ").bind(Bind::NullableTextArray(column));
        }
    }
}

/// What one batch writes.
#[derive(Default)]
pub(super) struct Rows {
    inserted: Columns,
    inserted_keys: (Vec<String>, Vec<String>),
    changed: Columns,
    texts: (Vec<i64>, Vec<i64>, Vec<String>),
    dates: (Vec<i64>, Vec<i64>, Vec<i64>, Vec<i64>),
    outbox: (Vec<i64>, Vec<String>, Vec<String>),
}

impl Rows {
    pub fn insert(&mut self, key: &ResourceKey, row: &Row<'_>) {
        self.inserted_keys.0.push(key.resource_type.clone());
        self.inserted_keys.1.push(key.id.clone());
        self.inserted.push(row);
        self.index(row);
    }

    /// The version before moves to the history.
    pub fn supersede(&mut self, row: &Row<'_>) {
        self.changed.push(row);
        self.index(row);
    }

    pub fn send(&mut self, message: &OutboxRow, created: i64) {
        self.outbox.0.push(created);
        self.outbox.1.push(message.topic.clone());
        self.outbox.2.push(message.payload.clone());
    }

    fn index(&mut self, row: &Row<'_>) {
        let Some((_, index)) = row.document else {
            return;
        };
        for (param, value) in &index.texts {
            self.texts.0.push(param.0);
            self.texts.1.push(row.rid);
            self.texts.2.push(indexable(value));
        }
        for (param, low, high) in &index.dates {
            self.dates.0.push(param.0);
            self.dates.1.push(*low);
            self.dates.2.push(*high);
            self.dates.3.push(row.rid);
        }
    }

    /// One statement that writes everything, or `None` where there is nothing.
    pub fn statement(self) -> Option<Statement> {
        let mut parts = Parts::default();
        if !self.inserted.rid.is_empty() {
            insert(parts.next(), self.inserted, self.inserted_keys);
        }
        if !self.changed.rid.is_empty() {
            let rids = self.changed.rid.clone();
            let updated = self.changed.updated.clone();
            move_to_history(parts.next(), rids.clone(), updated);
            change(parts.next(), self.changed);
            for table in ["resource_text", "resource_date"] {
                let sql = parts.next();
                sql.sql("DELETE FROM ").sql(table);
                sql.sql(" WHERE rid = ANY(")
                    .bind(Bind::BigArray(rids.clone()));
                sql.sql(")");
            }
        }
        if !self.texts.0.is_empty() {
            let (param, rid, value) = self.texts;
            let sql = parts.next();
            sql.sql("INSERT INTO resource_text (param, rid, value)");
            select_unnest(
                sql,
                [param, rid].map(Bind::BigArray),
                [Bind::TextArray(value)],
            );
        }
        if !self.dates.0.is_empty() {
            let (param, low, high, rid) = self.dates;
            let sql = parts.next();
            sql.sql("INSERT INTO resource_date (param, low, high, rid)");
            select_unnest(sql, [param, low, high, rid].map(Bind::BigArray), []);
        }
        if !self.outbox.0.is_empty() {
            let (created, topic, payload) = self.outbox;
            let sql = parts.next();
            sql.sql("INSERT INTO outbox (created, topic, payload)");
            let texts = [topic, payload].map(Bind::TextArray);
            select_unnest(sql, [Bind::BigArray(created)], texts);
        }
        parts.finish()
    }
}

/// The parts of one `WITH`; each writes, and none sees what another wrote.
#[derive(Default)]
struct Parts {
    sql: Sql,
    count: usize,
}

impl Parts {
    fn next(&mut self) -> &mut Sql {
        const HEADS: [&str; 8] = [
            "WITH p0 AS (",
            "), p1 AS (",
            "), p2 AS (",
            "), p3 AS (",
            "), p4 AS (",
            "), p5 AS (",
            "), p6 AS (",
            "), p7 AS (",
        ];
        self.sql
            .sql(HEADS.get(self.count).copied().unwrap_or_default());
        self.count += 1;
        &mut self.sql
    }

    fn finish(mut self) -> Option<Statement> {
        (self.count > 0).then(|| {
            self.sql.sql(") SELECT 1");
            self.sql.command()
        })
    }
}

/// The columns that [`Columns::bind`] unnests.
macro_rules! columns {
    () => {
        "rid, version, updated, owner, moment_low, moment_high, method, first, last, ordering, body"
    };
}

fn insert(sql: &mut Sql, mut columns: Columns, (types, ids): (Vec<String>, Vec<String>)) {
    let keys = std::mem::take(&mut columns.keys.values);
    sql.sql(
        "INSERT INTO resource (rid, version, updated, owner, moment_low, moment_high, \
         method, ordering, body, type, id, keys) \
         SELECT rid, version, updated, owner, moment_low, moment_high, \
         method, ordering::jsonb, body, type, id, (",
    );
    sql.bind(Bind::BigArray(keys));
    sql.sql(")[first:last] FROM unnest(");
    columns.bind(sql);
    sql.sql(", ").bind(Bind::TextArray(types));
    sql.sql(", ").bind(Bind::TextArray(ids));
    sql.sql(concat!(") AS n(", columns!(), ", type, id)"));
}

fn move_to_history(sql: &mut Sql, rids: Vec<i64>, updated: Vec<i64>) {
    sql.sql(
        "INSERT INTO history (rid, version, type, id, updated, superseded, method, body) \
         SELECT r.rid, r.version, r.type, r.id, r.updated, n.updated, r.method, r.body \
         FROM unnest(",
    );
    sql.bind(Bind::BigArray(rids));
    sql.sql(", ").bind(Bind::BigArray(updated));
    sql.sql(") AS n(rid, updated) JOIN resource r ON r.rid = n.rid");
}

fn change(sql: &mut Sql, mut columns: Columns) {
    let keys = std::mem::take(&mut columns.keys.values);
    sql.sql(
        "UPDATE resource r SET version = n.version, updated = n.updated, \
         owner = n.owner, moment_low = n.moment_low, moment_high = n.moment_high, \
         method = n.method, ordering = n.ordering::jsonb, body = n.body, keys = (",
    );
    sql.bind(Bind::BigArray(keys));
    sql.sql(")[n.first:n.last] FROM unnest(");
    columns.bind(sql);
    sql.sql(concat!(") AS n(", columns!(), ") WHERE r.rid = n.rid"));
}

fn select_unnest<const N: usize, const M: usize>(sql: &mut Sql, first: [Bind; N], then: [Bind; M]) {
    let mut between = " SELECT * FROM unnest(";
    for column in first.into_iter().chain(then) {
        sql.sql(between).bind(column);
        between = ", ";
    }
    sql.sql(")");
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

fn ordering(index: &IndexRows) -> Option<String> {
    let values: serde_json::Map<_, _> = index
        .order
        .iter()
        .map(|(name, value)| (name.clone(), value.replace('\0', "\u{fffd}").into()))
        .collect();
    (!values.is_empty()).then(|| serde_json::Value::Object(values).to_string())
}
