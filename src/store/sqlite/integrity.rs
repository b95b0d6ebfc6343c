//! Whether the file is still a sound database, looked at from time to time.
//! <https://www.sqlite.org/pragma.html#pragma_quick_check>

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel::RunQueryDsl;
use diesel::sql_types::Text;

use super::connection;
use super::error::store_error;
use super::settings::SqliteSettings;
use crate::store::StoreError;
use crate::store::sql::Sql;

/// Between the end of one check and the next.
const PAUSE: Duration = Duration::from_secs(4);

/// Checks take a fiftieth of the time at most, however large the file is.
const SHARE: u32 = 50;

/// Who asks waits so long for a check that is under way.
const PATIENCE: Duration = Duration::from_millis(1_000);

pub struct IntegrityWatch {
    path: String,
    settings: SqliteSettings,
    state: Arc<Mutex<Checked>>,
}

#[derive(Default)]
struct Checked {
    is_running: bool,
    due: Option<Instant>,
    fault: Option<String>,
}

impl IntegrityWatch {
    pub fn new(path: &str, settings: &SqliteSettings) -> Self {
        Self {
            path: path.to_owned(),
            settings: settings.clone(),
            state: Arc::default(),
        }
    }

    /// What the last check found; a new one is begun where it is due.
    pub async fn refuse_corrupt(&self) -> Result<(), StoreError> {
        if let Some(check) = self.begin_check() {
            // A large file takes longer: the next question gets the result.
            drop(tokio::time::timeout(PATIENCE, check).await);
        }
        match &state(&self.state).fault {
            None => Ok(()),
            Some(fault) => Err(StoreError::Corrupt(format!("{}: {fault}", self.path))),
        }
    }

    fn begin_check(&self) -> Option<tokio::task::JoinHandle<()>> {
        let mut checked = state(&self.state);
        let is_due = checked.due.is_none_or(|due| due <= Instant::now());
        if checked.is_running || !is_due {
            return None;
        }
        checked.is_running = true;
        let (path, settings, shared) =
            (self.path.clone(), self.settings.clone(), self.state.clone());
        Some(tokio::task::spawn_blocking(move || {
            let begun = Instant::now();
            let result = check(&path, &settings);
            let mut checked = state(&shared);
            checked.is_running = false;
            checked.due = Some(Instant::now() + PAUSE.max(begun.elapsed() * SHARE));
            match result {
                Ok(()) => checked.fault = None,
                Err(StoreError::Corrupt(fault)) => checked.fault = Some(fault),
                // Somebody holds the file: that says nothing of what is in it.
                Err(error) => tracing::debug!(%error, "the file was not checked"),
            }
        }))
    }
}

/// Blocks. A connection of its own: what others have read of the file does not count.
fn check(path: &str, settings: &SqliteSettings) -> Result<(), StoreError> {
    let mut connection = connection::reader(path, settings)?;
    let found: Vec<String> = Sql::new("PRAGMA quick_check(1)")
        .rows::<Text>()
        .load(&mut connection)
        .map_err(store_error)?;
    match found.first().map(String::as_str) {
        Some("ok") => Ok(()),
        Some(fault) => Err(StoreError::Corrupt(
            fault.lines().collect::<Vec<_>>().join(" "),
        )),
        None => Err(StoreError::Corrupt("the check says nothing".into())),
    }
}

/// No step of a change can leave what is behind it half done.
fn state(shared: &Mutex<Checked>) -> MutexGuard<'_, Checked> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
