//! The files of the database: for their owner alone, on a disk with room, and still
//! the ones that were opened.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use crate::store::StoreError;

/// With less than this free, the next writes are likely to fail.
const NEEDED_BYTES: u64 = 1_048_576;

/// The database, its log and what its connections share.
const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];

/// Makes the file where it is missing, readable by its owner alone: SQLite gives its
/// companions the same mode. Files that others may read are closed to them.
pub fn protect_files(path: &str) -> Result<(), StoreError> {
    let failed = |error: io::Error| StoreError::Unavailable(format!("{path}: {error}"));
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    for suffix in SUFFIXES {
        let file = format!("{path}{suffix}");
        let file = Path::new(&file);
        match fs::metadata(file) {
            Ok(found) if found.is_file() && found.permissions().mode() & 0o077 != 0 => {
                if let Err(error) = fs::set_permissions(file, fs::Permissions::from_mode(0o600)) {
                    tracing::warn!(
                        file = %file.display(), %error,
                        "a file of the database can be read by others; its mode should be 600"
                    );
                }
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(())
}

/// Which file was opened under a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    path: String,
    device: u64,
    inode: u64,
}

impl FileIdentity {
    pub fn load(path: &str) -> Result<Self, StoreError> {
        let found = fs::metadata(path);
        let found = found.map_err(|error| StoreError::Unavailable(format!("{path}: {error}")))?;
        Ok(Self {
            path: path.to_owned(),
            device: found.dev(),
            inode: found.ino(),
        })
    }

    /// What is written into a file that was replaced is lost, and what another file says
    /// of rights is not what this program knows.
    pub fn refuse_replaced(&self) -> Result<(), StoreError> {
        if Self::load(&self.path)? == *self {
            return Ok(());
        }
        Err(StoreError::Unavailable(format!(
            "{}: the database file was replaced while it was in use; start the service anew",
            self.path
        )))
    }

    /// Whether the disk has room for the next writes.
    pub fn refuse_full_disk(&self) -> Result<(), StoreError> {
        let path = Path::new(&self.path);
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let disk = rustix::fs::statvfs(folder.unwrap_or(Path::new(".")));
        let disk = disk.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free >= NEEDED_BYTES {
            return Ok(());
        }
        Err(StoreError::Unavailable(format!(
            "{}: the disk is full ({free} bytes are free)",
            self.path
        )))
    }
}
