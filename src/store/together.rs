//! Reads of one resource that wait at the same time are one question to the
//! database: a round trip, and the waking of threads, serves them all.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use super::page::PageFill;
use super::{ResourceKey, Scope, StoreError, Stored};
use crate::budget::without_budget;

/// Keys of one question.
const MOST: usize = 64;

type Rows = Vec<Option<Stored>>;
type Asked = BoxFuture<'static, Result<Arc<Rows>, StoreError>>;
type Keys = Arc<Mutex<Option<Vec<ResourceKey>>>>;

/// Asks for all keys under one scope, and answers in their order.
type Ask = Arc<
    dyn Fn(Scope, Vec<ResourceKey>) -> BoxFuture<'static, Result<Rows, StoreError>> + Send + Sync,
>;

/// Nobody takes the answer to a question that was asked before he came: who
/// comes while one is under way waits for the next.
pub struct Together {
    ask: Ask,
    open: Mutex<Vec<Question>>,
}

/// Those who wait drive it; where all have gone away it is given up.
struct Question {
    scope: Scope,
    resource_type: String,
    /// Nothing once it is asked.
    keys: Keys,
    answer: WeakShared<Asked>,
}

impl Together {
    pub fn new<F>(ask: impl Fn(Scope, Vec<ResourceKey>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Rows, StoreError>> + Send + 'static,
    {
        Self {
            ask: Arc::new(move |scope, keys| ask(scope, keys).boxed()),
            open: Mutex::new(Vec::new()),
        }
    }

    pub async fn read(&self, scope: &Scope, keys: &[ResourceKey]) -> Result<Rows, StoreError> {
        let key = match keys {
            [] => return Ok(Vec::new()),
            [key] => key,
            keys => return (self.ask)(scope.clone(), keys.to_vec()).await,
        };
        let (place, answer) = self.join(scope, key);
        let rows = answer.await?;
        let row = rows.get(place).cloned().flatten();
        if let Some(row) = &row {
            PageFill::for_whole().add_row(row)?;
        }
        Ok(vec![row])
    }

    /// The question that this key is part of, and its place there.
    fn join(&self, scope: &Scope, key: &ResourceKey) -> (usize, Shared<Asked>) {
        let mut open = locked(&self.open);
        open.retain(|question| question.is_open());
        let alike = open.iter().rfind(|question| question.is_for(scope, key));
        let before = alike.and_then(|question| question.answer.upgrade());
        if let (Some(question), Some(answer)) = (alike, &before)
            && let Some(place) = question.take(key)
        {
            return (place, answer.clone());
        }
        let keys = Keys::new(Mutex::new(Some(vec![key.clone()])));
        let answer = self.question(scope.clone(), keys.clone(), before);
        open.extend(answer.downgrade().map(|answer| Question {
            scope: scope.clone(),
            resource_type: key.resource_type.clone(),
            keys,
            answer,
        }));
        (0, answer)
    }

    fn question(&self, scope: Scope, keys: Keys, before: Option<Shared<Asked>>) -> Shared<Asked> {
        let ask = self.ask.clone();
        let question = async move {
            if let Some(before) = before {
                // Its answer, or its failure, is for those who came earlier.
                drop(before.await);
            }
            let keys = locked(&keys).take().unwrap_or_default();
            // Of all who wait: none of them pays for the others, or fails with them.
            let asked = without_budget(ask(scope, keys));
            asked.await.map(Arc::new)
        };
        question.boxed().shared()
    }
}

impl Question {
    fn is_open(&self) -> bool {
        let answer = self.answer.upgrade();
        answer.is_some_and(|answer| answer.peek().is_none())
    }

    fn is_for(&self, scope: &Scope, key: &ResourceKey) -> bool {
        self.resource_type == key.resource_type && self.scope.is_same(scope)
    }

    /// The place of one more key, while there is room and it is not asked yet.
    fn take(&self, key: &ResourceKey) -> Option<usize> {
        let mut keys = locked(&self.keys);
        let keys = keys.as_mut().filter(|keys| keys.len() < MOST)?;
        keys.push(key.clone());
        Some(keys.len() - 1)
    }
}

/// No step of a change can leave what is behind it half done.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::store::{Filter, Method};

    /// Answers with how many questions there were, once it is let go.
    struct Slow {
        questions: Mutex<Vec<Vec<String>>>,
        go: Semaphore,
    }

    fn slow() -> (Arc<Slow>, Together) {
        let slow = Arc::new(Slow {
            questions: Mutex::new(Vec::new()),
            go: Semaphore::new(0),
        });
        let asked = slow.clone();
        let together = Together::new(move |_, keys: Vec<ResourceKey>| {
            let slow = asked.clone();
            async move {
                let number = {
                    let mut questions = locked(&slow.questions);
                    questions.push(keys.iter().map(|key| key.id.clone()).collect());
                    questions.len()
                };
                slow.go.acquire().await.unwrap().forget();
                Ok(keys.into_iter().map(|key| row(key, number)).collect())
            }
        });
        (slow, together)
    }

    /// `gone` has no row.
    fn row(key: ResourceKey, version: usize) -> Option<Stored> {
        (key.id != "gone").then(|| Stored {
            key,
            version: i64::try_from(version).unwrap(),
            updated: 0,
            method: Method::Put,
            body: None,
        })
    }

    fn key(id: &str) -> ResourceKey {
        ResourceKey::new("Patient", id)
    }

    #[tokio::test]
    async fn who_comes_while_a_question_is_under_way_shares_the_next() {
        let (slow, together) = slow();
        let everything = Scope::everything();
        let first_key = [key("1")];
        let mut first = Box::pin(together.read(&everything, &first_key));
        assert!(futures_util::poll!(&mut first).is_pending());
        let keys: Vec<_> = ["2", "gone", "1"].map(key).map(|key| [key]).into();
        let later = keys.iter().map(|keys| together.read(&everything, keys));
        let mut later = Box::pin(join_all(later));
        assert!(futures_util::poll!(&mut later).is_pending());
        slow.go.add_permits(10);
        let ids = |rows: Rows| {
            rows.into_iter()
                .flatten()
                .map(|row| (row.key.id, row.version))
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(first.await.unwrap()), [("1".to_owned(), 1)]);
        let later: Vec<_> = later
            .await
            .into_iter()
            .map(|rows| ids(rows.unwrap()))
            .collect();
        assert_eq!(
            later,
            [vec![("2".to_owned(), 2)], vec![], vec![("1".to_owned(), 2)]]
        );
        assert_eq!(
            *locked(&slow.questions),
            [vec!["1"], vec!["2", "gone", "1"]]
        );
    }

    #[tokio::test]
    async fn scopes_and_types_never_mix() {
        let (slow, together) = slow();
        let (mine, yours) = (
            Scope::only(Filter::Any(Vec::new())),
            Scope::only(Filter::Any(Vec::new())),
        );
        let practitioner = [ResourceKey::new("Practitioner", "1")];
        let patient = [key("1")];
        slow.go.add_permits(10);
        let all = join_all([
            together.read(&mine, &patient),
            together.read(&yours, &patient),
            together.read(&mine, &practitioner),
        ]);
        all.await;
        assert_eq!(locked(&slow.questions).len(), 3);
    }

    #[tokio::test]
    async fn one_that_goes_away_leaves_the_question_to_the_next() {
        let (slow, together) = slow();
        let everything = Scope::everything();
        let (one, two) = ([key("1")], [key("2")]);
        let mut first = Box::pin(together.read(&everything, &one));
        assert!(futures_util::poll!(&mut first).is_pending());
        let mut second = Box::pin(together.read(&everything, &two));
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        slow.go.add_permits(10);
        assert_eq!(second.await.unwrap().len(), 1);
        drop(together.read(&everything, &one).await);
        locked(&together.open).retain(|question| question.is_open());
        assert!(locked(&together.open).is_empty());
    }
}
