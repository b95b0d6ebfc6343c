//! Makes AuditEvents of the trail's records, each once, whichever instance
//! does it: how far a chain has come moves in the commit that takes it there.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::super::engine::{Engine, unavailable};
use super::super::outcome::Failure;
use super::super::resource::Resource;
use super::patients::concerned;
use super::record::Record;
use super::render::{Source, render};
use crate::store::{
    AuditEntry, Change, Commit, Guard, Method, RegistryChange, RegistryEntry, RegistryWrite,
    ResourceKey, StoreError, Write,
};

/// The registry's kind: how far each chain is rendered, by its writer.
pub const RENDERED: &str = "audit-rendered";

/// Rows rendered with one commit.
const BATCH: usize = 200;

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
}

/// Renders what was recorded before it was called.
pub async fn settle(engine: &Engine) -> Result<(), Failure> {
    catch_up(engine, false).await
}

/// Renders for ever, at half the speed that it could; with what callers leave
/// while they do more than could be rendered anyway. What is asked for in the
/// meantime is rendered by [`settle`].
pub async fn follow(engine: &Engine) {
    loop {
        tokio::time::sleep(PAUSE).await;
        // The store has said why; the next round tries again.
        if catch_up(engine, true).await.is_err() {
            tokio::time::sleep(PAUSE * 10).await;
        }
    }
}

async fn catch_up(engine: &Engine, paced: bool) -> Result<(), Failure> {
    let failed = |error| unavailable(&error);
    let done = engine.store.list(RENDERED).await.map_err(failed)?;
    for chain in engine.store.chains().await.map_err(failed)? {
        let writer = &chain.end.writer;
        let mut entry = done.iter().find(|entry| entry.key.id == *writer).cloned();
        let behind = chain.end.position - position(entry.as_ref());
        while position(entry.as_ref()) < chain.end.position {
            let started = Instant::now();
            {
                let _turn = engine.trail.turn.lock().await;
                // Another instance, or another request, may have come further.
                entry = engine.store.get(RENDERED, writer).await.map_err(failed)?;
                if position(entry.as_ref()) < chain.end.position {
                    step(engine, writer, entry.as_ref()).await?;
                }
                entry = engine.store.get(RENDERED, writer).await.map_err(failed)?;
            }
            if paced {
                let now = backlog(engine, writer, position(entry.as_ref())).await?;
                let rest = if now > behind { REST_BEHIND } else { REST };
                tokio::time::sleep(started.elapsed() * rest).await;
            }
        }
    }
    Ok(())
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

async fn step(engine: &Engine, writer: &str, entry: Option<&RegistryEntry>) -> Result<(), Failure> {
    let rows = engine.store.chain(writer, position(entry), BATCH).await;
    let rows = rows.map_err(|error| unavailable(&error))?;
    let Some(last) = rows.last() else {
        let error = StoreError::Corrupt(format!("rows of the audit chain {writer} are missing"));
        return Err(unavailable(&error));
    };
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
    let body = last.position.to_string();
    let expires = None;
    let write = match entry {
        None => RegistryWrite::Insert { body, expires },
        Some(entry) => RegistryWrite::Replace {
            version: entry.version,
            body,
            expires,
        },
    };
    let commit = Commit {
        changes,
        registry: vec![RegistryChange::new(RENDERED, writer, write).silent()],
        ..Commit::default()
    };
    match engine.store.commit(commit).await {
        // Another instance was faster.
        Err(StoreError::Registry { .. }) | Ok(_) => Ok(()),
        Err(error) => Err(unavailable(&error)),
    }
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
