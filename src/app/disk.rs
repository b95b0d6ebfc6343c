//! Looks at the disk beside a SQLite database while the service runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Address, Config};
use crate::telemetry::disk::{DiskState, DiskWatch};

/// A fast writer fills a few hundred megabytes in this time.
const PAUSE: Duration = Duration::from_secs(2);

/// The watch over the folder of the database. PostgreSQL's disk is another machine's.
pub fn disk_watch(config: &Config) -> DiskWatch {
    let folder = match &config.database.address {
        Address::Sqlite(path) => Some(folder_of(path)),
        Address::Postgres(_) => None,
    };
    DiskWatch::new(folder, config.limits.disk_reserve)
}

fn folder_of(url: &str) -> PathBuf {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    let path = path.strip_prefix("//").unwrap_or(path);
    let folder = Path::new(path).parent().map(Path::to_path_buf);
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or_else(|| PathBuf::from("."))
}

/// Runs until it is aborted, and tells the operator when the state changes.
pub async fn watch_disk(watch: Arc<DiskWatch>) {
    let mut known = DiskState::Plenty;
    loop {
        let state = watch.look();
        let free = watch.free_space().unwrap_or_default();
        match state {
            _ if state == known => {}
            DiskState::Plenty => tracing::info!(free, "the disk has room again"),
            DiskState::Low => tracing::warn!(free, "the disk of the database is getting full"),
            DiskState::NearlyFull => tracing::error!(
                free,
                "the disk of the database is nearly full: requests without a token and expensive ones are refused"
            ),
        }
        known = state;
        tokio::time::sleep(PAUSE).await;
    }
}
