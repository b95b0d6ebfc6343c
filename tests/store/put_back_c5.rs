//! C5: a database that is put back to an earlier state under a running instance serves
//! nothing there any more, so that no right is revived.

use unloop::store::{AuditRow, Commit, IndexForm, RegistryChange, RegistryWrite, StoreError};

use crate::fixture::{Bench, commit, put};

fn telling(record: &str) -> Commit {
    let row = AuditRow {
        record: record.to_owned(),
    };
    Commit {
        audit: vec![row],
        ..Commit::default()
    }
}

pub async fn what_was_put_back_is_written_no_more(bench: &mut dyn Bench) {
    let store = bench.store();
    store.commit(telling("one")).await.unwrap();
    store.commit(telling("two")).await.unwrap();
    bench.execute("DELETE FROM audit WHERE position = 2").await;
    bench.execute("UPDATE audit_writer SET position = 1").await;
    for round in 0..3 {
        let refused = match round {
            0 => store.commit(telling("three")).await,
            _ => commit(&store, vec![put("Patient", &format!("p{round}"), "x")]).await,
        };
        let Err(StoreError::Unavailable(reason)) = refused else {
            panic!("{refused:?}");
        };
        assert!(reason.contains("put back"), "{reason}");
    }
    assert!(store.ready().await.is_err());
    // An instance that starts anew goes on from what there is.
    let anew = bench.beside(IndexForm::default()).await;
    anew.commit(telling("three")).await.unwrap();
}

/// Two pasts of one database never have the same number.
pub async fn an_epoch_never_comes_again(bench: &mut dyn Bench) {
    let store = bench.store();
    let change = |id: &str| {
        let insert = RegistryWrite::Insert {
            body: "x".to_owned(),
            expires: None,
        };
        store.change(vec![RegistryChange::new("k", id, insert)])
    };
    change("a").await.unwrap();
    let first = store.epoch().await.unwrap();
    change("b").await.unwrap();
    let second = store.epoch().await.unwrap();
    assert!(second > first && first >= crate::fixture::STOPPED_CLOCK);
}
