//! Makes AuditEvents of the trail's records, each once, whichever instance
//! does it: how far a chain has come moves in the commit that takes it there.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::super::engine::{Engine, unavailable};
use super::super::outcome::{Failure, Kind};
use super::super::resource::Resource;
use super::patients::concerned;
use super::record::Record;
use super::render::{Source, render};
use crate::budget::without_budget;
use crate::store::{
    AuditEntry, ChainPlace, Change, Commit, Guard, Method, RegistryChange, RegistryEntry,
    RegistryWrite, ResourceKey, StoreError, Write,
};

/// The registry's kind: how far each chain is rendered, by its writer.
pub const RENDERED: &str = "audit-rendered";

/// The registry's kind: rows that were gone before they were rendered, by the
/// first that is missing; the last is its body.
const MISSING: &str = "audit-missing";

/// Rows rendered with one commit.
const BATCH: usize = 200;

/// Rows that one request renders at most before it is answered.
const SHARE: i64 = 1_000;

/// How long the background waits before it looks again.
const PAUSE: Duration = Duration::from_millis(500);

/// What the background leaves to callers for each part of the time that it takes:
/// while it keeps up with what they do, and while they are faster.
const REST: u32 = 1;
const REST_BEHIND: u32 = 15;

/// One at a time within an instance.
#[derive(Debug, Default)]
pub struct Trail {
    turn: Mutex<()>,
    missing: std::sync::Mutex<Vec<String>>,
}

impl Trail {
    /// Rows without an AuditEvent, as they were known when the trail was last
    /// asked, for people.
    pub fn missing(&self) -> Vec<String> {
        let missing = self.missing.lock();
        missing.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Renders what was recorded before it was called. Behind a long burst that is more
/// than one request should do: it does its share, and who asks comes again.
pub async fn settle(engine: &Engine) -> Result<(), Failure> {
    let left = without_budget(catch_up(engine, Pace::Request)).await?;
    if left > 0 {
        let text = format!(
            "{left} accesses of a moment ago are no AuditEvents yet, so not all could be shown. Send the request again."
        );
        return Err(Failure::new(Kind::Unavailable, text));
    }
    let missing = engine.store.list(MISSING).await;
    let missing = missing.map_err(|error| unavailable(&error))?;
    let told = missing.iter().map(|entry| {
        let (from, to) = (&entry.key.id, &entry.body);
        format!("The audit trail was changed: rows {from} to {to} are missing, and what they told of is not here. The operator has `unloop audit verify`.")
    });
    let told: Vec<String> = told.collect();
    let mut known = engine
        .trail
        .missing
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    *known = told;
    Ok(())
}

/// Renders for ever, at half the speed that it could; with what callers leave
/// while they do more than could be rendered anyway. What is asked for in the
/// meantime is rendered by [`settle`].
pub async fn follow(engine: &Engine) {
    loop {
        tokio::time::sleep(PAUSE).await;
        // The store has said why; the next round tries again.
        if catch_up(engine, Pace::Background).await.is_err() {
            tokio::time::sleep(PAUSE * 10).await;
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Pace {
    Background,
    Request,
}

/// How many rows that were there when it was called are not rendered at its end.
async fn catch_up(engine: &Engine, pace: Pace) -> Result<i64, Failure> {
    let (mut share, mut left) = (SHARE, 0);
    let failed = |error| unavailable(&error);
    let done = engine.store.list(RENDERED).await.map_err(failed)?;
    for chain in engine.store.chains().await.map_err(failed)? {
        let writer = &chain.end.writer;
        let mut entry = done.iter().find(|entry| entry.key.id == *writer).cloned();
        let behind = chain.end.position - position(entry.as_ref());
        while position(entry.as_ref()) < chain.end.position {
            let (started, begin) = (Instant::now(), position(entry.as_ref()));
            if pace == Pace::Request && share <= 0 {
                left += chain.end.position - begin;
                break;
            }
            {
                let _turn = engine.trail.turn.lock().await;
                // Another instance, or another request, may have come further.
                entry = engine.store.get(RENDERED, writer).await.map_err(failed)?;
                if position(entry.as_ref()) < chain.end.position {
                    step(engine, &chain.end, entry.as_ref()).await?;
                }
                entry = engine.store.get(RENDERED, writer).await.map_err(failed)?;
            }
            share -= position(entry.as_ref()) - begin;
            if pace == Pace::Background {
                let now = backlog(engine, writer, position(entry.as_ref())).await?;
                let rest = if now > behind { REST_BEHIND } else { REST };
                tokio::time::sleep(started.elapsed() * rest).await;
            }
        }
    }
    Ok(left)
}

/// How many rows of a chain are not rendered yet.
async fn backlog(engine: &Engine, writer: &str, done: i64) -> Result<i64, Failure> {
    let chains = engine.store.chains().await;
    let chains = chains.map_err(|error| unavailable(&error))?;
    let chain = chains.iter().find(|chain| chain.end.writer == writer);
    Ok(chain.map_or(0, |chain| chain.end.position - done))
}

fn position(entry: Option<&RegistryEntry>) -> i64 {
    entry.map_or(0, |entry| entry.body.parse().unwrap_or(0))
}

/// `end` is where the chain ended a moment ago: up to there every row must be.
async fn step(
    engine: &Engine,
    end: &ChainPlace,
    entry: Option<&RegistryEntry>,
) -> Result<(), Failure> {
    let (writer, begin) = (&end.writer, position(entry));
    let rows = engine.store.chain(writer, begin, BATCH).await;
    let rows = rows.map_err(|error| unavailable(&error))?;
    let last = rows.last().map_or(end.position, |row| row.position);
    let mut changes = Vec::with_capacity(rows.len());
    for row in &rows {
        match event(engine, writer, row).await {
            Ok(resource) => changes.push(change(engine, resource)),
            // `unloop audit verify` names it; the others are not kept back.
            Err(Unrendered::Unreadable) => {
                tracing::error!(writer, position = row.position, "a record is unreadable");
            }
            Err(Unrendered::Failed(failure)) => return Err(failure),
        }
    }
    let body = last.to_string();
    let expires = None;
    let write = match entry {
        None => RegistryWrite::Insert { body, expires },
        Some(entry) => RegistryWrite::Replace {
            version: entry.version,
            body,
            expires,
        },
    };
    let mut registry = vec![RegistryChange::new(RENDERED, writer, write).silent()];
    registry.extend(gaps(begin, &rows, last).map(|(from, to)| missing(writer, from, to)));
    let commit = Commit {
        changes,
        registry,
        ..Commit::default()
    };
    match engine.store.commit(commit).await {
        // Another instance was faster.
        Err(StoreError::Registry { .. }) | Ok(_) => Ok(()),
        Err(error) => Err(unavailable(&error)),
    }
}

/// First and last of the rows that are not there, of all behind `begin`.
fn gaps(begin: i64, rows: &[AuditEntry], last: i64) -> impl Iterator<Item = (i64, i64)> {
    let before = std::iter::once(begin).chain(rows.iter().map(|row| row.position));
    let there = rows.iter().map(|row| row.position);
    let behind = there.chain(std::iter::once(last + 1));
    let pairs: Vec<(i64, i64)> = before.zip(behind).collect();
    let gaps = pairs.into_iter().filter(|(one, next)| next - one > 1);
    gaps.map(|(one, next)| (one + 1, next - 1))
}

fn missing(writer: &str, from: i64, to: i64) -> RegistryChange {
    tracing::error!(writer, from, to, "rows of the audit trail are missing");
    let insert = RegistryWrite::Insert {
        body: to.to_string(),
        expires: None,
    };
    RegistryChange::new(MISSING, &format!("{writer}-{from}"), insert).silent()
}

/// Why a row has no AuditEvent.
pub enum Unrendered {
    Unreadable,
    Failed(Failure),
}

/// The AuditEvent of a row.
pub async fn event(
    engine: &Engine,
    writer: &str,
    row: &AuditEntry,
) -> Result<Resource, Unrendered> {
    let record = Record::parse(&row.record).map_err(|_| Unrendered::Unreadable)?;
    let patients = concerned(engine, &record, row.made).await;
    let patients = patients.map_err(Unrendered::Failed)?;
    let content = render(&Source {
        writer,
        position: row.position,
        made: row.made,
        record: &record,
        patients: &patients,
    });
    Ok(Resource {
        resource_type: "AuditEvent".to_owned(),
        content,
    })
}

fn change(engine: &Engine, resource: Resource) -> Change {
    Change {
        key: ResourceKey::new("AuditEvent", resource.id().unwrap_or_default()),
        method: Method::Post,
        guard: Guard::None,
        write: Write::Put {
            index: engine.catalogue.extract("AuditEvent", &resource.content),
            body: resource.body(),
        },
    }
}
