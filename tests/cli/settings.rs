//! A wrong setting stops the start with one line that names it.

use std::process::Output;

use crate::support::{describe, succeed, text, unloop};

fn serve(settings: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = unloop(&["serve"]);
    command.current_dir(folder.path());
    // Where a setting is accepted by mistake, the test ends all the same.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    command.env("UNLOOP_BIND", taken.local_addr().unwrap().to_string());
    command.envs(settings.iter().copied());
    let output = command.output().unwrap();
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0, "no database is made: {}", describe(&output));
    output
}

/// Status 2 and one line, which is returned.
fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{}", describe(output));
    assert!(output.stdout.is_empty());
    let stderr = text(&output.stderr);
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr
}

#[test]
fn each_wrong_value_is_named_with_the_remedy() {
    let cases = [
        ("DATABASE_URL", "mysql://h/d", "sqlite:"),
        ("DATABASE_URL", "unloop.db", "sqlite:"),
        ("DATABASE_URL", "sqlite:", "sqlite:unloop.db"),
        ("DATABASE_URL", "sqlite::memory:", "sqlite:unloop.db"),
        ("UNLOOP_DB_POOL", "0", "from 1"),
        ("UNLOOP_MIGRATE", "yes", "true or false"),
        ("UNLOOP_BIND", "8080", "127.0.0.1:8080"),
        ("UNLOOP_BASE_URL", "records.example.org", "https://"),
        ("UNLOOP_BASE_URL", "https://h/fhir?x=1", "without query"),
        ("UNLOOP_WORKERS", "many", "whole number"),
        ("UNLOOP_SHUTDOWN_SECONDS", "-1", "whole number"),
        ("UNLOOP_MAX_BODY_BYTES", "50MiB", "whole number"),
        ("UNLOOP_MAX_URL_BYTES", "1", "from 256"),
        ("UNLOOP_MAX_DEPTH", "5000", "to 120"),
        ("UNLOOP_MAX_ENTRIES", "0", "from 1"),
        ("UNLOOP_DEFAULT_PAGE", "5000", "UNLOOP_MAX_PAGE"),
        ("UNLOOP_MAX_PAGE", "1e3", "whole number"),
        ("UNLOOP_TYPES", "Patient,Observations", "Observation?"),
        ("UNLOOP_SECRET", "short", "openssl rand"),
        ("UNLOOP_ISSUER", "records.example.org", "https://"),
        (
            "UNLOOP_ISSUERS",
            "id.example.org",
            "https://id.example.org|",
        ),
        ("UNLOOP_ISSUERS", "https://h|", "https://id.example.org|"),
        ("UNLOOP_ISSUERS", "https://h,https://h", "different"),
        ("UNLOOP_OUTBOUND_PRIVATE", "1", "true or false"),
        (
            "UNLOOP_CDS_CLIENTS",
            "https://ehr.example.org",
            "https://ehr.example.org|ehr",
        ),
        (
            "UNLOOP_CDS_CLIENTS",
            "ehr|ehr",
            "https://ehr.example.org|ehr",
        ),
        ("UNLOOP_CDS_CLIENTS", "https://h|a,https://h|b", "different"),
        (
            "UNLOOP_CDS_FHIR_SERVERS",
            "ehr.example.org",
            "https://ehr.example.org/fhir",
        ),
        ("UNLOOP_LOG", "unloop=loud", "unloop=info"),
        ("UNLOOP_LOG_FORMAT", "xml", "text or json"),
        ("UNLOOP_CONFIG", "/nowhere/unloop.toml", "cannot be read"),
    ];
    for (name, value, remedy) in cases {
        let line = refusal(&serve(&[(name, value)]));
        let named = line.contains(name) || name == "UNLOOP_CONFIG" && line.contains(value);
        assert!(named && line.contains(remedy), "{name}={value}: {line}");
    }
}

#[test]
fn an_unknown_variable_is_refused_and_the_nearest_known_one_named() {
    let line = refusal(&serve(&[("UNLOOP_MAX_BODY", "1000")]));
    assert!(line.contains("UNLOOP_MAX_BODY is not"), "{line}");
    assert!(line.contains("UNLOOP_MAX_BODY_BYTES?"), "{line}");
    let line = refusal(&serve(&[("UNLOOP_QWERTYUIOPASDF", "1")]));
    assert!(line.contains("UNLOOP_QWERTYUIOPASDF"), "{line}");
}

#[test]
fn a_password_is_never_shown() {
    for url in [
        "mysql://u:s3cret@h/d",
        "postgres:u:s3cret@h/d",
        "postgres://u:s3cret/x@h/d",
        "postgres://u:x@s3cret/d@h",
        "postgres://u:s3cret#x@h/d",
    ] {
        let line = refusal(&serve(&[("DATABASE_URL", url)]));
        assert!(
            line.contains("DATABASE_URL") && !line.contains("s3cret"),
            "{line}"
        );
    }
    let mut migrate = unloop(&["migrate"]);
    let output = migrate
        .env("DATABASE_URL", "postgres://u:s3cret@127.0.0.1:1/d")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!describe(&output).contains("s3cret"));
}

#[test]
fn nobody_else_is_served_without_an_issuer() {
    let database = ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none");
    for address in ["0.0.0.0:8080", "192.0.2.1:80", "[::]:8080"] {
        let line = refusal(&serve(&[("UNLOOP_BIND", address), database]));
        for said in ["UNLOOP_BIND", address, "UNLOOP_SECRET", "UNLOOP_ISSUERS"] {
            assert!(line.contains(said), "{line}");
        }
    }
}

#[test]
fn the_file_is_read_and_the_environment_wins() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("unloop.toml");
    let check = |content: &str, expected: &str| {
        std::fs::write(&file, content).unwrap();
        let path = file.to_str().unwrap();
        for line in [
            refusal(&serve(&[("UNLOOP_CONFIG", path)])),
            refusal(&unloop(&["serve", "--config", path]).output().unwrap()),
        ] {
            assert!(line.contains(expected), "{content}: {line}");
        }
    };
    check("[server]\nbnid = 'x'", "server.bind?");
    check("[sevrer]\nbind = 'x'", "server.bind?");
    check("bind = 'x'", "bind is not a setting");
    check("[limits]\ndepth = 1", "limits.depth in");
    check("[records]\ntypes = ['Patiant']", "Patient?");
    check("[database]\nurl = 'postgres://u:s3cret", "not TOML");
    std::fs::write(&file, "[limits]\ndepth = 1").unwrap();
    let settings = [
        ("UNLOOP_CONFIG", file.to_str().unwrap()),
        ("UNLOOP_MAX_DEPTH", "2"),
    ];
    assert!(refusal(&serve(&settings)).contains("UNLOOP_MAX_DEPTH is"));
}

#[test]
fn help_names_every_command_and_setting() {
    let help = succeed(&mut unloop(&["--help"]));
    for setting in unloop::config::settings::SETTINGS {
        assert!(help.contains(setting.variable) && help.contains(setting.key));
    }
    for command in [
        "serve", "demo", "migrate", "import", "export", "version", "health",
    ] {
        assert!(help.contains(command), "{command}");
        let own = succeed(&mut unloop(&[command, "--help"]));
        assert!(own.contains("Usage: unloop"), "{own}");
    }
}

#[test]
fn version_names_program_and_standard() {
    let version = succeed(&mut unloop(&["version"]));
    assert!(version.contains(env!("CARGO_PKG_VERSION")) && version.contains("4.0.1"));
}
