//! Appointments of the programme: which status follows which, who has to be
//! there, and that nobody is booked twice.
//! <https://hl7.org/fhir/R4/appointment.html>

use serde_json::{Value, json};

use crate::support::Server;

crate::on_both_stores!(
    statuses_follow_each_other,
    a_session_needs_its_companion,
    a_missed_appointment_says_why,
    nobody_is_booked_twice,
    a_practitioner_has_one_calendar_under_all_names,
    what_takes_no_time_is_not_in_the_way,
    another_appointment_is_named_to_its_readers_only,
    appointments_of_other_systems_get_a_warning,
);

const KIND: &str = "https://unloop.dev/fhir/CodeSystem/appointment-kind";
const SETTING: &str = "https://unloop.dev/fhir/CodeSystem/session-setting";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";

pub fn concept(system: &str, code: &str) -> Value {
    json!([{"coding": [{"system": system, "code": code}]}])
}

pub fn participant(actor: &str) -> Value {
    json!({"actor": {"reference": actor}, "status": "accepted"})
}

/// An appointment of the programme on a day of 2027, from `start` to `end`.
pub fn appointment(kind: &str, status: &str, times: (&str, &str), actors: &[&str]) -> Value {
    let actors: Vec<Value> = actors.iter().map(|actor| participant(actor)).collect();
    json!({"resourceType": "Appointment", "status": status,
        "serviceType": concept(KIND, kind),
        "start": format!("2027-03-01T{}:00Z", times.0),
        "end": format!("2027-03-01T{}:00Z", times.1),
        "participant": actors})
}

pub async fn with_people(server: &Server) {
    for id in ["p", "q"] {
        server
            .put(&json!({"resourceType": "Patient", "id": id}))
            .await;
    }
    for id in ["d", "e"] {
        server
            .put(&json!({"resourceType": "Practitioner", "id": id}))
            .await;
    }
    for id in ["room", "other"] {
        server
            .put(&json!({"resourceType": "Location", "id": id}))
            .await;
    }
    let companion =
        json!({"resourceType": "RelatedPerson", "id": "c", "patient": {"reference": "Patient/p"}});
    server.put(&companion).await;
}

async fn status_of(server: &Server, content: &Value) -> (u16, String) {
    let call = server.call("POST", "/Appointment").resource(content);
    let reply = call
        .header("Prefer", "return=OperationOutcome")
        .send()
        .await;
    let text = match reply.status {
        201 | 409 | 422 | 400 => reply.diagnostics(),
        _ => reply.text.clone(),
    };
    (reply.status, text)
}

async fn statuses_follow_each_other(server: Server) {
    with_people(&server).await;
    let legal = [
        "proposed",
        "pending",
        "booked",
        "arrived",
        "checked-in",
        "fulfilled",
        "entered-in-error",
    ];
    let mut content = appointment(
        "integration",
        "proposed",
        ("09:00", "10:00"),
        &["Patient/p"],
    );
    content["id"] = "a".into();
    for status in legal {
        content["status"] = status.into();
        server.put(&content).await;
    }
    let refused = [
        ("cancelled", "booked"),
        ("fulfilled", "booked"),
        ("noshow", "arrived"),
        ("proposed", "fulfilled"),
        ("proposed", "noshow"),
        ("entered-in-error", "proposed"),
    ];
    for (number, (from, to)) in refused.into_iter().enumerate() {
        content["id"] = format!("r{number}").into();
        content["start"] = format!("2027-04-{:02}T09:00:00Z", number + 1).into();
        content["end"] = format!("2027-04-{:02}T10:00:00Z", number + 1).into();
        content["status"] = from.into();
        server.put(&content).await;
        content["status"] = to.into();
        let path = format!("/Appointment/r{number}");
        let reply = server
            .call("PUT", &path)
            .resource(&content)
            .expect(422)
            .await;
        assert!(reply.diagnostics().contains(to), "{}", reply.text);
        // Nor does it help to take the kind away.
        let mut bare = content.clone();
        bare.as_object_mut().unwrap().remove("serviceType");
        server.call("PUT", &path).resource(&bare).expect(422).await;
        let patch = json!([{"op": "replace", "path": "/status", "value": to}]);
        server.call("PATCH", &path).patch(&patch).expect(422).await;
    }
}

fn session(setting: &str, status: &str, kind: &str, required: &str) -> Value {
    let mut content = appointment(
        "ketamine-session",
        status,
        ("09:00", "11:30"),
        &["Patient/p"],
    );
    content["serviceCategory"] = concept(SETTING, setting);
    let companion = json!({"actor": {"reference": "RelatedPerson/c"}, "status": "accepted",
        "required": required, "type": concept(PARTICIPATION, kind)});
    content["participant"]
        .as_array_mut()
        .unwrap()
        .push(companion);
    content
}

async fn a_session_needs_its_companion(server: Server) {
    with_people(&server).await;
    let refused = [
        session("home", "booked", "ESC", "required"),
        session("home", "booked", "PART", "optional"),
        session("clinic", "booked", "PART", "required"),
        session("clinic", "fulfilled", "PART", "required"),
        session("elsewhere", "booked", "PART", "required"),
    ];
    for content in &refused {
        let (status, text) = status_of(&server, content).await;
        assert_eq!(status, 422, "{content}: {text}");
    }
    let mut declined = session("home", "booked", "PART", "required");
    declined["participant"][1]["status"] = "declined".into();
    assert_eq!(status_of(&server, &declined).await.0, 422);
    let mut nowhere = session("home", "booked", "PART", "required");
    nowhere.as_object_mut().unwrap().remove("serviceCategory");
    assert_eq!(status_of(&server, &nowhere).await.0, 422);
    let mut alone = session("home", "proposed", "PART", "required");
    alone["participant"].as_array_mut().unwrap().pop();
    alone["id"] = "alone".into();
    server.put(&alone).await;
    alone["status"] = "booked".into();
    let reply = server.call("PUT", "/Appointment/alone").resource(&alone);
    assert!(reply.expect(422).await.diagnostics().contains("companion"));
    alone["status"] = "cancelled".into();
    server.put(&alone).await;
    server
        .create(&session("home", "booked", "PART", "required"))
        .await;
    let mut clinic = session("clinic", "booked", "ESC", "required");
    clinic["start"] = "2027-03-02T09:00:00Z".into();
    clinic["end"] = "2027-03-02T11:30:00Z".into();
    server.create(&clinic).await;
}

/// R4's app-4 asks for the status `no-show`; the code is `noshow`.
async fn a_missed_appointment_says_why(server: Server) {
    with_people(&server).await;
    let mut missed = appointment("integration", "noshow", ("09:00", "10:00"), &["Patient/p"]);
    missed["cancelationReason"] = json!({"text": "Was ill"});
    server.create(&missed).await;
    missed["status"] = "booked".into();
    assert_eq!(status_of(&server, &missed).await.0, 400);
}

async fn nobody_is_booked_twice(server: Server) {
    with_people(&server).await;
    let first = ["Patient/p", "Practitioner/d", "Location/room"];
    let made = appointment("integration", "booked", ("09:00", "10:00"), &first);
    let made = server.create(&made).await.path();
    let refused = [
        (
            ("09:30", "10:30"),
            ["Patient/p", "Practitioner/e", "Location/other"],
        ),
        (
            ("08:30", "09:01"),
            ["Patient/q", "Practitioner/d", "Location/other"],
        ),
        (
            ("09:15", "09:45"),
            ["Patient/q", "Practitioner/e", "Location/room"],
        ),
        (
            ("08:00", "12:00"),
            ["Patient/q", "Practitioner/d", "Location/room"],
        ),
    ];
    for (times, actors) in refused {
        let (status, text) = status_of(
            &server,
            &appointment("follow-up", "proposed", times, &actors),
        )
        .await;
        assert_eq!(status, 409, "{actors:?} {text}");
        assert!(text.contains(made.trim_start_matches('/')), "{text}");
    }
    // One ends when the other begins.
    for times in [("08:00", "09:00"), ("10:00", "11:00")] {
        server
            .create(&appointment("follow-up", "booked", times, &first))
            .await;
    }
    let others = ["Patient/q", "Practitioner/e", "Location/other"];
    let mut moved = appointment("follow-up", "booked", ("09:00", "10:00"), &others);
    moved["id"] = "moved".into();
    server.put(&moved).await;
    moved["participant"][0] = participant("Patient/p");
    server
        .call("PUT", "/Appointment/moved")
        .resource(&moved)
        .expect(409)
        .await;
}

async fn a_practitioner_has_one_calendar_under_all_names(server: Server) {
    with_people(&server).await;
    let actors = ["Patient/p", "Practitioner/d"];
    server
        .create(&appointment(
            "integration",
            "booked",
            ("09:00", "10:00"),
            &actors,
        ))
        .await;
    let absolute = format!("{}/Practitioner/d", server.base);
    let by_address = appointment(
        "follow-up",
        "booked",
        ("09:00", "10:00"),
        &["Patient/q", &absolute],
    );
    assert_eq!(status_of(&server, &by_address).await.0, 409);
    let role = json!({"resourceType": "PractitionerRole", "id": "r", "practitioner": {"reference": "Practitioner/d"}});
    server.put(&role).await;
    server
        .put(&json!({"resourceType": "Patient", "id": "s"}))
        .await;
    let by_role = appointment(
        "follow-up",
        "booked",
        ("09:00", "10:00"),
        &["Patient/s", "PractitionerRole/r"],
    );
    assert_eq!(status_of(&server, &by_role).await.0, 409);
    let later = appointment(
        "follow-up",
        "booked",
        ("14:00", "15:00"),
        &["Patient/s", "PractitionerRole/r"],
    );
    server.create(&later).await;
    let later = appointment(
        "follow-up",
        "booked",
        ("14:30", "15:30"),
        &["Patient/q", "Practitioner/d"],
    );
    assert_eq!(status_of(&server, &later).await.0, 409);
}

async fn what_takes_no_time_is_not_in_the_way(server: Server) {
    with_people(&server).await;
    let actors = ["Patient/p", "Practitioner/d"];
    for status in ["cancelled", "noshow", "entered-in-error", "waitlist"] {
        server
            .create(&appointment(
                "integration",
                status,
                ("09:00", "10:00"),
                &actors,
            ))
            .await;
    }
    let mut declined = appointment(
        "integration",
        "booked",
        ("09:00", "10:00"),
        &["Patient/q", "Practitioner/d"],
    );
    declined["participant"][1]["status"] = "declined".into();
    server.create(&declined).await;
    let mut booked = appointment("integration", "booked", ("09:00", "10:00"), &actors);
    booked["id"] = "a".into();
    server.put(&booked).await;
    // It is not in its own way.
    booked["end"] = "2027-03-01T10:15:00Z".into();
    server.put(&booked).await;
    booked["status"] = "cancelled".into();
    server.put(&booked).await;
    server
        .create(&appointment(
            "integration",
            "booked",
            ("09:00", "10:00"),
            &actors,
        ))
        .await;
}

async fn another_appointment_is_named_to_its_readers_only(server: Server) {
    with_people(&server).await;
    let made = appointment(
        "integration",
        "booked",
        ("09:00", "10:00"),
        &["Patient/p", "Practitioner/d"],
    );
    let made = server.create(&made).await.id();
    let terms = unloop::access::issuer::TokenTerms {
        subject: "patient".to_owned(),
        scope: "patient/Appointment.cruds".to_owned(),
        patient: Some("q".to_owned()),
        ttl: 3600,
        ..Default::default()
    };
    let token = server.issue_as(&terms).await;
    let wanted = appointment(
        "integration",
        "proposed",
        ("09:00", "10:00"),
        &["Patient/q", "Practitioner/d"],
    );
    let call = reqwest::Client::new()
        .post(format!("{}/Appointment", server.base))
        .header("Content-Type", "application/fhir+json")
        .header("Authorization", format!("Bearer {token}"));
    let reply = call.body(wanted.to_string()).send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 409);
    let text = reply.text().await.unwrap();
    assert!(text.contains("is taken") && !text.contains(&made), "{text}");
}

async fn appointments_of_other_systems_get_a_warning(server: Server) {
    with_people(&server).await;
    let ours = appointment("integration", "booked", ("09:00", "10:00"), &["Patient/p"]);
    let ours = server.create(&ours).await.id();
    let mut foreign = appointment("integration", "booked", ("09:30", "10:30"), &["Patient/p"]);
    foreign.as_object_mut().unwrap().remove("serviceType");
    let (status, text) = status_of(&server, &foreign).await;
    assert_eq!(status, 201);
    assert!(text.contains(&ours), "{text}");
    // What stands there is respected by ours.
    let late = appointment("follow-up", "booked", ("10:15", "10:45"), &["Patient/p"]);
    assert_eq!(status_of(&server, &late).await.0, 409);
}
