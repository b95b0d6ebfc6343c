//! Tokens, clients and keys, as an operator handles them.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Database, Running, describe, succeed, text, unloop};

/// The command with the settings of the server.
fn operator(server: &Running, database: &Database, arguments: &[&str]) -> Command {
    let mut command = unloop(arguments);
    command
        .env("DATABASE_URL", database.url())
        .env("UNLOOP_BASE_URL", &server.base);
    command
}

async fn administrates(server: &Running, token: &str) -> u16 {
    let url = server.base.replace("/fhir", "/admin/clients");
    let call = reqwest::Client::new().get(url).bearer_auth(token);
    call.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_token_is_printed_alone_works_and_ends() {
    let database = Database::sqlite();
    let server = Running::serve(&database.url());
    let issue = [
        "token",
        "issue",
        "--scope",
        "system/*.cruds",
        "--label",
        "nightly job",
    ];
    let printed = succeed(&mut operator(&server, &database, &issue));
    let token = printed.strip_suffix('\n').unwrap();
    assert_eq!(token.split('.').count(), 3);
    assert_eq!(token.lines().count(), 1);
    assert_eq!(administrates(&server, token).await, 200);

    let listed = succeed(&mut operator(&server, &database, &["token", "list"]));
    assert!(
        listed.contains("nightly job") && !listed.contains(token),
        "{listed}"
    );
    let id = listed.split_whitespace().next().unwrap();
    succeed(&mut operator(&server, &database, &["token", "revoke", id]));
    assert_eq!(administrates(&server, token).await, 401);
    let listed = succeed(&mut operator(&server, &database, &["token", "list"]));
    assert!(listed.contains("revoked"), "{listed}");
    let again = operator(&server, &database, &["token", "revoke", "nobody"])
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(1), "{}", describe(&again));
    server.stop();
}

#[tokio::test]
async fn a_token_can_be_issued_before_the_first_start() {
    let database = Database::sqlite();
    let base = "http://127.0.0.1:1/fhir";
    let mut command = unloop(&["token", "issue", "--scope", "system/*.rs", "--ttl", "7d"]);
    command
        .env("DATABASE_URL", database.url())
        .env("UNLOOP_BASE_URL", base);
    assert_eq!(succeed(&mut command).lines().count(), 1);
}

/// The AuditEvents, the oldest first.
pub async fn audit_events(server: &Running, query: &str) -> Vec<Value> {
    let url = format!("{}/AuditEvent?_count=1000&_sort=date&{query}", server.base);
    let found = server.client().get(url).send().await.unwrap();
    let found: Value = found.json().await.unwrap();
    let entries = found["entry"].as_array().cloned().unwrap_or_default();
    entries
        .iter()
        .map(|entry| entry["resource"].clone())
        .collect()
}

#[tokio::test]
async fn what_an_operator_does_is_recorded() {
    let database = Database::sqlite();
    let server = Running::serve(&database.url());
    let commands: [(&str, bool, &str); 10] = [
        (
            "token issue --scope patient/*.rs --patient p1",
            true,
            "110122",
        ),
        ("token list", true, "110132"),
        ("token revoke nobody", false, "110123"),
        ("client list", true, "110132"),
        ("client disable nobody", false, "110137"),
        ("grant list", true, "110132"),
        (
            "grant add --practitioner x --patient p1 --scope patient/*.rs --for 1d",
            false,
            "110137",
        ),
        ("grant invite nobody", false, "110137"),
        ("grant revoke nobody", false, "110137"),
        ("key rotate", true, "110129"),
    ];
    let mut tokens = Vec::new();
    for (command, succeeds, _) in commands {
        let arguments: Vec<&str> = command.split(' ').collect();
        let output = operator(&server, &database, &arguments).output().unwrap();
        assert_eq!(output.status.success(), succeeds, "{}", describe(&output));
        tokens.push(text(&output.stdout));
    }
    let mut events = audit_events(&server, "type=110113,110114").await;
    events.retain(|event| event["agent"][0]["who"]["display"] == "unloop operator");
    // The test's own token was issued by a command as well.
    events.retain(|event| !event.to_string().contains("system/*.cruds"));
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            let code = event["subtype"][0]["code"].as_str().unwrap();
            (event["outcome"] == "0", code)
        })
        .collect();
    let expected: Vec<_> = commands
        .iter()
        .map(|(_, done, code)| (*done, *code))
        .collect();
    assert_eq!(told, expected);
    let issued = events[0].to_string();
    assert!(
        issued.contains("patient/*.rs") && issued.contains("Patient/p1"),
        "{issued}"
    );
    let signature = tokens[0].trim().rsplit('.').next().unwrap();
    assert!(!issued.contains(signature));
    let listed = succeed(&mut operator(&server, &database, &["audit", "verify"]));
    assert!(listed.contains("whole"), "{listed}");
    server.stop();
}

#[test]
fn what_could_never_be_used_is_refused() {
    let database = Database::sqlite();
    for (arguments, hint) in [
        (vec!["--scope", "system/Patient.sr"], "context/Type.cruds"),
        (vec!["--scope", "system/Nothing.rs"], "no resource type"),
        (vec!["--scope", ""], "empty"),
        (vec!["--scope", "patient/*.rs"], "--patient"),
        (
            vec!["--scope", "system/*.rs", "--patient", "1"],
            "--patient",
        ),
        (vec!["--scope", "user/*.rs"], "--user"),
        (vec!["--scope", "system/*.rs", "--ttl", "0s"], "366 days"),
        (vec!["--scope", "system/*.rs", "--ttl", "400d"], "366 days"),
    ] {
        let mut command = unloop(&[&["token", "issue"], arguments.as_slice()].concat());
        let output = command
            .env("DATABASE_URL", database.url())
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(1),
            "{arguments:?}: {}",
            describe(&output)
        );
        assert!(output.stdout.is_empty());
        assert!(
            text(&output.stderr).contains(hint),
            "{arguments:?}: {}",
            describe(&output)
        );
    }
}

#[tokio::test]
async fn clients_come_and_go() {
    let database = Database::sqlite();
    let server = Running::serve(&database.url());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    let path = file.to_str().unwrap();
    let add = [
        "client",
        "add",
        "ehr",
        "--scope",
        "system/*.rs",
        "--jwks",
        path,
        "--name",
        "The EHR",
    ];
    let coordinate = "A".repeat(43);
    let key = json!({"kty": "EC", "crv": "P-256", "kid": "k", "x": coordinate, "y": coordinate});
    let mut private = key.clone();
    private["d"] = json!(coordinate);
    std::fs::write(&file, json!({"keys": [private]}).to_string()).unwrap();
    let refused = operator(&server, &database, &add).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains("secret"),
        "{}",
        describe(&refused)
    );
    std::fs::write(&file, json!({"keys": [key]}).to_string()).unwrap();
    succeed(&mut operator(&server, &database, &add));
    let listed = succeed(&mut operator(&server, &database, &["client", "list"]));
    assert!(
        listed.contains("ehr  active  system/*.rs  The EHR"),
        "{listed}"
    );
    succeed(&mut operator(
        &server,
        &database,
        &["client", "disable", "ehr"],
    ));
    let listed = succeed(&mut operator(&server, &database, &["client", "list"]));
    assert!(listed.contains("ehr  disabled"), "{listed}");
    server.stop();
}

#[tokio::test]
async fn keys_are_rotated_under_a_running_server() {
    let database = Database::sqlite();
    let server = Running::serve(&database.url());
    let issue = ["token", "issue", "--scope", "system/*.cruds"];
    let old = succeed(&mut operator(&server, &database, &issue));
    succeed(&mut operator(&server, &database, &["key", "rotate"]));
    let new = succeed(&mut operator(&server, &database, &issue));
    for token in [&old, &new] {
        assert_eq!(administrates(&server, token.trim()).await, 200);
    }
    let listed = succeed(&mut operator(&server, &database, &["key", "list"]));
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(
        listed.contains("kept until") && listed.contains("signs"),
        "{listed}"
    );
    succeed(&mut operator(
        &server,
        &database,
        &["key", "rotate", "--at-once"],
    ));
    for token in [&old, &new] {
        assert_eq!(administrates(&server, token.trim()).await, 401);
    }
    server.stop();
}

#[tokio::test]
async fn the_secret_is_made_once_and_for_the_owner_alone() {
    let database = Database::sqlite();
    let server = Running::serve(&database.url());
    server.stop();
    let path = format!("{}.secret", database.url().strip_prefix("sqlite:").unwrap());
    let secret = std::fs::read_to_string(&path).unwrap();
    assert!(secret.trim().len() >= 32);
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let server = Running::serve(&database.url());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), secret);
    // Under another secret the keys do not open, and nobody gets a token.
    let issue = ["token", "issue", "--scope", "system/*.rs"];
    let mut other = operator(&server, &database, &issue);
    let output = other
        .env("UNLOOP_SECRET", "another secret of thirty-two bytes")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", describe(&output));
    assert!(output.stdout.is_empty() && text(&output.stderr).contains("UNLOOP_SECRET"));
    server.stop();
}

#[tokio::test]
async fn postgresql_needs_a_secret_of_the_operators() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let server = Running::serve(&database.url());
    let url = server
        .base
        .replace("/fhir", "/.well-known/smart-configuration");
    assert_eq!(reqwest::get(url).await.unwrap().status(), 404);
    let issue = ["token", "issue", "--scope", "system/*.cruds"];
    let output = operator(&server, &database, &issue).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", describe(&output));
    assert!(text(&output.stderr).contains("UNLOOP_SECRET"));
    server.stop();
}
