//! Which room may use which room, and which library belongs to which room.
//! Data flows one way: http -> access -> fhir -> store.

use crate::source::{code_only, has_word, read, rust_sources};

const EVERYTHING: &[&str] = &["*"];

/// A room, and what it may use besides itself: a room, or one item of a room.
const ALLOWED: &[(&str, &[&str])] = &[
    ("main", EVERYTHING),
    ("lib", EVERYTHING),
    ("app", EVERYTHING),
    // A command names itself as the caller: there is no anonymous door.
    (
        "cli",
        &[
            "access::Caller",
            "access::Internal",
            "access::grant",
            "access::issuer",
            "access::oauth",
            "access::rights",
            "access::scope",
            "access::token",
            "app",
            "clinical",
            "config",
            "fhir",
            "store",
            "telemetry",
        ],
    ),
    ("budget", &[]),
    (
        "http",
        &["access", "budget", "cds", "config", "fhir", "telemetry"],
    ),
    ("cds", &["access", "clinical", "fhir"]),
    // Who may see what is written down as a scope of the plan; what it is decided by and is no
    // resource stands in the registry.
    (
        "access",
        &[
            "fhir",
            "store::plan",
            "store::Scope",
            "store::StoreError",
            "store::registry",
            // What is told of a change of the registry, in its commit.
            "store::AuditRow",
            // A grant writes its Consent.
            "store::Guard",
            "store::Method",
            "store::ResourceKey",
        ],
    ),
    ("clinical", &["fhir"]),
    ("fhir", &["budget", "store"]),
    ("store", &["budget"]),
    ("telemetry", &["config"]),
    ("config", &[]),
];

/// A library (by the start of its name) and the only rooms that know it.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("actix", &["http", "app", "cli", "main"]),
    ("diesel", &["store"]),
    ("tokio_postgres", &["store"]),
    ("libsqlite3_sys", &["store"]),
    ("clap", &["cli", "config", "main"]),
    ("indicatif", &["cli"]),
    ("opentelemetry", &["telemetry"]),
    ("tracing_opentelemetry", &["telemetry", "http"]),
    ("tracing_subscriber", &["telemetry"]),
];

pub fn wrong_arrows() -> Vec<String> {
    let mut findings = Vec::new();
    for path in rust_sources() {
        let room = room_of(&path);
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == room) else {
            findings.push(format!("{path}: room `{room}` is not in the table ALLOWED"));
            continue;
        };
        for (line, used) in paths_from_the_root(&path, &code_only(&read(&path))) {
            let target = used.split("::").next().unwrap_or_default();
            let fits =
                |rule: &str| rule == "*" || used == rule || used.starts_with(&format!("{rule}::"));
            if target != room && is_room(target) && !allowed.iter().any(|rule| fits(rule)) {
                findings.push(format!("{path}:{line}: {room} uses {used}"));
            }
        }
    }
    findings
}

pub fn misplaced_crates() -> Vec<String> {
    let mut findings = Vec::new();
    for path in rust_sources() {
        let room = room_of(&path);
        for (number, line) in code_only(&read(&path)).lines().enumerate() {
            for (library, rooms) in LIBRARIES {
                if !rooms.contains(&room.as_str()) && uses_library(line, library) {
                    findings.push(format!("{path}:{}: {room} uses {library}", number + 1));
                }
            }
        }
    }
    findings
}

/// `library…::` at the start of a path.
fn uses_library(line: &str, library: &str) -> bool {
    line.match_indices(library).any(|(start, _)| {
        let before = line[..start].trim_end_matches(' ');
        let own = !before.ends_with("::")
            && !before.ends_with(|c: char| c == '_' || c.is_alphanumeric())
            || before.ends_with("use");
        let name_end = line[start..]
            .find(|c: char| c != '_' && !c.is_alphanumeric())
            .map_or(line.len(), |length| start + length);
        own && line[name_end..].starts_with("::")
    })
}

fn is_room(name: &str) -> bool {
    ALLOWED.iter().any(|(room, _)| *room == name)
}

/// `src/store/port.rs` is in `store`, `src/app.rs` in `app`.
fn room_of(path: &str) -> String {
    let inside = path.trim_start_matches("src/");
    let first = inside.split('/').next().unwrap_or_default();
    first.trim_end_matches(".rs").to_owned()
}

/// How many modules deep the file is: 1 for `src/app.rs` and `src/store/mod.rs`.
fn depth_of(path: &str) -> usize {
    path.trim_start_matches("src/")
        .trim_end_matches("/mod.rs")
        .split('/')
        .count()
}

/// Every path that starts at the crate's root, by `crate::` or by enough
/// `super::`, groups in braces taken apart; with its line.
fn paths_from_the_root(path: &str, code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (start, _) in code.match_indices("crate::") {
        if !code[..start].ends_with(['$', '_']) && has_word(&code[start..start + 5], "crate") {
            expand(code, start + "crate::".len(), "", start, &mut found);
        }
    }
    let climb = "super::".repeat(depth_of(path));
    for (start, _) in code.match_indices(&climb) {
        expand(code, start + climb.len(), "", start, &mut found);
    }
    let line_of = |at: usize| code[..at].matches('\n').count() + 1;
    found
        .into_iter()
        .map(|(at, used)| (line_of(at), used))
        .collect()
}

/// Reads one use-tree at `at`, adds its paths, returns where it ends.
fn expand(
    code: &str,
    at: usize,
    prefix: &str,
    origin: usize,
    found: &mut Vec<(usize, String)>,
) -> usize {
    let at = at + code[at..].len() - code[at..].trim_start().len();
    if !code[at..].starts_with('{') {
        let length = code[at..]
            .find(|c: char| c != '_' && c != '*' && !c.is_alphanumeric())
            .unwrap_or(code.len() - at);
        let name = format!("{prefix}{}", &code[at..at + length]);
        let end = at + length;
        if code[end..].starts_with("::") {
            return expand(code, end + 2, &format!("{name}::"), origin, found);
        }
        found.push((origin, name));
        return end;
    }
    let mut at = at + 1;
    loop {
        at += code[at..]
            .find(|c: char| !c.is_whitespace() && c != ',')
            .unwrap_or(0);
        if code[at..].starts_with('}') || code[at..].is_empty() {
            return (at + 1).min(code.len());
        }
        let end = expand(code, at, prefix, origin, found);
        // A rename (`as x`) runs up to the next comma or brace.
        at = end + code[end..].find([',', '}']).unwrap_or(code.len() - end);
    }
}

#[test]
fn use_trees_are_taken_apart() {
    let code =
        "use crate::{store::{Scope, plan::Order as O}, fhir::*};\nfn f(x: crate::http::Y<u8>) {}\n";
    let paths: Vec<_> = paths_from_the_root("src/access/scope.rs", code);
    let expected = [
        (1, "store::Scope"),
        (1, "store::plan::Order"),
        (1, "fhir::*"),
        (2, "http::Y"),
    ];
    assert_eq!(paths, expected.map(|(line, path)| (line, path.to_owned())));
}

#[test]
fn climbing_to_the_root_is_seen() {
    let paths = paths_from_the_root("src/store/sql/mod.rs", "use super::super::fhir::Kind;");
    assert_eq!(paths, [(1, "fhir::Kind".to_owned())]);
    assert!(paths_from_the_root("src/store/sql/mod.rs", "use super::Kind;").is_empty());
}

#[test]
fn a_library_is_seen_where_its_path_starts() {
    assert!(uses_library("use diesel_async::X;", "diesel"));
    assert!(uses_library("let x = diesel::insert();", "diesel"));
    assert!(!uses_library(
        "let diesel = 1; tracing_diesel::x()",
        "diesel"
    ));
}

/// A search by one patient misses the records of linked patients
/// (`clinical::linked_patients`). A condition of a write is about one record.
pub fn searches_of_one_patient() -> Vec<String> {
    let mut findings = Vec::new();
    for path in rust_sources() {
        let inside = path.starts_with("src/clinical/") && !path.ends_with("linked_patients.rs");
        if !inside || path.ends_with("candidacy/persist.rs") {
            continue;
        }
        for (number, line) in read(&path).lines().enumerate() {
            // A criterion is a pair; a call has a name before its brackets.
            let pair = |start: &str| {
                let before = line.split_once(start).map(|(before, _)| before);
                before.is_some_and(|before| !before.ends_with(char::is_alphanumeric))
            };
            let named = ["(\"patient\",", "(\"subject\",", "\"patient:", "\"subject:"];
            if named.iter().any(|named| pair(named)) {
                findings.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    findings
}
