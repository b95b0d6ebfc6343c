//! Whom a record of the trail concerns. Versions never change, so that the
//! answer is the same whenever it is asked.

use super::super::engine::Engine;
use super::super::engine::unavailable;
use super::super::outcome::Failure;
use super::super::request::parse_query;
use super::super::resource::parse_stored;
use super::super::validate::id;
use super::event::patients;
use super::record::Record;
use crate::store::{HistoryOf, HistoryPlan, ResourceKey, Scope, Stored};

/// Versions of one resource that are looked through for the last before a deletion.
const LOOKED_THROUGH: usize = 1_000;

/// The ids of the patients: in context, addressed, asked for, shown or written.
pub async fn concerned(
    engine: &Engine,
    record: &Record,
    made: i64,
) -> Result<Vec<String>, Failure> {
    let mut ids = record.patients.clone();
    ids.extend(record.who.patient.clone());
    if record.resource_type.as_deref() == Some("Patient") {
        ids.extend(record.id.clone());
    }
    ids.extend(asked_for(&record.sent));
    for stored in shown(engine, record).await? {
        ids.extend(of(engine, &stored)?);
    }
    for deleted in &record.deleted {
        ids.extend(before_deletion(engine, deleted, made).await?);
    }
    ids.retain(|id| id::is_legal(id));
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// `patient=1` and `subject=Patient/1`, also where nothing was found.
fn asked_for(sent: &str) -> Vec<String> {
    // Forms stand behind the address, and the entries of a batch one on each line.
    let queries = sent.lines().flat_map(|line| {
        let query = line.split_once('?').map(|(_, query)| query);
        query.into_iter().chain([line])
    });
    let pairs = queries.flat_map(parse_query);
    let values = pairs.filter_map(|(name, value)| {
        let name = name.split(':').next().unwrap_or_default();
        match (name, value.strip_prefix("Patient/")) {
            ("patient" | "subject", Some(id)) => Some(id.to_owned()),
            ("patient", None) if id::is_legal(&value) => Some(value),
            _ => None,
        }
    });
    values.collect()
}

async fn shown(engine: &Engine, record: &Record) -> Result<Vec<Stored>, Failure> {
    let versions: Vec<(ResourceKey, i64)> = record.versions().collect();
    let keys: Vec<ResourceKey> = versions.iter().map(|(key, _)| key.clone()).collect();
    let everything = Scope::everything();
    let current = engine.store.read(&everything, &keys).await;
    let current = current.map_err(|error| unavailable(&error))?;
    let mut shown = Vec::with_capacity(versions.len());
    for ((key, version), current) in versions.iter().zip(current) {
        match current {
            Some(stored) if stored.version == *version => shown.push(stored),
            _ => {
                let past = engine.store.vread(&everything, key, *version).await;
                shown.extend(past.map_err(|error| unavailable(&error))?);
            }
        }
    }
    Ok(shown)
}

fn of(engine: &Engine, stored: &Stored) -> Result<Vec<String>, Failure> {
    let resource = parse_stored(stored)?;
    let name = &stored.key.resource_type;
    Ok(resource.map_or_else(Vec::new, |resource| {
        patients(engine, name, &resource.content)
    }))
}

async fn before_deletion(
    engine: &Engine,
    deleted: &str,
    made: i64,
) -> Result<Vec<String>, Failure> {
    let Some((name, id)) = deleted.split_once('/') else {
        return Ok(Vec::new());
    };
    let plan = HistoryPlan {
        scope: Scope::everything(),
        of: HistoryOf::Instance(ResourceKey::new(name, id)),
        since: None,
        at: None,
        after: None,
        limit: LOOKED_THROUGH,
    };
    let versions = engine.store.history(&plan).await;
    let (versions, _) = versions.map_err(|error| unavailable(&error))?;
    let mut before = versions.iter().filter(|stored| stored.updated <= made);
    match before.find(|stored| stored.body.is_some()) {
        Some(stored) => of(engine, stored),
        None => Ok(Vec::new()),
    }
}
