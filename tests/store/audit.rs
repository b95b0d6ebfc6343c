//! What happened, in chains that show whatever was done to them.

use std::sync::Arc;

use futures_util::future::join_all;
use unloop::store::{AuditEntry, AuditRow, Chain, Commit, Guard, Store};

use crate::fixture::{Bench, chain_key, guarded, put, read};

fn telling(records: &[&str]) -> Commit {
    let row = |record: &&str| AuditRow {
        record: (*record).to_owned(),
    };
    Commit {
        audit: records.iter().map(row).collect(),
        ..Commit::default()
    }
}

/// Every chain with its rows; each row's hash and the links between chains hold.
async fn chains(store: &Arc<dyn Store>) -> Vec<(Chain, Vec<AuditEntry>)> {
    let mut all: Vec<(Chain, Vec<AuditEntry>)> = Vec::new();
    for chain in store.chains().await.unwrap() {
        let rows = store.chain(&chain.end.writer, 0, 10_000).await.unwrap();
        let keys = [chain_key(1), chain_key(2)];
        let mut walk = chain.walk(&keys).unwrap();
        for row in &rows {
            let record = row.record.clone();
            assert_eq!(walk.append(row.made, AuditRow { record }), *row);
        }
        assert_eq!(walk.end(), chain.end);
        match (&chain.after, all.last()) {
            (Some(after), Some((before, _))) => assert_eq!(*after, before.end),
            (after, before) => assert!(after.is_none() && before.is_none()),
        }
        all.push((chain, rows));
    }
    all
}

fn records(chains: &[(Chain, Vec<AuditEntry>)]) -> Vec<&str> {
    let rows = chains.iter().flat_map(|(_, rows)| rows);
    rows.map(|row| row.record.as_str()).collect()
}

pub async fn rows_stand_in_the_order_of_their_commits(bench: &mut dyn Bench) {
    let store = bench.store();
    assert_eq!(chains(&store).await, []);
    store.commit(telling(&["one", "two '\"{∞}"])).await.unwrap();
    store.commit(Commit::default()).await.unwrap();
    store.commit(telling(&["three"])).await.unwrap();
    let all = chains(&store).await;
    assert_eq!(records(&all), ["one", "two '\"{∞}", "three"]);
    let writer = &all[0].0.end.writer;
    let last = store.chain(writer, 1, 1).await.unwrap();
    assert_eq!((last.len(), last[0].position), (1, 2));
    assert!(all[0].1[1].made < all[0].1[2].made);
}

pub async fn a_refused_commit_leaves_no_row(bench: &mut dyn Bench) {
    let store = bench.store();
    let writing = |record: &str, guard| Commit {
        changes: vec![guarded(put("Patient", "a", "x"), guard)],
        ..telling(&[record])
    };
    let commits = [
        store.commit(writing("refused", Guard::VersionIs(7))),
        store.commit(writing("kept", Guard::Absent)),
        store.commit(writing("refused", Guard::Absent)),
        store.commit(writing("kept", Guard::None)),
    ];
    let results = join_all(commits).await;
    let done: Vec<bool> = results.iter().map(Result::is_ok).collect();
    assert_eq!(done, [false, true, false, true]);
    assert_eq!(records(&chains(&store).await), ["kept", "kept"]);
}

pub async fn parallel_commits_make_one_chain(bench: &mut dyn Bench) {
    let store = bench.store();
    let names: Vec<String> = (0..64).map(|n| n.to_string()).collect();
    let commits = names.iter().map(|name| store.commit(telling(&[name])));
    assert!(join_all(commits).await.iter().all(Result::is_ok));
    let all = chains(&store).await;
    assert_eq!(all.len(), 1);
    let mut found = records(&all);
    found.sort_by_key(|record| record.parse::<i64>().unwrap());
    assert_eq!(found, names);
}

pub async fn a_run_begins_a_chain_behind_the_last(bench: &mut dyn Bench) {
    for run in ["one", "two", "three"] {
        bench.store().commit(telling(&[run, run])).await.unwrap();
        bench.reopen().await;
    }
    let store = bench.store();
    let all = chains(&store).await;
    assert_eq!(all.len(), 3);
    assert_eq!(
        records(&all),
        ["one", "one", "two", "two", "three", "three"]
    );
}

pub async fn chains_go_on_under_other_keys_but_not_without(bench: &mut dyn Bench) {
    bench.reopen_under(None).await;
    bench.store().commit(telling(&["plain"])).await.unwrap();
    for number in [1, 2] {
        bench.reopen_under(Some(chain_key(number))).await;
        bench.store().commit(telling(&["sealed"])).await.unwrap();
    }
    let kept = chains(&bench.store()).await;
    let names: Vec<Option<&str>> = kept.iter().map(|(chain, _)| chain.key_name()).collect();
    let keys = [chain_key(1), chain_key(2)];
    assert_eq!(names, [None, Some(keys[0].name()), Some(keys[1].name())]);
    assert_ne!(names[1], names[2]);
    // A row does not tell how a chain that ends with it would be kept.
    let (sealed, rows) = &kept[1];
    assert_ne!(rows[0].hash, sealed.end.hash);
    assert!(sealed.walk(&keys[1..]).is_none());
    // Another key fits nothing, whatever it calls itself.
    let walk = sealed.walk(&keys[..1]).unwrap();
    let row = AuditRow {
        record: "sealed".to_owned(),
    };
    let made = rows[0].made;
    assert_eq!(walk.clone().append(made, row.clone()), rows[0]);
    assert_ne!(walk.clone().append(made + 1, row).hash, rows[0].hash);

    bench.reopen_under(None).await;
    let store = bench.store();
    let write = Commit {
        changes: vec![put("Patient", "a", "x")],
        ..telling(&["unsealed"])
    };
    let refused = store.commit(write).await.unwrap_err();
    assert!(refused.to_string().contains("UNLOOP_SECRET"), "{refused}");
    assert_eq!(read(&store, "Patient", "a").await, None);
    assert_eq!(chains(&store).await.len(), 3);
}

pub async fn without_the_trail_nothing_is_written(bench: &mut dyn Bench) {
    let store = bench.store();
    store.commit(telling(&["one"])).await.unwrap();
    bench.execute("ALTER TABLE audit RENAME TO elsewhere").await;
    let write = || Commit {
        changes: vec![put("Patient", "a", "x")],
        ..telling(&["two"])
    };
    assert!(!store.commit(write()).await.unwrap_err().is_conflict());
    assert_eq!(read(&store, "Patient", "a").await, None);
    bench.execute("ALTER TABLE elsewhere RENAME TO audit").await;
    store.commit(write()).await.unwrap();
    assert_eq!(records(&chains(&store).await), ["one", "two"]);
}

pub async fn a_nul_in_a_record_breaks_no_chain(bench: &mut dyn Bench) {
    let store = bench.store();
    store.commit(telling(&["a\0b", "c"])).await.unwrap();
    assert_eq!(chains(&store).await[0].1.len(), 2);
}
