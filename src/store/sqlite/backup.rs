//! A copy of the database while it is in use. <https://www.sqlite.org/lang_vacuum.html#vacuuminto>

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use diesel::RunQueryDsl;
use diesel::sql_types::Text;

use super::connection;
use super::error::store_error;
use super::settings::SqliteSettings;
use crate::store::StoreError;
use crate::store::sql::Sql;

/// Writes all that was committed before into a new file, which is whole once it has its
/// name, and readable by its owner alone. Nobody waits meanwhile. Blocks.
pub fn write_backup(url: &str, target: &Path, settings: &SqliteSettings) -> Result<(), StoreError> {
    let failed =
        |error: io::Error| StoreError::Unavailable(format!("{}: {error}", target.display()));
    if target.exists() {
        let text = format!("{}: there is a file already", target.display());
        return Err(StoreError::Unavailable(text));
    }
    let draft = draft_beside(target);
    let mut options = OpenOptions::new();
    let made = options.write(true).create_new(true).mode(0o600);
    made.open(&draft).map_err(failed)?;
    let written = copy(url, &draft, settings).and_then(|()| {
        // Unlike a rename, a link never replaces what somebody has put there meanwhile.
        fs::hard_link(&draft, target).map_err(failed)
    });
    let removed = fs::remove_file(&draft).map_err(failed);
    written.and(removed)?;
    let folder = target.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    folder.sync_all().map_err(failed)
}

fn draft_beside(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(format!(".{}.part", uuid::Uuid::now_v7().simple()));
    name.into()
}

fn copy(url: &str, draft: &Path, settings: &SqliteSettings) -> Result<(), StoreError> {
    let path = connection::path_of(url);
    let Some(text) = draft.to_str() else {
        return Err(StoreError::Unavailable("the name is not UTF-8".into()));
    };
    // To open it would make the file.
    fs::metadata(path).map_err(|error| StoreError::Unavailable(format!("{path}: {error}")))?;
    let mut from = connection::copier(path, settings)?;
    let mut sql = Sql::new("VACUUM INTO ");
    sql.text(text);
    sql.command().execute(&mut from).map_err(store_error)?;
    File::open(draft)
        .and_then(|file| file.sync_all())
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let mut made = connection::reader(text, settings)?;
    let found: Vec<String> = Sql::new("PRAGMA quick_check(1)")
        .rows::<Text>()
        .load(&mut made)
        .map_err(store_error)?;
    match found.first().map(String::as_str) {
        Some("ok") => Ok(()),
        fault => Err(StoreError::Corrupt(format!(
            "the copy is not sound: {}",
            fault.unwrap_or_default()
        ))),
    }
}
