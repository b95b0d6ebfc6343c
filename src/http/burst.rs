//! Requests that were refused because there were too many, or because no token
//! of them counts, as rows of the audit trail: the first of a sender's at once, all
//! others of a minute as one number. Otherwise a flood would fill the disk through
//! the trail.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::fhir::audit::{self, Actor, Event};
use crate::fhir::engine::Engine;
use crate::fhir::outcome::Failure;

/// So long are requests of one sender told as one.
const WINDOW: Duration = Duration::from_secs(60);

/// Senders that are told apart at a time. All others are one.
const MOST: usize = 1_000;

#[derive(Default)]
pub struct Bursts(Mutex<HashMap<String, Burst>>);

struct Burst {
    began: Instant,
    actor: Actor,
    /// The first.
    event: Event,
    /// Besides the first.
    more: u64,
}

impl Bursts {
    /// Records a refusal, where it is the first of its sender's.
    pub async fn refused(
        &self,
        engine: &Engine,
        sender: &str,
        actor: Actor,
        event: Event,
    ) -> Result<(), Failure> {
        match self.note(sender, &actor, &event, Instant::now()) {
            Some(actor) => audit::record(engine, &actor, &[event]).await,
            None => Ok(()),
        }
    }

    /// Records the numbers of minutes that are over; at the end of the service
    /// of all.
    pub async fn settle(&self, engine: &Engine, all: bool) -> Result<(), Failure> {
        let mut over = self.over(Instant::now(), all).into_iter();
        for (sender, burst) in over.by_ref() {
            let mut told = burst.event.clone();
            told.more = burst.more;
            if let Err(failure) = audit::record(engine, &burst.actor, &[told]).await {
                self.keep(sender, burst);
                over.for_each(|(sender, burst)| self.keep(sender, burst));
                return Err(failure);
            }
        }
        Ok(())
    }

    /// Whom to tell of, where it is the first. What is refused for different reasons
    /// is told apart.
    fn note(&self, sender: &str, actor: &Actor, event: &Event, now: Instant) -> Option<Actor> {
        let mut open = self.open();
        let key = format!("{} {sender}", event.status);
        let known = open.contains_key(&key) || open.len() < MOST;
        let (key, actor) = match known {
            true => (key, actor.clone()),
            false => (event.status.to_string(), Actor::default()),
        };
        if let Some(burst) = open.get_mut(&key) {
            burst.more += 1;
            return None;
        }
        let burst = Burst {
            began: now,
            actor: actor.clone(),
            event: event.clone(),
            more: 0,
        };
        open.insert(key, burst);
        Some(actor)
    }

    /// What could not be recorded is tried again.
    fn keep(&self, sender: String, burst: Burst) {
        let more = burst.more;
        match self.open().entry(sender) {
            // The first of the newer ones has its row.
            Entry::Occupied(mut newer) => newer.get_mut().more += more,
            Entry::Vacant(place) => drop(place.insert(burst)),
        }
    }

    fn over(&self, now: Instant, all: bool) -> Vec<(String, Burst)> {
        let mut open = self.open();
        let is_over = |burst: &Burst| all || now.duration_since(burst.began) >= WINDOW;
        let over = open.extract_if(|_, burst| is_over(burst));
        over.filter(|(_, burst)| burst.more > 0).collect()
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Burst>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> Event {
        Event::refused("GET /fhir".to_owned(), status)
    }

    fn more(rows: &[(String, Burst)]) -> Vec<u64> {
        let mut more: Vec<u64> = rows.iter().map(|(_, burst)| burst.more).collect();
        more.sort_unstable();
        more
    }

    #[test]
    fn a_flood_is_two_rows_a_minute() {
        let bursts = Bursts::default();
        let begin = Instant::now();
        let from = |sender: &str, now| bursts.note(sender, &Actor::default(), &refused(429), now);
        assert!(from("a", begin).is_some());
        for _ in 0..99 {
            assert!(from("a", begin).is_none());
        }
        assert!(from("b", begin).is_some());
        let other = bursts.note("a", &Actor::default(), &refused(401), begin);
        assert!(other.is_some(), "for another reason");
        assert_eq!(more(&bursts.over(begin, false)), [0; 0]);
        let later = begin + WINDOW;
        assert_eq!(more(&bursts.over(later, false)), [99], "b had no more");
        assert!(from("a", later).is_some(), "a minute on, it is told again");
        from("a", later);
        assert_eq!(more(&bursts.over(later, false)), [0; 0]);
        assert_eq!(
            more(&bursts.over(later, true)),
            [1],
            "none is lost at the end"
        );
        assert_eq!(more(&bursts.over(later, true)), [0; 0]);
    }

    #[test]
    fn a_flood_from_everywhere_is_bounded() {
        let bursts = Bursts::default();
        let begin = Instant::now();
        let note = |sender: usize| {
            let actor = Actor {
                address: Some(sender.to_string()),
                ..Actor::default()
            };
            bursts.note(&sender.to_string(), &actor, &refused(401), begin)
        };
        let told = (0..10 * MOST).filter_map(note).count();
        assert_eq!(told, MOST + 1);
        let rest = bursts.over(begin, true);
        assert_eq!(more(&rest), [9 * MOST as u64 - 1]);
        assert_eq!(
            rest[0].1.actor,
            Actor::default(),
            "nobody is blamed for all"
        );
    }

    #[test]
    fn what_could_not_be_recorded_is_tried_again() {
        let bursts = Bursts::default();
        let begin = Instant::now();
        let note = || bursts.note("a", &Actor::default(), &refused(429), begin);
        (0..5).for_each(|_| drop(note()));
        let mut over = bursts.over(begin, true);
        (0..3).for_each(|_| drop(note()));
        let (sender, burst) = over.pop().unwrap();
        bursts.keep(sender, burst);
        assert_eq!(more(&bursts.over(begin, true)), [4 + 2]);
    }
}
