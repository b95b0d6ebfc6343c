//! Whether a commit may happen, and what it then does to each resource.

use std::collections::HashMap;

use super::registry::{self, Entries};
use crate::store::gather::TimedCommit;
use crate::store::{Change, Conflict, Effect, Guard, ResourceKey, StoreError, Version, Write};

/// A resource as it stands, locked against others.
#[derive(Clone, Copy)]
pub(super) struct Current {
    pub rid: i64,
    pub version: i64,
    pub updated: i64,
    pub live: bool,
}

/// What the batch's resources and conditions are, under its locks.
#[derive(Default)]
pub(super) struct Standing {
    pub current: HashMap<ResourceKey, Current>,
    /// Commit and change (places in the batch) of each
    /// [`Guard::NoMatch`] that something matches.
    pub matched: Vec<(usize, usize)>,
    pub entries: Entries,
}

/// One change that may happen.
pub(super) struct Verdict {
    pub current: Option<Current>,
    pub version: Version,
}

/// The verdict on each change of the commit at `place`, or the first refusal.
pub(super) fn judge(
    timed: &TimedCommit,
    place: usize,
    standing: &Standing,
    now: i64,
) -> Result<Vec<Verdict>, StoreError> {
    let verdicts = timed
        .commit
        .changes
        .iter()
        .enumerate()
        .map(|(number, change)| {
            let current = standing.current.get(&change.key).copied();
            let matched = standing.matched.contains(&(place, number));
            match refusal(&change.guard, current, matched) {
                None => Ok(Verdict {
                    current,
                    version: next(change, current, timed.made),
                }),
                Some(conflict) => Err(StoreError::Conflict {
                    change: number,
                    conflict,
                }),
            }
        });
    let verdicts = verdicts.collect::<Result<_, _>>()?;
    registry::judge(&timed.commit, &standing.entries, now)?;
    Ok(verdicts)
}

fn refusal(guard: &Guard, current: Option<Current>, matched: bool) -> Option<Conflict> {
    match guard {
        Guard::None | Guard::New => None,
        Guard::Absent => current.map(|_| Conflict::Exists),
        Guard::VersionIs(version) => {
            let live = current.filter(|current| current.live);
            let current = live.map(|current| current.version);
            (current != Some(*version)).then_some(Conflict::Version { current })
        }
        Guard::NoMatch { .. } => matched.then_some(Conflict::Matched),
    }
}

fn next(change: &Change, current: Option<Current>, made: i64) -> Version {
    let live = current.is_some_and(|current| current.live);
    let effect = match change.write {
        Write::Put { .. } if live => Effect::Updated,
        Write::Put { .. } => Effect::Created,
        Write::Delete if live => Effect::Deleted,
        Write::Delete | Write::Keep => Effect::Nothing,
    };
    let (version, updated) = current.map_or((0, 0), |current| (current.version, current.updated));
    if effect == Effect::Nothing {
        return Version {
            version,
            updated,
            effect,
        };
    }
    Version {
        version: version + 1,
        updated: made,
        effect,
    }
}
