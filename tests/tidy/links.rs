//! Links between the documents: each leads to a file that exists, and every page
//! of the book stands in its table of contents.

use std::path::Path;

use crate::source::{files_under, read, repository};

/// Every Markdown file that people read: those at the root, and the book.
fn documents() -> Vec<String> {
    let at_root = std::fs::read_dir(repository()).unwrap();
    let mut found: Vec<String> = at_root
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter(|name| name.ends_with(".md"))
        .collect();
    found.extend(
        files_under("docs")
            .into_iter()
            .filter(|path| path.ends_with(".md")),
    );
    found.extend(
        files_under("bench")
            .into_iter()
            .filter(|path| path.ends_with(".md")),
    );
    found
}

/// The targets of `[text](target)` outside of code.
fn targets(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for part in line.split("](").skip(1) {
            if let Some((target, _)) = part.split_once(')') {
                found.push(target.to_owned());
            }
        }
    }
    found
}

pub fn broken_links() -> Vec<String> {
    let mut findings = Vec::new();
    for document in documents() {
        let folder = Path::new(&document).parent().unwrap_or(Path::new(""));
        for target in targets(&read(&document)) {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            if !repository().join(folder).join(path).exists() {
                findings.push(format!("{document}: {target}"));
            }
        }
    }
    findings
}

pub fn pages_outside_the_contents() -> Vec<String> {
    let contents = targets(&read("docs/SUMMARY.md"));
    let pages = files_under("docs")
        .into_iter()
        .filter(|path| path.ends_with(".md"));
    pages
        .filter(|path| path != "docs/SUMMARY.md")
        .filter(|path| {
            !contents
                .iter()
                .any(|target| path.strip_prefix("docs/") == Some(target))
        })
        .collect()
}
