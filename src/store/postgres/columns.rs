//! New versions of resources, gathered column by column for one `unnest`.

use crate::store::sql::row::method_code;
use crate::store::sql::{Bind, Sql};
use crate::store::{Change, IndexKey, IndexRows, Method, Version, Write};

/// Keys of all rows end to end, and the slice of each row (from 1, inclusive);
/// PostgreSQL has no ragged arrays.
#[derive(Default)]
pub(super) struct Slices {
    pub values: Vec<i64>,
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
pub(super) struct Columns {
    pub rid: Vec<i64>,
    version: Vec<i64>,
    pub updated: Vec<i64>,
    identity: Vec<Option<i64>>,
    owner: Vec<Option<i64>>,
    moment_low: Vec<Option<i64>>,
    moment_high: Vec<Option<i64>>,
    method: Vec<i16>,
    pub keys: Slices,
    ordering: Vec<Option<String>>,
    body: Vec<Option<String>>,
}

/// One new current version.
pub(super) struct Row<'a> {
    pub rid: i64,
    version: i64,
    updated: i64,
    method: Method,
    /// `None` is a deletion.
    pub document: Option<(&'a str, &'a IndexRows)>,
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
                Write::Delete | Write::Keep => None,
            },
        }
    }
}

impl<'a> Row<'a> {
    /// The index rows alone; nothing else of the row is to be written.
    pub fn rebuilt(rid: i64, index: &'a IndexRows) -> Self {
        Self {
            rid,
            version: 0,
            updated: 0,
            method: Method::Put,
            document: Some(("", index)),
        }
    }
}

impl Columns {
    pub fn push(&mut self, row: &Row<'_>) {
        let index = row.document.map(|(_, index)| index);
        let moment = index.and_then(|index| index.moment);
        let keys = index.map_or(&[][..], |index| &index.keys);
        self.rid.push(row.rid);
        self.version.push(row.version);
        self.updated.push(row.updated);
        let number = |key: Option<IndexKey>| key.map(|key| key.0);
        self.identity
            .push(number(index.and_then(|index| index.identity)));
        self.owner.push(number(index.and_then(|index| index.owner)));
        self.moment_low.push(moment.map(|(low, _)| low));
        self.moment_high.push(moment.map(|(_, high)| high));
        self.method.push(method_code(row.method));
        self.keys.push(keys.iter().map(|key| key.0));
        self.ordering.push(index.and_then(ordering));
        self.body
            .push(row.document.map(|(body, _)| body.to_owned()));
    }

    /// Appends ` FROM unnest(…) AS n(…)` with the columns and two more texts
    /// where the resources are new; the flat keys stand elsewhere.
    pub fn unnest(self, sql: &mut Sql, identity: Option<(Vec<String>, Vec<String>)>) {
        sql.sql(" FROM unnest(").bind(Bind::BigArray(self.rid));
        for column in [self.version, self.updated] {
            sql.sql(", ").bind(Bind::BigArray(column));
        }
        let numbers = [self.identity, self.owner, self.moment_low, self.moment_high];
        for column in numbers {
            sql.sql(", ").bind(Bind::NullableBigArray(column));
        }
        sql.sql(", ").bind(Bind::SmallArray(self.method));
        for column in [self.keys.from, self.keys.to] {
            sql.sql(", ").bind(Bind::BigArray(column));
        }
        for column in [self.ordering, self.body] {
            sql.sql(", ").bind(Bind::NullableTextArray(column));
        }
        let is_new = identity.is_some();
        for column in identity.into_iter().flat_map(|(types, ids)| [types, ids]) {
            sql.sql(", ").bind(Bind::TextArray(column));
        }
        sql.sql(
            ") AS n(rid, version, updated, identity, owner, moment_low, moment_high, method, \
             first, last, ordering, body",
        );
        sql.sql(if is_new { ", type, id)" } else { ")" });
    }
}

fn ordering(index: &IndexRows) -> Option<String> {
    let values: serde_json::Map<_, _> = index
        .order
        .iter()
        .map(|(name, value)| (name.clone(), value.replace('\0', "\u{fffd}").into()))
        .collect();
    (!values.is_empty()).then(|| serde_json::Value::Object(values).to_string())
}
