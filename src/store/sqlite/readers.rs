//! The connections that read, each on a thread of its own: what a connection holds
//! then stays in one part of the heap, which other threads do not tear up.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;
use tokio::sync::oneshot;

use super::connection;
use super::error::store_error;
use super::interrupt::set_interrupt_time;
use super::settings::SqliteSettings;
use crate::budget::{self, BudgetExceeded};
use crate::store::StoreError;

/// Answers whether the connection may be used again.
type Job = Box<dyn FnOnce(Result<&mut SqliteConnection, StoreError>) -> bool + Send>;

/// How long a question may take before it goes to the slow lane.
const QUICK: Duration = Duration::from_millis(250);

/// Threads that are kept for questions that name what they want.
const KEPT_FOR_NARROW: usize = 2;

/// What a question may have to look at. Cheap questions never wait behind expensive
/// ones: what turns out to take long is ended and asked again in a lane of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadLane {
    /// Rows by their keys.
    Narrow,
    /// Questions that take no longer than [`QUICK`].
    Quick,
    /// What has taken longer.
    Slow,
}

/// Started when first needed, kept until this is dropped.
pub struct Readers {
    queue: Arc<Queue>,
}

struct Queue {
    path: String,
    settings: SqliteSettings,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    narrow: VecDeque<Job>,
    quick: VecDeque<Job>,
    slow: VecDeque<Job>,
    threads: Vec<JoinHandle<()>>,
    idle: usize,
    quick_running: usize,
    slow_running: usize,
    closed: bool,
}

impl Readers {
    pub fn new(path: &str, settings: &SqliteSettings) -> Arc<Self> {
        Arc::new(Self {
            queue: Arc::new(Queue {
                path: path.to_owned(),
                settings: settings.clone(),
                state: Mutex::default(),
                changed: Condvar::new(),
            }),
        })
    }

    /// As [`Self::run`], in one transaction: what others write meanwhile would
    /// make every page stale that one question has read for the next.
    pub async fn run_at_once<T: Send + 'static>(
        &self,
        job: impl Fn(&mut SqliteConnection) -> Result<T, StoreError> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        // A connection whose job failed is closed, and its transaction with it.
        self.run(ReadLane::Quick, move |connection| {
            connection.batch_execute("BEGIN").map_err(store_error)?;
            let result = job(connection)?;
            connection.batch_execute("COMMIT").map_err(store_error)?;
            Ok(result)
        })
        .await
    }

    /// Waits for its turn without blocking; one that nobody waits for any more
    /// is left out. A job that takes long is done a second time, in the slow lane.
    pub async fn run<T: Send + 'static>(
        &self,
        lane: ReadLane,
        job: impl Fn(&mut SqliteConnection) -> Result<T, StoreError> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let job = Arc::new(job);
        let most = self.queue.settings.statement_timeout;
        match self.run_in(lane, QUICK.min(most), job.clone()).await {
            Err(StoreError::Exceeded(BudgetExceeded::Statement)) => {
                let wait = budget::time_left(most.saturating_add(most));
                let slow = self.run_in(ReadLane::Slow, most, job);
                let done = tokio::time::timeout(wait, slow).await;
                done.unwrap_or_else(|_| Err(BudgetExceeded::Busy.into()))
            }
            done => done,
        }
    }

    async fn run_in<T: Send + 'static>(
        &self,
        lane: ReadLane,
        most: Duration,
        job: Arc<impl Fn(&mut SqliteConnection) -> Result<T, StoreError> + Send + Sync + 'static>,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let budget = budget::current();
        let work = move |connection: Result<&mut SqliteConnection, StoreError>| {
            if answer.is_closed() {
                return true;
            }
            let begun = Instant::now();
            set_interrupt_time(begun.checked_add(most));
            let result = connection.and_then(|connection| job(connection));
            set_interrupt_time(None);
            if let Some(budget) = budget {
                budget.note_work(begun.elapsed());
            }
            let is_good = result.is_ok();
            drop(answer.send(result));
            is_good
        };
        self.queue.push(lane, Box::new(work));
        let ended = |_| StoreError::Unavailable("a thread that reads has ended".into());
        answered.await.map_err(ended)?
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        let threads = {
            let mut state = self.queue.state();
            state.closed = true;
            state.clear();
            std::mem::take(&mut state.threads)
        };
        self.queue.changed.notify_all();
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread that reads has failed");
            }
        }
    }
}

impl Queue {
    fn push(self: &Arc<Self>, lane: ReadLane, job: Job) {
        let mut state = self.state();
        match lane {
            ReadLane::Narrow => state.narrow.push_back(job),
            ReadLane::Quick => state.quick.push_back(job),
            ReadLane::Slow => state.slow.push_back(job),
        }
        let most = self.settings.readers.max(1);
        if state.idle >= state.waiting() || state.threads.len() >= most {
            self.changed.notify_one();
            return;
        }
        let queue = self.clone();
        let named = std::thread::Builder::new().name("sqlite-reader".into());
        match named.spawn(move || queue.work()) {
            Ok(thread) => state.threads.push(thread),
            Err(error) => {
                tracing::error!(%error, "no thread to read with");
                if state.threads.is_empty() {
                    // Whoever waits is told.
                    state.clear();
                }
            }
        }
    }

    fn work(&self) {
        let mut kept = None;
        while let Some((lane, job)) = self.next() {
            let mut opened = match kept.take() {
                Some(connection) => Ok(connection),
                None => connection::reader(&self.path, &self.settings),
            };
            let connection = opened.as_mut().map_err(|error| error.clone());
            let done = catch_unwind(AssertUnwindSafe(|| job(connection)));
            set_interrupt_time(None);
            if done.unwrap_or(false) {
                kept = opened.ok();
            }
            self.state().leave(lane);
            // What waited for a place in the lane may go on.
            self.changed.notify_one();
        }
    }

    fn next(&self) -> Option<(ReadLane, Job)> {
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.take(&self.settings) {
                return Some(job);
            }
            state.idle += 1;
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// No step of a change can leave what is behind it half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn waiting(&self) -> usize {
        self.narrow.len() + self.quick.len() + self.slow.len()
    }

    fn clear(&mut self) {
        self.narrow.clear();
        self.quick.clear();
        self.slow.clear();
    }

    /// The next job that may run beside those that do.
    fn take(&mut self, settings: &SqliteSettings) -> Option<(ReadLane, Job)> {
        if let Some(job) = self.narrow.pop_front() {
            return Some((ReadLane::Narrow, job));
        }
        let shared = settings.readers.saturating_sub(KEPT_FOR_NARROW).max(1);
        if self.quick_running + self.slow_running >= shared {
            return None;
        }
        if let Some(job) = self.quick.pop_front() {
            self.quick_running += 1;
            return Some((ReadLane::Quick, job));
        }
        // Of few threads one is left for those that are quick.
        let slow = settings
            .slow_readers
            .clamp(1, shared.saturating_sub(1).max(1));
        if self.slow_running >= slow {
            return None;
        }
        let job = self.slow.pop_front()?;
        self.slow_running += 1;
        Some((ReadLane::Slow, job))
    }

    fn leave(&mut self, lane: ReadLane) {
        match lane {
            ReadLane::Narrow => {}
            ReadLane::Quick => self.quick_running -= 1,
            ReadLane::Slow => self.slow_running -= 1,
        }
    }
}
