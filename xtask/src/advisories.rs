//! From a checkout of RustSec's advisory database to the short list that is compared with
//! `Cargo.lock` where there is no network. <https://github.com/RustSec/advisory-db>

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use toml::{Table, Value};

use crate::Result;

/// Where the list is kept, from the project's root.
pub const DATA_FILE: &str = "tests/tidy/advisories.tsv";
/// Where the checkout is looked for, from the project's root.
pub const DEFAULT_SOURCE: &str = "../advisory-db";

/// A crate that nobody maintains has no version that is better.
const NOT_A_FAULT: [&str; 2] = ["unmaintained", "notice"];

/// The text of the file: what concerns a crate of the lock file, one advisory on a line.
pub fn generate(from: &Path, lock: &Path) -> Result<String> {
    let names = locked_names(lock)?;
    let mut lines = Vec::new();
    let mut newest = String::new();
    for name in names {
        let folder = from.join("crates").join(&name);
        let Ok(files) = fs::read_dir(&folder) else {
            // Nothing was ever found in most crates.
            continue;
        };
        for file in files {
            let path = file.map_err(|error| error.to_string())?.path();
            let (date, line) = advisory(&path)?;
            newest = newest.max(date);
            lines.extend(line);
        }
    }
    lines.sort_unstable();
    if lines.is_empty() {
        return Err(format!("{}: no advisory-db is there", from.display()));
    }
    let mut text = String::from(
        "# Made by `cargo xtask advisories --from CHECKOUT` of https://github.com/RustSec/advisory-db\n",
    );
    writeln!(text, "# The newest of these advisories is of {newest}.")
        .map_err(|e| e.to_string())?;
    text.push_str("# id, crate, versions that are patched or were never affected\n");
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

fn locked_names(lock: &Path) -> Result<BTreeSet<String>> {
    let lock = parse(&read(lock)?, lock)?;
    let packages = lock.get("package").and_then(Value::as_array);
    let names = packages.into_iter().flatten();
    let names = names.filter_map(|package| package.get("name")?.as_str());
    Ok(names.map(str::to_owned).collect())
}

/// The date, and the line unless it tells of no fault.
fn advisory(path: &Path) -> Result<(String, Option<String>)> {
    let text = read(path)?;
    let block = text.split("```toml").nth(1);
    let block = block.and_then(|rest| rest.split("```").next());
    let block = block.ok_or_else(|| format!("{}: has no TOML", path.display()))?;
    let table = parse(block, path)?;
    let head = table.get("advisory").and_then(Value::as_table);
    let of = |name: &str| {
        head.and_then(|head| head.get(name)?.as_str())
            .unwrap_or_default()
    };
    let date = of("date").to_owned();
    if NOT_A_FAULT.contains(&of("informational"))
        || head.is_some_and(|h| h.contains_key("withdrawn"))
    {
        return Ok((date, None));
    }
    let versions = table.get("versions").and_then(Value::as_table);
    let mut good = Vec::new();
    for name in ["patched", "unaffected"] {
        let ranges = versions.and_then(|versions| versions.get(name)?.as_array());
        let ranges = ranges.into_iter().flatten().filter_map(Value::as_str);
        good.extend(ranges.map(str::to_owned));
    }
    let line = format!("{}\t{}\t{}", of("id"), of("package"), good.join("; "));
    Ok((date, Some(line)))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn parse(text: &str, path: &Path) -> Result<Table> {
    text.parse()
        .map_err(|error| format!("{}: {error}", path.display()))
}
