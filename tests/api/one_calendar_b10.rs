//! B10: every way to take somebody's time asks one calendar. A practitioner is one person
//! in all Schedules and PractitionerRoles, and a Slot without a kind of the programme takes
//! time like any other.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::appointments::{appointment, concept, participant, with_people};
use crate::course::parameters;
use crate::support::{Reply, Server};

crate::on_both_stores!(
    two_schedules_of_one_practitioner_are_one_calendar,
    every_way_to_take_a_slot_is_refused_where_the_time_is_taken,
    a_slot_takes_the_time_of_its_practitioner_though_nobody_is_named,
    one_slot_has_one_appointment,
    of_holds_in_many_schedules_of_one_person_one_succeeds,
    of_a_hold_and_a_booking_at_once_one_succeeds,
    a_participant_who_declines_keeps_the_time,
    two_practitioners_of_one_clinic_are_held_at_once,
    the_kind_of_a_hold_stands_beside_that_of_the_slot,
);

/// Slots from ten to eleven and from half past ten on, each in a Schedule of its own: that of
/// the practitioner and that of a role of the same person.
async fn with_two_schedules(server: &Server) {
    with_people(server).await;
    server
        .put(&json!({"resourceType": "PractitionerRole", "id": "r",
            "practitioner": {"reference": "Practitioner/d"}}))
        .await;
    with_slot(server, "a", "Practitioner/d", ("10:00", "11:00")).await;
    with_slot(server, "b", "PractitionerRole/r", ("10:30", "11:30")).await;
}

async fn with_slot(server: &Server, id: &str, actor: &str, times: (&str, &str)) {
    server
        .put(&json!({"resourceType": "Schedule", "id": id, "actor": [{"reference": actor}]}))
        .await;
    server
        .put(&json!({"resourceType": "Slot", "id": id, "status": "free",
            "schedule": {"reference": format!("Schedule/{id}")},
            "start": format!("2027-03-01T{}:00Z", times.0),
            "end": format!("2027-03-01T{}:00Z", times.1)}))
        .await;
}

async fn hold(server: &Server, slot: &str, patient: &str) -> Reply {
    let arguments = [("slot", slot), ("patient", patient)];
    server
        .call("POST", "/Appointment/$hold")
        .resource(&parameters(&arguments))
        .send()
        .await
}

/// An appointment of no kind in this Slot.
fn in_slot(slot: &str, times: (&str, &str), actors: &[&str]) -> Value {
    let mut content = appointment("integration", "booked", times, actors);
    content.as_object_mut().unwrap().remove("serviceType");
    content["slot"] = json!([{"reference": slot}]);
    content
}

async fn two_schedules_of_one_practitioner_are_one_calendar(server: Server) {
    with_two_schedules(&server).await;
    let first = hold(&server, "Slot/a", "Patient/p").await;
    assert_eq!(first.status, 200, "{}", first.text);
    let second = hold(&server, "Slot/b", "Patient/q").await;
    assert_eq!(second.status, 409, "{}", second.text);
    // What was given back can be held again.
    let id = first.json()["entry"][0]["resource"]["id"].clone();
    let path = format!("/Appointment/{}/$cancel?reason=ill", id.as_str().unwrap());
    server.call("POST", &path).expect(200).await;
    assert_eq!(hold(&server, "Slot/b", "Patient/q").await.status, 200);
}

async fn every_way_to_take_a_slot_is_refused_where_the_time_is_taken(server: Server) {
    with_two_schedules(&server).await;
    with_slot(&server, "late", "PractitionerRole/r", ("14:00", "15:00")).await;
    let held = hold(&server, "Slot/a", "Patient/p").await;
    assert_eq!(held.status, 200, "{}", held.text);
    let mut wanted = in_slot(
        "Slot/b",
        ("10:30", "11:30"),
        &["Patient/q", "PractitionerRole/r"],
    );
    let create = server.call("POST", "/Appointment").resource(&wanted);
    create.expect(409).await;
    let entry = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": wanted, "request": {"method": "POST", "url": "Appointment"}}]});
    server.call("POST", "").resource(&entry).expect(409).await;
    wanted["id"] = "mine".into();
    let update = server.call("PUT", "/Appointment/mine").resource(&wanted);
    update.expect(409).await;
    // A later one is fine until it is moved into the way.
    let mut later = in_slot(
        "Slot/late",
        ("14:00", "15:00"),
        &["Patient/q", "PractitionerRole/r"],
    );
    later["id"] = "later".into();
    server.put(&later).await;
    let patch = json!([{"op": "replace", "path": "/start", "value": "2027-03-01T10:30:00Z"},
        {"op": "replace", "path": "/end", "value": "2027-03-01T11:00:00Z"}]);
    let call = server.call("PATCH", "/Appointment/later");
    let call = call.header("Content-Type", "application/json-patch+json");
    call.patch(&patch).expect(409).await;
    // And an appointment of the programme without any Slot.
    let ours = appointment(
        "integration",
        "booked",
        ("10:00", "10:15"),
        &["Patient/q", "Practitioner/d"],
    );
    server
        .call("POST", "/Appointment")
        .resource(&ours)
        .expect(409)
        .await;
    assert_eq!(server.count("/Appointment").await, 2);
}

async fn a_slot_takes_the_time_of_its_practitioner_though_nobody_is_named(server: Server) {
    with_two_schedules(&server).await;
    let silent = in_slot("Slot/b", ("10:30", "11:30"), &["Patient/q"]);
    server
        .call("POST", "/Appointment")
        .resource(&silent)
        .expect(201)
        .await;
    assert_eq!(hold(&server, "Slot/a", "Patient/p").await.status, 409);
    let ours = appointment(
        "integration",
        "booked",
        ("11:00", "12:00"),
        &["Patient/p", "Practitioner/d"],
    );
    server
        .call("POST", "/Appointment")
        .resource(&ours)
        .expect(409)
        .await;
}

async fn one_slot_has_one_appointment(server: Server) {
    with_people(&server).await;
    // Of nobody whose time is claimed.
    with_slot(&server, "s", "HealthcareService/h", ("10:00", "11:00")).await;
    let one = in_slot("Slot/s", ("10:00", "11:00"), &["Patient/p"]);
    let other = in_slot("Slot/s", ("10:00", "11:00"), &["Patient/q"]);
    let post = |content: &Value| server.call("POST", "/Appointment").resource(content).send();
    let replies = join_all([&one, &other, &one, &other].map(post)).await;
    let won = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(
        won,
        1,
        "{:?}",
        replies.iter().map(|one| &one.text).collect::<Vec<_>>()
    );
}

async fn of_holds_in_many_schedules_of_one_person_one_succeeds(server: Server) {
    with_two_schedules(&server).await;
    for number in 0..12 {
        let actor = if number % 2 == 0 {
            "Practitioner/d"
        } else {
            "PractitionerRole/r"
        };
        with_slot(&server, &format!("s{number}"), actor, ("10:00", "11:00")).await;
    }
    for number in 0..12 {
        let patient = json!({"resourceType": "Patient", "id": format!("x{number}")});
        server.put(&patient).await;
    }
    let server = &server;
    let holds = (0..12).map(|number| async move {
        hold(
            server,
            &format!("Slot/s{number}"),
            &format!("Patient/x{number}"),
        )
        .await
    });
    let replies = join_all(holds).await;
    let won = replies.iter().filter(|reply| reply.status == 200).count();
    let lost = replies.iter().filter(|reply| reply.status == 409).count();
    assert_eq!(
        (won, lost),
        (1, 11),
        "{:?}",
        replies.iter().map(|one| &one.text).collect::<Vec<_>>()
    );
}

async fn of_a_hold_and_a_booking_at_once_one_succeeds(server: Server) {
    with_two_schedules(&server).await;
    for round in 0..6 {
        let (slot, role) = (format!("h{round}"), "PractitionerRole/r");
        let times = (
            format!("{:02}:00", round + 12),
            format!("{:02}:30", round + 12),
        );
        with_slot(&server, &slot, role, (&times.0, &times.1)).await;
        let ours = appointment(
            "integration",
            "booked",
            (&times.0, &times.1),
            &["Patient/q", "Practitioner/d"],
        );
        let name = format!("Slot/{slot}");
        let silent = in_slot(&name, (&times.0, &times.1), &["Patient/p"]);
        let post = |content: &Value| server.call("POST", "/Appointment").resource(content).send();
        let (held, ours, silent) = tokio::join!(
            hold(&server, &name, "Patient/p"),
            post(&ours),
            post(&silent)
        );
        let won = [held.status == 200, ours.status == 201, silent.status == 201];
        let won = won.into_iter().filter(|won| *won).count();
        assert_eq!(won, 1, "{} {} {}", held.text, ours.text, silent.text);
    }
}

async fn a_participant_who_declines_keeps_the_time(server: Server) {
    with_two_schedules(&server).await;
    let mut given_back = in_slot("Slot/b", ("10:30", "11:30"), &["Patient/q"]);
    let mut declined = participant("PractitionerRole/r");
    declined["status"] = "declined".into();
    given_back["participant"]
        .as_array_mut()
        .unwrap()
        .push(declined);
    server
        .call("POST", "/Appointment")
        .resource(&given_back)
        .expect(201)
        .await;
    assert_eq!(hold(&server, "Slot/a", "Patient/p").await.status, 200);
}

async fn two_practitioners_of_one_clinic_are_held_at_once(server: Server) {
    with_people(&server).await;
    for (id, practitioner) in [("one", "Practitioner/d"), ("two", "Practitioner/e")] {
        with_slot(&server, id, practitioner, ("10:00", "11:00")).await;
        server
            .put(&json!({"resourceType": "Schedule", "id": id,
                "actor": [{"reference": practitioner}, {"reference": "Location/room"}]}))
            .await;
    }
    assert_eq!(hold(&server, "Slot/one", "Patient/p").await.status, 200);
    let second = hold(&server, "Slot/two", "Patient/q").await;
    assert_eq!(second.status, 200, "{}", second.text);
}

async fn the_kind_of_a_hold_stands_beside_that_of_the_slot(server: Server) {
    with_two_schedules(&server).await;
    let mut slot = server.get("/Slot/a").expect(200).await.json();
    slot["serviceType"] = concept("http://terminology.hl7.org/CodeSystem/service-type", "57");
    server.put(&slot).await;
    let arguments = [
        ("slot", "Slot/a"),
        ("patient", "Patient/p"),
        ("kind", "integration"),
    ];
    let call = server
        .call("POST", "/Appointment/$hold")
        .resource(&parameters(&arguments));
    let held = call.expect(200).await.json();
    let types = &held["entry"][0]["resource"]["serviceType"];
    assert_eq!(types[0]["coding"][0]["code"], "integration", "{types}");
    assert_eq!(types[1]["coding"][0]["code"], "57", "{types}");
}
