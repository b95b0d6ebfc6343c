//! The connections that read, each on a thread of its own: what a connection holds
//! then stays in one part of the heap, which other threads do not tear up.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;
use tokio::sync::oneshot;

use super::connection;
use super::error::store_error;
use super::settings::SqliteSettings;
use crate::store::StoreError;

/// Answers whether the connection may be used again.
type Job = Box<dyn FnOnce(Result<&mut SqliteConnection, StoreError>) -> bool + Send>;

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
    jobs: VecDeque<Job>,
    threads: Vec<JoinHandle<()>>,
    idle: usize,
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
        job: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        // A connection whose job failed is closed, and its transaction with it.
        self.run(move |connection| {
            connection.batch_execute("BEGIN").map_err(store_error)?;
            let result = job(connection)?;
            connection.batch_execute("COMMIT").map_err(store_error)?;
            Ok(result)
        })
        .await
    }

    /// Waits for its turn without blocking; one that nobody waits for any more
    /// is left out.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.queue.push(Box::new(move |connection| {
            if answer.is_closed() {
                return true;
            }
            let result = connection.and_then(job);
            let is_good = result.is_ok();
            drop(answer.send(result));
            is_good
        }));
        let ended = |_| StoreError::Unavailable("a thread that reads has ended".into());
        answered.await.map_err(ended)?
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        let threads = {
            let mut state = self.queue.state();
            state.closed = true;
            state.jobs.clear();
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
    fn push(self: &Arc<Self>, job: Job) {
        let mut state = self.state();
        state.jobs.push_back(job);
        let most = self.settings.readers.max(1);
        if state.idle >= state.jobs.len() || state.threads.len() >= most {
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
                    state.jobs.clear();
                }
            }
        }
    }

    fn work(&self) {
        let mut kept = None;
        while let Some(job) = self.next() {
            let mut opened = match kept.take() {
                Some(connection) => Ok(connection),
                None => connection::reader(&self.path, &self.settings),
            };
            let connection = opened.as_mut().map_err(|error| error.clone());
            let done = catch_unwind(AssertUnwindSafe(|| job(connection)));
            if done.unwrap_or(false) {
                kept = opened.ok();
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
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
