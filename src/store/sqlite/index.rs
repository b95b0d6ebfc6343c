//! The index rows of one resource, each kind with one statement.

use diesel::{RunQueryDsl, SqliteConnection};

use super::dialect::json;
use super::error::store_error;
use crate::store::sql::{Bind, Sql};
use crate::store::{IndexKey, IndexRows, StoreError};

/// What of it stands in the resource's own row.
pub fn columns(index: &IndexRows) -> [(&'static str, Bind); 5] {
    let number = |key: Option<IndexKey>| Bind::NullableBig(key.map(|key| key.0));
    let moment = index.moment;
    [
        ("identity", number(index.identity)),
        ("owner", number(index.owner)),
        ("moment_low", Bind::NullableBig(moment.map(|(low, _)| low))),
        (
            "moment_high",
            Bind::NullableBig(moment.map(|(_, high)| high)),
        ),
        ("ordering", Bind::NullableText(ordering(index))),
    ]
}

/// The values to order by as one JSON object.
fn ordering(index: &IndexRows) -> Option<String> {
    let pairs = index.order.iter();
    let pairs = pairs.map(|(name, value)| (name.clone(), value.as_str().into()));
    let object: serde_json::Map<_, _> = pairs.collect();
    (!object.is_empty()).then(|| json(&object))
}

pub fn insert(
    connection: &mut SqliteConnection,
    rid: i64,
    index: &IndexRows,
) -> Result<(), StoreError> {
    if !index.keys.is_empty() {
        let rows: Vec<_> = index.keys.iter().map(|key| key.0).collect();
        insert_rows(connection, KEYS, rid, json(&rows))?;
    }
    if !index.texts.is_empty() {
        let rows = index.texts.iter();
        let rows: Vec<_> = rows.map(|(param, text)| (param.0, text)).collect();
        insert_rows(connection, TEXTS, rid, json(&rows))?;
    }
    if !index.ranges.is_empty() {
        let rows = index.ranges.iter();
        let rows: Vec<_> = rows
            .map(|(param, low, high)| (param.0, low, high))
            .collect();
        insert_rows(connection, DATES, rid, json(&rows))?;
    }
    Ok(())
}

pub fn remove(connection: &mut SqliteConnection, rid: i64) -> Result<(), StoreError> {
    for delete in [
        "DELETE FROM resource_key WHERE rid = ",
        "DELETE FROM resource_text WHERE rid = ",
        "DELETE FROM resource_range WHERE rid = ",
    ] {
        let mut sql = Sql::new(delete);
        sql.big(rid);
        sql.command().execute(connection).map_err(store_error)?;
    }
    Ok(())
}

/// A fact that stands in a document twice is stored once.
const KEYS: [&str; 2] = [
    "INSERT OR IGNORE INTO resource_key (rid, key) SELECT ",
    ", value FROM json_each(",
];
const TEXTS: [&str; 2] = [
    "INSERT OR IGNORE INTO resource_text (rid, param, value) SELECT ",
    ", value ->> 0, value ->> 1 FROM json_each(",
];
const DATES: [&str; 2] = [
    "INSERT OR IGNORE INTO resource_range (rid, param, low, high) SELECT ",
    ", value ->> 0, value ->> 1, value ->> 2 FROM json_each(",
];

fn insert_rows(
    connection: &mut SqliteConnection,
    [insert, from]: [&'static str; 2],
    rid: i64,
    rows: String,
) -> Result<(), StoreError> {
    let mut sql = Sql::new(insert);
    sql.big(rid).sql(from).text(rows).sql(")");
    sql.command()
        .execute(connection)
        .map(drop)
        .map_err(store_error)
}
