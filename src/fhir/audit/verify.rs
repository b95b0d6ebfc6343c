//! Whether the trail is as it was written: every row in its chain, every chain
//! behind another, every AuditEvent equal to its record.

use std::collections::HashMap;

use super::super::engine::{Engine, unavailable};
use super::super::outcome::Failure;
use super::materialise::{RENDERED, Unrendered, event};
use super::render;
use crate::store::{
    AuditEntry, AuditRow, Chain, ChainPlace, Comparison, Filter, ResourceKey, Scope, SearchPlan,
};

/// Rows that are held in memory at a time.
const PAGE: usize = 500;

#[derive(Debug, Default)]
pub struct Report {
    pub rows: u64,
    pub events: u64,
    /// What is wrong, and where.
    pub findings: Vec<String>,
}

/// Follows every chain; compares the AuditEvents of what happened from `since` on.
pub async fn verify(engine: &Engine, since: Option<i64>) -> Result<Report, Failure> {
    let failed = |error| unavailable(&error);
    let mut report = Report::default();
    let chains = engine.store.chains().await.map_err(failed)?;
    let rendered = engine.store.list(RENDERED).await.map_err(failed)?;
    let rendered: HashMap<String, i64> = rendered
        .into_iter()
        .map(|entry| (entry.key.id, entry.body.parse().unwrap_or(0)))
        .collect();
    for writer in rendered.keys() {
        if !chains.iter().any(|chain| chain.end.writer == *writer) {
            let text = format!("chain {writer} is missing as a whole");
            report.findings.push(text);
        }
    }
    let mut made = 0;
    for chain in &chains {
        let followers = chains.iter().filter_map(|other| other.after.as_ref());
        let named: Vec<&ChainPlace> = followers
            .filter(|after| after.writer == chain.end.writer)
            .collect();
        let until = rendered.get(&chain.end.writer).copied().unwrap_or(0);
        made += u64::try_from(until).unwrap_or(0);
        follow(engine, chain, &named, &mut report, (until, since)).await?;
    }
    for after in chains.iter().filter_map(|chain| chain.after.as_ref()) {
        if !chains.iter().any(|chain| chain.end.writer == after.writer) {
            let text = format!("chain {} is missing as a whole", after.writer);
            if !report.findings.contains(&text) {
                report.findings.push(text);
            }
        }
    }
    let there = engine.store.count(&all_events()).await.map_err(failed)?;
    if there > made {
        let text = format!("{} AuditEvents have no record", there - made);
        report.findings.push(text);
    }
    Ok(report)
}

/// One chain from its beginning to the end that was kept.
async fn follow(
    engine: &Engine,
    chain: &Chain,
    named: &[&ChainPlace],
    report: &mut Report,
    (rendered, since): (i64, Option<i64>),
) -> Result<(), Failure> {
    let writer = &chain.end.writer;
    let mut place = chain.start();
    check_named(&place, named, report);
    loop {
        let rows = engine.store.chain(writer, place.position, PAGE).await;
        let rows = rows.map_err(|error| unavailable(&error))?;
        if rows.is_empty() {
            break;
        }
        let mut compared = Vec::new();
        for row in rows {
            step(&mut place, &row, report);
            check_named(&place, named, report);
            if row.position <= rendered && since.is_none_or(|since| row.made >= since) {
                compared.push(row);
            }
        }
        compare(engine, writer, &compared, report).await?;
    }
    if place != chain.end {
        report.findings.push(format!(
            "chain {writer} ends at row {} and not as it was kept, at row {}",
            place.position, chain.end.position
        ));
    }
    Ok(())
}

/// Moves behind the row. After a finding it goes on from what stands there.
fn step(place: &mut ChainPlace, row: &AuditEntry, report: &mut Report) {
    report.rows += 1;
    let writer = &place.writer;
    if row.position != place.position + 1 {
        let text = match row.position - place.position {
            2 => format!("row {} of chain {writer} is missing", place.position + 1),
            _ => format!(
                "rows {} to {} of chain {writer} are missing",
                place.position + 1,
                row.position - 1
            ),
        };
        report.findings.push(text);
    } else {
        let mut next = place.clone();
        let record = row.record.clone();
        next.append(row.made, AuditRow { record });
        if next.hash != row.hash {
            report.findings.push(format!(
                "row {} of chain {writer} was changed or moved",
                row.position
            ));
        }
    }
    place.position = row.position;
    place.hash.clone_from(&row.hash);
}

/// A later chain has written down what stood here.
fn check_named(place: &ChainPlace, named: &[&ChainPlace], report: &mut Report) {
    let other = |after: &&&ChainPlace| after.position == place.position && after.hash != place.hash;
    if named.iter().any(|after| other(&after)) {
        report.findings.push(format!(
            "chain {} was written anew up to row {}",
            place.writer, place.position
        ));
    }
}

async fn compare(
    engine: &Engine,
    writer: &str,
    rows: &[AuditEntry],
    report: &mut Report,
) -> Result<(), Failure> {
    let key = |row: &AuditEntry| ResourceKey::new("AuditEvent", render::id(writer, row.position));
    let keys: Vec<ResourceKey> = rows.iter().map(key).collect();
    let stored = engine.store.read(&Scope::everything(), &keys).await;
    let stored = stored.map_err(|error| unavailable(&error))?;
    for ((row, key), stored) in rows.iter().zip(&keys).zip(stored) {
        report.events += 1;
        let expected = match event(engine, writer, row).await {
            Ok(resource) => Some(resource.body()),
            Err(Unrendered::Unreadable) => None,
            Err(Unrendered::Failed(failure)) => return Err(failure),
        };
        let body = stored.and_then(|stored| stored.body);
        match (expected, body) {
            (Some(expected), Some(body)) if expected == body => {}
            (_, None) => report.findings.push(format!("{key} is missing")),
            _ => {
                let text = format!("{key} does not equal its record");
                report.findings.push(text);
            }
        }
    }
    Ok(())
}

fn all_events() -> SearchPlan {
    SearchPlan {
        scope: Scope::everything(),
        filter: Filter::Is(Comparison::Type(vec!["AuditEvent".to_owned()])),
        order: Vec::new(),
        after: None,
        backwards: false,
        limit: 0,
    }
}
