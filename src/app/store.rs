//! The store that `DATABASE_URL` names: opened, migrated, closed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{StartError, secret};
use crate::config::{Address, Config, ConfigError, Database};
use crate::fhir::search::form::form;
use crate::store::postgres::{PostgresSettings, PostgresStore};
use crate::store::sqlite::{SqliteSettings, SqliteStore, write_backup};
use crate::store::{Commit, Store, StoreError};

/// Brings the schema up to date. Instances that start together wait for each other.
pub async fn migrate(database: &Database) -> Result<(), StartError> {
    let applied = match &database.address {
        Address::Sqlite(path) => {
            let (path, settings) = (path.clone(), SqliteSettings::default());
            blocking(move || SqliteStore::migrate(&path, &settings)).await?
        }
        Address::Postgres(url) => PostgresStore::migrate(url, &PostgresSettings::default()).await?,
    };
    if !applied.is_empty() {
        tracing::info!(
            migrations = applied.len(),
            "the schema is brought up to date"
        );
    }
    Ok(())
}

/// Opens the store, migrated first where the configuration says so.
pub async fn open(config: &Config) -> Result<Arc<dyn Store>, StartError> {
    let database = &config.database;
    let chain_key = secret::trail(config)?;
    if database.migrate {
        migrate(database).await?;
    }
    Ok(match &database.address {
        Address::Sqlite(path) => {
            let (path, mut settings) = (path.clone(), sqlite(config));
            settings.chain_key = chain_key;
            Arc::new(blocking(move || SqliteStore::open(&path, settings)).await?)
        }
        Address::Postgres(url) => {
            let mut settings = postgresql(config);
            settings.chain_key = chain_key;
            Arc::new(PostgresStore::connect(url, settings).await?)
        }
    })
}

/// Copies the SQLite database at the path into a new file.
pub async fn back_up(database: &str, file: &Path) -> Result<(), StartError> {
    let (database, file) = (database.to_owned(), file.to_owned());
    let settings = SqliteSettings::default();
    Ok(blocking(move || write_backup(&database, &file, &settings)).await?)
}

/// Nothing that is asked could be recorded, so nothing should be served.
pub async fn refuse_keyless(config: &Config, store: &dyn Store) -> Result<(), StartError> {
    if secret::trail(config)?.is_some() {
        return Ok(());
    }
    // Without a schema there is no trail.
    let chains = store.chains().await.unwrap_or_default();
    match chains.last().and_then(|chain| chain.key_name()) {
        None => Ok(()),
        Some(_) => Err(ConfigError::new(
            "the audit trail of this database is kept under UNLOOP_SECRET, which is not set; set the one that it was served with",
        )
        .into()),
    }
}

/// Waits until what was accepted is written: the queue is in order, so once an
/// empty commit is answered nothing waits before it.
pub async fn close(store: Arc<dyn Store>, within: Duration) {
    let drained = async {
        if let Err(error) = store.commit(Commit::default()).await {
            tracing::warn!(%error, "the store did not confirm its last writes");
        }
        // The last handle waits for its writer.
        tokio::task::spawn_blocking(move || drop(store)).await
    };
    if tokio::time::timeout(within, drained).await.is_err() {
        tracing::warn!("the store did not close in time; what was acknowledged is durable");
    }
}

fn sqlite(config: &Config) -> SqliteSettings {
    let mut settings = SqliteSettings::default();
    settings.statement_timeout = config.limits.statement_time;
    settings.readers = config.database.pool.unwrap_or(settings.readers);
    settings.form = form();
    settings
}

fn postgresql(config: &Config) -> PostgresSettings {
    let mut settings = PostgresSettings::default();
    settings.read_timeout = config.limits.statement_time;
    settings.pool_size = config.database.pool.unwrap_or(settings.pool_size);
    settings.form = form();
    settings
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(StoreError::Unavailable(error.to_string())),
    }
}
