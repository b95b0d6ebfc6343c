//! The house rules that a compiler does not check. Each test names every place
//! that breaks its rule, and the rule's remedy.
//!
//! - `advisories`: no crate has a fault that is known.
//! - `arrows`: which room may use which (the table is in `arrows.rs`).
//! - `links`: links between documents lead somewhere.
//! - here: length of files, opening line, nothing left to do, nothing to debug.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::string_slice, clippy::panic)]

mod advisories;
mod arrows;
mod links;
mod source;

use source::files_under;

const LONGEST_FILE: usize = 400;

/// Fails with all findings at once, so that one run shows all the work.
fn report(rule: &str, findings: &[String]) {
    assert!(
        findings.is_empty(),
        "\n{rule}\n  {}\n",
        findings.join("\n  ")
    );
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let code = ["rs", "py", "mjs", "sh"];
    let findings: Vec<String> = ["src", "tests", "xtask", "scripts", "bench"]
        .iter()
        .flat_map(|folder| files_under(folder))
        .filter(|path| code.contains(&path.rsplit('.').next().unwrap_or_default()))
        .filter_map(|path| {
            let lines = source::read(&path).lines().count();
            (lines > LONGEST_FILE).then(|| format!("{path}: {lines} lines"))
        })
        .collect();
    report(
        "Split these files (limit 400 lines, aim for 120):",
        &findings,
    );
}

#[test]
fn every_source_file_says_what_it_is_for() {
    let findings: Vec<String> = source::rust_sources()
        .into_iter()
        .filter(|path| !source::read(path).starts_with("//! "))
        .collect();
    report("Open these files with a `//!` line:", &findings);
}

#[test]
fn nothing_is_left_to_do_or_to_debug() {
    let marks = ["TODO", "FIXME"];
    let calls = ["todo!(", "unimplemented!(", "dbg!("];
    let mut findings = Vec::new();
    for path in source::rust_sources() {
        let text = source::read(&path);
        let code = source::code_only(&text);
        for (number, (line, code)) in text.lines().zip(code.lines()).enumerate() {
            let marked = marks.iter().any(|mark| source::has_word(line, mark));
            if marked || calls.iter().any(|call| code.contains(call)) {
                findings.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    report("Finish these, or file an issue:", &findings);
}

#[test]
fn arrows_between_rooms_go_one_way() {
    report(
        "These use a room that they must not know (tests/tidy/arrows.rs):",
        &arrows::wrong_arrows(),
    );
}

#[test]
fn judgements_search_over_all_linked_patients() {
    report(
        "Search by PatientRecords (src/clinical/linked_patients.rs):",
        &arrows::searches_of_one_patient(),
    );
}

#[test]
fn crates_stay_in_the_rooms_that_own_them() {
    report(
        "These use a library that belongs to another room (tests/tidy/arrows.rs):",
        &arrows::misplaced_crates(),
    );
}

#[test]
fn links_between_documents_lead_to_files() {
    report("Mend these links:", &links::broken_links());
}

#[test]
fn every_page_of_the_book_is_in_its_contents() {
    report(
        "Name these pages in docs/SUMMARY.md:",
        &links::pages_outside_the_contents(),
    );
}
