//! Conditions under which a change may happen.

use unloop::store::{Change, Conflict, Effect, Guard, IndexKey, IndexRows, StoreError, Write};

use crate::fixture::{
    Bench, commit, commit_of, delete, done, guarded, has, plan, put, put_indexed, read,
};

fn with_fact(fact: i64) -> IndexRows {
    IndexRows {
        keys: vec![IndexKey(fact)],
        ..IndexRows::default()
    }
}

fn no_match(fact: i64) -> Guard {
    Guard::NoMatch {
        plan: Box::new(plan(has(fact))),
        locks: vec![fact],
    }
}

fn refused(change: usize, conflict: Conflict) -> StoreError {
    StoreError::Conflict { change, conflict }
}

pub async fn absent_means_never_seen(bench: &mut dyn Bench) {
    let store = bench.store();
    let create = || vec![guarded(put("Patient", "a", "one"), Guard::Absent)];
    assert_eq!(commit(&store, create()).await.unwrap()[0].version, 1);
    let exists = Err(refused(0, Conflict::Exists));
    assert_eq!(commit(&store, create()).await, exists);
    done(&store, delete("Patient", "a")).await;
    assert_eq!(commit(&store, create()).await, exists);
    assert_eq!(read(&store, "Patient", "a").await.unwrap().version, 2);

    let new = guarded(put("Patient", "b", "one"), Guard::New);
    assert_eq!(done(&store, new).await.effect, Effect::Created);
}

pub async fn version_is_means_the_live_version(bench: &mut dyn Bench) {
    let store = bench.store();
    let update = |version| {
        let change = put("Patient", "a", "new");
        vec![guarded(change, Guard::VersionIs(version))]
    };
    let current = |current| Err(refused(0, Conflict::Version { current }));
    assert_eq!(commit(&store, update(1)).await, current(None));
    done(&store, put("Patient", "a", "one")).await;
    assert_eq!(commit(&store, update(2)).await, current(Some(1)));
    assert_eq!(commit(&store, update(1)).await.unwrap()[0].version, 2);
    assert_eq!(commit(&store, update(1)).await, current(Some(2)));
    let removal = guarded(delete("Patient", "a"), Guard::VersionIs(2));
    assert_eq!(done(&store, removal).await.effect, Effect::Deleted);
    assert_eq!(commit(&store, update(3)).await, current(None));
}

pub async fn no_match_is_judged_on_what_is_stored(bench: &mut dyn Bench) {
    let store = bench.store();
    let create = |id: &str| {
        let change = put_indexed("Patient", id, "x", with_fact(5));
        vec![guarded(change, no_match(5))]
    };
    assert!(commit(&store, create("a")).await.is_ok());
    let matched = Err(refused(0, Conflict::Matched));
    assert_eq!(commit(&store, create("b")).await, matched);
    done(&store, put_indexed("Patient", "a", "x", with_fact(6))).await;
    assert!(commit(&store, create("b")).await.is_ok());
    done(&store, delete("Patient", "b")).await;
    assert!(commit(&store, create("c")).await.is_ok());
}

pub async fn a_conflict_names_its_change_and_undoes_all(bench: &mut dyn Bench) {
    let store = bench.store();
    done(&store, put("Patient", "old", "one")).await;
    let changes = vec![
        put_indexed("Patient", "a", "x", with_fact(1)),
        put("Patient", "old", "two"),
        guarded(put("Patient", "b", "x"), Guard::VersionIs(7)),
        guarded(put("Patient", "c", "x"), Guard::VersionIs(8)),
    ];
    let conflict = Conflict::Version { current: None };
    assert_eq!(commit(&store, changes).await, Err(refused(2, conflict)));
    for id in ["a", "b", "c"] {
        assert_eq!(read(&store, "Patient", id).await, None);
    }
    let old = read(&store, "Patient", "old").await.unwrap();
    assert_eq!((old.version, old.body.as_deref()), (1, Some("one")));
    assert_eq!(store.count(&plan(has(1))).await, Ok(0));
}

pub async fn a_failing_commit_does_not_harm_its_neighbours(bench: &mut dyn Bench) {
    let store = bench.store();
    done(&store, put("Patient", "taken", "x")).await;
    let commits = (0..100).map(|n| {
        let id = format!("p{n}");
        let mut changes = vec![put("Patient", &id, "x")];
        if n % 3 == 0 {
            changes.push(guarded(put("Patient", "taken", "y"), Guard::Absent));
        }
        store.commit(commit_of(changes))
    });
    let results = futures_util::future::join_all(commits).await;
    for (n, result) in results.into_iter().enumerate() {
        let stored = read(&store, "Patient", &format!("p{n}")).await;
        if n % 3 == 0 {
            assert_eq!(result, Err(refused(1, Conflict::Exists)));
            assert_eq!(stored, None);
        } else {
            assert_eq!(stored.unwrap().updated, result.unwrap()[0].updated);
        }
    }
}

pub async fn guards_are_judged_by_what_stood_before_the_commit(bench: &mut dyn Bench) {
    let store = bench.store();
    done(&store, put_indexed("Patient", "a", "x", with_fact(1))).await;
    let swap = |to: &str| {
        let change = put_indexed("Patient", to, "x", with_fact(1));
        vec![delete("Patient", "a"), guarded(change, no_match(1))]
    };
    let matched = Err(refused(1, Conflict::Matched));
    assert_eq!(commit(&store, swap("b")).await, matched);
    let both = vec![
        put_indexed("Patient", "c", "x", with_fact(2)),
        guarded(put("Patient", "d", "x"), no_match(2)),
    ];
    assert!(commit(&store, both).await.is_ok());
}

pub async fn what_is_kept_is_judged_and_not_written(bench: &mut dyn Bench) {
    let store = bench.store();
    done(&store, put("Patient", "a", "one")).await;
    let beside = |id: &str, guard: Guard| {
        let kept = Change {
            write: Write::Keep,
            ..guarded(put("Patient", id, ""), guard)
        };
        vec![put("Patient", "b", "new"), kept]
    };
    let versions = commit(&store, beside("a", Guard::VersionIs(1)))
        .await
        .unwrap();
    assert_eq!(
        (versions[1].version, versions[1].effect),
        (1, Effect::Nothing)
    );
    let stale = Conflict::Version { current: Some(1) };
    let refusal = Err(refused(1, stale));
    assert_eq!(
        commit(&store, beside("a", Guard::VersionIs(2))).await,
        refusal
    );
    let nothing = commit(&store, beside("none", Guard::None)).await.unwrap();
    assert_eq!(
        (nothing[1].version, nothing[1].effect),
        (0, Effect::Nothing)
    );
    let a = read(&store, "Patient", "a").await.unwrap();
    assert_eq!((a.version, a.body.as_deref()), (1, Some("one")));
    assert_eq!(read(&store, "Patient", "none").await, None);
    assert_eq!(read(&store, "Patient", "b").await.unwrap().version, 2);

    done(&store, put_indexed("Patient", "c", "x", with_fact(9))).await;
    let matched = Err(refused(1, Conflict::Matched));
    assert_eq!(
        commit(&store, beside("condition", no_match(9))).await,
        matched
    );
    assert!(
        commit(&store, beside("condition", no_match(10)))
            .await
            .is_ok()
    );
}
