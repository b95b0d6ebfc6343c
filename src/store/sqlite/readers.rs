//! The connections that read, each with one blocking hop per question.

use std::sync::{Arc, Mutex, PoisonError};

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;
use tokio::sync::Semaphore;

use super::connection;
use super::error::store_error;
use super::settings::SqliteSettings;
use crate::store::StoreError;

/// Opened when first needed, kept for ever after.
pub struct Readers {
    path: String,
    settings: SqliteSettings,
    idle: Mutex<Vec<SqliteConnection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub fn new(path: &str, settings: &SqliteSettings) -> Arc<Self> {
        Arc::new(Self {
            path: path.to_owned(),
            settings: settings.clone(),
            idle: Mutex::new(Vec::new()),
            permits: Arc::new(Semaphore::new(settings.readers.max(1))),
        })
    }

    /// As [`Self::run`], in one transaction: what others write meanwhile would
    /// make every page stale that one question has read for the next.
    pub async fn run_at_once<T: Send + 'static>(
        self: &Arc<Self>,
        job: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        // A connection whose job failed is closed, and its transaction with it.
        self.run(move |connection| {
            connection.batch_execute("BEGIN").map_err(store_error)?;
            let result = job(connection)?;
            connection.batch_execute("COMMIT").map_err(store_error)?;
            Ok(result)
        })
        .await
    }

    /// Waits for its turn without blocking, then reads on a thread that may.
    pub async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        job: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let failed = |error: String| StoreError::Unavailable(error);
        let permit = self.permits.clone().acquire_owned().await;
        let permit = permit.map_err(|error| failed(error.to_string()))?;
        let readers = self.clone();
        let answer = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let mut connection = readers.take()?;
            let result = job(&mut connection);
            if result.is_ok() {
                readers.idle().push(connection);
            }
            result
        });
        answer.await.map_err(|error| failed(error.to_string()))?
    }

    fn take(&self) -> Result<SqliteConnection, StoreError> {
        let idle = self.idle().pop();
        match idle {
            Some(connection) => Ok(connection),
            None => connection::reader(&self.path, &self.settings),
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<SqliteConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
