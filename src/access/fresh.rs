//! The current epoch, for every request anew: what was revoked on any instance
//! before a request came is revoked for that request.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::fhir::engine::unavailable;
use crate::fhir::outcome::Failure;
use crate::store::StoreError;
use crate::store::registry::Registry;

/// Requests that come at the same time share a question to the store, and none
/// takes the answer to a question that was asked before it came.
pub struct Fresh {
    registry: Arc<dyn Registry>,
    arrivals: AtomicU64,
    answered: tokio::sync::Mutex<Answered>,
}

struct Answered {
    /// How many had come when the question was asked.
    arrivals: u64,
    epoch: Result<i64, StoreError>,
}

impl Fresh {
    pub fn new(registry: Arc<dyn Registry>) -> Self {
        Self {
            registry,
            arrivals: AtomicU64::new(0),
            answered: tokio::sync::Mutex::new(Answered {
                arrivals: 0,
                epoch: Ok(0),
            }),
        }
    }

    /// The epoch as it is now. Without an answer of the store nobody is let in.
    pub async fn epoch(&self) -> Result<i64, Failure> {
        let mine = self.arrivals.fetch_add(1, Ordering::SeqCst) + 1;
        // Whoever waits here is answered by the one that asks next.
        let mut answered = self.answered.lock().await;
        if answered.arrivals < mine {
            let arrivals = self.arrivals.load(Ordering::SeqCst);
            let epoch = self.registry.epoch().await;
            *answered = Answered { arrivals, epoch };
        }
        answered.epoch.as_ref().copied().map_err(unavailable)
    }
}

/// What was read under an epoch, kept as long as it stands.
pub struct Kept<T> {
    most: usize,
    under: Mutex<(i64, HashMap<String, T>)>,
}

impl<T: Clone> Kept<T> {
    /// Keeps at most so many; beyond them it begins anew.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            under: Mutex::new((i64::MIN, HashMap::new())),
        }
    }

    pub fn get(&self, epoch: i64, key: &str) -> Option<T> {
        let kept = self.under.lock().unwrap_or_else(PoisonError::into_inner);
        (kept.0 == epoch).then(|| kept.1.get(key).cloned())?
    }

    /// What a slower request read under an epoch that has passed is not kept.
    pub fn keep(&self, epoch: i64, key: &str, value: T) {
        let mut kept = self.under.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 < epoch || (kept.0 == epoch && kept.1.len() >= self.most) {
            *kept = (epoch, HashMap::new());
        }
        if kept.0 == epoch {
            kept.1.insert(key.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;

    use tokio::sync::Semaphore;

    use super::*;
    use crate::store::registry::{RegistryChange, RegistryEntry, RegistryKey};

    /// Answers with the epoch as it is when the question is asked, once it is let go.
    struct Slow {
        epoch: AtomicI64,
        asked: AtomicI64,
        go: Semaphore,
    }

    #[async_trait::async_trait]
    impl Registry for Slow {
        async fn get(&self, _: &str, _: &str) -> Result<Option<RegistryEntry>, StoreError> {
            Ok(None)
        }
        async fn list(&self, _: &str) -> Result<Vec<RegistryEntry>, StoreError> {
            Ok(Vec::new())
        }
        async fn change(&self, _: Vec<RegistryChange>) -> Result<(), StoreError> {
            Ok(())
        }
        async fn expired(&self, _: usize) -> Result<Vec<RegistryKey>, StoreError> {
            Ok(Vec::new())
        }
        async fn epoch(&self) -> Result<i64, StoreError> {
            let epoch = self.epoch.load(Ordering::SeqCst);
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.go.acquire().await.unwrap().forget();
            match epoch {
                ..0 => Err(StoreError::Unavailable("down".into())),
                epoch => Ok(epoch),
            }
        }
    }

    fn slow(epoch: i64) -> (Arc<Slow>, Fresh) {
        let slow = Arc::new(Slow {
            epoch: AtomicI64::new(epoch),
            asked: AtomicI64::new(0),
            go: Semaphore::new(0),
        });
        (slow.clone(), Fresh::new(slow))
    }

    #[tokio::test]
    async fn nobody_takes_an_answer_to_a_question_asked_before_he_came() {
        let (store, fresh) = slow(1);
        let mut first = Box::pin(fresh.epoch());
        assert!(futures_util::poll!(&mut first).is_pending());
        store.epoch.store(2, Ordering::SeqCst);
        let mut later: Vec<_> = (0..20).map(|_| Box::pin(fresh.epoch())).collect();
        for later in &mut later {
            assert!(futures_util::poll!(later).is_pending());
        }
        store.go.add_permits(100);
        assert_eq!(first.await.unwrap(), 1);
        for later in later {
            assert_eq!(later.await.unwrap(), 2);
        }
        assert_eq!(store.asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn one_that_asks_and_goes_away_leaves_the_question_to_the_next() {
        let (store, fresh) = slow(1);
        let mut first = Box::pin(fresh.epoch());
        assert!(futures_util::poll!(&mut first).is_pending());
        let mut second = Box::pin(fresh.epoch());
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        store.epoch.store(2, Ordering::SeqCst);
        store.go.add_permits(100);
        assert_eq!(second.await.unwrap(), 2);
    }

    #[tokio::test]
    async fn without_an_answer_nobody_is_let_in() {
        let (store, fresh) = slow(-1);
        store.go.add_permits(100);
        assert_eq!(fresh.epoch().await.unwrap_err().status(), 503);
        store.epoch.store(3, Ordering::SeqCst);
        assert_eq!(fresh.epoch().await.unwrap(), 3);
    }

    #[test]
    fn what_was_read_under_another_epoch_is_not_kept() {
        let kept = Kept::new(2);
        kept.keep(1, "a", "old");
        assert_eq!(kept.get(1, "a"), Some("old"));
        assert_eq!(kept.get(2, "a"), None);
        kept.keep(2, "b", "new");
        kept.keep(1, "a", "old");
        assert_eq!((kept.get(1, "a"), kept.get(2, "a")), (None, None));
        kept.keep(2, "c", "new");
        kept.keep(2, "d", "new");
        assert_eq!((kept.get(2, "b"), kept.get(2, "d")), (None, Some("new")));
    }
}
