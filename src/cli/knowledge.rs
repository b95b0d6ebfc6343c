//! `unloop knowledge`: the clinical knowledge base for people to read.

use std::path::Path;

use clap::{Args, Subcommand};

use super::account::operator;
use super::error::CliError;
use super::output::{note, say};
use super::progress::Progress;
use crate::access::Internal;
use crate::app;
use crate::clinical::knowledge::{Entry, Knowledge};
use crate::clinical::medication::KINDS;
use crate::config::{Address, Config, nearest};
use crate::fhir::audit::{self, Event};
use crate::fhir::authority::Authority as _;
use crate::fhir::outcome::Failure;

/// Check, list or explain the clinical knowledge base, or judge records by it again
///
/// Reads what the program brings, or what UNLOOP_KNOWLEDGE_DIR puts in its place.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  unloop knowledge check
  unloop knowledge list rule
  unloop knowledge explain maoi-irreversible
  UNLOOP_KNOWLEDGE_DIR=/etc/unloop/knowledge unloop knowledge recheck")]
pub struct KnowledgeCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say whether the knowledge base holds together, who signed it, and by which rules
    /// the findings that are stored were made
    Check,
    /// Print every entry in a line, or those of one list (rule, drug, source …)
    List { list: Option<String> },
    /// Print all that is known of a rule, a drug or any other entry
    Explain { id: String },
    /// Judge every stored medicine and allergy again by the rules in force
    ///
    /// For after a change of the knowledge base, once every server has the new one.
    /// Servers go on meanwhile. Stopped at any time, it goes on where it was.
    Recheck,
}

impl KnowledgeCommand {
    pub async fn run(&self, config: &Config) -> Result<(), CliError> {
        let folder = config.clinical.knowledge.as_deref();
        let knowledge = Knowledge::load(folder).map_err(|faults| {
            for fault in faults {
                note(fault);
            }
            CliError::Failed("the knowledge base has faults".to_owned())
        })?;
        match &self.action {
            Action::Check => {
                check(&knowledge)?;
                stored(config).await
            }
            Action::List { list: name } => list(&knowledge, name.as_deref()),
            Action::Explain { id } => explain(&knowledge, id),
            Action::Recheck => recheck(config).await,
        }
    }
}

fn failed(failure: &Failure) -> CliError {
    CliError::Failed(failure.to_json().to_string())
}

/// By which rules findings were made, where there is a database to ask.
async fn stored(config: &Config) -> Result<(), CliError> {
    if matches!(&config.database.address, Address::Sqlite(path) if !Path::new(path).exists()) {
        return Ok(());
    }
    let mut config = config.clone();
    config.database.migrate = false;
    let Ok((engine, clinical)) = app::engine_and_clinical(&config, config.server.bind).await else {
        return say(
            "The database does not answer; by which rules its findings were made is not known.",
        );
    };
    match clinical.findings(&engine).await {
        Ok((version, made)) if made.is_by(version) => {
            say("The findings that are stored were made by these rules.")
        }
        Ok((_, made)) => say(format!(
            "The findings that are stored were made by {}: `unloop knowledge recheck` judges all records again.",
            made.by.join(" and ")
        )),
        Err(_) => say("By which rules the findings in the database were made is not known."),
    }
}

async fn recheck(config: &Config) -> Result<(), CliError> {
    let (engine, clinical) = app::engine_and_clinical(config, config.server.bind).await?;
    let caller = operator(Internal::Recheck);
    let told = Event::command("recheck", "unloop knowledge recheck".to_owned());
    let recorded = audit::record(&engine, &caller.actor(), &[told]).await;
    recorded.map_err(|failure| failed(&failure))?;
    let progress = Progress::start(KINDS, "kinds of records");
    let (mut records, mut changed) = (0, 0);
    loop {
        let piece = clinical.recheck(&engine, &caller).await;
        let piece = piece.map_err(|failure| failed(&failure))?;
        records += piece.records;
        changed += piece.changed;
        progress.reached(piece.kinds);
        progress.resources(piece.records);
        if piece.last {
            break;
        }
    }
    progress.end();
    say(format!(
        "{records} records were judged again; {changed} findings are other ones now."
    ))
}

fn check(knowledge: &Knowledge) -> Result<(), CliError> {
    let signed = match knowledge.reviewed_by.as_slice() {
        [] => "no clinician has signed the rules".to_owned(),
        names => format!("rules signed by {}", names.join(", ")),
    };
    say(format!(
        "Version {}: {} rules on {} drugs, {} entries in all, without fault; {signed}.",
        knowledge.version,
        knowledge.rules.len(),
        knowledge.drugs.len(),
        knowledge.shown.len(),
    ))
}

fn list(knowledge: &Knowledge, name: Option<&str>) -> Result<(), CliError> {
    let lists = || knowledge.shown.iter().map(|entry| entry.list);
    if let Some(name) = name
        && !lists().any(|list| list == name)
    {
        let mut known: Vec<&str> = lists().collect();
        known.dedup();
        let text = format!("there is no list {name:?}; there are {}", known.join(", "));
        return Err(CliError::Failed(text));
    }
    for entry in &knowledge.shown {
        if name.is_none_or(|name| entry.list == name) {
            let tier = entry.tier().code();
            say(format!(
                "{:<10} {:<32} {tier}  {}",
                entry.list,
                entry.id,
                headline(knowledge, entry)
            ))?;
        }
    }
    Ok(())
}

fn headline(knowledge: &Knowledge, entry: &Entry<toml::Table>) -> String {
    if entry.list == "rule"
        && let Some(rule) = knowledge.rule(&entry.id)
    {
        return format!(
            "clinic: {}, home: {}",
            rule.fact.clinic.code(),
            rule.fact.home.code()
        );
    }
    let names = [
        "text", "name", "citation", "action", "drug", "loinc", "usual", "score",
    ];
    let mut found = names
        .iter()
        .filter_map(|name| entry.fact.get(*name)?.as_str());
    found.next().unwrap_or_default().to_owned()
}

fn explain(knowledge: &Knowledge, id: &str) -> Result<(), CliError> {
    let entries: Vec<_> = knowledge
        .shown
        .iter()
        .filter(|entry| entry.id == id)
        .collect();
    if entries.is_empty() {
        let ids = knowledge.shown.iter().map(|entry| entry.id.as_str());
        let remedy = match nearest(id, ids) {
            Some(near) => format!("did you mean {near}?"),
            None => "`unloop knowledge list` has all".to_owned(),
        };
        return Err(CliError::Failed(format!(
            "nothing is called {id:?}; {remedy}"
        )));
    }
    for entry in entries {
        let provenance = &entry.provenance;
        say(format!("{} {} ({})", entry.list, entry.id, entry.file))?;
        for (name, value) in &entry.fact {
            if !matches!(
                name.as_str(),
                "id" | "sources" | "tier" | "version" | "reviewed_by"
            ) {
                say(format!("  {name}: {}", plain(value)))?;
            }
        }
        let mark = entry.tier().mark().map(|mark| format!(" ({mark})"));
        say(format!(
            "  tier: {}{}",
            entry.tier().code(),
            mark.unwrap_or_default()
        ))?;
        for source in &provenance.sources {
            say(format!(
                "  source: {}",
                knowledge.citation(source).unwrap_or(source)
            ))?;
        }
        say(format!("  version: {}", provenance.version))?;
        let signed = match provenance.reviewed_by.as_slice() {
            [] => "nobody".to_owned(),
            names => names.join(", "),
        };
        say(format!("  signed by: {signed}"))?;
    }
    Ok(())
}

fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(flag) => flag.to_string(),
        toml::Value::Datetime(time) => time.to_string(),
        toml::Value::Table(members) => {
            let members = members.iter();
            let members = members.map(|(name, value)| format!("{name} {}", plain(value)));
            members.collect::<Vec<_>>().join(" ")
        }
    }
}
