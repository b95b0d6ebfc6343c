//! The files of the repository, and Rust text without comments and literals.

use std::fs;
use std::path::{Path, PathBuf};

pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file below a folder of the repository, as `src/store/port.rs`, sorted.
/// A folder that does not exist holds none.
pub fn files_under(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(&repository().join(folder), folder, &mut found);
    found.sort();
    found
}

fn collect(directory: &Path, name: &str, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.map(Result::unwrap) {
        let file_name = entry.file_name().into_string().unwrap();
        let path = format!("{name}/{file_name}");
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &path, found);
        } else {
            found.push(path);
        }
    }
}

pub fn rust_sources() -> Vec<String> {
    let mut found = files_under("src");
    found.retain(|path| path.ends_with(".rs"));
    assert!(!found.is_empty(), "no sources under src");
    found
}

/// `word` with no letter, digit or underscore beside it.
pub fn has_word(line: &str, word: &str) -> bool {
    let inside = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let bytes = line.as_bytes();
    line.match_indices(word).any(|(start, _)| {
        let before = start.checked_sub(1).and_then(|at| bytes.get(at));
        !inside(before) && !inside(bytes.get(start + word.len()))
    })
}

/// The text with comments, strings and characters blanked out; lines stay in place.
pub fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = skipped(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(
                chars[at..end]
                    .iter()
                    .map(|c| if *c == '\n' { '\n' } else { ' ' }),
            );
            at = end;
        }
    }
    out
}

/// Where the comment or literal that starts here ends; `at` when none starts here.
fn skipped(chars: &[char], at: usize) -> usize {
    let rest = &chars[at..];
    let starts = |text: &str| rest.iter().take(text.len()).copied().eq(text.chars());
    let in_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    if starts("//") {
        return at + rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
    }
    if starts("/*") {
        return at + block_comment(rest);
    }
    if rest[0] == 'r' && !in_word {
        let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
        if rest.get(1 + hashes) == Some(&'"') {
            let close: Vec<char> = std::iter::once('"')
                .chain("#".repeat(hashes).chars())
                .collect();
            let body = &rest[hashes + 2..];
            let length = body.windows(close.len()).position(|window| window == close);
            return at + hashes + 2 + length.map_or(body.len(), |n| n + close.len());
        }
    }
    if rest[0] == '"' {
        return at + quoted(rest, '"');
    }
    // A lifetime has no closing quote one (or one escape) further on.
    if rest[0] == '\'' && (rest.get(1) == Some(&'\\') || rest.get(2) == Some(&'\'')) {
        return at + quoted(rest, '\'');
    }
    at
}

fn quoted(rest: &[char], close: char) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            c if c == close => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at + 1 < rest.len() {
        match (rest[at], rest[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

#[test]
fn comments_and_literals_are_blank() {
    let text = "a // crate::x\n\"crate::y\" /* crate /* z */ */ b '\"' r#\"q\"q\"# c 'x";
    let code = code_only(text);
    assert_eq!(
        code.split_whitespace().collect::<Vec<_>>(),
        ["a", "b", "c", "'x"]
    );
    assert_eq!(code.lines().count(), 2);
}
