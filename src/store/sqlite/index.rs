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

/// Those that are there already stay as they are.
pub fn insert(
    connection: &mut SqliteConnection,
    rid: i64,
    index: &IndexRows,
) -> Result<(), StoreError> {
    for (rows, Table { insert, .. }) in rows(index) {
        let [insert, from] = insert;
        if rows != "[]" {
            let mut sql = Sql::new(insert);
            sql.big(rid).sql(from).text(rows).sql(")");
            execute(connection, sql)?;
        }
    }
    Ok(())
}

/// Removes all but those that the new version has too: an update seldom
/// changes many, and each lies on a page of its own.
pub fn remove(
    connection: &mut SqliteConnection,
    rid: i64,
    but: &IndexRows,
) -> Result<(), StoreError> {
    for (rows, Table { remove, .. }) in rows(but) {
        let [remove, but] = remove;
        let mut sql = Sql::new(remove);
        sql.big(rid).sql(but).text(rows).sql("))");
        execute(connection, sql)?;
    }
    Ok(())
}

/// Rows of each table as a JSON array.
fn rows(index: &IndexRows) -> [(String, Table); 3] {
    let keys: Vec<_> = index.keys.iter().map(|key| key.0).collect();
    let texts = index.texts.iter();
    let texts: Vec<_> = texts.map(|(param, text)| (param.0, text)).collect();
    let ranges = index.ranges.iter();
    let ranges: Vec<_> = ranges
        .map(|(param, low, high)| (param.0, low, high))
        .collect();
    [
        (json(&keys), KEYS),
        (json(&texts), TEXTS),
        (json(&ranges), RANGES),
    ]
}

/// What stands before and behind the rid; the rows stand at the end.
struct Table {
    insert: [&'static str; 2],
    remove: [&'static str; 2],
}

/// A fact that stands in a document twice is stored once.
const KEYS: Table = Table {
    insert: [
        "INSERT OR IGNORE INTO resource_key (rid, key) SELECT ",
        ", value FROM json_each(",
    ],
    remove: [
        "DELETE FROM resource_key WHERE rid = ",
        " AND key NOT IN (SELECT value FROM json_each(",
    ],
};
const TEXTS: Table = Table {
    insert: [
        "INSERT OR IGNORE INTO resource_text (rid, param, value) SELECT ",
        ", value ->> 0, value ->> 1 FROM json_each(",
    ],
    remove: [
        "DELETE FROM resource_text WHERE rid = ",
        " AND (param, value) NOT IN (SELECT value ->> 0, value ->> 1 FROM json_each(",
    ],
};
const RANGES: Table = Table {
    insert: [
        "INSERT OR IGNORE INTO resource_range (rid, param, low, high) SELECT ",
        ", value ->> 0, value ->> 1, value ->> 2 FROM json_each(",
    ],
    remove: [
        "DELETE FROM resource_range WHERE rid = ",
        " AND (param, low, high) NOT IN \
         (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(",
    ],
};

fn execute(connection: &mut SqliteConnection, sql: Sql) -> Result<(), StoreError> {
    sql.command()
        .execute(connection)
        .map(drop)
        .map_err(store_error)
}
