//! The rebuild of index rows: who may write them, and what it leaves alone.

use std::sync::Arc;

use unloop::store::{
    Bounds, Claim, Comparison, Filter, Guard, HistoryOf, HistoryPlan, IndexForm, IndexKey,
    IndexRows, IndexState, OrderBy, Rebuilt, Scope, Store, StoreError, TextMatch,
};

use crate::fixture::{
    Bench, commit, delete, done, guarded, has, ids, key, of_type, owned, plan, put, put_indexed,
    read, term,
};

const OTHER: IndexForm = IndexForm(7);

fn found_by(fact: i64) -> IndexRows {
    IndexRows {
        identity: Some(IndexKey(fact)),
        owner: Some(IndexKey(fact)),
        moment: Some((fact, fact + 1)),
        keys: vec![IndexKey(fact)],
        texts: vec![(IndexKey(1), format!("text {fact}"))],
        ranges: vec![(IndexKey(2), fact, fact)],
        order: vec![("name".into(), format!("{:09}", 1_000 - fact))],
    }
}

/// Every way in which the rows of [`found_by`] are found.
fn ways(fact: i64) -> Vec<Filter> {
    let exactly = Bounds {
        low_min: Some(fact),
        low_max: Some(fact),
        ..Bounds::default()
    };
    vec![
        has(fact),
        owned(fact),
        Filter::Is(Comparison::Moment(exactly)),
        Filter::Is(Comparison::Range {
            param: IndexKey(2),
            bounds: exactly,
        }),
        Filter::Is(Comparison::Text {
            param: IndexKey(1),
            test: TextMatch::Equals(format!("text {fact}")),
        }),
    ]
}

async fn found(store: &Arc<dyn Store>, fact: i64) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for way in ways(fact) {
        found.push(ids(store, &plan(way)).await);
    }
    found
}

/// Patients p0 to p8, each found by its number.
async fn fill(store: &Arc<dyn Store>) {
    for n in 0..9 {
        done(
            store,
            put_indexed("Patient", &format!("p{n}"), "x", found_by(n)),
        )
        .await;
    }
}

/// One piece: what was found by n is found by n + 100.
async fn piece(store: &Arc<dyn Store>, limit: usize) -> Rebuilt {
    let outdated = store.outdated(limit).await.unwrap();
    let rows = outdated.rows.into_iter().filter(|row| row.body.is_some());
    let rows = rows.map(|row| {
        let n: i64 = row.key.id[1..].parse().unwrap();
        (row.key, row.version, found_by(n + 100))
    });
    Rebuilt {
        from: outdated.from,
        through: outdated.through,
        rows: rows.collect(),
    }
}

async fn rebuild_all(store: &Arc<dyn Store>) {
    while store.index_state().await != Ok(IndexState::Complete) {
        let piece = piece(store, 4).await;
        store.rebuild(piece).await.unwrap();
    }
}

pub async fn an_empty_database_is_complete_in_the_form_that_claims_it(bench: &mut dyn Bench) {
    let store = bench.store();
    assert_eq!(store.index_state().await, Ok(IndexState::Foreign));
    store.claim_index(Claim::Empty).await.unwrap();
    assert_eq!(store.index_state().await, Ok(IndexState::Complete));
    fill(&store).await;
    bench.reopen().await;
    let store = bench.store();
    for claim in [Claim::Empty, Claim::Outdated] {
        store.claim_index(claim).await.unwrap();
        assert_eq!(store.index_state().await, Ok(IndexState::Complete));
    }
}

pub async fn rows_of_nobody_are_outdated(bench: &mut dyn Bench) {
    let store = bench.store();
    fill(&store).await;
    store.claim_index(Claim::Empty).await.unwrap();
    assert_eq!(store.index_state().await, Ok(IndexState::Foreign));
    assert!(store.outdated(1).await.is_err());
    store.claim_index(Claim::Outdated).await.unwrap();
    let state = store.index_state().await.unwrap();
    assert!(matches!(state, IndexState::Rebuilding { place: 0, last } if last > 0));
}

pub async fn who_has_another_form_writes_no_more(bench: &mut dyn Bench) {
    let old = bench.store();
    old.claim_index(Claim::Empty).await.unwrap();
    fill(&old).await;
    let new = bench.beside(OTHER).await;
    assert_eq!(new.index_state().await, Ok(IndexState::Foreign));
    let refused = |result: Result<_, StoreError>| {
        assert!(
            matches!(result, Err(StoreError::Unavailable(_))),
            "{result:?}"
        );
    };
    refused(commit(&new, vec![put("Patient", "p77", "x")]).await);
    new.claim_index(Claim::Outdated).await.unwrap();
    assert_eq!(old.index_state().await, Ok(IndexState::Foreign));
    let no_match = Guard::NoMatch {
        plan: Box::new(plan(has(77))),
        locks: vec![77],
    };
    for guard in [Guard::None, Guard::New, Guard::Absent, no_match] {
        refused(commit(&old, vec![guarded(put("Patient", "p88", "x"), guard)]).await);
    }
    refused(commit(&old, vec![put("Patient", "p1", "x")]).await);
    refused(commit(&old, vec![delete("Patient", "p1")]).await);
    // What has no index rows goes on.
    old.commit(unloop::store::Commit::default()).await.unwrap();
    assert!(read(&old, "Patient", "p88").await.is_none());
    assert_eq!(read(&old, "Patient", "p1").await.unwrap().version, 1);
    assert!(old.outdated(1).await.is_err());
    let nothing = Rebuilt {
        from: 0,
        through: 0,
        rows: Vec::new(),
    };
    assert!(old.rebuild(nothing).await.is_err());
    done(&new, put("Patient", "p77", "x")).await;
    rebuild_all(&new).await;
    // And back again, as after an upgrade that was taken back.
    old.claim_index(Claim::Outdated).await.unwrap();
    done(&old, put("Patient", "p88", "x")).await;
    assert_eq!(new.index_state().await, Ok(IndexState::Foreign));
}

pub async fn a_rebuild_replaces_index_rows_and_nothing_else(bench: &mut dyn Bench) {
    let store = bench.store();
    fill(&store).await;
    done(&store, delete("Patient", "p8")).await;
    let before = store.search(&plan(of_type("Patient"))).await.unwrap().rows;
    store.claim_index(Claim::Outdated).await.unwrap();
    rebuild_all(&store).await;
    for n in 0..8 {
        assert_eq!(found(&store, n).await, vec![Vec::<String>::new(); 5], "{n}");
        let one = vec![format!("p{n}")];
        assert_eq!(found(&store, n + 100).await, vec![one; 5], "{n}");
    }
    assert_eq!(found(&store, 108).await, vec![Vec::<String>::new(); 5]);
    let after = store.search(&plan(of_type("Patient"))).await.unwrap().rows;
    assert_eq!(after, before);
    let mut by_name = plan(of_type("Patient"));
    by_name.order = vec![
        term(OrderBy::Value(vec!["name".into()]), false),
        term(OrderBy::Id, false),
    ];
    let backwards: Vec<String> = (0..8).rev().map(|n| format!("p{n}")).collect();
    assert_eq!(ids(&store, &by_name).await, backwards);
    let history = HistoryPlan {
        scope: Scope::everything(),
        of: HistoryOf::System,
        since: None,
        at: None,
        after: None,
        limit: 100,
    };
    // Nine creates and a delete.
    assert_eq!(store.history(&history).await.unwrap().0.len(), 10);
}

pub async fn a_newer_version_keeps_its_index_rows(bench: &mut dyn Bench) {
    let store = bench.store();
    fill(&store).await;
    store.claim_index(Claim::Outdated).await.unwrap();
    let late = piece(&store, 100).await;
    done(&store, put_indexed("Patient", "p1", "y", found_by(201))).await;
    done(&store, delete("Patient", "p2")).await;
    done(&store, delete("Patient", "p3")).await;
    done(&store, put_indexed("Patient", "p3", "y", found_by(203))).await;
    store.rebuild(late).await.unwrap();
    for gone in [101, 102, 103] {
        assert_eq!(found(&store, gone).await, vec![Vec::<String>::new(); 5]);
    }
    for (fact, id) in [(100, "p0"), (201, "p1"), (203, "p3"), (104, "p4")] {
        assert_eq!(found(&store, fact).await, vec![vec![id.to_owned()]; 5]);
    }
}

pub async fn a_rebuild_goes_on_where_it_was(bench: &mut dyn Bench) {
    fill(&bench.store()).await;
    bench.store().claim_index(Claim::Outdated).await.unwrap();
    let first = piece(&bench.store(), 4).await;
    bench.store().rebuild(first.clone()).await.unwrap();
    bench.reopen().await;
    let store = bench.store();
    store.claim_index(Claim::Outdated).await.unwrap();
    let state = store.index_state().await.unwrap();
    assert!(matches!(state, IndexState::Rebuilding { place, .. } if place == first.through));
    let second = piece(&store, 4).await;
    assert_eq!(second.from, first.through);
    assert_eq!(second.rows[0].0, key("Patient", "p4"));
    // Another rebuilder does the same piece, and a late one an old piece.
    let beside = bench.beside(IndexForm::default()).await;
    beside.rebuild(second.clone()).await.unwrap();
    store.rebuild(second.clone()).await.unwrap();
    beside.rebuild(first).await.unwrap();
    let third = piece(&store, 4).await;
    assert_eq!((third.from, third.rows.len()), (second.through, 1));
    rebuild_all(&store).await;
    assert_eq!(store.outdated(4).await.unwrap().rows, []);
    for n in 0..9 {
        let one = vec![format!("p{n}")];
        assert_eq!(found(&store, n + 100).await, vec![one; 5], "{n}");
        assert_eq!(store.count(&plan(has(n + 100))).await, Ok(1));
    }
}

pub async fn all_can_be_made_anew(bench: &mut dyn Bench) {
    let store = bench.store();
    store.claim_index(Claim::Empty).await.unwrap();
    fill(&store).await;
    store.claim_index(Claim::Anew).await.unwrap();
    let first = piece(&store, 4).await;
    store.rebuild(first).await.unwrap();
    let second = piece(&store, 4).await;
    store.claim_index(Claim::Anew).await.unwrap();
    // A piece from before does not skip what is to be made anew.
    store.rebuild(second).await.unwrap();
    assert_eq!(store.outdated(1).await.unwrap().from, 0);
    rebuild_all(&store).await;
    assert_eq!(ids(&store, &plan(has(100))).await, ["p0"]);
}

pub async fn writers_and_rebuilders_get_along(bench: &mut dyn Bench) {
    let store = bench.store();
    fill(&store).await;
    store.claim_index(Claim::Outdated).await.unwrap();
    let beside = bench.beside(IndexForm::default()).await;
    let writer = async {
        for round in 0..10 {
            for n in 0..9 {
                let index = found_by(1_000 + n);
                let id = format!("p{n}");
                done(
                    &store,
                    put_indexed("Patient", &id, &format!("{round}"), index),
                )
                .await;
            }
        }
    };
    let rebuilder = |store: Arc<dyn Store>| async move {
        for _ in 0..10 {
            store.claim_index(Claim::Anew).await.unwrap();
            rebuild_all(&store).await;
        }
    };
    futures_util::join!(writer, rebuilder(beside), rebuilder(bench.store()));
    for n in 0..9 {
        assert_eq!(
            read(&store, "Patient", &format!("p{n}"))
                .await
                .unwrap()
                .version,
            11
        );
        // Found by the last write or by a rebuild after it, and by one of them only.
        let written = found(&store, 1_000 + n).await;
        let rebuilt = found(&store, 100 + n).await;
        let one = vec![vec![format!("p{n}")]; 5];
        let none = vec![Vec::<String>::new(); 5];
        assert!(
            (written == one && rebuilt == none) || (written == none && rebuilt == one),
            "{n}: {written:?} {rebuilt:?}"
        );
    }
}
