//! From the gathered code sets to the compact file of the knowledge base. Codes
//! only: no descriptions of SNOMED CT. What is policy (which set stops what) is
//! in `candidacy.toml`.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::Result;

/// Where the file is kept, from the project's root.
pub const DATA_FILE: &str = "src/clinical/knowledge/condition-sets.toml";
/// Where the gathered sets are looked for, from the project's root.
pub const DEFAULT_SOURCE: &str = "../shared/clinical/valuesets";

/// Codes that no set knows and that nevertheless are near a criterion: an
/// overdose, an earlier cardiac arrest, an earlier seizure and a gunshot wound.
/// The gathered list has them among those without a concern.
const NOT_WITHOUT_CONCERN: [&str; 4] = ["55680006", "429007001", "703151001", "262574004"];

const HEAD: &str = "\
# Made by `cargo xtask condition-sets`: change the source, not this file.
#
# Which codes mean a condition that a criterion asks about. `published`: SNOMED CT
# codes that stand in a published value set of the same purpose (tier A); `matched`: SNOMED CT
# codes that were chosen by their wording (tier B; no hierarchy was at hand and no clinician
# has read them). `icd10cm` and `icd10who`: beginnings of codes. `icd10cm_exact`:
# headers as feeds have them. `icd10cm_use`: the code says use, not a disorder.
# `icd9cm`: whole codes. `action` is a proposal (tier C). SNOMED CT identifiers are (c)
# SNOMED International and need a licence outside its member countries: see NOTICE.
";

/// The text of the file.
pub fn generate(from: &Path) -> Result<String> {
    let sets = read(&from.join("condition-sets.json"))?;
    let coverage = read(&from.join("condition-coverage.json"))?;
    let mut text = HEAD.to_owned();
    let version = member(&sets, "version")?;
    push(
        &mut text,
        &format!("\nid = \"condition-sets\"\nversion = \"{version}\"\nreviewed_by = []\n"),
    );
    for alias in list(&sets, "systemAliases") {
        push_alias(&mut text, alias)?;
    }
    for set in list(&sets, "sets") {
        push_set(&mut text, set, list(&sets, "sources"))?;
    }
    let attention = sets.get("attentionPrefixes").unwrap_or(&Value::Null);
    for row in list(attention, "rows") {
        push_attention(&mut text, row)?;
    }
    push_without_concern(&mut text, &coverage);
    Ok(text)
}

fn read(path: &Path) -> Result<Value> {
    let place = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{place}: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("{place}: {error}"))
}

fn push(text: &mut String, more: &str) {
    text.push_str(more);
}

fn member<'v>(value: &'v Value, name: &str) -> Result<&'v str> {
    let found = value.get(name).and_then(Value::as_str);
    found.ok_or_else(|| format!("{name} is missing in {value}"))
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    let found = value.get(name).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

fn codes<'v>(value: &'v Value, name: &str) -> Vec<&'v str> {
    list(value, name).iter().filter_map(Value::as_str).collect()
}

/// A TOML text of codes, in lines that a person can read.
fn push_codes(text: &mut String, name: &str, codes: &[&str]) {
    if codes.is_empty() {
        return;
    }
    push(text, &format!("{name} = \"\"\"\n"));
    let mut line = String::new();
    for code in codes {
        if line.len() + code.len() > 110 {
            push(text, line.trim_end());
            push(text, "\n");
            line.clear();
        }
        let _ = write!(line, "{code} ");
    }
    push(text, line.trim_end());
    push(text, "\"\"\"\n");
}

fn push_text(text: &mut String, name: &str, value: &str) {
    push(text, &format!("{name} = {}\n", Value::from(value)));
}

fn push_alias(text: &mut String, alias: &Value) -> Result<()> {
    let url = member(alias, "system")?;
    let oid = member(alias, "oid")?;
    push(text, "\n[[coding_system]]\n");
    push_text(text, "id", &oid.replace('.', "-"));
    push_text(text, "url", url);
    push_text(text, "oid", oid);
    push_provenance(text, member(alias, "tier")?);
    Ok(())
}

fn push_provenance(text: &mut String, tier: &str) {
    push(text, "sources = [\"condition-sets\"]\n");
    push_text(text, "tier", tier);
}

fn push_set(text: &mut String, set: &Value, sources: &[Value]) -> Result<()> {
    push(text, "\n[[condition_set]]\n");
    push_text(text, "id", member(set, "id")?);
    push_text(text, "text", member(set, "label")?);
    push_text(text, "concern", member(set, "criterion")?);
    push_text(text, "action", member(set, "action")?);
    let none = Value::Null;
    let part = |name: &str| set.get(name).unwrap_or(&none);
    let (snomed, icd10cm, icd10who) = (part("snomed"), part("icd10cm"), part("icd10who"));
    let mut published = codes(snomed, "published");
    published.extend(codes(snomed, "named"));
    push_codes(text, "published", &published);
    push_codes(text, "matched", &codes(snomed, "matched"));
    push_codes(text, "icd10cm", &codes(icd10cm, "prefixes"));
    push_codes(text, "icd10cm_exact", &codes(icd10cm, "headersSeenInData"));
    push_codes(text, "icd10cm_use", &codes(icd10cm, "useUnspecifiedOnly"));
    push_codes(text, "icd10who", &codes(icd10who, "prefixes"));
    push_codes(text, "icd10who_except", &codes(icd10who, "except"));
    push_codes(text, "icd9cm", &codes(part("icd9cm"), "codes"));
    let mut value_sets = Vec::new();
    for place in list(set, "sources") {
        let place = place.as_u64().and_then(|place| usize::try_from(place).ok());
        let source = place.and_then(|place| sources.get(place));
        let source = source.ok_or_else(|| format!("a source of {set} is missing"))?;
        value_sets.push(value_set(source)?);
    }
    if !value_sets.is_empty() {
        push(text, &format!("value_sets = {}\n", Value::from(value_sets)));
    }
    push_provenance(text, "C");
    Ok(())
}

/// `owner/repository@commit id|version`
fn value_set(source: &Value) -> Result<String> {
    let version = source.get("version").and_then(Value::as_str);
    let id = source.get("id").and_then(Value::as_str);
    let version = version.map(|version| format!("|{version}"));
    Ok(format!(
        "{}@{} {}{}",
        member(source, "repo")?,
        member(source, "commit")?,
        id.unwrap_or_default(),
        version.unwrap_or_default()
    ))
}

/// What stands behind a name is for the reader of the source.
fn push_attention(text: &mut String, row: &Value) -> Result<()> {
    let prefix = member(row, "prefix")?;
    let concerns = member(row, "criteria")?.split(',');
    let concerns = concerns.map(|name| {
        let name = name.trim();
        let name = name.split(' ').next().unwrap_or(name);
        match name {
            "psychosis" => "no-psychosis",
            name => name,
        }
    });
    push(text, "\n[[attention]]\n");
    push_text(text, "id", &prefix.to_lowercase());
    push_text(text, "prefix", prefix);
    let concerns: Vec<&str> = concerns.collect();
    push(text, &format!("concerns = {}\n", Value::from(concerns)));
    push_provenance(text, "C");
    Ok(())
}

fn push_without_concern(text: &mut String, coverage: &Value) {
    let mut codes = codes(coverage, "syntheaInNoSet");
    codes.retain(|code| !NOT_WITHOUT_CONCERN.contains(code));
    push(text, "\n[[without_concern]]\n");
    push_text(text, "id", "synthea");
    push_text(
        text,
        "text",
        "Conditions of synthetic patients that are near no criterion",
    );
    push_codes(text, "snomed", &codes);
    push_provenance(text, "C");
}
