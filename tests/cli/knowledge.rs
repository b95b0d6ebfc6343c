//! Stored findings after a change of the rules, as an operator brings them along.

use std::fs;
use std::path::Path;

use crate::support::{Database, Running, SECRET, succeed, unloop};

const INTERACTIONS: &str = include_str!("../../src/clinical/knowledge/interactions.toml");
const MEDICINE: &str = r#"{"resourceType":"MedicationStatement","id":"m","status":"active","subject":{"reference":"Patient/p"},"medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"10734"}]}}"#;

#[tokio::test]
async fn findings_follow_the_rules_in_force() {
    let database = Database::sqlite();
    let folder = tempfile::tempdir().unwrap();
    let records = folder.path().join("records.ndjson");
    let patient = r#"{"resourceType":"Patient","id":"p"}"#;
    fs::write(&records, format!("{patient}\n{MEDICINE}\n")).unwrap();
    let rules = folder.path().join("rules");
    fs::create_dir(&rules).unwrap();
    let changed = INTERACTIONS.replacen("version = \"", "version = \"another-", 1);
    assert_ne!(changed, INTERACTIONS);
    fs::write(rules.join("interactions.toml"), changed).unwrap();

    let run = |arguments: &[&str], rules: Option<&Path>| {
        let mut command = unloop(arguments);
        command.env("DATABASE_URL", database.url());
        if let Some(rules) = rules {
            command.env("UNLOOP_KNOWLEDGE_DIR", rules);
        }
        succeed(&mut command)
    };
    run(&["import", records.to_str().unwrap()], None);
    let by_these = "were made by these rules";
    assert!(run(&["knowledge", "check"], None).contains(by_these));
    let outdated = run(&["knowledge", "check"], Some(&rules));
    assert!(outdated.contains("unloop knowledge recheck"), "{outdated}");

    let mut serve = unloop(&["serve"]);
    serve
        .env("DATABASE_URL", database.url())
        .env("UNLOOP_SECRET", SECRET)
        .env("UNLOOP_BIND", "127.0.0.1:0")
        .env("UNLOOP_KNOWLEDGE_DIR", &rules);
    let server = Running::start(&mut serve);
    server.signal("TERM");
    let (_, log) = server.end();
    assert!(log.contains("unloop knowledge recheck"), "{log}");

    let done = run(&["knowledge", "recheck"], Some(&rules));
    assert!(done.contains("1 records were judged again"), "{done}");
    assert!(done.contains("1 findings are other ones"), "{done}");
    assert!(run(&["knowledge", "check"], Some(&rules)).contains(by_these));
    let again = run(&["knowledge", "recheck"], Some(&rules));
    assert!(again.contains("0 findings are other ones"), "{again}");
    let server = Running::serve_with_secret(&database.url());
    let url = format!("{}/AuditEvent?_count=200", server.base);
    let trail = server.client().get(url).send().await.unwrap();
    let trail = trail.text().await.unwrap();
    assert!(trail.contains("recheck"), "{trail}");
    server.stop();
}
