//! `unloop knowledge`: the clinical knowledge base for people to read.

use clap::{Args, Subcommand};

use super::error::CliError;
use super::output::{note, say};
use crate::clinical::knowledge::{Entry, Knowledge};
use crate::config::{Config, nearest};

/// Check, list or explain the clinical knowledge base
///
/// Reads what the program brings, or what UNLOOP_KNOWLEDGE_DIR puts in its place.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  unloop knowledge check
  unloop knowledge list rule
  unloop knowledge explain maoi-irreversible")]
pub struct KnowledgeCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say whether the knowledge base holds together, and who signed it
    Check,
    /// Print every entry in a line, or those of one list (rule, drug, source …)
    List { list: Option<String> },
    /// Print all that is known of a rule, a drug or any other entry
    Explain { id: String },
}

impl KnowledgeCommand {
    pub fn run(&self, config: &Config) -> Result<(), CliError> {
        let folder = config.clinical.knowledge.as_deref();
        let knowledge = Knowledge::load(folder).map_err(|faults| {
            for fault in faults {
                note(fault);
            }
            CliError::Failed("the knowledge base has faults".to_owned())
        })?;
        match &self.action {
            Action::Check => check(&knowledge),
            Action::List { list: name } => list(&knowledge, name.as_deref()),
            Action::Explain { id } => explain(&knowledge, id),
        }
    }
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
