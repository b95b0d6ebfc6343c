//! From creation to deletion and back.

use unloop::store::{Change, Effect, Method, Scope, StoreError};

use crate::fixture::{Bench, commit, delete, done, key, put, read};

pub async fn create_read_update_delete_recreate(bench: &mut dyn Bench) {
    let store = bench.store();
    assert_eq!(read(&store, "Patient", "a").await, None);

    let post = Change {
        method: Method::Post,
        ..put("Patient", "a", "one")
    };
    let one = done(&store, post).await;
    assert_eq!((one.version, one.effect), (1, Effect::Created));
    let stored = read(&store, "Patient", "a").await.unwrap();
    assert_eq!(stored.key, key("Patient", "a"));
    assert_eq!((stored.version, stored.updated), (1, one.updated));
    assert_eq!(stored.method, Method::Post);
    assert_eq!(stored.body.as_deref(), Some("one"));

    let two = done(&store, put("Patient", "a", "two")).await;
    assert_eq!((two.version, two.effect), (2, Effect::Updated));
    let three = done(&store, delete("Patient", "a")).await;
    assert_eq!((three.version, three.effect), (3, Effect::Deleted));
    let stored = read(&store, "Patient", "a").await.unwrap();
    assert_eq!((stored.version, stored.body), (3, None));
    assert_eq!(stored.method, Method::Delete);

    let four = done(&store, put("Patient", "a", "four")).await;
    assert_eq!((four.version, four.effect), (4, Effect::Created));
    let stored = read(&store, "Patient", "a").await.unwrap();
    assert_eq!(stored.body.as_deref(), Some("four"));
}

pub async fn versions_are_read_one_by_one(bench: &mut dyn Bench) {
    let store = bench.store();
    done(&store, put("Patient", "a", "one")).await;
    let patch = Change {
        method: Method::Patch,
        ..put("Patient", "a", "two")
    };
    done(&store, patch).await;
    done(&store, delete("Patient", "a")).await;
    done(&store, put("Patient", "a", "four")).await;
    done(&store, put("Patient", "b", "other")).await;

    let everything = Scope::everything();
    let expected = [
        (1, Some("one"), Method::Put),
        (2, Some("two"), Method::Patch),
        (3, None, Method::Delete),
        (4, Some("four"), Method::Put),
    ];
    for (version, body, method) in expected {
        let stored = store
            .vread(&everything, &key("Patient", "a"), version)
            .await;
        let stored = stored.unwrap().unwrap();
        assert_eq!(stored.version, version);
        assert_eq!((stored.body.as_deref(), stored.method), (body, method));
    }
    for version in [0, 5, -1, i64::MAX] {
        let stored = store
            .vread(&everything, &key("Patient", "a"), version)
            .await;
        assert_eq!(stored, Ok(None));
    }
    let stored = store.vread(&everything, &key("Patient", "c"), 1).await;
    assert_eq!(stored, Ok(None));
}

pub async fn deleting_what_is_not_there_does_nothing(bench: &mut dyn Bench) {
    let store = bench.store();
    let absent = done(&store, delete("Patient", "a")).await;
    assert_eq!((absent.version, absent.effect), (0, Effect::Nothing));
    assert_eq!(read(&store, "Patient", "a").await, None);

    done(&store, put("Patient", "a", "one")).await;
    let deleted = done(&store, delete("Patient", "a")).await;
    let again = done(&store, delete("Patient", "a")).await;
    assert_eq!(again.effect, Effect::Nothing);
    assert_eq!((again.version, again.updated), (2, deleted.updated));
    assert_eq!(read(&store, "Patient", "a").await.unwrap().version, 2);
}

pub async fn keys_are_answered_in_the_order_asked(bench: &mut dyn Bench) {
    let store = bench.store();
    let changes = ["a", "b", "c"].map(|id| put("Patient", id, id));
    commit(&store, changes.into()).await.unwrap();
    done(&store, delete("Patient", "b")).await;
    done(&store, put("Observation", "a", "other")).await;

    let keys = [
        key("Patient", "c"),
        key("Patient", "nobody"),
        key("Observation", "a"),
        key("Patient", "b"),
        key("Patient", "a"),
    ];
    let rows = store.read(&Scope::everything(), &keys).await.unwrap();
    let bodies: Vec<_> = rows
        .into_iter()
        .map(|row| row.map(|row| (row.key, row.body)))
        .collect();
    let body = |text: &str| Some(text.to_owned());
    assert_eq!(
        bodies,
        [
            Some((key("Patient", "c"), body("c"))),
            None,
            Some((key("Observation", "a"), body("other"))),
            Some((key("Patient", "b"), None)),
            Some((key("Patient", "a"), body("a"))),
        ]
    );
    assert_eq!(store.read(&Scope::everything(), &[]).await, Ok(Vec::new()));
}

pub async fn one_resource_may_not_stand_in_a_commit_twice(bench: &mut dyn Bench) {
    let store = bench.store();
    let twice = vec![put("Patient", "a", "one"), delete("Patient", "a")];
    let refused = commit(&store, twice).await;
    assert!(matches!(refused, Err(StoreError::Corrupt(_))));
    assert_eq!(read(&store, "Patient", "a").await, None);
    let alike = vec![put("Patient", "a", "one"), put("Observation", "a", "one")];
    assert!(commit(&store, alike).await.is_ok());
}

pub async fn time_grows_with_every_commit(bench: &mut dyn Bench) {
    let store = bench.store();
    let mut last = 0;
    for n in 0..20 {
        let changes = vec![
            put("Patient", "a", "x"),
            put("Patient", &format!("p{n}"), "x"),
        ];
        let versions = commit(&store, changes).await.unwrap();
        assert_eq!(versions[0].updated, versions[1].updated);
        assert!(versions[0].updated > last);
        last = versions[0].updated;
    }
    assert_eq!(read(&store, "Patient", "a").await.unwrap().updated, last);
}

pub async fn the_store_is_ready(bench: &mut dyn Bench) {
    assert_eq!(bench.store().ready().await, Ok(()));
}
