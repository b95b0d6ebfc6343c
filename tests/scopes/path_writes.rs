//! Random writes against the oracle: done where the rules allow them, and
//! nothing is changed otherwise.

use serde_json::{Value, json};
use unloop::access::{Caller, Holder, Internal};
use unloop::fhir::request::{Request, Verb};

use crate::oracle::is_of;
use crate::paths::{Attempt, attempt};
use crate::support::{Bench, Reply, asking, name_of};
use crate::worlds::{Dice, World, content};

/// One write after the other, each judged by what is there then.
pub async fn writes(bench: &Bench, mut world: World, holder: &Holder, seed: u64, dice: &mut Dice) {
    for _ in 0..24 {
        let place = dice.roll(world.records.len());
        let record = &world.records[place];
        let Some(old) = record.current().cloned() else {
            continue;
        };
        let id = old["id"].as_str().unwrap().to_owned();
        let mut new = match dice.roll(2) {
            0 => old.clone(),
            _ => content(dice, record.of_type(), &id),
        };
        new["meta"]["security"] = old["meta"]["security"].clone();
        let next = one_write(&attempt(bench, &world, holder, seed), dice, &old, new).await;
        if let Some(next) = next {
            world.records[place].versions.push(next);
        }
        let holds = bench
            .get(
                &Caller::internal(Internal::Demo),
                &world.records[place].name,
            )
            .await;
        let deleted = world.records[place].current().is_none();
        assert_eq!(holds.status() == 410, deleted, "seed {seed}");
    }
    attempt(bench, &world, holder, seed).searches().await;
}

/// What is there afterwards, where the write was done.
async fn one_write(
    attempt: &Attempt<'_>,
    dice: &mut Dice,
    old: &Value,
    new: Value,
) -> Option<Option<Value>> {
    let (name, of_type) = (name_of(old), old["resourceType"].as_str().unwrap());
    let criteria = format!("{of_type}?_id={}", old["id"].as_str().unwrap());
    let may = |letter| attempt.may(letter, old);
    let kept = ["Patient/pat0", "Patient/pat1", "Patient/pat2"];
    let spreads = kept.iter().any(|patient| {
        let id = patient.trim_start_matches("Patient/");
        let mut alone = new.clone();
        only_of(&mut alone, id);
        is_of(&new, id) && !is_of(old, id) && !attempt.may('u', &alone)
    });
    let updated = may('u') && attempt.may('u', &new) && !spreads;
    let (request, allowed, after) = match dice.roll(6) {
        0 => (
            asking(Verb::Put, &name, new.clone()),
            updated,
            Some(new.clone()),
        ),
        1 => (
            asking(Verb::Put, &criteria, new.clone()),
            updated && may('s'),
            Some(new.clone()),
        ),
        2 => (patch(&name, &new), updated && may('r'), Some(new.clone())),
        3 => (
            patch(&criteria, &new),
            updated && may('r') && may('s'),
            Some(new.clone()),
        ),
        4 if dice.roll(3) == 0 => (asking(Verb::Delete, &name, Value::Null), may('d'), None),
        4 if dice.roll(3) == 0 => (
            asking(Verb::Delete, &criteria, Value::Null),
            may('d') && may('s'),
            None,
        ),
        _ => {
            let mut request = asking(Verb::Post, of_type, new.clone());
            request.preconditions.if_none_exist = Some(criteria);
            let reply = Reply(attempt.bench.send(&attempt.caller, request).await);
            let shown = reply.status() == 200;
            assert!(
                !shown || may('s'),
                "{}",
                attempt.says("If-None-Exist", &reply)
            );
            assert!(
                !may('s') || reply.status() != 201,
                "{}",
                attempt.says("If-None-Exist", &reply)
            );
            if reply.status() == 201 {
                remove(attempt.bench, &reply).await;
            }
            return None;
        }
    };
    carry_out(attempt, request, &name, allowed, after).await
}

async fn carry_out(
    attempt: &Attempt<'_>,
    request: Request,
    name: &str,
    allowed: bool,
    after: Option<Value>,
) -> Option<Option<Value>> {
    let says = format!("{:?} {:?} {:?}", request.verb, request.path, request.query);
    let deletes = request.verb == Verb::Delete;
    let conditional = request.path.len() == 1;
    let reply = Reply(attempt.bench.send(&attempt.caller, request).await);
    let done = match (reply.status(), deletes && conditional) {
        // Nothing matched, which is no error.
        (204, true) => bench_lost(attempt.bench, name).await,
        (201, _) => {
            // Nothing was seen to match: another one was made.
            assert!(!allowed, "{says} {}", attempt.says(name, &reply));
            remove(attempt.bench, &reply).await;
            false
        }
        (status, _) => status < 300,
    };
    assert_eq!(done, allowed, "{says} {}", attempt.says(name, &reply));
    if let (true, Some(after)) = (done, &after) {
        let shown = !reply.text().is_empty();
        assert_eq!(
            shown,
            attempt.may('r', after),
            "{says} {}",
            attempt.says(name, &reply)
        );
    }
    done.then_some(after)
}

async fn bench_lost(bench: &Bench, name: &str) -> bool {
    bench
        .get(&Caller::internal(Internal::Demo), name)
        .await
        .status()
        == 410
}

async fn remove(bench: &Bench, reply: &Reply) {
    let location = reply.0.location.as_deref().unwrap();
    let name = location.split("/_history").next().unwrap();
    let local = Caller::internal(Internal::Demo);
    let reply = bench.write(&local, Verb::Delete, name, Value::Null).await;
    assert_eq!(reply.status(), 204);
}

fn patch(url: &str, new: &Value) -> Request {
    asking(
        Verb::Patch,
        url,
        json!([{"op": "replace", "path": "", "value": new}]),
    )
}

/// The document as if the other patients were not named in it.
fn only_of(document: &mut Value, patient: &str) {
    match document {
        Value::Object(members) => {
            let other = members
                .get("reference")
                .and_then(Value::as_str)
                .is_some_and(|reference| {
                    reference.contains("Patient/pat")
                        && !reference.ends_with(&format!("Patient/{patient}"))
                });
            if other {
                members.insert("reference".to_owned(), json!("Group/none"));
            }
            members
                .values_mut()
                .for_each(|value| only_of(value, patient));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| only_of(item, patient)),
        _ => {}
    }
}
