//! Which conditions on ranges lead to few rows: each is asked for a few of
//! them first. A wrong guess of the planner costs a thousand times that.

use diesel::sql_types::BigInt;

use super::readers::{Readers, Width};
use crate::store::sql::filter::{is_narrow, ranges_of};
use crate::store::sql::{Sql, compare};
use crate::store::{Filter, SearchPlan, StoreError};

/// What stands for more rows than this is left to the planner.
const MOST: i64 = 4_000;

/// No more conditions than this are asked about.
const ASKED: usize = 2;

pub(super) async fn leaders<'p>(
    readers: &Readers,
    plan: &'p SearchPlan,
) -> Result<Vec<&'p Filter>, StoreError> {
    let mut leaders = Vec::new();
    if is_narrow(plan.scope.filter(), &plan.filter) {
        return Ok(leaders);
    }
    let mut candidates = Vec::new();
    gather(&plan.filter, true, &mut candidates);
    for candidate in candidates.into_iter().take(ASKED) {
        let Some(ranges) = ranges_of(candidate) else {
            continue;
        };
        let mut sql = Sql::new("SELECT count(*) FROM (");
        compare::write_range_rids(&mut sql, &ranges);
        sql.sql(" LIMIT ").big(MOST).sql(") s");
        let statement = sql.rows_of_client::<BigInt>();
        let rows: Vec<i64> = readers.rows(Width::Narrow, statement).await?;
        if rows.first().is_some_and(|rows| *rows < MOST) {
            leaders.push(candidate);
        }
    }
    Ok(leaders)
}

/// What must hold of the rows of the search, or of those at the end of a link.
fn gather<'p>(filter: &'p Filter, must: bool, candidates: &mut Vec<&'p Filter>) {
    match filter {
        Filter::All(parts) => parts.iter().for_each(|part| gather(part, must, candidates)),
        filter if must && ranges_of(filter).is_some() => candidates.push(filter),
        Filter::Any(parts) => parts
            .iter()
            .for_each(|part| gather(part, false, candidates)),
        Filter::RefersTo { to: far, .. } | Filter::ReferredBy { from: far, .. } => {
            gather(far, true, candidates);
        }
        Filter::Not(_) | Filter::Is(_) => {}
    }
}
