//! Many at once.

use unloop::store::{Conflict, Guard, IndexKey, IndexRows, StoreError};

use crate::fixture::{Bench, all, commit, done, guarded, has, ids, plan, put, put_indexed, read};

const MANY: usize = 64;

pub async fn one_of_many_conditional_creates_wins(bench: &mut dyn Bench) {
    let store = bench.store();
    let tasks = (0..MANY).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let index = IndexRows {
                keys: vec![IndexKey(-3)],
                ..IndexRows::default()
            };
            let guard = Guard::NoMatch {
                plan: Box::new(plan(has(-3))),
                locks: vec![11],
            };
            let change = put_indexed("Patient", &format!("p{n}"), "x", index);
            commit(&store, vec![guarded(change, guard)]).await
        })
    });
    let mut winners = 0;
    for result in futures_util::future::join_all(tasks).await {
        match result.unwrap() {
            Ok(_) => winners += 1,
            Err(StoreError::Conflict { conflict, .. }) => {
                assert_eq!(conflict, Conflict::Matched);
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(winners, 1);
    assert_eq!(store.count(&plan(has(-3))).await, Ok(1));
}

pub async fn one_of_many_updates_of_a_version_wins(bench: &mut dyn Bench) {
    let store = bench.store();
    done(&store, put("Patient", "a", "start")).await;
    let tasks = (0..MANY).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let change = put("Patient", "a", &n.to_string());
            commit(&store, vec![guarded(change, Guard::VersionIs(1))]).await
        })
    });
    let results = futures_util::future::join_all(tasks).await;
    let mut winner = None;
    for (n, result) in results.into_iter().enumerate() {
        match result.unwrap() {
            Ok(_) => assert_eq!(winner.replace(n), None),
            Err(error) => assert_eq!(
                error,
                StoreError::Conflict {
                    change: 0,
                    conflict: Conflict::Version { current: Some(2) }
                }
            ),
        }
    }
    let stored = read(&store, "Patient", "a").await.unwrap();
    assert_eq!(stored.version, 2);
    assert_eq!(stored.body, winner.map(|n| n.to_string()));
}

pub async fn parallel_commits_are_all_kept(bench: &mut dyn Bench) {
    let store = bench.store();
    let tasks = (0..MANY).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let own = put("Observation", &format!("o{n:02}"), "x");
            let version = done(&store, own).await;
            let shared = done(&store, put("Patient", "shared", "x")).await;
            (version.updated, shared)
        })
    });
    let mut versions = Vec::new();
    let mut times = Vec::new();
    for result in futures_util::future::join_all(tasks).await {
        let (updated, shared) = result.unwrap();
        versions.push((shared.version, shared.updated));
        times.extend([updated, shared.updated]);
    }
    versions.sort_unstable();
    times.sort_unstable();
    let numbers: Vec<i64> = versions.iter().map(|(version, _)| *version).collect();
    assert_eq!(numbers, (1..=64).collect::<Vec<_>>());
    assert!(versions.is_sorted_by_key(|(_, updated)| *updated));
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(ids(&store, &plan(all())).await.len(), MANY + 1);
}
