//! What is too old counts no more (issue 12, A4), and a record that is out of use makes
//! nobody a candidate (A7).

use serde_json::json;

use crate::candidacy::{all_answers, asked, criterion, overall, screen, total, with_everything};
use crate::support::Server;

crate::on_both_stores!(
    a4_what_is_too_old_is_unknown_and_names_the_horizon,
    a7_the_dead_the_inactive_and_the_replaced_are_no_candidates,
);

async fn a4_what_is_too_old_is_unknown_and_names_the_horizon(server: Server) {
    for (id, content, days) in [
        ("pregnancy", all_answers("q", "2026-10-20", &[]), "30 days"),
        ("psychosis", all_answers("q", "2026-08-20", &[]), "90 days"),
        ("heart", all_answers("q", "2024-11-20", &[]), "90 days"),
        ("therapy", all_answers("q", "2024-11-20", &[]), "90 days"),
        ("function", all_answers("q", "2026-08-01", &[]), "90 days"),
        ("severity", total("y", 27, "2026-08-10"), "90 days"),
        ("severity", total("y", 12, "2023-08-10"), "90 days"),
        ("suicidality", screen("2026-11-05"), "14 days"),
    ] {
        with_everything(&server).await;
        server.put(&content).await;
        let answer = asked(&server, "").await;
        assert_eq!(criterion(&answer, id).0, "unknown", "{id}");
        assert_ne!(overall(&answer), "eligible-for-review", "{id}");
        let parts = answer["parameter"].as_array().unwrap();
        let found = parts
            .iter()
            .find(|one| one["part"][0]["valueCode"] == id)
            .unwrap();
        let text = found.to_string();
        assert!(text.to_lowercase().contains("too old"), "{id}: {text}");
        assert!(text.contains(days), "{id}: {text}");
        let parts = found["part"].as_array().unwrap();
        let horizon = parts.iter().find(|part| part["name"] == "horizon").unwrap();
        assert_eq!(horizon["part"][1]["valueCode"], "C", "{id}");
    }
    // Within the horizon they count.
    with_everything(&server).await;
    server.put(&all_answers("q", "2026-10-22", &[])).await;
    server.put(&total("y", 27, "2026-08-24")).await;
    server.put(&screen("2026-11-08")).await;
    assert_eq!(overall(&asked(&server, "").await), "eligible-for-review");
}

async fn a7_the_dead_the_inactive_and_the_replaced_are_no_candidates(server: Server) {
    with_everything(&server).await;
    let patient = server.get("/Patient/p").expect(200).await.json();
    server
        .put(&json!({"resourceType": "Patient", "id": "other"}))
        .await;
    let link = json!([{"other": {"reference": "Patient/other"}, "type": "replaced-by"}]);
    for (name, value) in [
        ("active", false.into()),
        ("deceasedBoolean", true.into()),
        ("deceasedDateTime", "2026-11-01".into()),
        ("link", link),
    ] {
        let mut changed = patient.clone();
        changed[name] = value;
        server.put(&changed).await;
        let answer = asked(&server, "").await;
        assert_eq!(criterion(&answer, "record-in-use").0, "not-met", "{name}");
        assert_eq!(overall(&answer), "not-a-candidate-now", "{name}");
    }
}
