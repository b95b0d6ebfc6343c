//! What was answered stays.

use unloop::store::{
    Commit, Effect, Guard, HistoryOf, HistoryPlan, IndexKey, IndexRows, OutboxRow, Scope,
};

use crate::fixture::{
    Bench, commit, delete, done, guarded, has, ids, key, of_type, plan, put, put_indexed, read,
};
use crate::oracle::{answer, fill};

pub async fn what_was_committed_is_there_after_reopening(bench: &mut dyn Bench) {
    let documents = fill(&bench.store(), 60).await;
    done(&bench.store(), put("Other", "a", "one")).await;
    done(&bench.store(), put("Other", "a", "two")).await;
    bench.reopen().await;
    let store = bench.store();
    for filter in [has(99), of_type("Patient")] {
        let plan = plan(filter);
        assert_eq!(ids(&store, &plan).await, answer(&documents, &plan));
    }
    let body = read(&store, "Other", "a").await.unwrap().body;
    assert_eq!(body.as_deref(), Some("two"));
    let past = store
        .vread(&Scope::everything(), &key("Other", "a"), 1)
        .await;
    assert_eq!(past.unwrap().unwrap().body.as_deref(), Some("one"));
}

pub async fn versions_and_time_go_on_after_reopening(bench: &mut dyn Bench) {
    let mut last = 0;
    for version in 1..=5 {
        let made = done(&bench.store(), put("Patient", "a", "x")).await;
        assert_eq!(made.version, version);
        assert!(made.updated > last);
        last = made.updated;
        bench.reopen().await;
    }
    let made = done(&bench.store(), delete("Patient", "a")).await;
    bench.reopen().await;
    let again = done(&bench.store(), put("Patient", "a", "x")).await;
    assert_eq!((again.version, again.effect), (7, Effect::Created));
    assert!(again.updated > made.updated);
}

pub async fn a_large_commit_is_one_commit(bench: &mut dyn Bench) {
    const MANY: i64 = 5_000;
    let store = bench.store();
    let changes = |body: &str| {
        let change = |n: i64| {
            let index = IndexRows {
                identity: Some(IndexKey(n)),
                owner: Some(IndexKey(n % 50)),
                moment: Some((n, n + 1)),
                keys: (0..8).map(|m| IndexKey(n * 10 + m)).collect(),
                texts: vec![(IndexKey(1), format!("text {n}"))],
                ranges: vec![(IndexKey(1), n, n + 1)],
                order: vec![("name".into(), format!("name {n}"))],
            };
            put_indexed("Observation", &format!("o{n}"), body, index)
        };
        (0..MANY).map(change).collect::<Vec<_>>()
    };
    let count = u64::try_from(MANY).unwrap();
    for version in [1, 2] {
        let versions = commit(&store, changes("body")).await.unwrap();
        let first = versions[0];
        assert_eq!((versions.len(), first.version), (5_000, version));
        assert!(versions.iter().all(|made| *made == first));
        let observations = plan(of_type("Observation"));
        assert_eq!(store.count(&observations).await, Ok(count));
        assert_eq!(ids(&store, &plan(has(49_997))).await, ["o4999"]);
    }
    let mut failing = changes("never");
    failing.push(guarded(put("Patient", "a", "x"), Guard::VersionIs(1)));
    assert!(commit(&store, failing).await.unwrap_err().is_conflict());
    let history = HistoryPlan {
        scope: Scope::everything(),
        of: HistoryOf::System,
        since: None,
        at: None,
        after: None,
        limit: 20_000,
    };
    let (rows, _) = store.history(&history).await.unwrap();
    assert_eq!(rows.len(), 10_000);
    assert!(rows.iter().all(|row| row.body.as_deref() == Some("body")));
}

pub async fn the_outbox_shares_the_fate_of_its_commit(bench: &mut dyn Bench) {
    let store = bench.store();
    let with_message = |topic: &str, guard| Commit {
        changes: vec![guarded(put("Patient", "a", "x"), guard)],
        outbox: vec![
            OutboxRow {
                topic: topic.into(),
                payload: "{\"it's\": 1}".into(),
            },
            OutboxRow {
                topic: topic.into(),
                payload: "second".into(),
            },
        ],
        ..Commit::default()
    };
    let first = store.commit(with_message("kept", Guard::Absent)).await;
    assert!(first.is_ok());
    let second = store.commit(with_message("lost", Guard::Absent)).await;
    assert!(second.unwrap_err().is_conflict());
    let alone = Commit {
        changes: Vec::new(),
        ..with_message("alone", Guard::None)
    };
    assert_eq!(store.commit(alone).await, Ok(Vec::new()));
    bench.reopen().await;
    let message = |topic: &str, payload: &str| (topic.to_owned(), payload.to_owned());
    assert_eq!(
        bench.outbox().await,
        [
            message("kept", "{\"it's\": 1}"),
            message("kept", "second"),
            message("alone", "{\"it's\": 1}"),
            message("alone", "second"),
        ]
    );
}
