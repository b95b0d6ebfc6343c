//! How much room there is beside the database. A disk that is nearly full first takes
//! no more work that could wait, so that there is room for what must be written.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A warning comes while there is still so many times the reserve.
const WARNED_AT: u64 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiskState {
    Plenty,
    /// The operator is warned.
    Low,
    /// Below the reserve: requests without a token and expensive ones are refused.
    NearlyFull,
}

/// The free space of one folder, as it was last looked at.
#[derive(Debug)]
pub struct DiskWatch {
    /// `None`: the records are elsewhere, on a server that watches its own disk.
    folder: Option<PathBuf>,
    /// Bytes. 0: nothing is refused.
    reserve: u64,
    free: AtomicU64,
}

impl DiskWatch {
    pub fn new(folder: Option<PathBuf>, reserve: u64) -> Self {
        let watch = Self {
            folder,
            reserve,
            free: AtomicU64::new(u64::MAX),
        };
        watch.look();
        watch
    }

    /// Looks again, and says how things stand.
    pub fn look(&self) -> DiskState {
        if let Some(folder) = &self.folder {
            match free_bytes(folder) {
                Ok(free) => self.free.store(free, Ordering::Relaxed),
                Err(error) => tracing::warn!(%error, "the free space of the disk is not known"),
            }
        }
        self.state()
    }

    pub fn state(&self) -> DiskState {
        let free = self.free.load(Ordering::Relaxed);
        if free < self.reserve {
            DiskState::NearlyFull
        } else if free < self.reserve.saturating_mul(WARNED_AT) {
            DiskState::Low
        } else {
            DiskState::Plenty
        }
    }

    /// Bytes; `None` where nothing is watched.
    pub fn free_space(&self) -> Option<u64> {
        self.folder.as_ref()?;
        Some(self.free.load(Ordering::Relaxed))
    }
}

/// What an ordinary user may still write.
fn free_bytes(folder: &Path) -> std::io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_judged_by_the_reserve() {
        let here = || Some(PathBuf::from("."));
        assert_eq!(DiskWatch::new(here(), 0).state(), DiskState::Plenty);
        assert_eq!(
            DiskWatch::new(here(), u64::MAX).state(),
            DiskState::NearlyFull
        );
        let free = DiskWatch::new(here(), 0).free_space().unwrap();
        assert_eq!(DiskWatch::new(here(), free / 2).state(), DiskState::Low);
        assert_eq!(
            DiskWatch::new(None, u64::MAX - 1).state(),
            DiskState::Plenty
        );
    }
}
