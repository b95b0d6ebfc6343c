//! Whatever is done to the trail behind the service's back is found.

use serde_json::json;
use unloop::fhir::audit::verify::verify;

use crate::on_both_stores;
use crate::support::Server;

on_both_stores!(
    a_whole_trail_is_whole,
    what_was_done_to_it_is_found,
    what_was_removed_before_it_was_rendered_is_told,
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

async fn findings(server: &Server) -> Vec<String> {
    verify(&server.engine, None).await.unwrap().findings
}

async fn a_whole_trail_is_whole(server: Server) {
    assert_eq!(findings(&server).await, Vec::<String>::new());
    filled(&server).await;
    let report = verify(&server.engine, None).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    assert_eq!((report.rows, report.events), (8, 7));
    let later = verify(&server.engine, Some(i64::MAX)).await.unwrap();
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
