//! Files -> entries. Whatever is wrong is named by file, entry and fault, all
//! of it at once.

use std::collections::BTreeMap;
use std::path::Path;

use data_encoding::HEXLOWER;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use toml::{Table, Value};

use super::entry::{Entry, Provenance, Tier};

const EMBEDDED: [(&str, &str); 10] = [
    ("candidacy.toml", include_str!("candidacy.toml")),
    ("condition-sets.toml", include_str!("condition-sets.toml")),
    ("course.toml", include_str!("course.toml")),
    ("drugs.toml", include_str!("drugs.toml")),
    ("interactions.toml", include_str!("interactions.toml")),
    ("scales.toml", include_str!("scales.toml")),
    ("screens.toml", include_str!("screens.toml")),
    ("sources.toml", include_str!("sources.toml")),
    ("sri.toml", include_str!("sri.toml")),
    ("vitals.toml", include_str!("vitals.toml")),
];

/// Members of a file that are no list of entries.
const HEAD: [&str; 7] = [
    "id",
    "version",
    "reviewed_by",
    "brand_sources",
    "words",
    "allergen_words",
    "note",
];

/// What is wrong with the knowledge, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {entry}: {fault}")]
pub struct Fault {
    pub file: String,
    /// `rule maoi-irreversible`, or what else the file has there.
    pub entry: String,
    pub fault: String,
}

impl Fault {
    pub fn new(file: &str, entry: impl Into<String>, fault: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            entry: entry.into(),
            fault: fault.into(),
        }
    }
}

/// The texts of the files.
pub struct Shelf(BTreeMap<&'static str, String>);

impl Shelf {
    pub fn embedded() -> Self {
        Self(EMBEDDED.map(|(name, text)| (name, text.to_owned())).into())
    }

    /// Files of a folder replace those of the same name; no other may be there.
    pub fn with_folder(folder: &Path) -> Result<Self, Vec<Fault>> {
        let place = folder.display().to_string();
        let unreadable =
            |error: std::io::Error| vec![Fault::new(&place, "folder", error.to_string())];
        let mut shelf = Self::embedded();
        let mut found = 0;
        for file in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = file.map_err(unreadable)?.path();
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let text = std::fs::read_to_string(&path).map_err(unreadable)?;
            let Some((_, place)) = shelf.0.iter_mut().find(|(known, _)| **known == name) else {
                let known = EMBEDDED.map(|(name, _)| name).join(", ");
                let fault = format!("is no file of the knowledge base; those are {known}");
                return Err(vec![Fault::new(name, "file", fault)]);
            };
            *place = text;
            found += 1;
        }
        if found == 0 {
            let fault = "has no file of the knowledge base";
            return Err(vec![Fault::new(&place, "folder", fault)]);
        }
        Ok(shelf)
    }

    pub fn files(&self) -> Vec<(&'static str, String)> {
        let files = self.0.iter();
        files.map(|(name, text)| (*name, text.clone())).collect()
    }

    /// The first digits of the hash.
    pub fn fingerprint(&self) -> String {
        self.digest().chars().take(8).collect()
    }

    /// A hash over all files.
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for (name, text) in &self.0 {
            digest.update(name.as_bytes());
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text.as_bytes());
        }
        digest.update(super::medicine_names::LINES.as_bytes());
        HEXLOWER.encode(&digest.finalize())
    }

    pub fn parse(&self) -> Result<Files, Vec<Fault>> {
        let mut files = Files::default();
        for (name, text) in &self.0 {
            match text.parse::<Table>() {
                Ok(table) => {
                    files.tables.insert(name, table);
                }
                Err(error) => {
                    let fault = error
                        .to_string()
                        .split_whitespace()
                        .collect::<Vec<_>>()
                        .join(" ");
                    files.faults.push(Fault::new(name, "file", fault));
                }
            }
        }
        if files.faults.is_empty() {
            Ok(files)
        } else {
            Err(files.faults)
        }
    }
}

#[derive(Default)]
pub struct Files {
    tables: BTreeMap<&'static str, Table>,
    taken: Vec<(&'static str, &'static str)>,
    shown: Vec<Entry<Table>>,
    faults: Vec<Fault>,
}

/// What the entries of a file have where they do not say otherwise.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub version: String,
    pub reviewed_by: Vec<String>,
}

impl Files {
    pub fn head(&mut self, file: &'static str) -> Head {
        let table = self.tables.get(file);
        let version = table
            .and_then(|table| table.get("version"))
            .and_then(Value::as_str);
        let reviewed_by = table.and_then(|table| table.get("reviewed_by"));
        let head = Head {
            version: version.unwrap_or_default().to_owned(),
            reviewed_by: reviewed_by.map(texts).unwrap_or_default(),
        };
        if head.version.is_empty() {
            self.fault(file, "file", "has no version");
        }
        head
    }

    /// The entries of one list. Those that are wrong become faults.
    pub fn take<T: DeserializeOwned>(
        &mut self,
        file: &'static str,
        list: &'static str,
    ) -> Vec<Entry<T>> {
        self.taken.push((file, list));
        let head = self.head(file);
        let found = self.tables.get(file).and_then(|table| table.get(list));
        let Some(Value::Array(found)) = found.cloned() else {
            self.fault(file, list, "is missing; there have to be some");
            return Vec::new();
        };
        let mut entries = Vec::with_capacity(found.len());
        for (number, value) in found.into_iter().enumerate() {
            match entry(file, list, &head, value.clone()) {
                Ok(entry) => {
                    self.shown.push(Entry {
                        file,
                        list,
                        id: entry.id.clone(),
                        provenance: entry.provenance.clone(),
                        fact: value.try_into().unwrap_or_default(),
                    });
                    entries.push(entry);
                }
                Err(fault) => {
                    let id = value.get("id").and_then(Value::as_str).map(str::to_owned);
                    let id = id.unwrap_or_else(|| format!("number {}", number + 1));
                    self.fault(file, &format!("{list} {id}"), &fault);
                }
            }
        }
        entries
    }

    pub fn words(&mut self, file: &'static str, name: &str) -> Vec<String> {
        let found = self.tables.get(file).and_then(|table| table.get(name));
        found.map(texts).unwrap_or_default()
    }

    pub fn shown(&mut self) -> Vec<Entry<Table>> {
        std::mem::take(&mut self.shown)
    }

    /// All faults so far, and lists that nobody asked for.
    pub fn faults(self) -> Vec<Fault> {
        let mut faults = self.faults;
        for (file, table) in &self.tables {
            for name in table.keys().filter(|name| !HEAD.contains(&name.as_str())) {
                let mut taken = self.taken.iter();
                if !taken.any(|(from, list)| from == file && list == name) {
                    faults.push(Fault::new(file, name.as_str(), "is not known here"));
                }
            }
        }
        faults.sort_by(|a, b| (&a.file, &a.entry).cmp(&(&b.file, &b.entry)));
        faults.dedup();
        faults
    }

    fn fault(&mut self, file: &str, entry: &str, fault: &str) {
        self.faults.push(Fault::new(file, entry, fault));
    }
}

fn entry<T: DeserializeOwned>(
    file: &'static str,
    list: &'static str,
    head: &Head,
    value: Value,
) -> Result<Entry<T>, String> {
    let Value::Table(mut table) = value else {
        return Err("is no table".to_owned());
    };
    let id = match table.remove("id") {
        Some(Value::String(id)) if !id.is_empty() => id,
        _ => return Err("has no id".to_owned()),
    };
    let version = match table.remove("version") {
        Some(Value::String(version)) => version,
        Some(_) => return Err("version is no text".to_owned()),
        None => head.version.clone(),
    };
    let reviewed_by = table.remove("reviewed_by").as_ref().map(texts);
    let tier = match (table.remove("tier"), list) {
        (Some(tier), _) => tier
            .try_into::<Tier>()
            .map_err(|_| "tier is A, B or C".to_owned())?,
        // A class is a heading, not a fact.
        (None, "class") => Tier::A,
        (None, _) => return Err("has no tier".to_owned()),
    };
    let provenance = Provenance {
        version,
        reviewed_by: reviewed_by.unwrap_or_else(|| head.reviewed_by.clone()),
        sources: table
            .remove("sources")
            .as_ref()
            .map(texts)
            .unwrap_or_default(),
        tier,
    };
    let fact = Value::Table(table).try_into::<T>();
    let fact = fact.map_err(|error| {
        error
            .to_string()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    })?;
    Ok(Entry {
        file,
        list,
        id,
        provenance,
        fact,
    })
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}
