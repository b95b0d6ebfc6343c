//! What the statements answer, and how it becomes the port's types.

use diesel::sql_types::{BigInt, Nullable, SmallInt, Text};

use crate::store::{
    Found, Method, OrderBy, Position, PositionValue, SearchPlan, StoreError, Stored,
};

/// `type, id, version, updated, method, body`.
pub type StoredSql = (Text, Text, BigInt, BigInt, SmallInt, Nullable<Text>);
pub type StoredRow = (String, String, i64, i64, i16, Option<String>);

/// A number before what [`StoredSql`] has.
pub type KeyedSql = (BigInt, Text, Text, BigInt, BigInt, SmallInt, Nullable<Text>);
pub type KeyedRow = (i64, String, String, i64, i64, i16, Option<String>);

/// What [`StoredSql`] has, both ends of the moment, and a JSON array with the
/// other values of the order.
pub type FoundSql = (
    Text,
    Text,
    BigInt,
    BigInt,
    SmallInt,
    Nullable<Text>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<Text>,
);
pub type FoundRow = (
    String,
    String,
    i64,
    i64,
    i16,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<String>,
);

/// How a method is stored.
pub fn method_code(method: Method) -> i16 {
    match method {
        Method::Post => 1,
        Method::Put => 2,
        Method::Patch => 3,
        Method::Delete => 4,
    }
}

fn method_of(code: i16) -> Result<Method, StoreError> {
    match code {
        1 => Ok(Method::Post),
        2 => Ok(Method::Put),
        3 => Ok(Method::Patch),
        4 => Ok(Method::Delete),
        other => Err(StoreError::Corrupt(format!("unknown method {other}"))),
    }
}

pub fn stored(row: StoredRow) -> Result<Stored, StoreError> {
    let (resource_type, id, version, updated, method, body) = row;
    Ok(Stored {
        key: crate::store::ResourceKey { resource_type, id },
        version,
        updated,
        method: method_of(method)?,
        body,
    })
}

/// Puts the rows to the places of their keys.
pub fn keyed(rows: Vec<KeyedRow>, keys: usize) -> Result<Vec<Option<Stored>>, StoreError> {
    let mut all = vec![None; keys];
    for (n, resource_type, id, version, updated, method, body) in rows {
        let place = usize::try_from(n - 1).ok().and_then(|n| all.get_mut(n));
        let place = place.ok_or_else(|| StoreError::Corrupt("a row of no key".into()))?;
        *place = Some(stored((resource_type, id, version, updated, method, body))?);
    }
    Ok(all)
}

/// Takes the one row too many as the sign that there are more, or that the page was
/// cut before its end.
pub fn page(
    (mut rows, cut): (Vec<StoredRow>, bool),
    limit: usize,
) -> Result<(Vec<Stored>, bool), StoreError> {
    let more = cut || rows.len() > limit;
    rows.truncate(limit);
    let rows: Result<Vec<_>, _> = rows.into_iter().map(stored).collect();
    Ok((rows?, more))
}

/// What `count(*)` answered.
pub fn counted(rows: &[i64]) -> Result<u64, StoreError> {
    let count = rows.first().and_then(|count| u64::try_from(*count).ok());
    count.ok_or_else(|| StoreError::Corrupt("a count without a number".into()))
}

/// The same for a search, with the place of each row.
pub fn found(
    (mut rows, cut): (Vec<FoundRow>, bool),
    plan: &SearchPlan,
) -> Result<Found, StoreError> {
    let mut found = Found {
        more: cut || rows.len() > plan.limit,
        ..Found::default()
    };
    rows.truncate(plan.limit);
    for (resource_type, id, version, updated, method, body, low, high, values) in rows {
        let row = stored((resource_type, id, version, updated, method, body))?;
        found
            .positions
            .push(position(plan, &row, (low, high), values.as_deref())?);
        found.rows.push(row);
    }
    Ok(found)
}

fn position(
    plan: &SearchPlan,
    row: &Stored,
    moment: (Option<i64>, Option<i64>),
    values: Option<&str>,
) -> Result<Position, StoreError> {
    let unreadable = |_| StoreError::Corrupt("unreadable order values".into());
    let values: Vec<Option<String>> = match values {
        Some(json) => serde_json::from_str(json).map_err(unreadable)?,
        None => Vec::new(),
    };
    let mut values = values.into_iter();
    let number = |value: Option<i64>| value.map_or(PositionValue::Missing, PositionValue::Number);
    let terms = plan.order.iter().map(|term| match term.by {
        OrderBy::Type => PositionValue::Text(row.key.resource_type.clone()),
        OrderBy::Id => PositionValue::Text(row.key.id.clone()),
        OrderBy::Updated => PositionValue::Number(row.updated),
        OrderBy::MomentLow => number(moment.0),
        OrderBy::MomentHigh => number(moment.1),
        OrderBy::Value(_) => match values.next().flatten() {
            Some(text) => PositionValue::Text(text),
            None => PositionValue::Missing,
        },
    });
    Ok(terms.collect())
}
