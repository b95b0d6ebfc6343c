//! Which commits may share one transaction.

use std::collections::HashMap;

use crate::store::{Commit, Guard, ResourceKey};

/// Sorts commits into batches that run one after the other, and gives the
/// places of each batch's commits. Within a batch no resource and no lock
/// stands twice, so its commits can be judged and written as sets; commits
/// that do share one keep their order.
pub(super) fn split(commits: &[&Commit]) -> Vec<Vec<usize>> {
    let mut resources: HashMap<&ResourceKey, usize> = HashMap::new();
    let mut locks: HashMap<i64, usize> = HashMap::new();
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for (place, commit) in commits.iter().enumerate() {
        let level = commit
            .changes
            .iter()
            .filter_map(|change| resources.get(&change.key))
            .chain(commit_locks(commit).filter_map(|lock| locks.get(&lock)))
            .max()
            .map_or(0, |last| last + 1);
        for change in &commit.changes {
            resources.insert(&change.key, level);
        }
        for lock in commit_locks(commit) {
            locks.insert(lock, level);
        }
        match batches.get_mut(level) {
            Some(batch) => batch.push(place),
            None => batches.push(vec![place]),
        }
    }
    batches
}

/// The locks of all the commit's guards, and of the entries it changes.
pub(super) fn commit_locks(commit: &Commit) -> impl Iterator<Item = i64> + '_ {
    let guards = commit
        .changes
        .iter()
        .flat_map(|change| match &change.guard {
            Guard::NoMatch { locks, .. } => locks.as_slice(),
            _ => &[],
        });
    let entries = commit.registry.iter().map(|change| change.key.lock());
    guards.copied().chain(entries)
}

#[cfg(test)]
mod tests {
    use super::split;
    use crate::store::{Change, Commit, Guard, Method, ResourceKey, Write};

    fn commit(ids: &[&str]) -> Commit {
        let changes = ids.iter().map(|id| Change {
            key: ResourceKey::new("Patient", *id),
            method: Method::Delete,
            guard: Guard::None,
            write: Write::Delete,
        });
        Commit {
            changes: changes.collect(),
            ..Commit::default()
        }
    }

    #[test]
    fn commits_that_share_a_resource_keep_their_order_in_later_batches() {
        let commits = [
            commit(&["a", "b"]),
            commit(&["c"]),
            commit(&["b"]),
            commit(&["a", "c"]),
            commit(&["b"]),
        ];
        let borrowed: Vec<_> = commits.iter().collect();
        assert_eq!(split(&borrowed), [vec![0, 1], vec![2, 3], vec![4]]);
    }
}
