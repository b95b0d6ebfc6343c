//! The current epoch, for every request anew: what was revoked on any instance
//! before a request came is revoked for that request.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, ready};

use crate::fhir::engine::unavailable;
use crate::fhir::outcome::Failure;
use crate::store::StoreError;
use crate::store::registry::Registry;

/// Requests that come at the same time share a question to the store, and none
/// takes the answer to a question that was asked before it came.
pub struct Fresh {
    registry: Arc<dyn Registry>,
    newest: Mutex<Question>,
}

/// Asked by whoever waits, and by the next where that one goes away.
#[derive(Clone)]
struct Question {
    begun: Arc<AtomicBool>,
    answer: Shared<BoxFuture<'static, Result<i64, StoreError>>>,
}

impl Question {
    /// To be asked once `before` is answered.
    fn after(before: Self, registry: Arc<dyn Registry>) -> Self {
        let begun = Arc::new(AtomicBool::new(false));
        let begins = begun.clone();
        let ask = async move {
            // Its answer is for those who came earlier.
            drop(before.answer.await);
            begins.store(true, Ordering::SeqCst);
            registry.epoch().await
        };
        Self {
            begun,
            answer: ask.boxed().shared(),
        }
    }
}

impl Fresh {
    pub fn new(registry: Arc<dyn Registry>) -> Self {
        let first = Question {
            begun: Arc::new(AtomicBool::new(true)),
            answer: ready(Ok(0)).boxed().shared(),
        };
        Self {
            registry,
            newest: Mutex::new(first),
        }
    }

    /// The epoch as it is now. Without an answer of the store nobody is let in.
    pub async fn epoch(&self) -> Result<i64, Failure> {
        let mine = self.question().answer;
        mine.await.map_err(|error| unavailable(&error))
    }

    /// The newest that was not sent yet, or another behind it.
    fn question(&self) -> Question {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.begun.load(Ordering::SeqCst) {
            *newest = Question::after(newest.clone(), self.registry.clone());
        }
        newest.clone()
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
    use crate::store::AuditRow;
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
        async fn change_told(
            &self,
            _: Vec<RegistryChange>,
            _: Vec<AuditRow>,
        ) -> Result<(), StoreError> {
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
