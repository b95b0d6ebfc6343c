//! Which condition leads to the fewest rows: each is asked for a few of its
//! rows, which costs microseconds, before a search that could cost much more.

use super::dialect::SqliteDialect;
use crate::store::sql::link::Linked;
use crate::store::sql::{Lead, Part, Sql, compare, filter};
use crate::store::{Comparison, Filter, IndexKey, StoreError, TextMatch};

/// What stands for more rows than this does not lead: walking in the order
/// asked and looking at each row ends sooner.
const MOST: i64 = 4_000;

/// The best of all parts, which must all hold.
pub fn choose(dialect: &SqliteDialect<'_>, parts: &[Part<'_>]) -> Result<Lead, StoreError> {
    let is_type = |filter: &&Filter| match filter {
        Filter::Is(Comparison::Type(types)) => !types.is_empty(),
        _ => false,
    };
    let of_type = parts.iter().map(|part| part.filter).find(is_type);
    let leads = |filter: &Filter| match filter {
        Filter::Is(Comparison::Moment(_)) => of_type.is_some(),
        filter => can_lead(filter),
    };
    let mut best = (Lead::Open, MOST);
    let leading = parts.iter().enumerate();
    for (number, part) in leading.filter(|(_, part)| leads(part.filter)) {
        let (lead, rows) = match (part.filter, of_type) {
            (moment @ Filter::Is(Comparison::Moment(_)), Some(of_type)) => {
                (Lead::Moment, moments(dialect, of_type, moment, best.1)?)
            }
            _ => (Lead::Part(number), rows(dialect, *part, best.1)?),
        };
        if rows < best.1 {
            best = (lead, rows);
        }
    }
    Ok(best.0)
}

/// Whether rows with one of the facts are few enough to be sorted.
pub fn are_few(dialect: &SqliteDialect<'_>, keys: &[IndexKey]) -> Result<bool, StoreError> {
    let filter = Filter::Is(Comparison::Key(keys.to_vec()));
    let scope = &Filter::All(Vec::new());
    let filter = &filter;
    Ok(rows(dialect, Part { filter, scope }, MOST)? < MOST)
}

/// An index begins with what the filter compares.
fn can_lead(filter: &Filter) -> bool {
    match filter {
        Filter::Is(Comparison::Text { test, .. }) => !matches!(test, TextMatch::Contains(_)),
        Filter::Is(Comparison::Key(keys)) => !keys.is_empty(),
        Filter::Is(Comparison::Range { .. }) => true,
        Filter::RefersTo { .. } | Filter::ReferredBy { .. } => true,
        Filter::Is(_) | Filter::Not(_) | Filter::All(_) => false,
        Filter::Any(parts) => !parts.is_empty() && parts.iter().all(can_lead),
    }
}

/// How many rows the filter leads to, counted no further than `most`.
fn rows(dialect: &SqliteDialect<'_>, part: Part<'_>, most: i64) -> Result<i64, StoreError> {
    let mut sql = Sql::new("SELECT count(*) FROM (");
    if let Some(linked) = Linked::of(part) {
        linked.write_rids(dialect, &mut sql)?;
        return dialect.count(sql, most);
    }
    match part.filter {
        Filter::Is(comparison) => {
            compare::write_rids(dialect, &mut sql, comparison);
            dialect.count(sql, most)
        }
        Filter::Any(filters) => {
            let scope = part.scope;
            let mut sum = 0;
            for filter in filters {
                sum += rows(dialect, Part { filter, scope }, most - sum)?;
                if sum >= most {
                    break;
                }
            }
            Ok(sum)
        }
        _ => Ok(most),
    }
}

fn moments(
    dialect: &SqliteDialect<'_>,
    of_type: &Filter,
    moment: &Filter,
    most: i64,
) -> Result<i64, StoreError> {
    let mut sql = Sql::new(
        "SELECT count(*) FROM (SELECT 1 FROM resource r INDEXED BY resource_moment WHERE ",
    );
    filter::write_each(dialect, &mut sql, of_type)?;
    sql.sql(" AND ");
    filter::write_each(dialect, &mut sql, moment)?;
    dialect.count(sql, most)
}
