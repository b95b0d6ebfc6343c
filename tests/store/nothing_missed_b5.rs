//! B5: a poll by time misses no acknowledged write, also while several instances write
//! into the database. What is visible never gets company from an earlier time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use unloop::store::{
    Bounds, Comparison, Filter, HistoryOf, HistoryPlan, IndexForm, OrderBy, ResourceKey, Scope,
    SearchPlan, Store, Stored,
};

use crate::fixture::{Bench, Dice, commit, delete, plan, put, term};

const WRITERS: u64 = 8;
const ROUNDS: u64 = 40;

type Seen = BTreeSet<(ResourceKey, i64)>;

fn seen(rows: &[Stored]) -> impl Iterator<Item = (ResourceKey, i64)> + '_ {
    rows.iter().map(|row| (row.key.clone(), row.version))
}

/// Transactions of one to six resources, new ones and some that others change as well.
/// Every acknowledged version with its time.
async fn write_transactions(store: Arc<dyn Store>, number: u64) -> Vec<(ResourceKey, i64, i64)> {
    let mut dice = Dice(number);
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        let mut changes = Vec::new();
        for place in 0..=dice.below(6) {
            let kind = *dice.pick(&["Patient", "Observation"]);
            changes.push(put(kind, &format!("{number}-{round}-{place}"), "x"));
        }
        match dice.below(6) {
            0 => changes.push(put("Patient", &format!("s{}", dice.below(4)), "x")),
            1 => changes.push(delete("Patient", &format!("s{}", dice.below(4)))),
            _ => {}
        }
        let keys: Vec<_> = changes.iter().map(|change| change.key.clone()).collect();
        let Ok(versions) = commit(&store, changes).await else {
            continue;
        };
        let made = keys.into_iter().zip(versions);
        let made = made.filter(|(_, made)| made.effect != unloop::store::Effect::Nothing);
        acknowledged.extend(made.map(|(key, made)| (key, made.version, made.updated)));
    }
    acknowledged
}

/// Asks only for what is newer than all that it has seen.
async fn poll_history(store: Arc<dyn Store>, ended: Arc<AtomicBool>) -> Seen {
    let (mut all, mut since) = (Seen::new(), None);
    loop {
        let is_last = ended.load(Ordering::SeqCst);
        let plan = HistoryPlan {
            scope: Scope::everything(),
            of: HistoryOf::System,
            since,
            at: None,
            after: None,
            limit: 100_000,
        };
        let (rows, more) = store.history(&plan).await.unwrap();
        assert!(!more);
        all.extend(seen(&rows));
        let newest = rows.iter().map(|row| row.updated + 1).max();
        since = newest.max(since);
        if is_last {
            return all;
        }
        tokio::task::yield_now().await;
    }
}

/// The same by a search. It sees current versions only.
async fn poll_search(store: Arc<dyn Store>, ended: Arc<AtomicBool>) -> Seen {
    let (mut all, mut since) = (Seen::new(), None);
    loop {
        let is_last = ended.load(Ordering::SeqCst);
        let newer = Filter::Is(Comparison::Updated(Bounds {
            low_min: since,
            ..Bounds::default()
        }));
        let plan = SearchPlan {
            order: vec![
                term(OrderBy::Updated, false),
                term(OrderBy::Type, false),
                term(OrderBy::Id, false),
            ],
            limit: 100_000,
            ..plan(newer)
        };
        let found = store.search(&plan).await.unwrap();
        assert!(!found.more);
        all.extend(seen(&found.rows));
        let newest = found.rows.iter().map(|row| row.updated + 1).max();
        since = newest.max(since);
        if is_last {
            return all;
        }
        tokio::task::yield_now().await;
    }
}

pub async fn pollers_beside_two_instances_miss_nothing(bench: &mut dyn Bench) {
    let stores = [bench.store(), bench.beside(IndexForm::default()).await];
    let ended = Arc::new(AtomicBool::new(false));
    let histories = stores.clone().map(|store| {
        let ended = ended.clone();
        tokio::spawn(poll_history(store, ended))
    });
    let searches = stores.clone().map(|store| {
        let ended = ended.clone();
        tokio::spawn(poll_search(store, ended))
    });
    let writers = (0..WRITERS).map(|number| {
        let store = stores[usize::from(number % 2 == 1)].clone();
        tokio::spawn(write_transactions(store, number))
    });
    let written: Vec<_> = join_all(writers).await;
    ended.store(true, Ordering::SeqCst);
    let mut written: Vec<_> = written.into_iter().flat_map(Result::unwrap).collect();
    assert!(written.len() > 500, "{}", written.len());
    let all: Seen = written
        .iter()
        .map(|(key, version, _)| (key.clone(), *version))
        .collect();
    for poller in histories {
        let missed: Vec<_> = all.difference(&poller.await.unwrap()).cloned().collect();
        assert_eq!(missed, []);
    }
    // Of what is changed by many, a search may meet a later version only.
    let lonely = |(key, _): &&(ResourceKey, i64)| !key.id.starts_with('s');
    for poller in searches {
        let polled = poller.await.unwrap();
        let missed: Vec<_> = all.difference(&polled).filter(lonely).cloned().collect();
        assert_eq!(missed, []);
    }
    // What the writers were told is what stands.
    written.sort();
    let plan = HistoryPlan {
        scope: Scope::everything(),
        of: HistoryOf::System,
        since: None,
        at: None,
        after: None,
        limit: 100_000,
    };
    let (rows, _) = stores[0].history(&plan).await.unwrap();
    let mut stored: Vec<_> = rows
        .into_iter()
        .map(|row| (row.key, row.version, row.updated))
        .collect();
    stored.sort();
    assert_eq!(stored, written);
}

/// What one commit wrote stands at one time, and no two commits share one.
pub async fn instances_take_turns_with_their_times(bench: &mut dyn Bench) {
    let stores = [bench.store(), bench.beside(IndexForm::default()).await];
    let mut last = 0;
    for round in 0..20 {
        let store = &stores[round % 2];
        let changes = vec![
            put("Patient", &format!("n{round}"), "x"),
            put("Patient", "changed", "x"),
        ];
        let versions = commit(store, changes).await.unwrap();
        assert_eq!(versions[0].updated, versions[1].updated);
        assert!(versions[0].updated > last);
        last = versions[0].updated;
    }
}
