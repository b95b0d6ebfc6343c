//! The map in ARCHITECTURE.md against the files that exist.
//!
//! The map is made of lines inside fenced code blocks. A line belongs to it when
//! its first word is a path from the root of the repository that starts with a
//! top-level folder and a `/`:
//!
//! ```text
//! src/store/                    what the room is for; also stands for src/store/mod.rs
//! src/store/port.rs             one file
//! src/store/sql/{read,commit}.rs   several files, no spaces inside the braces
//! tests/                        every top-level folder has a line
//! ```
//!
//! Every file below `src` has to be named, everything named has to exist.

use std::collections::BTreeSet;
use std::fs;

use crate::source::{read, repository, rust_sources};

pub fn differences() -> Vec<String> {
    let named = named_paths(&read("ARCHITECTURE.md"));
    let mut findings = Vec::new();
    for path in rust_sources() {
        let folder = path.strip_suffix("mod.rs").unwrap_or_default();
        if !named.contains(&path) && !named.contains(folder) {
            findings.push(format!("missing: {path:<34} {}", purpose(&path)));
        }
    }
    for folder in top_level_folders() {
        if !named.iter().any(|path| path.starts_with(&folder)) {
            findings.push(format!("missing: {folder}"));
        }
    }
    for path in &named {
        let found = repository().join(path);
        let right = if path.ends_with('/') {
            found.is_dir()
        } else {
            found.is_file()
        };
        if !right {
            findings.push(format!("does not exist: {path}"));
        }
    }
    findings
}

/// The file's own first line, ready to be pasted into the map.
fn purpose(path: &str) -> String {
    read(path)
        .lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("//! ")
        .to_owned()
}

/// Folders a newcomer meets: not hidden, not made by a build.
fn top_level_folders() -> Vec<String> {
    let built = ["target", "node_modules"];
    fs::read_dir(repository())
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.') && !built.contains(&name.as_str()))
        .map(|name| format!("{name}/"))
        .collect()
}

fn named_paths(text: &str) -> BTreeSet<String> {
    let folders = top_level_folders();
    let mut fenced = false;
    let mut named = BTreeSet::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if let Some(first) = line.split_whitespace().next().filter(|_| fenced)
            && folders.iter().any(|folder| first.starts_with(folder))
        {
            named.extend(without_braces(first));
        }
    }
    named
}

fn without_braces(path: &str) -> Vec<String> {
    match path
        .split_once('{')
        .and_then(|(head, rest)| Some((head, rest.split_once('}')?)))
    {
        Some((head, (names, tail))) => names
            .split(',')
            .flat_map(|name| without_braces(&format!("{head}{name}{tail}")))
            .collect(),
        None => vec![path.to_owned()],
    }
}

#[test]
fn braces_stand_for_several_files() {
    assert_eq!(
        without_braces("src/{a,b}/c.rs"),
        ["src/a/c.rs", "src/b/c.rs"]
    );
    assert_eq!(without_braces("src/a.rs"), ["src/a.rs"]);
}

#[test]
fn only_fenced_lines_are_the_map() {
    let text = "src/no.rs\n```\nsrc/yes.rs  what\nGET /x\n```\nsrc/no.rs\n";
    assert_eq!(named_paths(text), BTreeSet::from(["src/yes.rs".to_owned()]));
}
