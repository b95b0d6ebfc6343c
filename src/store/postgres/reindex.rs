//! A rebuild of the index rows, on a connection of its own.

use std::collections::HashMap;

use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use tokio::sync::Mutex;

use super::columns::Row;
use super::connect::Opener;
use super::fault::unavailable;
use super::lock::{LockedRow, lock_keys};
use super::rows::Rows;
use super::writer::session;
use crate::store::reindex::Rebuilt;
use crate::store::sql::reindex::claim;
use crate::store::{Claim, IndexForm, ResourceKey, StoreError};

pub(super) struct Rebuilder {
    opener: Opener,
    form: IndexForm,
    /// Here only between pieces, without an open transaction.
    connection: Mutex<Option<AsyncPgConnection>>,
}

impl Rebuilder {
    pub fn new(opener: Opener, form: IndexForm) -> Self {
        Self {
            opener,
            form,
            connection: Mutex::new(None),
        }
    }

    /// Waits for the writes that are under way, in whatever form: those that
    /// begin later see the claim. <https://www.postgresql.org/docs/current/explicit-locking.html>
    pub async fn claim(&self, how: Claim) -> Result<(), StoreError> {
        let mut connection = self.opener.open(&session()).await?;
        begin(&mut connection).await?;
        connection
            .batch_execute("LOCK TABLE resource IN SHARE ROW EXCLUSIVE MODE")
            .await
            .map_err(unavailable)?;
        RunQueryDsl::execute(claim(self.form, how), &mut connection)
            .await
            .map_err(unavailable)?;
        commit(&mut connection).await
    }

    pub async fn rebuild(&self, rebuilt: &Rebuilt) -> Result<(), StoreError> {
        let mut kept = self.connection.lock().await;
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => self.opener.open(&session()).await?,
        };
        self.replace(&mut connection, rebuilt).await?;
        *kept = Some(connection);
        Ok(())
    }

    async fn replace(
        &self,
        connection: &mut AsyncPgConnection,
        rebuilt: &Rebuilt,
    ) -> Result<(), StoreError> {
        begin(connection).await?;
        let keys = rebuilt.rows.iter().map(|(key, ..)| key);
        let locked: Vec<LockedRow> =
            RunQueryDsl::load(lock_keys(keys).without_nul(), &mut *connection)
                .await
                .map_err(unavailable)?;
        let locked: HashMap<ResourceKey, (i64, i64, bool)> = locked
            .into_iter()
            .map(|(resource_type, id, rid, version, _, live)| {
                (ResourceKey { resource_type, id }, (rid, version, live))
            })
            .collect();
        let mut rows = Rows::default();
        for (key, version, index) in &rebuilt.rows {
            match locked.get(key) {
                Some((rid, current, true)) if current == version => {
                    rows.rebuild(&Row::rebuilt(*rid, index));
                }
                _ => {}
            }
        }
        rows.advance(rebuilt.from, rebuilt.through);
        if let Some(statement) = rows.statement(self.form, None) {
            RunQueryDsl::execute(statement.without_nul(), &mut *connection)
                .await
                .map_err(unavailable)?;
        }
        commit(connection).await
    }
}

async fn begin(connection: &mut AsyncPgConnection) -> Result<(), StoreError> {
    connection.batch_execute("BEGIN").await.map_err(unavailable)
}

async fn commit(connection: &mut AsyncPgConnection) -> Result<(), StoreError> {
    connection
        .batch_execute("COMMIT")
        .await
        .map_err(unavailable)
}
