//! Which facts many rows have, as the database's own statistics say.
//! <https://www.postgresql.org/docs/current/view-pg-stats.html>

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::sql_types::{Array, BigInt};

use super::lead::FEW;
use super::readers::{Readers, Width};
use crate::store::StoreError;
use crate::store::sql::Sql;

/// The database looks at its rows again about as often.
const KEPT_FOR: Duration = Duration::from_secs(60);

type Keys = Option<Arc<HashSet<i64>>>;

/// Asked for by the first search after they have become old.
#[derive(Default)]
pub(super) struct Common {
    known: Mutex<Option<(Instant, Keys)>>,
}

impl Common {
    /// `None` where the database has not counted its rows yet.
    pub async fn keys(&self, readers: &Readers) -> Result<Keys, StoreError> {
        if let Some(keys) = self.fresh() {
            return Ok(keys);
        }
        let mut statement = Sql::new(
            "SELECT ARRAY(SELECT fact FROM unnest(s.most_common_elems::text::bigint[], \
             s.most_common_elem_freqs) AS u(fact, share) WHERE fact IS NOT NULL \
             AND share * c.reltuples >= ",
        );
        statement.big(FEW).sql(
            ") FROM pg_stats s JOIN pg_class c ON c.oid = to_regclass('resource') \
             WHERE schemaname = current_schema() AND tablename = 'resource' AND attname = 'keys'",
        );
        let rows: Vec<Vec<i64>> = readers
            .rows(Width::Narrow, statement.rows::<Array<BigInt>>())
            .await?;
        let keys = rows.into_iter().next();
        let keys = keys.map(|keys| Arc::new(keys.into_iter().collect()));
        self.keep(keys.clone());
        Ok(keys)
    }

    /// What is known. Where it has become old, one caller is sent for news and
    /// the others go on with it.
    fn fresh(&self) -> Option<Keys> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, keys) = known.as_mut()?;
        if at.elapsed() < KEPT_FOR {
            return Some(keys.clone());
        }
        *at = Instant::now();
        None
    }

    fn keep(&self, keys: Keys) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((Instant::now(), keys));
    }
}
