//! Whatever is written meanwhile, a walk over all pages meets what existed
//! throughout exactly once, forwards and backwards.
//! <https://hl7.org/fhir/R4/http.html#paging>

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::{join, join_all};
use serde_json::Value;

use crate::support::odd::Dice;
use crate::support::{Reply, Server, example};

crate::on_both_stores!(a_walk_meets_what_stays_exactly_once);

const STAYING: usize = 40;
const WRITERS: usize = 3;

/// Ids of the writers lie between those that stay.
const FLEETING: usize = 60;

/// Patients that stay, in an order of birth that is not the order of the ids.
async fn settle(server: &Server) {
    let mut entries = Vec::new();
    for number in 0..STAYING {
        let id = format!("n{:03}-stays", number * 5);
        let content = patient(&id, (number * 7) % STAYING, "Stays");
        entries.push(example::entry(
            "PUT",
            &format!("Patient/{id}"),
            Some(content),
        ));
    }
    server.bundle("transaction", &entries).await;
}

/// Every fifth has no date of birth and stands at the end.
fn patient(id: &str, birth: usize, family: &str) -> Value {
    let mut content = example::patient(family);
    content["id"] = id.into();
    if birth.is_multiple_of(5) {
        content.as_object_mut().unwrap().remove("birthDate");
    } else {
        content["birthDate"] = format!("19{:02}-06-01", 10 + birth).into();
    }
    content
}

/// Inserts, updates and deletes until it is told to stop. What stays is changed
/// too, but neither its id nor its date of birth.
async fn write(server: &Server, writer: usize, done: &AtomicBool) -> usize {
    let mut dice = Dice(7 + 1000 * writer as u64);
    let mut writes = 0;
    while !done.load(Ordering::Relaxed) {
        let number = dice.roll(FLEETING);
        let id = format!("n{:03}-goes{writer}", number * 3);
        let path = format!("/Patient/{id}");
        match dice.roll(4) {
            0 => {
                let number = dice.roll(STAYING);
                let id = format!("n{:03}-stays", number * 5);
                let content = patient(&id, (number * 7) % STAYING, &format!("Is{writes}"));
                server.put(&content).await;
            }
            1 => {
                let reply = server.call("DELETE", &path).send().await;
                assert!(matches!(reply.status, 200 | 204), "{}", reply.text);
            }
            _ => {
                server.put(&patient(&id, dice.roll(STAYING), "Goes")).await;
            }
        }
        writes += 1;
    }
    writes
}

/// All pages to the end, and from there back to the beginning.
async fn walk(server: &Server, path: &str) -> [Vec<Reply>; 2] {
    let forwards = server.pages(path).await;
    let mut link = forwards.last().unwrap().link("previous");
    let mut backwards = Vec::new();
    while let Some(url) = link {
        assert!(backwards.len() < 1000, "the way back never ends");
        let page = server.get(&url).expect(200).await;
        link = page.link("previous");
        backwards.push(page);
    }
    // The last page was read on the way there.
    [forwards, backwards]
}

fn times_met(pages: &[Reply]) -> HashMap<String, usize> {
    let mut met = HashMap::new();
    for id in pages.iter().flat_map(Reply::entries) {
        *met.entry(id).or_default() += 1;
    }
    met
}

fn check(walk: &str, met: &HashMap<String, usize>, expected: impl Iterator<Item = String>) {
    for id in expected {
        assert_eq!(met.get(&id), Some(&1), "{walk}: {id}");
    }
}

async fn look(server: &Server) {
    for sort in ["", "&_sort=birthdate", "&_sort=-birthdate", "&_sort=-_id"] {
        for count in [2, 7] {
            let path = format!("/Patient?_count={count}{sort}");
            let [forwards, backwards] = walk(server, &path).await;
            let staying = || (0..STAYING).map(|n| format!("Patient/n{:03}-stays", n * 5));
            check(&path, &times_met(&forwards), staying());
            // What stood on the last page is behind the way back.
            let last = forwards.last().unwrap().entries();
            let met = times_met(&backwards);
            let rest = staying().filter(|id| !last.contains(id));
            check(&format!("back {path}"), &met, rest);
            let again = staying().find(|id| last.contains(id) && met.contains_key(id));
            assert_eq!(again, None, "back {path}: on the last page too");
        }
    }
}

async fn a_walk_meets_what_stays_exactly_once(server: Server) {
    settle(&server).await;
    let done = AtomicBool::new(false);
    let reader = async {
        look(&server).await;
        done.store(true, Ordering::Relaxed);
    };
    let writers = (0..WRITERS).map(|writer| write(&server, writer, &done));
    let ((), writes) = join(reader, join_all(writers)).await;
    assert!(writes.iter().all(|writes| *writes > 10), "{writes:?}");
}
