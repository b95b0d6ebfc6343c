//! Whatever is done to the trail behind the service's back is found.

use serde_json::json;
use unloop::fhir::audit::verify::{Check, Report, verify};
use unloop::store::{AuditEntry, AuditRow, Chain, ChainKey, ChainPlace, Commit};

use crate::on_both_stores;
use crate::support::{Server, chain_key};

on_both_stores!(
    a_whole_trail_is_whole,
    what_was_done_to_it_is_found,
    what_was_removed_before_it_was_rendered_is_told,
    hashes_made_without_the_key_are_found,
    a_chain_that_was_cut_or_made_anew_is_found,
    a_trail_without_a_key_goes_on_under_one,
    a_head_that_was_kept_finds_what_nothing_else_finds,
    another_key_is_told_and_nothing_is_called_whole,
    a_trail_that_grows_meanwhile_is_whole,
);

/// Five reads and what is needed to ask for them.
async fn filled(server: &Server) {
    let patient = json!({"resourceType": "Patient", "id": "p1"});
    server.put(&patient).await;
    for _ in 0..5 {
        server.get("/Patient/p1").expect(200).await;
    }
    server.call("DELETE", "/Patient/p1").expect(204).await;
    server.get("/AuditEvent?_summary=count").expect(200).await;
}

async fn check(
    server: &Server,
    since: Option<i64>,
    keys: Vec<ChainKey>,
    head: Vec<ChainPlace>,
) -> Report {
    let check = Check { since, keys, head };
    verify(&server.engine, &check).await.unwrap()
}

async fn findings(server: &Server) -> Vec<String> {
    check(server, None, vec![chain_key()], Vec::new())
        .await
        .findings
}

async fn a_whole_trail_is_whole(server: Server) {
    assert_eq!(findings(&server).await, Vec::<String>::new());
    filled(&server).await;
    let report = check(&server, None, vec![chain_key()], Vec::new()).await;
    assert_eq!(report.findings, Vec::<String>::new());
    assert_eq!((report.rows, report.events), (8, 7));
    let later = check(&server, Some(i64::MAX), vec![chain_key()], Vec::new()).await;
    assert_eq!((later.rows, later.events), (8, 0));
}

async fn what_was_done_to_it_is_found(server: Server) {
    filled(&server).await;
    let whole = [
        "CREATE TABLE kept AS SELECT * FROM audit",
        "CREATE TABLE kept_resource AS SELECT * FROM resource",
    ];
    for sql in whole {
        server.execute(sql).await;
    }
    let crimes = [
        ("DELETE FROM audit WHERE position = 3", "row 3 of chain"),
        (
            "DELETE FROM audit WHERE position IN (3, 4)",
            "rows 3 to 4 of chain",
        ),
        ("DELETE FROM audit WHERE position = 8", "ends at row 7"),
        ("DELETE FROM audit WHERE position = 1", "row 1 of chain"),
        ("DELETE FROM audit", "ends at row 0"),
        (
            "INSERT INTO audit (writer, position, made, record, hash) SELECT writer, 9, made, record, hash FROM audit WHERE position = 8",
            "row 9 of chain",
        ),
        (
            "UPDATE audit SET record = replace(record, '200', '201') WHERE position = 2",
            "row 2 of chain",
        ),
        (
            "UPDATE audit SET made = made + 1 WHERE position = 2",
            "row 2 of chain",
        ),
        (
            "UPDATE audit SET record = (SELECT record FROM kept WHERE position = 1) WHERE position = 2",
            "row 2 of chain",
        ),
        (
            "DELETE FROM resource WHERE type = 'AuditEvent' AND id LIKE '%-4'",
            "is missing",
        ),
        (
            "UPDATE resource SET body = replace(body, 'p1', 'p2') WHERE type = 'AuditEvent' AND id LIKE '%-4'",
            "does not equal its record",
        ),
    ];
    for (crime, expected) in crimes {
        server.execute(crime).await;
        let found = findings(&server).await;
        let text = found.join("\n");
        assert!(text.contains(expected), "{crime}: {found:?}");
        for sql in [
            "DELETE FROM audit",
            "INSERT INTO audit SELECT * FROM kept",
            "DELETE FROM resource",
            "INSERT INTO resource SELECT * FROM kept_resource",
        ] {
            server.execute(sql).await;
        }
        assert_eq!(findings(&server).await, Vec::<String>::new(), "{crime}");
    }
    server.execute("DELETE FROM audit_writer").await;
    let text = findings(&server).await.join("\n");
    assert!(text.contains("missing as a whole"), "{text}");
}

async fn what_was_removed_before_it_was_rendered_is_told(server: Server) {
    let patient = json!({"resourceType": "Patient", "id": "p1"});
    server.put(&patient).await;
    for _ in 0..7 {
        server.get("/Patient/p1").expect(200).await;
    }
    server
        .execute("DELETE FROM audit WHERE position IN (3, 4, 7, 8)")
        .await;
    let missing =
        |text: &str| ["-3 to 4 are missing", "-7 to 8 are missing"].map(|gap| text.contains(gap));
    for _ in 0..2 {
        let found = server.get("/AuditEvent?subtype=read").expect(200).await;
        assert_eq!(missing(&found.text), [true, true], "{}", found.text);
        let read = server.get("/AuditEvent/nobody").send().await;
        assert_eq!(read.status, 404, "{}", read.text);
        let log = server.get("/Patient/p1/$access-log").expect(200).await;
        assert!(log.text.contains("records are missing"), "{}", log.text);
        let complete = &log.json()["parameter"][1];
        assert_eq!(complete["valueBoolean"], false);
    }
    let events = server
        .count("/AuditEvent?subtype=read&entity=Patient/p1")
        .await;
    assert_eq!(events, 3, "what is there is told");
    let other = server.get("/Patient").expect(200).await;
    assert!(!other.text.contains("missing"), "{}", other.text);
    // Another instance knows as well, and both agree with the check.
    let second = server.second().await;
    let found = second.get("/AuditEvent").expect(200).await;
    assert_eq!(missing(&found.text), [true, true]);
    let found = findings(&server).await.join("\n");
    for gap in ["rows 3 to 4 of chain", "rows 7 to 8 of chain"] {
        assert!(found.contains(gap), "{found}");
    }
    assert!(!found.contains("have no record"), "{found}");
}

/// The newest chain, and its rows.
async fn newest(server: &Server) -> (Chain, Vec<AuditEntry>) {
    let chain = server.store.chains().await.unwrap().pop().unwrap();
    let rows = server
        .store
        .chain(&chain.end.writer, 0, 1000)
        .await
        .unwrap();
    (chain, rows)
}

/// The chain as somebody without a key would make it, from these rows on.
async fn forge(server: &Server, chain: &Chain, rows: &[AuditEntry]) {
    let mut place = chain.end.clone();
    place.writer = "0".repeat(32);
    let plain = Chain {
        end: place,
        ..chain.clone()
    };
    let mut walk = plain.walk(&[]).unwrap();
    let writer = &chain.end.writer;
    for row in rows {
        let record = row.record.clone();
        let forged = walk.append(row.made, AuditRow { record });
        let (hash, position) = (&forged.hash, row.position);
        let record = row.record.replace('\'', "''");
        let sql = format!(
            "UPDATE audit SET hash = '{hash}', record = '{record}' WHERE writer = '{writer}' AND position = {position}"
        );
        server.execute(&sql).await;
    }
    let (hash, position) = (walk.end().hash, walk.position());
    let end = format!(
        "UPDATE audit_writer SET hash = '{hash}', position = {position} WHERE writer = '{writer}'"
    );
    server.execute(&end).await;
}

/// The chain gets another name, everywhere.
async fn rename(server: &Server, from: &str, to: &str) {
    for table in ["audit", "audit_writer"] {
        let sql = format!("UPDATE {table} SET writer = '{to}' WHERE writer = '{from}'");
        server.execute(&sql).await;
    }
    server
        .execute("DELETE FROM registry WHERE kind LIKE 'audit%'")
        .await;
    server
        .execute("DELETE FROM resource WHERE type = 'AuditEvent'")
        .await;
}

fn has(found: &[String], text: &str) -> bool {
    found.iter().any(|line| line.contains(text))
}

/// Another run of a service under this key does one thing.
async fn run(server: &Server, key: Option<ChainKey>) {
    let row = AuditRow {
        record: r#"{"do":"read","status":404,"who":{},"base":"http://a"}"#.to_owned(),
    };
    let commit = Commit {
        audit: vec![row],
        ..Commit::default()
    };
    let store = server.store_under(key).await;
    store.commit(commit).await.unwrap();
}

async fn hashes_made_without_the_key_are_found(server: Server) {
    filled(&server).await;
    let (chain, mut rows) = newest(&server).await;
    rows[2].record = rows[2].record.replace("p1", "p2");
    forge(&server, &chain, &rows).await;
    let found = findings(&server).await;
    assert!(has(&found, "row 3 of chain"), "{found:?}");
    assert!(has(&found, "not as it was kept"), "{found:?}");
}

async fn a_chain_that_was_cut_or_made_anew_is_found(server: Server) {
    filled(&server).await;
    let (chain, rows) = newest(&server).await;
    // A row's own hash does not make it the last one.
    server.execute("DELETE FROM audit WHERE position > 5").await;
    let hash = &rows[4].hash;
    let sql = format!("UPDATE audit_writer SET position = 5, hash = '{hash}'");
    server.execute(&sql).await;
    let found = findings(&server).await;
    assert!(has(&found, "not as it was kept"), "{found:?}");

    // As if there had never been a key; but another chain stands behind it.
    run(&server, Some(chain_key())).await;
    forge(&server, &chain, &rows[..5]).await;
    let writer = "0".repeat(32);
    rename(&server, &chain.end.writer, &writer).await;
    let found = findings(&server).await;
    let gone = format!("chain {} is missing as a whole", chain.end.writer);
    assert!(has(&found, &gone), "{found:?}");

    // The same with the last chain.
    let (last, rows) = newest(&server).await;
    forge(&server, &last, &rows).await;
    rename(&server, &last.end.writer, &"1".repeat(32)).await;
    let sql = format!(
        "UPDATE audit_writer SET after_writer = '{}'",
        "0".repeat(32)
    );
    server
        .execute(&format!("{sql} WHERE after_writer IS NOT NULL"))
        .await;
    run(&server, Some(chain_key())).await;
    let sql =
        format!("UPDATE audit_writer SET began = began + 1000000000 WHERE writer = '{writer}'");
    server.execute(&sql).await;
    let found = findings(&server).await;
    assert!(
        has(&found, &format!("chain {writer} has no key")),
        "{found:?}"
    );
}

async fn a_trail_without_a_key_goes_on_under_one(server: Server) {
    run(&server, None).await;
    run(&server, None).await;
    filled(&server).await;
    let report = check(&server, None, vec![chain_key()], Vec::new()).await;
    assert_eq!(report.findings, Vec::<String>::new());
    let told: Vec<String> = report.chains.iter().map(ToString::to_string).collect();
    assert!(
        told[0].contains("without a key, and up to row 1 held"),
        "{told:?}"
    );
    assert!(
        told[1].contains("without a key, and up to row 1 held"),
        "{told:?}"
    );
    let under = format!("8 rows, under the key {}", chain_key().name());
    assert!(told[2].contains(&under), "{told:?}");
    // What is held was not made anew, though nobody needs a key for its hashes.
    let first = server.store.chains().await.unwrap().remove(0);
    let mut rows = server.store.chain(&first.end.writer, 0, 10).await.unwrap();
    rows[0].record = rows[0].record.replace("404", "200");
    let mut walk = first.walk(&[]).unwrap();
    let record = rows[0].record.clone();
    let (hash, writer) = (
        walk.append(rows[0].made, AuditRow { record }).hash,
        &first.end.writer,
    );
    let sql = format!(
        "UPDATE audit SET hash = '{hash}', record = replace(record, '404', '200') WHERE writer = '{writer}'"
    );
    server.execute(&sql).await;
    let sql = format!("UPDATE audit_writer SET hash = '{hash}' WHERE writer = '{writer}'");
    server.execute(&sql).await;
    let found = findings(&server).await;
    let anew = format!("chain {writer} was written anew up to row 1");
    assert!(has(&found, &anew), "{found:?}");
}

async fn a_head_that_was_kept_finds_what_nothing_else_finds(server: Server) {
    filled(&server).await;
    run(&server, Some(chain_key())).await;
    let report = check(&server, None, vec![chain_key()], Vec::new()).await;
    assert_eq!(report.findings, Vec::<String>::new());
    let head: Vec<ChainPlace> = report.chains.into_iter().map(|told| told.end).collect();
    assert_eq!(head.len(), 2);
    // What came later is no matter.
    server.get("/Patient/p1").expect(410).await;
    let later = check(&server, None, vec![chain_key()], head.clone()).await;
    assert_eq!(later.findings, Vec::<String>::new());
    // The newest chain goes, and with it whatever knew of it.
    let writer = &newest(&server).await.0.end.writer;
    for table in ["audit", "audit_writer"] {
        let sql = format!("DELETE FROM {table} WHERE writer = '{writer}'");
        server.execute(&sql).await;
    }
    assert_eq!(findings(&server).await, Vec::<String>::new());
    let found = check(&server, None, vec![chain_key()], head).await.findings;
    let gone = format!("chain {writer} is missing as a whole");
    assert_eq!(found, [gone]);
}

async fn another_key_is_told_and_nothing_is_called_whole(server: Server) {
    filled(&server).await;
    let name = chain_key().name().to_owned();
    let other = ChainKey::new(&[9; 32]);
    for keys in [vec![other.clone()], vec![]] {
        let report = check(&server, None, keys, Vec::new()).await;
        assert_eq!((report.rows, report.chains.len()), (0, 0));
        let [finding] = report.findings.as_slice() else {
            panic!("{:?}", report.findings);
        };
        assert!(finding.contains(&name), "{finding}");
        assert!(finding.contains("UNLOOP_EARLIER_SECRETS"), "{finding}");
    }
    // After the secret was changed both are needed.
    run(&server, Some(other.clone())).await;
    let report = check(&server, None, vec![other, chain_key()], Vec::new()).await;
    assert_eq!(report.findings, Vec::<String>::new());
}

async fn a_trail_that_grows_meanwhile_is_whole(server: Server) {
    filled(&server).await;
    let reading = async {
        for n in 0..60 {
            server.get(&format!("/Patient/nobody{n}")).expect(404).await;
            if n % 10 == 0 {
                server.get("/AuditEvent?_count=1").expect(200).await;
                run(&server, Some(chain_key())).await;
            }
        }
    };
    let done = std::sync::atomic::AtomicBool::new(false);
    let ended = &done;
    let reading = async move {
        reading.await;
        ended.store(true, std::sync::atomic::Ordering::SeqCst);
    };
    let verifying = async {
        let mut rounds = 0;
        while !done.load(std::sync::atomic::Ordering::SeqCst) {
            assert_eq!(findings(&server).await, Vec::<String>::new());
            rounds += 1;
        }
        assert!(rounds > 1, "{rounds}");
    };
    futures_util::future::join(reading, verifying).await;
    assert_eq!(findings(&server).await, Vec::<String>::new());
}
