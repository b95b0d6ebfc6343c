//! Who may see what holds in every question.

use std::sync::Arc;

use unloop::store::{
    Filter, HistoryOf, HistoryPlan, IndexKey, IndexRows, Scope, SearchPlan, Store,
};

use crate::fixture::{
    Bench, all, delete, done, has, ids, key, of_type, owned, plan, put, put_indexed,
};
use crate::oracle::{answer, fill};

fn index(owner: i64) -> IndexRows {
    IndexRows {
        owner: Some(IndexKey(owner)),
        keys: vec![IndexKey(9)],
        ..IndexRows::default()
    }
}

/// Two owners with two versions each, and a document of nobody.
async fn two_owners(store: &Arc<dyn Store>) {
    for (id, owner) in [("mine", 1), ("theirs", 2)] {
        done(store, put_indexed("Observation", id, "one", index(owner))).await;
        done(store, put_indexed("Observation", id, "two", index(owner))).await;
    }
    done(store, put("Observation", "nobodys", "one")).await;
}

fn scopes() -> Vec<Scope> {
    vec![
        Scope::only(owned(1)),
        Scope::only(Filter::Any(vec![owned(1), of_type("Patient")])),
        Scope::only(Filter::All(vec![of_type("Observation"), owned(1), has(9)])),
    ]
}

pub async fn nothing_out_of_scope_is_read(bench: &mut dyn Bench) {
    let store = bench.store();
    two_owners(&store).await;
    let keys = ["theirs", "mine", "nobodys"].map(|id| key("Observation", id));
    for scope in scopes() {
        let rows = store.read(&scope, &keys).await.unwrap();
        let seen: Vec<bool> = rows.iter().map(Option::is_some).collect();
        assert_eq!(seen, [false, true, false]);
        for (key, expected) in keys.iter().zip([false, true, false]) {
            let alone = store.read(&scope, std::slice::from_ref(key)).await;
            assert_eq!(alone.unwrap()[0].is_some(), expected);
            let current = store.vread(&scope, key, 2).await.unwrap();
            let past = store.vread(&scope, key, 1).await.unwrap();
            assert_eq!((current.is_some(), past.is_some()), (expected, expected));
        }
    }
    let nobody = Scope::only(Filter::Any(Vec::new()));
    assert_eq!(store.read(&nobody, &keys).await, Ok(vec![None, None, None]));
}

pub async fn nothing_out_of_scope_is_found_or_counted(bench: &mut dyn Bench) {
    let store = bench.store();
    let documents = fill(&store, 100).await;
    let more = [
        Scope::everything(),
        Scope::only(Filter::Not(Box::new(owned(1)))),
        Scope::only(Filter::Any(Vec::new())),
    ];
    let wide = Filter::Any(vec![all(), owned(2)]);
    for scope in scopes().into_iter().chain(more) {
        for filter in [all(), wide.clone(), owned(2), has(99), of_type("Patient")] {
            let plan = SearchPlan {
                scope: scope.clone(),
                ..plan(filter)
            };
            let expected = answer(&documents, &plan);
            assert_eq!(ids(&store, &plan).await, expected);
            let count = u64::try_from(expected.len()).unwrap();
            assert_eq!(store.count(&plan).await, Ok(count));
        }
    }
}

pub async fn nothing_out_of_scope_is_in_a_history(bench: &mut dyn Bench) {
    let store = bench.store();
    two_owners(&store).await;
    for scope in scopes() {
        for (of, expected) in [
            (HistoryOf::System, 2),
            (HistoryOf::Type("Observation".into()), 2),
            (HistoryOf::Type("Patient".into()), 0),
            (HistoryOf::Instance(key("Observation", "mine")), 2),
            (HistoryOf::Instance(key("Observation", "theirs")), 0),
            (HistoryOf::Instance(key("Observation", "nobodys")), 0),
        ] {
            let plan = history_plan(scope.clone(), of);
            let (rows, more) = store.history(&plan).await.unwrap();
            assert!(rows.iter().all(|row| row.key.id == "mine"));
            assert_eq!((rows.len(), more), (expected, false));
        }
    }
}

pub async fn a_deletion_is_in_no_conditional_scope(bench: &mut dyn Bench) {
    let store = bench.store();
    two_owners(&store).await;
    done(&store, delete("Observation", "mine")).await;
    let mine = key("Observation", "mine");
    let anyone = Scope::only(Filter::Not(Box::new(owned(2))));
    let of_its_type = Scope::only(Filter::Any(vec![of_type("Observation"), owned(2)]));
    let read = store.read(&of_its_type, std::slice::from_ref(&mine)).await;
    assert!(
        read.unwrap()[0]
            .as_ref()
            .is_some_and(|row| row.body.is_none())
    );
    for scope in scopes().into_iter().chain([anyone.clone()]) {
        let read = store.read(&scope, std::slice::from_ref(&mine)).await;
        assert_eq!(read, Ok(vec![None]));
        for version in 1..=3 {
            assert_eq!(store.vread(&scope, &mine, version).await, Ok(None));
        }
        let plan = history_plan(scope, HistoryOf::Instance(mine.clone()));
        assert_eq!(store.history(&plan).await, Ok((Vec::new(), false)));
    }

    done(&store, put_indexed("Observation", "mine", "new", index(1))).await;
    let plan = history_plan(anyone, HistoryOf::Instance(mine.clone()));
    let (rows, _) = store.history(&plan).await.unwrap();
    let versions: Vec<i64> = rows.iter().map(|row| row.version).collect();
    assert_eq!(versions, [4, 2, 1]);
    let everything = history_plan(Scope::everything(), HistoryOf::Instance(mine));
    assert_eq!(store.history(&everything).await.unwrap().0.len(), 4);
}

fn history_plan(scope: Scope, of: HistoryOf) -> HistoryPlan {
    HistoryPlan {
        scope,
        of,
        since: None,
        at: None,
        after: None,
        limit: 100,
    }
}
