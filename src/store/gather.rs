//! The one place where waiting commits are gathered, so that one flush to the
//! disk serves all that wait, and where each gets the time of this instance.

use std::collections::HashSet;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot};

use super::clock_watch::{ClockJump, ClockWatch};
use super::pulse::{CommitPulse, probing_commit};
use super::{Commit, StoreError, Version};

/// A group is closed when it has this many commits or changes.
const GROUP_COMMITS: usize = 256;
const GROUP_CHANGES: usize = 4_096;

/// How many commits may wait before callers wait for a place in the queue.
const QUEUE: usize = 1_024;

/// Microseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The clock of the machine.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| {
            i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
        })
    })
}

/// A commit and the time at which this instance took it up. Other instances on the
/// same database may be ahead: the adapter moves the whole group behind what is
/// stored, while it holds the lock under which everybody commits.
#[derive(Clone, Debug, PartialEq)]
pub struct TimedCommit {
    /// Microseconds since 1970; grows with every commit of this instance.
    pub made: i64,
    pub commit: Commit,
}

/// What an adapter does with a group: every commit is judged by itself, all
/// that succeed become durable together. Answers one result per commit, in
/// their order.
#[async_trait::async_trait]
pub trait CommitGroup: Send {
    async fn commit_group(
        &mut self,
        group: Vec<TimedCommit>,
    ) -> Vec<Result<Vec<Version>, StoreError>>;

    /// How long nothing may wait until [`Self::settle_down`] is called; `None`: for ever.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// Work that nobody waits for.
    async fn settle_down(&mut self) {}
}

type Answer = oneshot::Sender<Result<Vec<Version>, StoreError>>;

/// The callers' end of the queue.
#[derive(Clone)]
pub struct Gather {
    queue: mpsc::Sender<(Commit, Answer)>,
    pulse: Arc<CommitPulse>,
    clock: Arc<Mutex<ClockWatch>>,
}

impl Gather {
    /// The queue and its worker, which the adapter runs: as a task, or on a
    /// thread of its own. The worker ends when the last [`Gather`] is dropped
    /// and the queue is empty. `last` is the newest time that is stored.
    pub fn new<W: CommitGroup>(
        writer: W,
        last: i64,
        clock: Clock,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let gather = Self {
            queue,
            pulse: Arc::default(),
            clock: Arc::new(Mutex::new(ClockWatch::new(clock, last))),
        };
        let worker = Worker {
            writer,
            waiting,
            last,
            clock: gather.clock.clone(),
            pulse: gather.pulse.clone(),
        };
        (gather, worker.run())
    }

    /// Whether a write becomes durable: one of a moment ago, or one that is made for this.
    pub async fn probe(&self) -> Result<(), StoreError> {
        let _turn = self.pulse.turn.lock().await;
        if self.pulse.is_fresh() {
            return Ok(());
        }
        let before = self.pulse.last_failure();
        let probed = self.commit(probing_commit()).await;
        if let (Ok(_), Some(failure)) = (&probed, before) {
            tracing::warn!(failure, "a write has failed; writes succeed again");
        }
        probed.map(drop)
    }

    /// When the clock was set since the last call.
    pub fn take_clock_jumps(&self) -> Vec<ClockJump> {
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        clock.take_jumps()
    }

    /// Once queued, the commit happens whether or not the caller still waits.
    pub async fn commit(&self, commit: Commit) -> Result<Vec<Version>, StoreError> {
        refuse_duplicates(&commit)?;
        let (answer, answered) = oneshot::channel();
        let stopped = || StoreError::Unavailable("the writer has stopped".into());
        self.queue
            .send((commit, answer))
            .await
            .map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

fn refuse_duplicates(commit: &Commit) -> Result<(), StoreError> {
    if !are_distinct(commit.changes.iter().map(|change| &change.key)) {
        return Err(StoreError::Corrupt(
            "a commit changes one resource twice".into(),
        ));
    }
    if !are_distinct(commit.registry.iter().map(|change| &change.key)) {
        return Err(StoreError::Corrupt(
            "a commit changes one entry of the registry twice".into(),
        ));
    }
    Ok(())
}

fn are_distinct<T: Eq + Hash>(mut keys: impl Iterator<Item = T>) -> bool {
    let mut seen = HashSet::new();
    keys.all(|key| seen.insert(key))
}

struct Worker<W> {
    writer: W,
    waiting: mpsc::Receiver<(Commit, Answer)>,
    last: i64,
    clock: Arc<Mutex<ClockWatch>>,
    pulse: Arc<CommitPulse>,
}

impl<W: CommitGroup> Worker<W> {
    async fn run(mut self) {
        while let Some(first) = self.next().await {
            let (group, answers) = self.group(first);
            let writing = group.iter().map(|timed| timed.commit.is_writing());
            let writing: Vec<bool> = writing.collect();
            let results = self.writer.commit_group(group).await;
            self.catch_up(&results);
            let written = results.iter().zip(writing);
            let written = written.filter(|(_, writing)| *writing);
            written.for_each(|(result, _)| self.pulse.note_result(result));
            for (answer, result) in answers.into_iter().zip(results) {
                // A caller that has gone away does not want its answer.
                drop(answer.send(result));
            }
        }
    }

    /// The next commit; meanwhile what nobody waits for is done.
    async fn next(&mut self) -> Option<(Commit, Answer)> {
        loop {
            let Some(patience) = self.writer.patience() else {
                return self.waiting.recv().await;
            };
            match tokio::time::timeout(patience, self.waiting.recv()).await {
                Ok(next) => return next,
                Err(_) => self.writer.settle_down().await,
            }
        }
    }

    /// The first commit and all that wait behind it, as far as there is room.
    fn group(&mut self, first: (Commit, Answer)) -> (Vec<TimedCommit>, Vec<Answer>) {
        let mut group = Vec::new();
        let mut answers = Vec::new();
        let mut changes = 0;
        let mut next = Some(first);
        while let Some((commit, answer)) = next {
            changes += commit.changes.len();
            let made = self.tick();
            group.push(TimedCommit { made, commit });
            answers.push(answer);
            let full = group.len() >= GROUP_COMMITS || changes >= GROUP_CHANGES;
            next = if full {
                None
            } else {
                self.waiting.try_recv().ok()
            };
        }
        (group, answers)
    }

    /// Time goes on behind the newest that was given out.
    fn catch_up(&mut self, results: &[Result<Vec<Version>, StoreError>]) {
        let versions = results.iter().flatten().flatten();
        let newest = versions.map(|version| version.updated).max();
        self.last = newest.map_or(self.last, |newest| newest.max(self.last));
    }

    fn tick(&mut self) -> i64 {
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        self.last = clock.read().max(self.last.saturating_add(1));
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Change, Guard, Method, ResourceKey, Write};

    struct Recorder {
        groups: Arc<Mutex<Vec<Vec<i64>>>>,
    }

    #[async_trait::async_trait]
    impl CommitGroup for Recorder {
        async fn commit_group(
            &mut self,
            group: Vec<TimedCommit>,
        ) -> Vec<Result<Vec<Version>, StoreError>> {
            let times = group.iter().map(|timed| timed.made).collect();
            self.groups.lock().unwrap().push(times);
            group.iter().map(|_| Ok(Vec::new())).collect()
        }
    }

    fn recorder(
        clock: i64,
    ) -> (
        Gather,
        impl Future<Output = ()> + Send,
        Arc<Mutex<Vec<Vec<i64>>>>,
    ) {
        let groups = Arc::new(Mutex::new(Vec::new()));
        let writer = Recorder {
            groups: groups.clone(),
        };
        let (gather, worker) = Gather::new(writer, 100, Arc::new(move || clock));
        (gather, worker, groups)
    }

    #[tokio::test]
    async fn what_waits_is_committed_together_and_time_never_stands_still() {
        let (gather, worker, groups) = recorder(50);
        let commits = futures_util::future::join_all((0..300).map(|_| {
            let gather = gather.clone();
            async move { gather.commit(Commit::default()).await }
        }));
        drop(gather);
        let both = futures_util::future::join(commits, worker);
        let (results, ()) = tokio::task::unconstrained(both).await;
        assert!(results.iter().all(Result::is_ok));
        let groups = groups.lock().unwrap();
        assert_eq!(
            groups.iter().map(Vec::len).collect::<Vec<_>>(),
            [GROUP_COMMITS, 300 - GROUP_COMMITS]
        );
        let times: Vec<i64> = groups.iter().flatten().copied().collect();
        assert_eq!(times, (101..401).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_does_not_cancel_its_commit() {
        let (gather, worker, groups) = recorder(500);
        let mut commit = Box::pin(gather.commit(Commit::default()));
        assert!(futures_util::poll!(&mut commit).is_pending());
        drop(commit);
        drop(gather);
        worker.await;
        assert_eq!(*groups.lock().unwrap(), [[500]]);
    }

    #[tokio::test]
    async fn one_resource_may_not_stand_in_a_commit_twice() {
        let (gather, _worker, _) = recorder(500);
        let change = Change {
            key: ResourceKey::new("Patient", "1"),
            method: Method::Delete,
            guard: Guard::None,
            write: Write::Delete,
        };
        let commit = Commit {
            changes: vec![change.clone(), change],
            ..Commit::default()
        };
        assert!(matches!(
            gather.commit(commit).await,
            Err(StoreError::Corrupt(_))
        ));
    }
}
