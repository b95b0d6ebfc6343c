//! Versions by instance, type and system.

use std::cmp::Reverse;
use std::sync::Arc;

use unloop::store::{HistoryOf, HistoryPlan, HistoryPosition, ResourceKey, Scope, Store, Stored};

use crate::fixture::{Bench, commit, delete, done, key, put};

fn plan(of: HistoryOf) -> HistoryPlan {
    HistoryPlan {
        scope: Scope::everything(),
        of,
        since: None,
        at: None,
        after: None,
        limit: 1_000,
    }
}

type Made = (ResourceKey, i64, i64);

fn made(row: &Stored) -> Made {
    (row.key.clone(), row.version, row.updated)
}

async fn history(store: &Arc<dyn Store>, plan: &HistoryPlan) -> Vec<Made> {
    let (rows, more) = store.history(plan).await.unwrap();
    assert!(!more);
    rows.iter().map(made).collect()
}

/// Several versions of several resources; some commits make many versions at
/// one time, one resource is deleted, one is deleted and made anew.
async fn fill(store: &Arc<dyn Store>) -> Vec<Made> {
    let all = ["Patient", "Observation"]
        .map(|resource_type| ["a", "b", "c"].map(|id| (resource_type, id)));
    let all = all.concat();
    let mut commits = vec![all.iter().map(|(t, id)| put(t, id, "1")).collect()];
    commits.push(vec![put("Patient", "a", "2"), put("Observation", "b", "2")]);
    commits.push(vec![delete("Patient", "b"), delete("Observation", "c")]);
    commits.push(vec![put("Patient", "b", "3")]);
    commits.push(all.iter().map(|(t, id)| put(t, id, "4")).collect());
    commits.push(vec![delete("Patient", "c")]);
    let mut versions = Vec::new();
    for changes in commits {
        let keys: Vec<_> = changes.iter().map(|change| change.key.clone()).collect();
        let made = commit(store, changes).await.unwrap();
        let made = keys.into_iter().zip(made);
        versions.extend(made.map(|(key, made)| (key, made.version, made.updated)));
    }
    versions
        .sort_by_key(|(key, version, updated)| (Reverse(*updated), key.clone(), Reverse(*version)));
    versions
}

fn of(versions: &[Made], test: impl Fn(&Made) -> bool) -> Vec<Made> {
    versions.iter().filter(|made| test(made)).cloned().collect()
}

pub async fn an_instance_shows_every_version_newest_first(bench: &mut dyn Bench) {
    let store = bench.store();
    let versions = fill(&store).await;
    for (resource_type, id) in [("Patient", "b"), ("Patient", "c"), ("Observation", "a")] {
        let instance = key(resource_type, id);
        let rows = history(&store, &plan(HistoryOf::Instance(instance.clone()))).await;
        assert_eq!(rows, of(&versions, |made| made.0 == instance));
    }
    let nobody = HistoryOf::Instance(key("Patient", "nobody"));
    assert_eq!(history(&store, &plan(nobody)).await, []);

    let b = HistoryOf::Instance(key("Patient", "b"));
    let (rows, _) = store.history(&plan(b)).await.unwrap();
    let bodies: Vec<_> = rows.iter().map(|row| row.body.as_deref()).collect();
    assert_eq!(bodies, [Some("4"), Some("3"), None, Some("1")]);
}

pub async fn type_and_system_mix_current_and_past(bench: &mut dyn Bench) {
    let store = bench.store();
    let versions = fill(&store).await;
    assert_eq!(history(&store, &plan(HistoryOf::System)).await, versions);
    for name in ["Patient", "Observation", "Nothing"] {
        let rows = history(&store, &plan(HistoryOf::Type(name.into()))).await;
        assert_eq!(rows, of(&versions, |made| made.0.resource_type == name));
        let rows = history(&store, &plan(HistoryOf::Others(name.into()))).await;
        assert_eq!(rows, of(&versions, |made| made.0.resource_type != name));
    }
    let types = |names: &[&str]| HistoryOf::Types(names.iter().map(|&n| n.to_owned()).collect());
    for names in [
        &["Observation", "Patient"][..],
        &["Patient", "Nothing"],
        &[],
    ] {
        let rows = history(&store, &plan(types(names))).await;
        let named = |made: &Made| names.contains(&made.0.resource_type.as_str());
        assert_eq!(rows, of(&versions, named));
    }
}

/// When the next version of the same resource came.
fn superseded(versions: &[Made], made: &Made) -> i64 {
    let next = |other: &&Made| other.0 == made.0 && other.1 == made.1 + 1;
    versions.iter().find(next).map_or(i64::MAX, |other| other.2)
}

pub async fn since_and_at_choose_by_time(bench: &mut dyn Bench) {
    let store = bench.store();
    let versions = fill(&store).await;
    let mut times: Vec<i64> = versions.iter().map(|made| made.2).collect();
    times.extend([0, times[0] + 1]);
    times.sort_unstable();
    times.dedup();
    let patients = || HistoryOf::Type("Patient".into());
    let others = || HistoryOf::Others("Patient".into());
    let types = || HistoryOf::Types(vec!["Patient".into(), "Observation".into()]);
    let b = || HistoryOf::Instance(key("Patient", "b"));
    for &low in &times {
        for scope_of in [HistoryOf::System, others(), types(), patients(), b()] {
            let belongs = |made: &Made| match &scope_of {
                HistoryOf::Others(name) => made.0.resource_type != *name,
                HistoryOf::Types(names) => names.contains(&made.0.resource_type),
                HistoryOf::System => true,
                HistoryOf::Type(name) => made.0.resource_type == *name,
                HistoryOf::Instance(key) => made.0 == *key,
            };
            let since = HistoryPlan {
                since: Some(low),
                ..plan(scope_of.clone())
            };
            let expected = of(&versions, |made| belongs(made) && made.2 >= low);
            assert_eq!(history(&store, &since).await, expected);
            for &high in times.iter().filter(|high| **high >= low) {
                let at = HistoryPlan {
                    at: Some((low, high)),
                    ..plan(scope_of.clone())
                };
                let was_current = |made: &Made| {
                    belongs(made) && made.2 <= high && superseded(&versions, made) > low
                };
                assert_eq!(history(&store, &at).await, of(&versions, was_current));
            }
        }
    }
}

pub async fn pages_lose_and_repeat_nothing(bench: &mut dyn Bench) {
    let store = bench.store();
    let versions = fill(&store).await;
    for limit in [1, 2, 3, 5, 100] {
        for (of_what, count) in [
            (HistoryOf::System, versions.len()),
            (HistoryOf::Type("Patient".into()), 10),
            (HistoryOf::Instance(key("Patient", "b")), 4),
        ] {
            let mut plan = HistoryPlan {
                limit,
                ..plan(of_what)
            };
            let mut seen = Vec::new();
            loop {
                let (rows, more) = store.history(&plan).await.unwrap();
                assert!(rows.len() <= limit);
                // A version made between two pages does not disturb the walk.
                done(&store, put("Other", "x", "x")).await;
                plan.after = rows.last().map(|row| HistoryPosition {
                    updated: row.updated,
                    key: row.key.clone(),
                    version: row.version,
                });
                seen.extend(rows.iter().map(made));
                if !more {
                    break;
                }
            }
            seen.retain(|made| made.0.resource_type != "Other");
            let belongs = |made: &Made| seen.contains(made);
            assert_eq!(seen, of(&versions, belongs));
            assert_eq!(seen.len(), count);
        }
    }
}
