//! `Appointment/$find`, `$hold`, `$book` and `$cancel` over Schedule and Slot.
//! <https://profiles.ihe.net/ITI/Scheduling/>

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::appointments::{appointment, concept, with_people};
use crate::course::parameters;
use crate::support::{Reply, Server};

crate::on_both_stores!(
    a_slot_is_found_held_booked_and_given_back,
    of_many_holds_at_once_one_succeeds,
    what_is_taken_is_not_found,
    what_is_hidden_is_not_told_by_what_is_missing,
    a_session_is_booked_with_its_companion,
);

pub async fn with_slots(server: &Server, kind: &str) {
    with_people(server).await;
    let system = "https://unloop.dev/fhir/CodeSystem/appointment-kind";
    server
        .put(
            &json!({"resourceType": "Schedule", "id": "week", "serviceType": concept(system, kind),
        "actor": [{"reference": "Practitioner/d"}, {"reference": "Location/room"}]}),
        )
        .await;
    for hour in [9, 10, 11] {
        server
            .put(
                &json!({"resourceType": "Slot", "id": format!("s{hour}"), "status": "free",
            "schedule": {"reference": "Schedule/week"},
            "start": format!("2027-03-01T{hour:02}:00:00Z"),
            "end": format!("2027-03-01T{:02}:00:00Z", hour + 1)}),
            )
            .await;
    }
}

/// The slots of the appointments in a bundle.
fn slots(reply: &Reply) -> Vec<String> {
    let json = reply.json();
    let entries = json["entry"].as_array().cloned().unwrap_or_default();
    let slot = |entry: &Value| {
        entry["resource"]["slot"][0]["reference"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    entries.iter().map(slot).collect()
}

async fn find(server: &Server) -> Vec<String> {
    let path = "/Appointment/$find?start=2027-03-01T00:00:00Z&end=2027-03-02T00:00:00Z&actor=Practitioner/d&patient=Patient/p";
    slots(&server.get(path).expect(200).await)
}

pub async fn hold(server: &Server, slot: &str) -> Reply {
    let arguments = [("slot", slot), ("patient", "Patient/p")];
    server
        .call("POST", "/Appointment/$hold")
        .resource(&parameters(&arguments))
        .send()
        .await
}

async fn status(server: &Server, path: &str) -> String {
    server.get(path).expect(200).await.json()["status"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn a_slot_is_found_held_booked_and_given_back(server: Server) {
    with_slots(&server, "follow-up").await;
    assert_eq!(find(&server).await, ["Slot/s9", "Slot/s10", "Slot/s11"]);
    let held = hold(&server, "Slot/s10").await;
    assert_eq!(held.status, 200, "{}", held.text);
    let id = held.json()["entry"][0]["resource"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/Appointment/{id}");
    assert_eq!(status(&server, &path).await, "pending");
    assert_eq!(status(&server, "/Slot/s10").await, "busy-tentative");
    assert_eq!(find(&server).await, ["Slot/s9", "Slot/s11"]);
    assert_eq!(hold(&server, "Slot/s10").await.status, 409);

    let booked = server
        .call("POST", &format!("{path}/$book"))
        .expect(200)
        .await
        .json();
    let booked = &booked["entry"][0]["resource"];
    assert_eq!(booked["status"], "booked");
    assert_eq!(booked["participant"][0]["status"], "accepted");
    // B9: with the version and the time that it has now.
    let read = server.get(&path).expect(200).await.json();
    assert_eq!((booked, &booked["meta"]["versionId"]), (&read, &json!("2")));
    assert_eq!(status(&server, "/Slot/s10").await, "busy");

    server
        .call("POST", &format!("{path}/$cancel"))
        .expect(400)
        .await;
    let reason = parameters(&[("reason", "Patient is ill")]);
    let answered = server
        .call("POST", &format!("{path}/$cancel"))
        .resource(&reason)
        .expect(200)
        .await
        .json();
    let cancelled = server.get(&path).expect(200).await.json();
    assert_eq!(answered["entry"][0]["resource"], cancelled);
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(cancelled["cancelationReason"]["text"], "Patient is ill");
    assert_eq!(status(&server, "/Slot/s10").await, "free");
    assert_eq!(find(&server).await.len(), 3);
    // What is cancelled is not revived.
    server
        .call("POST", &format!("{path}/$book"))
        .expect(422)
        .await;
}

async fn of_many_holds_at_once_one_succeeds(server: Server) {
    with_slots(&server, "follow-up").await;
    let replies = join_all((0..16).map(|_| hold(&server, "Slot/s9"))).await;
    let won = replies.iter().filter(|reply| reply.status == 200).count();
    let lost = replies.iter().filter(|reply| reply.status == 409).count();
    assert_eq!((won, lost), (1, 15));
    assert_eq!(server.count("/Appointment").await, 1);
}

async fn what_is_taken_is_not_found(server: Server) {
    with_slots(&server, "follow-up").await;
    let of_practitioner = ["Patient/q", "Practitioner/d"];
    server
        .create(&appointment(
            "integration",
            "booked",
            ("09:30", "10:00"),
            &of_practitioner,
        ))
        .await;
    let of_patient = ["Patient/p", "Practitioner/e"];
    server
        .create(&appointment(
            "integration",
            "booked",
            ("10:30", "10:45"),
            &of_patient,
        ))
        .await;
    assert_eq!(find(&server).await, ["Slot/s11"]);
    // A free slot does not make the practitioner free.
    assert_eq!(hold(&server, "Slot/s9").await.status, 409);
    assert_eq!(status(&server, "/Slot/s9").await, "free");
}

/// Slots are meant to be seen, other people's appointments are not: what somebody
/// else has booked is not told by the slots that are missing.
async fn what_is_hidden_is_not_told_by_what_is_missing(server: Server) {
    with_slots(&server, "follow-up").await;
    let others = ["Patient/q", "Practitioner/d"];
    let booked = appointment("integration", "booked", ("09:30", "10:00"), &others);
    server.create(&booked).await;
    let own = ["Patient/p", "Practitioner/e"];
    let booked = appointment("integration", "booked", ("10:30", "10:45"), &own);
    server.create(&booked).await;
    let path = "/Appointment/$find?start=2027-03-01T00:00:00Z&end=2027-03-02T00:00:00Z&actor=Practitioner/d&patient=Patient/p";
    // With the right to all of them the time is known to be taken.
    assert_eq!(find(&server).await, ["Slot/s11"]);
    let token = server
        .issue("system/Appointment.rs?status=proposed system/Slot.rs system/Schedule.rs system/Patient.rs")
        .await;
    let call = server.get(path);
    let reply = call
        .header("Authorization", &format!("Bearer {token}"))
        .expect(200)
        .await;
    assert_eq!(slots(&reply), ["Slot/s9", "Slot/s10", "Slot/s11"]);
}

async fn a_session_is_booked_with_its_companion(server: Server) {
    with_slots(&server, "ketamine-session").await;
    let mut schedule = server.get("/Schedule/week").expect(200).await.json();
    schedule["serviceCategory"] = concept(
        "https://unloop.dev/fhir/CodeSystem/session-setting",
        "clinic",
    );
    server.put(&schedule).await;
    let held = hold(&server, "Slot/s9").await;
    let id = held.json()["entry"][0]["resource"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/Appointment/{id}/$book");
    server.call("POST", &path).expect(422).await;
    assert_eq!(status(&server, "/Slot/s9").await, "busy-tentative");
    let companion = parameters(&[("companion", "RelatedPerson/c")]);
    let booked = server
        .call("POST", &path)
        .resource(&companion)
        .expect(200)
        .await
        .json();
    let participants = &booked["entry"][0]["resource"]["participant"];
    assert_eq!(participants.as_array().unwrap().len(), 4, "{participants}");
    let all = participants.as_array().unwrap().iter();
    let types: Vec<&Value> = all
        .map(|one| &one["type"][0]["coding"][0]["code"])
        .filter(|code| !code.is_null())
        .collect();
    assert_eq!(types, ["ESC"], "{participants}");
}
