//! Work that takes the processor for long goes to threads beside the workers: a
//! worker that parses, patches or writes a large page answers nobody meanwhile.

use std::future::Future;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::budget::{current, with_budget, with_budget_blocking};
use crate::fhir::outcome::{Failure, Kind};

/// More threads than processors: the system shares the processors among them, so
/// that short work does not wait for long work.
const THREADS_EACH: usize = 4;

/// Bytes of content that a worker parses itself.
const PARSED_BY_WORKERS: usize = 16 << 10;

static THREADS: OnceLock<Option<Runtime>> = OnceLock::new();

fn threads() -> Option<&'static Runtime> {
    let start = || {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        let started = Builder::new_multi_thread()
            .worker_threads(processors.saturating_mul(THREADS_EACH))
            .thread_name("unloop-work")
            .enable_all()
            .build();
        started
            .inspect_err(|error| tracing::error!(%error, "no threads for long work"))
            .ok()
    };
    THREADS.get_or_init(start).as_ref()
}

/// Ends the work when its request ends.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs the future beside the workers, under the budget of this task.
pub async fn run_offloaded<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Failure> {
    let Some(threads) = threads() else {
        return Ok(work.await);
    };
    let budget = current();
    let mut running = AbortOnDrop(threads.spawn(async move {
        match budget {
            Some(budget) => with_budget(budget, work).await,
            None => work.await,
        }
    }));
    (&mut running.0).await.map_err(|error| {
        tracing::error!(%error, "a request has failed");
        Failure::new(
            Kind::Internal,
            "The service failed. The operator's log has the details.",
        )
    })
}

/// Parses content, beside the workers where it is large.
pub async fn parse_offloaded<T: Send + 'static>(
    bytes: usize,
    parse: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    if bytes <= PARSED_BY_WORKERS {
        return parse();
    }
    let budget = current();
    run_offloaded(async move { with_budget_blocking(budget, parse) }).await?
}
