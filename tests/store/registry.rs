//! Entries by kind and id, and the number that moves when one changes.

use std::sync::Arc;

use futures_util::future::join_all;
use unloop::store::{
    Commit, Conflict, Guard, RegistryChange, RegistryEntry, RegistryWrite, Store, StoreError,
};

use crate::fixture::{Bench, STOPPED_CLOCK, guarded, put, read};

fn insert(id: &str, body: &str) -> RegistryChange {
    expiring(id, body, None)
}

fn expiring(id: &str, body: &str, expires: Option<i64>) -> RegistryChange {
    let body = body.to_owned();
    RegistryChange::new("client", id, RegistryWrite::Insert { body, expires })
}

fn replace(id: &str, version: i64, body: &str) -> RegistryChange {
    let write = RegistryWrite::Replace {
        version,
        body: body.to_owned(),
        expires: None,
    };
    RegistryChange::new("client", id, write)
}

fn remove(id: &str, version: Option<i64>) -> RegistryChange {
    RegistryChange::new("client", id, RegistryWrite::Delete { version })
}

async fn get(store: &Arc<dyn Store>, id: &str) -> Option<RegistryEntry> {
    store.get("client", id).await.unwrap()
}

async fn make(store: &Arc<dyn Store>, id: &str, body: &str) -> i64 {
    store.change(vec![insert(id, body)]).await.unwrap();
    get(store, id).await.unwrap().version
}

fn refused(change: usize, conflict: Conflict) -> Result<(), StoreError> {
    Err(StoreError::Registry { change, conflict })
}

pub async fn an_entry_is_made_read_replaced_and_removed(bench: &mut dyn Bench) {
    let store = bench.store();
    assert_eq!(get(&store, "a").await, None);
    let first = make(&store, "a", "one '\"{} ∞").await;
    make(&store, "b", "two").await;
    assert_eq!(store.get("grant", "a").await, Ok(None));
    let ids = |entries: Vec<RegistryEntry>| {
        let ids = entries.into_iter().map(|entry| entry.key.id);
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids(store.list("client").await.unwrap()), ["a", "b"]);
    assert_eq!(store.list("grant").await, Ok(Vec::new()));

    store
        .change(vec![replace("a", first, "new")])
        .await
        .unwrap();
    let entry = get(&store, "a").await.unwrap();
    assert_eq!((entry.body.as_str(), entry.expires), ("new", None));
    assert!(entry.version > first);

    store
        .change(vec![remove("a", Some(entry.version))])
        .await
        .unwrap();
    assert_eq!(get(&store, "a").await, None);
    let again = make(&store, "a", "again").await;
    assert!(again > entry.version);
    drop(store);
    bench.reopen().await;
    assert_eq!(get(&bench.store(), "a").await.unwrap().version, again);
}

pub async fn what_does_not_fit_is_refused_with_all_its_neighbours(bench: &mut dyn Bench) {
    let store = bench.store();
    let version = make(&store, "a", "one").await;
    let current = Some(version);
    let cases = [
        (insert("a", "two"), Conflict::Exists),
        (
            replace("a", version - 1, "two"),
            Conflict::Version { current },
        ),
        (
            replace("c", version, "two"),
            Conflict::Version { current: None },
        ),
        (
            remove("a", Some(version + 1)),
            Conflict::Version { current },
        ),
        (remove("c", Some(1)), Conflict::Version { current: None }),
    ];
    for (change, conflict) in cases {
        let result = store.change(vec![insert("b", "x"), change]).await;
        assert_eq!(result, refused(1, conflict));
        assert_eq!(get(&store, "b").await, None);
    }
    assert_eq!(get(&store, "a").await.unwrap().body, "one");
    assert_eq!(store.change(vec![remove("c", None)]).await, Ok(()));
    let twice = vec![insert("d", "x"), remove("d", None)];
    assert!(matches!(
        store.change(twice).await,
        Err(StoreError::Corrupt(_))
    ));
}

pub async fn one_of_many_inserts_and_one_of_many_removals_wins(bench: &mut dyn Bench) {
    let store = bench.store();
    let wins = |results: Vec<Result<(), StoreError>>| {
        let won = results.iter().filter(|result| result.is_ok()).count();
        let lost = results.iter().filter_map(|result| result.as_ref().err());
        assert!(lost.into_iter().all(StoreError::is_conflict));
        won
    };
    let many = (0..32).map(|n| store.change(vec![insert("code", &n.to_string())]));
    assert_eq!(wins(join_all(many).await), 1);
    let version = get(&store, "code").await.unwrap().version;
    let many = (0..32).map(|_| store.change(vec![remove("code", Some(version))]));
    assert_eq!(wins(join_all(many).await), 1);
    assert_eq!(get(&store, "code").await, None);
}

pub async fn an_expired_entry_is_as_good_as_absent(bench: &mut dyn Bench) {
    let store = bench.store();
    let live = expiring("live", "x", Some(STOPPED_CLOCK + 1));
    let late = expiring("late", "x", Some(STOPPED_CLOCK));
    store.change(vec![live, late]).await.unwrap();
    assert_eq!(get(&store, "late").await, None);
    assert_eq!(store.list("client").await.unwrap().len(), 1);
    let absent = Conflict::Version { current: None };
    let result = store
        .change(vec![replace("late", STOPPED_CLOCK, "y")])
        .await;
    assert_eq!(result, refused(0, absent));
    let again = store.change(vec![expiring("late", "again", None)]).await;
    assert_eq!(again, Ok(()));
    assert_eq!(get(&store, "late").await.unwrap().body, "again");

    for n in 0..5 {
        let id = format!("old {n}");
        let old = expiring(&id, "x", Some(STOPPED_CLOCK - n));
        store.change(vec![old]).await.unwrap();
    }
    assert_eq!(store.expired(3).await.unwrap().len(), 3);
    let epoch = store.epoch().await.unwrap();
    assert_eq!(store.purge().await, Ok(5));
    assert_eq!(store.expired(3).await, Ok(Vec::new()));
    assert_eq!(store.list("client").await.unwrap().len(), 2);
    assert_eq!(store.epoch().await, Ok(epoch));
    let purge = |id| RegistryChange::new("client", id, RegistryWrite::Purge);
    store
        .change(vec![purge("live"), purge("late")])
        .await
        .unwrap();
    assert_eq!(store.list("client").await.unwrap().len(), 2);
}

pub async fn the_epoch_moves_with_what_decides_on_access(bench: &mut dyn Bench) {
    let store = bench.store();
    let mut last = store.epoch().await.unwrap();
    let mut moved = async |expected: bool| {
        let epoch = store.epoch().await.unwrap();
        assert_eq!(epoch > last, expected);
        last = epoch;
    };
    store.change(vec![insert("a", "x")]).await.unwrap();
    moved(true).await;
    store.change(vec![insert("b", "x").silent()]).await.unwrap();
    moved(false).await;
    store.change(vec![insert("a", "x")]).await.unwrap_err();
    moved(false).await;
    let both = vec![insert("c", "x").silent(), remove("a", None)];
    store.change(both).await.unwrap();
    moved(true).await;
    let touching = |touches_access| Commit {
        changes: vec![put("Consent", "a", "x")],
        touches_access,
        ..Commit::default()
    };
    store.commit(touching(false)).await.unwrap();
    moved(false).await;
    store.commit(touching(true)).await.unwrap();
    moved(true).await;
    let many = (0..20).map(|n| store.change(vec![insert(&format!("many {n}"), "x")]));
    assert!(join_all(many).await.iter().all(Result::is_ok));
    moved(true).await;
}

pub async fn entries_and_resources_share_their_fate(bench: &mut dyn Bench) {
    let store = bench.store();
    let both = |id: &str, guard| Commit {
        changes: vec![guarded(put("Consent", id, "x"), guard)],
        registry: vec![insert("grant", "x")],
        ..Commit::default()
    };
    let failing = store.commit(both("a", Guard::VersionIs(7))).await;
    assert!(matches!(failing, Err(StoreError::Conflict { .. })));
    assert_eq!(get(&store, "grant").await, None);
    assert_eq!(store.commit(both("a", Guard::New)).await.unwrap().len(), 1);
    let failing = store.commit(both("b", Guard::New)).await;
    assert!(matches!(
        failing,
        Err(StoreError::Registry { change: 0, .. })
    ));
    assert_eq!(read(&store, "Consent", "b").await, None);
}
