//! Which condition leads to the fewest rows: each is asked for a few of its
//! rows, which costs microseconds, before a search that could cost much more.

use diesel::sql_types::BigInt;
use diesel::{RunQueryDsl, SqliteConnection};

use super::dialect::SqliteDialect;
use super::error::store_error;
use crate::store::sql::{Lead, Sql, compare, filter};
use crate::store::{Comparison, Filter, StoreError, TextMatch};

/// What stands for more rows than this does not lead: walking in the order
/// asked and looking at each row ends sooner.
const MOST: i64 = 4_000;

/// The best of all parts, which must all hold.
pub fn choose(connection: &mut SqliteConnection, parts: &[&Filter]) -> Result<Lead, StoreError> {
    let is_type = |part: &&Filter| match part {
        Filter::Is(Comparison::Type(types)) => !types.is_empty(),
        _ => false,
    };
    let of_type = parts.iter().copied().find(is_type);
    let leads = |part: &Filter| match part {
        Filter::Is(Comparison::Moment(_)) => of_type.is_some(),
        part => can_lead(part),
    };
    let mut best = (Lead::Open, MOST);
    for (number, part) in parts.iter().enumerate().filter(|(_, part)| leads(part)) {
        let (lead, rows) = match (part, of_type) {
            (Filter::Is(Comparison::Moment(_)), Some(of_type)) => {
                (Lead::Moment, moments(connection, of_type, part, best.1)?)
            }
            _ => (Lead::Part(number), rows(connection, part, best.1)?),
        };
        if rows < best.1 {
            best = (lead, rows);
        }
    }
    Ok(best.0)
}

/// An index begins with what the filter compares.
fn can_lead(filter: &Filter) -> bool {
    match filter {
        Filter::Is(Comparison::Text { test, .. }) => !matches!(test, TextMatch::Contains(_)),
        Filter::Is(Comparison::Key(keys)) => !keys.is_empty(),
        Filter::Is(Comparison::Date { .. }) => true,
        Filter::Is(_) | Filter::Not(_) | Filter::All(_) => false,
        Filter::Any(parts) => !parts.is_empty() && parts.iter().all(can_lead),
    }
}

/// How many rows the filter leads to, counted no further than `most`.
fn rows(connection: &mut SqliteConnection, filter: &Filter, most: i64) -> Result<i64, StoreError> {
    match filter {
        Filter::Is(comparison) => {
            let mut sql = Sql::new("SELECT count(*) FROM (");
            compare::write_rids(&SqliteDialect::default(), &mut sql, comparison);
            count(connection, sql, most)
        }
        Filter::Any(parts) => {
            let mut sum = 0;
            for part in parts {
                sum += rows(connection, part, most - sum)?;
                if sum >= most {
                    break;
                }
            }
            Ok(sum)
        }
        Filter::All(_) | Filter::Not(_) => Ok(most),
    }
}

fn moments(
    connection: &mut SqliteConnection,
    of_type: &Filter,
    moment: &Filter,
    most: i64,
) -> Result<i64, StoreError> {
    let mut sql = Sql::new(
        "SELECT count(*) FROM (SELECT 1 FROM resource r INDEXED BY resource_moment WHERE ",
    );
    let dialect = SqliteDialect::default();
    filter::write_each(&dialect, &mut sql, of_type);
    sql.sql(" AND ");
    filter::write_each(&dialect, &mut sql, moment);
    count(connection, sql, most)
}

fn count(connection: &mut SqliteConnection, mut sql: Sql, most: i64) -> Result<i64, StoreError> {
    sql.sql(" LIMIT ").big(most).sql(")");
    sql.rows_of_client::<BigInt>()
        .get_result(connection)
        .map_err(store_error)
}
