//! How many rows have the most common facts, as the database's own statistics say.
//! <https://www.postgresql.org/docs/current/view-pg-stats.html>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::sql_types::{Array, BigInt};

use super::readers::{Readers, Width};
use crate::store::StoreError;
use crate::store::sql::Sql;

/// The database looks at its rows again about as often.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// `None` where the database has not counted its rows yet.
pub(super) type Facts = Option<Arc<Listed>>;

/// Rows of the most common facts.
#[derive(Default)]
pub(super) struct Listed {
    pub rows: HashMap<i64, i64>,
    /// Facts that are not listed have no more, as far as is known.
    pub fewest: i64,
}

impl FromIterator<(i64, i64)> for Listed {
    fn from_iter<T: IntoIterator<Item = (i64, i64)>>(facts: T) -> Self {
        let rows: HashMap<i64, i64> = facts.into_iter().collect();
        let fewest = rows.values().copied().min().unwrap_or(0);
        Self { rows, fewest }
    }
}

/// Asked for by the first search after they have become old.
#[derive(Default)]
pub(super) struct Common {
    known: Mutex<Option<(Instant, Facts)>>,
}

impl Common {
    pub async fn facts(&self, readers: &Readers) -> Result<Facts, StoreError> {
        if let Some(facts) = self.fresh() {
            return Ok(facts);
        }
        // As the planner does: the rows of a page when they were counted, by the pages
        // that there are now.
        let statement = Sql::new(
            "SELECT f.facts, ARRAY(SELECT CAST(share * n.rows AS BIGINT) \
             FROM unnest(s.most_common_elem_freqs[:cardinality(f.facts)]) \
             WITH ORDINALITY AS u(share, place) ORDER BY place) \
             FROM pg_stats s JOIN pg_class c ON c.oid = to_regclass('resource'), \
             LATERAL (SELECT c.reltuples / c.relpages * (pg_relation_size(c.oid) \
             / current_setting('block_size')::int) AS rows) n, \
             LATERAL (SELECT coalesce(s.most_common_elems::text::bigint[], '{}') AS facts) f \
             WHERE s.schemaname = current_schema() AND s.tablename = 'resource' \
             AND s.attname = 'keys' AND c.reltuples >= 0 AND c.relpages > 0",
        );
        let statement = statement.rows::<(Array<BigInt>, Array<BigInt>)>();
        let rows: Vec<(Vec<i64>, Vec<i64>)> = readers.rows(Width::Narrow, statement).await?;
        let facts = rows.into_iter().next();
        let facts = facts.map(|(facts, rows)| Arc::new(facts.into_iter().zip(rows).collect()));
        self.keep(facts.clone());
        Ok(facts)
    }

    /// What is known. Where it has become old, one caller is sent for news and
    /// the others go on with it.
    fn fresh(&self) -> Option<Facts> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, facts) = known.as_mut()?;
        if at.elapsed() < KEPT_FOR {
            return Some(facts.clone());
        }
        *at = Instant::now();
        None
    }

    fn keep(&self, facts: Facts) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((Instant::now(), facts));
    }
}
