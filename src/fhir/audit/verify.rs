//! Whether the trail is as it was written: every row in its chain, every chain
//! behind another, every AuditEvent equal to its record.
//!
//! Where a chain has a key, whoever has the database without the key can change
//! nothing of it unnoticed. What is left is to put the whole database, or a chain
//! that nobody names yet, back to an earlier state: that is found by a head that
//! was kept elsewhere.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::super::engine::{Engine, unavailable};
use super::super::outcome::Failure;
use super::materialise::{RENDERED, Unrendered, event};
use super::render;
use crate::store::{
    AuditEntry, AuditRow, Chain, ChainKey, ChainPlace, Comparison, Filter, ResourceKey, Scope,
    SearchPlan, Walk,
};

/// Rows that are held in memory at a time.
const PAGE: usize = 500;

/// What is to be looked at, and what is known.
#[derive(Clone, Debug, Default)]
pub struct Check {
    /// Microseconds since 1970: AuditEvents of what happened before are not compared.
    pub since: Option<i64>,
    /// The keys that the chains were made with.
    pub keys: Vec<ChainKey>,
    /// Ends of chains that were kept elsewhere.
    pub head: Vec<ChainPlace>,
}

#[derive(Debug, Default)]
pub struct Report {
    pub rows: u64,
    pub events: u64,
    pub chains: Vec<Told>,
    /// What is wrong, and where.
    pub findings: Vec<String>,
}

/// A chain that was followed.
#[derive(Debug)]
pub struct Told {
    pub end: ChainPlace,
    /// The name of its key.
    pub key: Option<String>,
    /// Without one: up to this row chains with a key hold it.
    pub held: Option<i64>,
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ChainPlace {
            writer, position, ..
        } = &self.end;
        write!(f, "chain {writer}: {position} rows, ")?;
        match (&self.key, self.held) {
            (Some(name), _) => write!(f, "under the key {name}"),
            (None, None) => write!(f, "without a key"),
            (None, Some(row)) => write!(
                f,
                "without a key, and up to row {row} held by chains that have one"
            ),
        }
    }
}

/// Follows every chain; compares the AuditEvents with their records.
pub async fn verify(engine: &Engine, check: &Check) -> Result<Report, Failure> {
    let failed = |error| unavailable(&error);
    let mut report = Report::default();
    // In this order: others go on meanwhile, and what has come so far has rows.
    let rendered = rendered(engine).await?;
    let chains = engine.store.chains().await.map_err(failed)?;
    let mut named: HashMap<&str, Vec<&ChainPlace>> = HashMap::new();
    let after = chains.iter().filter_map(|chain| chain.after.as_ref());
    for place in after.chain(&check.head) {
        named.entry(&place.writer).or_default().push(place);
    }
    let known = rendered.keys().map(String::as_str);
    missing(&chains, known.chain(named.keys().copied()), &mut report);
    downgraded(&chains, &mut report);
    let held = held(&chains, &check.keys);
    let mut locked: BTreeMap<&str, usize> = BTreeMap::new();
    for chain in &chains {
        let writer = chain.end.writer.as_str();
        let until = rendered.get(writer).copied().unwrap_or(0);
        let Some(mut walk) = chain.walk(&check.keys) else {
            *locked
                .entry(chain.key_name().unwrap_or_default())
                .or_default() += 1;
            continue;
        };
        let named = named.get(writer).map_or(&[][..], Vec::as_slice);
        let compared = (until, check.since);
        follow(engine, chain, &mut walk, named, &mut report, compared).await?;
        ended(engine, chain, &walk, named, &mut report).await?;
        report.chains.push(Told {
            end: chain.end.clone(),
            key: chain.key_name().map(str::to_owned),
            held: held.get(writer).copied(),
        });
    }
    for (name, chains) in locked {
        report.findings.push(format!(
            "{chains} chains are under the key {name}, which is not here, and were not checked: set UNLOOP_SECRET, or UNLOOP_EARLIER_SECRETS, to what UNLOOP_SECRET was when they were written"
        ));
    }
    let there = engine.store.count(&all_events()).await.map_err(failed)?;
    let made: i64 = self::rendered(engine).await?.values().sum();
    let made = u64::try_from(made).unwrap_or(0);
    if there > made {
        let text = format!("{} AuditEvents have no record", there - made);
        report.findings.push(text);
    }
    Ok(report)
}

/// How far each chain has been rendered.
async fn rendered(engine: &Engine) -> Result<HashMap<String, i64>, Failure> {
    let rendered = engine.store.list(RENDERED).await;
    let rendered = rendered.map_err(|error| unavailable(&error))?;
    let entries = rendered.into_iter();
    Ok(entries
        .map(|entry| (entry.key.id, entry.body.parse().unwrap_or(0)))
        .collect())
}

/// Chains that something else knows of.
fn missing<'w>(chains: &[Chain], known: impl Iterator<Item = &'w str>, report: &mut Report) {
    let there: HashSet<&str> = chains.iter().map(|c| c.end.writer.as_str()).collect();
    let gone: BTreeSet<&str> = known.filter(|writer| !there.contains(writer)).collect();
    let told = gone.iter();
    let told = told.map(|writer| format!("chain {writer} is missing as a whole"));
    report.findings.extend(told);
}

/// Once there was a key, no chain begins without: this service refuses to.
fn downgraded(chains: &[Chain], report: &mut Report) {
    let keyed = chains.iter().filter(|chain| chain.key_name().is_some());
    let Some(first) = keyed.map(|chain| chain.began).min() else {
        return;
    };
    let is_behind_a_key = |chain: &Chain| {
        let after = chain.after.as_ref();
        after.is_some_and(|after| after.key_name().is_some())
    };
    let keyless = chains.iter().filter(|chain| chain.key_name().is_none());
    for chain in keyless.filter(|chain| chain.began > first || is_behind_a_key(chain)) {
        report.findings.push(format!(
            "chain {} has no key, though the trail had one when it began",
            chain.end.writer
        ));
    }
}

/// Up to which row chains with a key hold what others wrote: whatever stands
/// before the place that they name, they name too.
fn held<'c>(chains: &'c [Chain], keys: &[ChainKey]) -> HashMap<&'c str, i64> {
    let mut held: HashMap<&str, i64> = HashMap::new();
    // What follows a chain is newer than the chain.
    for chain in chains.iter().rev() {
        let has_key = chain.key_name().is_some() && chain.walk(keys).is_some();
        if !has_key && !held.contains_key(chain.end.writer.as_str()) {
            continue;
        }
        if let Some(after) = &chain.after {
            let row = held.entry(after.writer.as_str()).or_default();
            *row = after.position.max(*row);
        }
    }
    held
}

/// One chain from its beginning to where it ended a moment ago.
async fn follow(
    engine: &Engine,
    chain: &Chain,
    walk: &mut Walk,
    named: &[&ChainPlace],
    report: &mut Report,
    (rendered, since): (i64, Option<i64>),
) -> Result<(), Failure> {
    let writer = walk.writer().to_owned();
    check_named(walk, named, report);
    loop {
        let rows = engine.store.chain(&writer, walk.position(), PAGE).await;
        let mut rows = rows.map_err(|error| unavailable(&error))?;
        rows.retain(|row| row.position <= chain.end.position);
        if rows.is_empty() {
            return Ok(());
        }
        let mut compared = Vec::new();
        for row in rows {
            step(walk, &row, report);
            check_named(walk, named, report);
            if row.position <= rendered && since.is_none_or(|since| row.made >= since) {
                compared.push(row);
            }
        }
        compare(engine, &writer, &compared, report).await?;
    }
}

/// Whether the chain ends where it was left, and no earlier than others know.
async fn ended(
    engine: &Engine,
    chain: &Chain,
    walk: &Walk,
    named: &[&ChainPlace],
    report: &mut Report,
) -> Result<(), Failure> {
    let (writer, end) = (walk.writer(), walk.end());
    let known = named.iter().map(|place| place.position).max();
    if let Some(known) = known.filter(|known| *known > end.position) {
        report.findings.push(format!(
            "chain {writer} was cut: it ends at row {}, and row {known} is known of",
            end.position
        ));
    }
    if end != chain.end {
        report.findings.push(format!(
            "chain {writer} ends at row {} and not as it was kept, at row {}",
            end.position, chain.end.position
        ));
    }
    let failed = |error| unavailable(&error);
    let behind = engine.store.chain(writer, chain.end.position, 1).await;
    let Some(row) = behind.map_err(failed)?.pop() else {
        return Ok(());
    };
    // Whoever writes rows says in the same commit where the chain then ends.
    let now = engine.store.chains().await.map_err(failed)?;
    let mut now = now.iter().filter(|now| now.end.writer == writer);
    if !now.any(|now| now.end.position >= row.position) {
        report.findings.push(format!(
            "row {} of chain {writer} stands behind its end",
            row.position
        ));
    }
    Ok(())
}

/// Moves behind the row. After a finding it goes on from what stands there.
fn step(walk: &mut Walk, row: &AuditEntry, report: &mut Report) {
    report.rows += 1;
    let (writer, next) = (walk.writer(), walk.position() + 1);
    if row.position != next {
        let text = match row.position - next {
            1 => format!("row {next} of chain {writer} is missing"),
            _ => format!(
                "rows {next} to {} of chain {writer} are missing",
                row.position - 1
            ),
        };
        report.findings.push(text);
    } else {
        let record = row.record.clone();
        let fitting = walk.clone().append(row.made, AuditRow { record });
        if fitting.hash != row.hash {
            report.findings.push(format!(
                "row {} of chain {writer} was changed or moved",
                row.position
            ));
        }
    }
    walk.skip_to(row);
}

/// A later chain, or whoever kept a head, has written down what stood here.
fn check_named(walk: &Walk, named: &[&ChainPlace], report: &mut Report) {
    let mut here = named
        .iter()
        .filter(|place| place.position == walk.position());
    if here.any(|place| **place != walk.end()) {
        report.findings.push(format!(
            "chain {} was written anew up to row {}",
            walk.writer(),
            walk.position()
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
