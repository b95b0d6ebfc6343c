//! A1 of issue 12: the window of readiness ends now, or at the first dose, never at the
//! scheduled start; any later value that is worse holds; the blood pressure that decides
//! is at most 60 minutes old. And B7: in every shape in which one is sent.

use serde_json::{Value, json};

use crate::appointments::concept;
use crate::monitor::dose;
use crate::readiness::{ask_at, everything, pressure, reason, state_of, vital};
use crate::support::Server;

crate::on_both_stores!(
    a_session_that_starts_late_is_judged_by_what_was_measured_since,
    the_deciding_blood_pressure_is_of_the_last_hour,
    the_last_reading_decides_and_one_that_may_be_later_and_worse_holds,
    the_window_ends_at_the_first_dose,
    a_time_in_the_future_is_refused,
    every_shape_of_a_blood_pressure_counts,
    a_reading_of_the_future_or_without_a_time_is_told,
    heart_rate_and_saturation_count_also_at_home,
);

async fn at(server: &Server, time: &str, id: &str) -> String {
    let reply = ask_at(server, &format!("2020-03-01T{time}:00Z")).await;
    state_of(&reply, id)
}

/// 15 minutes late: what was measured five minutes ago counts, a fresh screen likewise.
async fn a_session_that_starts_late_is_judged_by_what_was_measured_since(server: Server) {
    everything(&server, "home").await;
    assert_eq!(at(&server, "09:15", "blood-pressure").await, "go");
    server
        .put(&pressure("high", "2020-03-01T09:10:00Z", 200, 115))
        .await;
    let reply = ask_at(&server, "2020-03-01T09:15:00Z").await;
    assert_eq!(state_of(&reply, "blood-pressure"), "hold");
    assert!(reason(&reply, "blood-pressure").contains("200"));
    // A newer measurement settles it.
    server
        .put(&pressure("again", "2020-03-01T09:14:00Z", 128, 80))
        .await;
    assert_eq!(at(&server, "09:15", "blood-pressure").await, "go");
    let risk = crate::readiness::screen("risk2", "2020-03-01T09:12:00Z", "risk-high");
    server.put(&risk).await;
    assert_eq!(at(&server, "09:15", "suicidality").await, "hold");
}

async fn the_deciding_blood_pressure_is_of_the_last_hour(server: Server) {
    everything(&server, "home").await;
    for (time, expected) in [
        ("2020-02-29T23:00:00Z", "unknown"),
        ("2020-03-01T07:59:59Z", "unknown"),
        ("2020-03-01T08:00:00Z", "go"),
        ("2020-03-01T08:55:00Z", "go"),
        // A day is no time: it may be of any hour.
        ("2020-03-01", "unknown"),
        // 08:30 in UTC.
        ("2020-03-01T10:30:00+02:00", "go"),
    ] {
        server.put(&pressure("bp", time, 120, 78)).await;
        assert_eq!(
            at(&server, "08:58", "blood-pressure").await,
            expected,
            "{time}"
        );
    }
    // What is old at the start is old, also while it is young when asked.
    server
        .put(&pressure("bp", "2020-03-01T07:40:00Z", 120, 78))
        .await;
    assert_eq!(at(&server, "07:45", "blood-pressure").await, "unknown");
    // And while the session waits it grows old.
    server
        .put(&pressure("bp", "2020-03-01T08:40:00Z", 120, 78))
        .await;
    assert_eq!(at(&server, "09:39", "blood-pressure").await, "go");
    assert_eq!(at(&server, "09:41", "blood-pressure").await, "unknown");
}

async fn the_last_reading_decides_and_one_that_may_be_later_and_worse_holds(server: Server) {
    everything(&server, "home").await;
    // Of the same minute, of the day, and one that is not final.
    server
        .put(&pressure("same", "2020-03-01T08:30:00Z", 170, 78))
        .await;
    assert_eq!(at(&server, "08:55", "blood-pressure").await, "hold");
    server.put(&pressure("same", "2020-03-01", 170, 78)).await;
    assert_eq!(at(&server, "08:55", "blood-pressure").await, "hold");
    let mut open = pressure("same", "2020-03-01T08:40:00Z", 120, 78);
    open["status"] = "preliminary".into();
    server.put(&open).await;
    assert_eq!(at(&server, "08:55", "blood-pressure").await, "unknown");
    let mut mistake = pressure("same", "2020-03-01T08:40:00Z", 220, 78);
    mistake["status"] = "entered-in-error".into();
    server.put(&mistake).await;
    assert_eq!(at(&server, "08:55", "blood-pressure").await, "go");
    // One that is a mistake of entry, most likely.
    server
        .put(&pressure("same", "2020-03-01T08:40:00Z", 310, 78))
        .await;
    assert_eq!(at(&server, "08:55", "blood-pressure").await, "unknown");
}

/// After the dose a rise is expected; what is more than that holds.
async fn the_window_ends_at_the_first_dose(server: Server) {
    everything(&server, "home").await;
    server.put(&dose("2020-03-01T09:10:00Z")).await;
    server
        .put(&pressure("after", "2020-03-01T09:40:00Z", 155, 95))
        .await;
    assert_eq!(at(&server, "09:45", "blood-pressure").await, "go");
    server
        .put(&pressure("after", "2020-03-01T09:40:00Z", 190, 95))
        .await;
    assert_eq!(at(&server, "09:45", "blood-pressure").await, "hold");
}

async fn a_time_in_the_future_is_refused(server: Server) {
    everything(&server, "home").await;
    for name in ["session-readiness", "session-monitor"] {
        let path = format!("/Appointment/session/${name}?at=2099-01-01T00:00:00Z");
        let reply = server.get(&path).send().await;
        assert!(matches!(reply.status, 400 | 422), "{}", reply.text);
        assert!(reply.diagnostics().contains("future"), "{}", reply.text);
    }
}

fn single(id: &str, time: &str, code: &str, value: i64) -> Value {
    vital(id, time, code, value, "mm[Hg]")
}

async fn every_shape_of_a_blood_pressure_counts(server: Server) {
    everything(&server, "home").await;
    let time = "2020-03-01T08:45:00Z";
    let mut other = pressure("other", time, 150, 80);
    other["code"] = concept("http://loinc.org", "55284-4")[0].clone();
    other["component"].as_array_mut().unwrap().reverse();
    server.put(&other).await;
    assert_eq!(at(&server, "08:55", "blood-pressure").await, "hold");
    other["component"][1]["valueQuantity"]["value"] = 120.into();
    server.put(&other).await;
    let reply = ask_at(&server, "2020-03-01T08:55:00Z").await;
    assert_eq!(state_of(&reply, "blood-pressure"), "go");
    assert!(
        reason(&reply, "blood-pressure").starts_with("120 mm[Hg] over 80"),
        "{}",
        reason(&reply, "blood-pressure")
    );
    // Two Observations of one time are one blood pressure, whichever way it was sent.
    server
        .put(&single("s", "2020-03-01T08:50:00Z", "8480-6", 144))
        .await;
    server
        .put(&single("d", "2020-03-01T08:51:00Z", "8462-4", 70))
        .await;
    assert_eq!(at(&server, "08:55", "blood-pressure").await, "hold");
    server
        .put(&single("s", "2020-03-01T08:50:00Z", "8459-0", 118))
        .await;
    assert_eq!(at(&server, "08:55", "blood-pressure").await, "go");
    // One half alone is never enough, and enough to hold.
    server
        .put(&single("d", "2020-03-01T08:54:00Z", "8462-4", 70))
        .await;
    assert_eq!(at(&server, "08:55", "blood-pressure").await, "unknown");
    server
        .put(&single("d", "2020-03-01T08:54:00Z", "8462-4", 99))
        .await;
    assert_eq!(at(&server, "08:55", "blood-pressure").await, "hold");
    // A component that says why it has no value is unknown, not normal.
    let mut absent = pressure("d", "2020-03-01T08:54:00Z", 120, 80);
    let half = absent["component"][0].as_object_mut().unwrap();
    half.remove("valueQuantity");
    half.insert("dataAbsentReason".to_owned(), json!({"text": "error"}));
    server.put(&absent).await;
    assert_eq!(at(&server, "08:55", "blood-pressure").await, "unknown");
}

async fn a_reading_of_the_future_or_without_a_time_is_told(server: Server) {
    everything(&server, "home").await;
    server
        .put(&pressure("later", "2099-01-01T00:00:00Z", 120, 80))
        .await;
    let reply = ask_at(&server, "2020-03-01T08:55:00Z").await;
    assert_eq!(state_of(&reply, "blood-pressure"), "unknown");
    assert!(reason(&reply, "blood-pressure").contains("future"));
    let mut undated = pressure("later", "2099-01-01T00:00:00Z", 200, 115);
    undated.as_object_mut().unwrap().remove("effectiveDateTime");
    server.put(&undated).await;
    assert_eq!(at(&server, "08:55", "blood-pressure").await, "unknown");
}

async fn heart_rate_and_saturation_count_also_at_home(server: Server) {
    everything(&server, "home").await;
    for (code, unit, id, cases) in [
        (
            "8867-4",
            "/min",
            "heart-rate",
            [(195, "hold"), (45, "hold"), (110, "go")],
        ),
        (
            "2708-6",
            "%",
            "oxygen-saturation",
            [(93, "hold"), (85, "hold"), (94, "go")],
        ),
    ] {
        for (value, expected) in cases {
            let reading = vital("x", "2020-03-01T08:50:00Z", code, value, unit);
            server.put(&reading).await;
            assert_eq!(at(&server, "08:55", id).await, expected, "{id} {value}");
        }
    }
}
