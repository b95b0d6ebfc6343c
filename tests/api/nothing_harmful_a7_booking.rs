//! A7 of issue 12: nothing is planned, held, booked or written for a patient who has died,
//! is under age, or whose record is not active or was replaced; and a session that stands
//! is held.

use serde_json::{Value, json};

use crate::appointments::appointment;
use crate::course::{home, parameters};
use crate::readiness::{everything, session, state};
use crate::scheduling::{hold, with_slots};
use crate::support::{Server, example};

crate::on_both_stores!(
    nothing_is_planned_held_or_booked_for_them,
    appointments_of_the_programme_are_refused_and_can_be_cancelled,
    a_session_that_stands_is_held,
);

/// What each record says, and words of the reason.
fn patients() -> Vec<(Value, &'static str)> {
    let with = |member: &str, value: Value| {
        let mut patient = json!({"resourceType": "Patient", "id": "p"});
        patient[member] = value;
        patient
    };
    vec![
        (with("deceasedBoolean", json!(true)), "died"),
        (with("deceasedDateTime", json!("2020-01-01")), "died"),
        (with("active", json!(false)), "not active"),
        (
            with(
                "link",
                json!([{"type": "replaced-by", "other": {"reference": "Patient/q"}}]),
            ),
            "replaced",
        ),
        (with("birthDate", json!("2090-01-01")), "younger"),
    ]
}

async fn nothing_is_planned_held_or_booked_for_them(server: Server) {
    with_slots(&server, "integration").await;
    let held = hold(&server, "Slot/s9").await;
    assert_eq!(held.status, 200, "{}", held.text);
    let id = held.json()["entry"][0]["resource"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for (patient, words) in patients() {
        server.put(&patient).await;
        let planned = server
            .call("POST", "/Patient/p/$plan-course")
            .resource(&parameters(&home()))
            .expect(422)
            .await;
        assert!(planned.diagnostics().contains(words), "{}", planned.text);
        let reply = hold(&server, "Slot/s10").await;
        assert_eq!(reply.status, 422, "{}", reply.text);
        assert!(reply.diagnostics().contains(words), "{}", reply.text);
        let booked = server
            .call("POST", &format!("/Appointment/{id}/$book"))
            .expect(422)
            .await;
        assert!(booked.diagnostics().contains(words), "{}", booked.text);
    }
    // Nothing was written for them.
    assert_eq!(server.count("/EpisodeOfCare").await, 0);
    assert_eq!(server.count("/Appointment").await, 1);
    server
        .put(&json!({"resourceType": "Patient", "id": "p", "active": true, "birthDate": "1990-01-01"}))
        .await;
    server
        .call("POST", &format!("/Appointment/{id}/$book"))
        .expect(200)
        .await;
}

async fn appointments_of_the_programme_are_refused_and_can_be_cancelled(server: Server) {
    everything(&server, "home").await;
    let mut other = appointment("integration", "booked", ("12:00", "13:00"), &["Patient/p"]);
    other["id"] = "other".into();
    server.put(&other).await;
    for (number, (patient, words)) in patients().into_iter().enumerate() {
        server.put(&patient).await;
        let times = [0, 30].map(|minute| format!("{}:{minute:02}", 15 + number));
        let times = (times[0].as_str(), times[1].as_str());
        let mut fresh = appointment("follow-up", "proposed", times, &["Patient/p"]);
        let refused = server
            .call("POST", "/Appointment")
            .resource(&fresh)
            .expect(422)
            .await;
        assert!(refused.diagnostics().contains(words), "{}", refused.text);
        // What has taken place is history.
        fresh["status"] = "fulfilled".into();
        let call = server.call("POST", "/Appointment").resource(&fresh);
        let reply = call.send().await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        server
            .call("PUT", "/Appointment/other")
            .resource(&other)
            .expect(422)
            .await;
    }
    // In one commit with the patient.
    let entries = [
        example::entry(
            "PUT",
            "Patient/p",
            Some(json!({"resourceType": "Patient", "id": "p", "deceasedBoolean": true})),
        ),
        example::entry("PUT", "Appointment/other", Some(other.clone())),
    ];
    let bundle = example::bundle("transaction", &entries);
    server.call("POST", "").resource(&bundle).expect(422).await;
    other["status"] = "cancelled".into();
    server.put(&other).await;
}

async fn a_session_that_stands_is_held(server: Server) {
    everything(&server, "home").await;
    assert_eq!(state(&server, "patient").await, "go");
    for (patient, words) in patients() {
        server.put(&patient).await;
        let reply = crate::readiness::ask(&server).await;
        assert_eq!(crate::readiness::state_of(&reply, "patient"), "hold");
        assert!(crate::readiness::reason(&reply, "patient").contains(words));
    }
    let mut session = session("home");
    session["comment"] = "changed".into();
    server
        .call("PUT", "/Appointment/session")
        .resource(&session)
        .expect(422)
        .await;
}
