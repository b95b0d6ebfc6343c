//! How a connection to the file is opened.
//! <https://www.sqlite.org/pragma.html>

use std::thread::sleep;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

use super::error::{connection_error, is_busy, store_error};
use super::interrupt::install_interrupts;
use super::settings::SqliteSettings;
use crate::store::StoreError;

/// No `mmap_size`: a failing disk must be an error, not the end of the process.
const READER: &str = "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; \
     PRAGMA cache_size = -4000;";

/// FULL: what is acknowledged survives a loss of power. A checkpoint writes
/// each page once, however often it was changed: the longer between two of them,
/// the less is written.
const WRITER: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = OFF; PRAGMA cache_size = -16000; PRAGMA wal_autocheckpoint = 8000; \
     PRAGMA journal_size_limit = 67108864;";

/// The path in `sqlite:PATH`, `sqlite://PATH` or a plain path.
pub fn path_of(url: &str) -> &str {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    path.strip_prefix("//").unwrap_or(path)
}

pub fn reader(path: &str, settings: &SqliteSettings) -> Result<SqliteConnection, StoreError> {
    open(path, settings, READER)
}

/// Reads everything and writes another file.
pub fn copier(path: &str, settings: &SqliteSettings) -> Result<SqliteConnection, StoreError> {
    open(path, settings, "PRAGMA cache_size = -4000;")
}

pub fn writer(path: &str, settings: &SqliteSettings) -> Result<SqliteConnection, StoreError> {
    open(path, settings, WRITER)
}

/// SQLite does not wait for its lock when the file changes to WAL: this does.
fn open(
    path: &str,
    settings: &SqliteSettings,
    pragmas: &str,
) -> Result<SqliteConnection, StoreError> {
    let give_up = Instant::now() + settings.busy_timeout;
    loop {
        match try_open(path, settings, pragmas) {
            Err(error) if is_busy(&error) && Instant::now() < give_up => {
                sleep(Duration::from_millis(5));
            }
            Err(StoreError::Corrupt(text)) => {
                return Err(StoreError::Corrupt(format!("{path}: {text}")));
            }
            Err(StoreError::Unavailable(text)) => {
                return Err(StoreError::Unavailable(format!("{path}: {text}")));
            }
            result => return result,
        }
    }
}

fn try_open(
    path: &str,
    settings: &SqliteSettings,
    pragmas: &str,
) -> Result<SqliteConnection, StoreError> {
    install_interrupts();
    let mut connection = SqliteConnection::establish(path).map_err(connection_error)?;
    let busy = format!(
        "PRAGMA busy_timeout = {}; ",
        settings.busy_timeout.as_millis()
    );
    connection
        .batch_execute(&(busy + pragmas))
        .map_err(store_error)?;
    Ok(connection)
}
