//! `Patient/{id}/$plan-course`.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::appointments::{appointment, with_people};
use crate::support::{Reply, Server};

crate::on_both_stores!(
    a_home_course_is_written_at_once,
    an_induction_has_six_infusions_in_three_weeks,
    the_same_key_changes_nothing,
    a_dry_run_writes_nothing,
    a_course_books_nobody_twice,
    what_a_protocol_does_not_allow_is_refused,
    a_course_needs_every_right_that_it_uses,
);

/// A Monday three weeks before the clocks of Berlin are put forward.
const MONDAY: &str = "2099-03-09";

pub fn home() -> Vec<(&'static str, &'static str)> {
    vec![
        ("protocol", "home-sublingual"),
        ("key", "course-1"),
        ("start", MONDAY),
        ("time", "09:30"),
        ("zone", "Europe/Berlin"),
        ("practitioner", "Practitioner/d"),
        ("therapist", "Practitioner/e"),
        ("companion", "RelatedPerson/c"),
    ]
}

pub fn parameters(arguments: &[(&str, &str)]) -> Value {
    let parameters: Vec<Value> = arguments
        .iter()
        .map(|(name, value)| json!({"name": name, "valueString": value}))
        .collect();
    json!({"resourceType": "Parameters", "parameter": parameters})
}

async fn plan(server: &Server, arguments: &[(&str, &str)]) -> Reply {
    let call = server.call("POST", "/Patient/p/$plan-course");
    call.resource(&parameters(arguments)).send().await
}

pub fn parts(reply: &Reply, name: &str) -> Vec<Value> {
    let json = reply.json();
    let parameters = json["parameter"].as_array().unwrap();
    let named = parameters.iter().filter(|one| one["name"] == name);
    named.cloned().collect()
}

/// `kind start` of all appointments, in order.
fn visits(reply: &Reply) -> Vec<String> {
    let appointments = parts(reply, "appointment");
    let lines = appointments.iter().map(|one| {
        let one = &one["resource"];
        let kind = one["serviceType"][0]["coding"][0]["code"].as_str().unwrap();
        format!("{kind} {}", one["start"].as_str().unwrap())
    });
    lines.collect()
}

async fn counts(server: &Server) -> [u64; 4] {
    let mut counts = [0; 4];
    for (count, name) in
        counts
            .iter_mut()
            .zip(["EpisodeOfCare", "CareTeam", "CarePlan", "Appointment"])
    {
        *count = server.count(&format!("/{name}")).await;
    }
    counts
}

async fn a_home_course_is_written_at_once(server: Server) {
    with_people(&server).await;
    let reply = plan(&server, &home()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(parts(&reply, "status")[0]["valueCode"], "created");
    // Half past nine on the wall, before and after the clocks change.
    let sessions: Vec<String> = visits(&reply)
        .into_iter()
        .filter(|line| line.starts_with("ketamine"))
        .collect();
    assert_eq!(
        sessions,
        [
            "ketamine-session 2099-03-09T09:30:00+01:00",
            "ketamine-session 2099-03-16T09:30:00+01:00",
            "ketamine-session 2099-03-23T09:30:00+01:00",
            "ketamine-session 2099-03-30T09:30:00+02:00",
            "ketamine-session 2099-04-06T09:30:00+02:00",
            "ketamine-session 2099-04-13T09:30:00+02:00",
        ]
    );
    assert_eq!(visits(&reply)[0], "preparation 2099-03-02T09:30:00+01:00");
    assert_eq!(visits(&reply)[2], "integration 2099-03-10T09:30:00+01:00");
    assert_eq!(counts(&server).await, [1, 1, 1, 15]);
    assert_eq!(
        server
            .count("/Appointment?status=proposed&actor=Patient/p")
            .await,
        15
    );
    assert_eq!(server.count("/Appointment?actor=Practitioner/e").await, 6);
    // What was written can be read, and leads to all the rest.
    let found = server
        .get("/CarePlan?subject=Patient/p")
        .expect(200)
        .await
        .json();
    let plan = &found["entry"][0]["resource"];
    assert_eq!(plan["activity"].as_array().unwrap().len(), 15);
    for activity in plan["activity"].as_array().unwrap() {
        let path = format!("/{}", activity["reference"]["reference"].as_str().unwrap());
        let visit = server.get(&path).expect(200).await.json();
        let episode = visit["supportingInformation"][0]["reference"]
            .as_str()
            .unwrap();
        server.get(&format!("/{episode}")).expect(200).await;
    }
}

async fn an_induction_has_six_infusions_in_three_weeks(server: Server) {
    with_people(&server).await;
    let mut wish = home();
    wish[0].1 = "clinic-induction";
    wish.push(("weekdays", "mon,wed,fri"));
    wish.push(("location", "Location/room"));
    let reply = plan(&server, &wish).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let days: Vec<String> = visits(&reply)
        .into_iter()
        .filter_map(|line| Some(line.strip_prefix("ketamine-session ")?[..10].to_owned()))
        .collect();
    assert_eq!(
        days,
        [
            "2099-03-09",
            "2099-03-11",
            "2099-03-13",
            "2099-03-16",
            "2099-03-18",
            "2099-03-20"
        ]
    );
    let session = &parts(&reply, "appointment")[1]["resource"];
    assert_eq!(session["serviceCategory"][0]["coding"][0]["code"], "clinic");
    let participants = session["participant"].as_array().unwrap();
    let driver = participants
        .iter()
        .find(|one| one["actor"]["reference"] == "RelatedPerson/c")
        .unwrap();
    assert_eq!(driver["type"][0]["coding"][0]["code"], "ESC");
}

async fn the_same_key_changes_nothing(server: Server) {
    with_people(&server).await;
    let wish = home();
    let replies = join_all((0..6).map(|_| plan(&server, &wish))).await;
    let mut statuses: Vec<Value> = replies
        .iter()
        .map(|reply| {
            assert_eq!(reply.status, 200, "{}", reply.text);
            parts(reply, "status")[0]["valueCode"].clone()
        })
        .collect();
    statuses.sort_by_key(ToString::to_string);
    assert_eq!(statuses[0], "created");
    assert!(
        statuses[1..].iter().all(|status| status == "unchanged"),
        "{statuses:?}"
    );
    assert_eq!(counts(&server).await, [1, 1, 1, 15]);
    for reply in &replies {
        assert_eq!(visits(reply), visits(&replies[0]));
    }
    // Of another patient, the key is another.
    let mut other = home();
    other[2].1 = "2099-06-01";
    let call = server.call("POST", "/Patient/q/$plan-course");
    let reply = call.resource(&parameters(&other)).expect(200).await;
    assert_eq!(parts(&reply, "status")[0]["valueCode"], "created");
}

async fn a_dry_run_writes_nothing(server: Server) {
    with_people(&server).await;
    let mut wish = home();
    wish.push(("dry-run", "true"));
    let shown = plan(&server, &wish).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert_eq!(counts(&server).await, [0; 4]);
    let written = plan(&server, &home()).await;
    assert_eq!(visits(&shown), visits(&written));
}

async fn a_course_books_nobody_twice(server: Server) {
    with_people(&server).await;
    let mut taken = appointment(
        "follow-up",
        "booked",
        ("09:00", "10:00"),
        &["Patient/q", "Practitioner/d"],
    );
    taken["start"] = "2099-03-23T08:00:00Z".into();
    taken["end"] = "2099-03-23T09:00:00Z".into();
    let taken = server.create(&taken).await.id();
    let reply = plan(&server, &home()).await;
    assert_eq!(reply.status, 409, "{}", reply.text);
    assert!(reply.diagnostics().contains(&taken), "{}", reply.text);
    assert_eq!(counts(&server).await, [0, 0, 0, 1]);
}

async fn what_a_protocol_does_not_allow_is_refused(server: Server) {
    with_people(&server).await;
    let refused = [
        ("protocol", "home-intravenous", 400),
        ("key", "a/b", 400),
        ("start", "2020-01-01", 400),
        ("time", "9 o'clock", 400),
        ("zone", "Europe/Atlantis", 400),
        ("practitioner", "Patient/p", 400),
        ("practitioner", "Practitioner/nobody", 404),
        ("sessions", "5", 400),
        ("sessions", "13", 400),
        ("every", "15", 400),
        // Twelve sessions every two weeks are more than three months.
        ("every", "14", 400),
        ("weekdays", "monday", 400),
    ];
    for (name, value, status) in refused {
        let mut wish: Vec<_> = home()
            .into_iter()
            .filter(|(known, _)| *known != name)
            .collect();
        wish.push((name, value));
        if (name, value) == ("every", "14") {
            wish.push(("sessions", "12"));
        }
        let reply = plan(&server, &wish).await;
        assert_eq!(reply.status, status, "{name}={value}: {}", reply.text);
    }
    assert_eq!(counts(&server).await, [0; 4]);
}

async fn a_course_needs_every_right_that_it_uses(server: Server) {
    with_people(&server).await;
    let all = ["EpisodeOfCare", "CareTeam", "CarePlan", "Appointment"];
    for lacking in all {
        let rights = all.iter().filter(|name| **name != lacking);
        let rights: Vec<String> = rights.map(|name| format!("system/{name}.cruds")).collect();
        let read = "system/Patient.rs system/Practitioner.rs system/RelatedPerson.rs";
        let token = server
            .issue(&format!("{read} {} system/{lacking}.rs", rights.join(" ")))
            .await;
        let call = reqwest::Client::new()
            .post(format!("{}/Patient/p/$plan-course", server.base))
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", "application/fhir+json");
        let reply = call
            .body(parameters(&home()).to_string())
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status().as_u16(), 403, "{lacking}");
    }
    assert_eq!(counts(&server).await, [0; 4]);
}
