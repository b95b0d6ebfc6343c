//! Bookings of one time at once: one succeeds, whatever store and instance.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::appointments::{appointment, participant, with_people};
use crate::support::{Server, StoreKind};

crate::on_both_stores!(
    of_bookings_at_once_one_succeeds,
    bookings_of_others_at_once_all_succeed,
    a_transaction_books_nobody_twice,
    of_ours_and_a_foreign_one_at_once_one_is_told,
);

async fn of_bookings_at_once_one_succeeds(server: Server) {
    with_people(&server).await;
    let times = [("09:00", "10:00"), ("09:30", "10:30"), ("09:59", "10:01")];
    let book = |number: usize| {
        let actors = ["Patient/p", "Practitioner/d", "Location/room"];
        let content = appointment(
            "integration",
            "booked",
            times[number % 3],
            &actors[number % 3..],
        );
        let content = match number % 3 {
            0 => content,
            // Each claims the room, and the patient makes it one of ours.
            _ => {
                let mut content = content;
                let patient = participant(&format!("Patient/x{number}"));
                content["participant"].as_array_mut().unwrap().push(patient);
                content
            }
        };
        server
            .call("POST", "/Appointment")
            .resource(&content)
            .send()
    };
    let replies = join_all((0..32).map(book)).await;
    let won = replies.iter().filter(|reply| reply.status == 201).count();
    let lost = replies.iter().filter(|reply| reply.status == 409).count();
    assert_eq!(
        (won, lost),
        (1, 31),
        "{:?}",
        replies.iter().map(|reply| &reply.text).collect::<Vec<_>>()
    );
    assert_eq!(server.count("/Appointment").await, 1);
}

async fn bookings_of_others_at_once_all_succeed(server: Server) {
    let book = |number: usize| {
        // Sixteen practitioners in one hour, and one in sixteen hours.
        let content = match number {
            0..16 => appointment(
                "integration",
                "booked",
                ("09:00", "10:00"),
                &[
                    &format!("Patient/{number}"),
                    &format!("Practitioner/{number}"),
                ],
            ),
            _ => {
                let hour = number - 10;
                let times = (format!("{hour:02}:00"), format!("{hour:02}:59"));
                let mut content = appointment(
                    "integration",
                    "booked",
                    (&times.0, &times.1),
                    &["Patient/one", "Practitioner/one"],
                );
                content["start"] = format!("2027-03-02T{}:00Z", times.0).into();
                content["end"] = format!("2027-03-02T{}:00Z", times.1).into();
                content
            }
        };
        server
            .call("POST", "/Appointment")
            .resource(&content)
            .send()
    };
    let replies = join_all((0..32).map(book)).await;
    for reply in &replies {
        assert_eq!(reply.status, 201, "{}", reply.text);
    }
}

/// An EHR's appointment and one of the programme in the same instant: either ours
/// is refused, or the EHR hears of it. Never is neither told.
async fn of_ours_and_a_foreign_one_at_once_one_is_told(server: Server) {
    with_people(&server).await;
    for round in 0..12 {
        let patient = format!("Patient/r{round}");
        let actors = [patient.as_str()];
        let ours = appointment("integration", "booked", ("09:00", "10:00"), &actors);
        let mut foreign = appointment("integration", "booked", ("09:30", "10:30"), &actors);
        foreign.as_object_mut().unwrap().remove("serviceType");
        let post = |content: &Value| {
            let call = server.call("POST", "/Appointment").resource(content);
            call.header("Prefer", "return=OperationOutcome").send()
        };
        let (ours, one, other) = tokio::join!(post(&ours), post(&foreign), post(&foreign));
        for reply in [&one, &other] {
            assert_eq!(reply.status, 201, "{}", reply.text);
        }
        let warned = |reply: &crate::support::Reply| reply.diagnostics().contains("is taken");
        let told = [warned(&one), warned(&other), ours.status == 409];
        assert!(matches!(ours.status, 201 | 409), "{}", ours.text);
        // Who came first hears of nobody, all others do.
        let untold = told.iter().filter(|told| !**told).count();
        assert_eq!(untold, 1, "round {round}: {told:?}");
    }
}

async fn a_transaction_books_nobody_twice(server: Server) {
    with_people(&server).await;
    let entry = |content: Value| json!({"resource": content, "request": {"method": "POST", "url": "Appointment"}});
    let one = appointment("integration", "booked", ("09:00", "10:00"), &["Patient/p"]);
    let other = appointment("follow-up", "booked", ("09:30", "10:30"), &["Patient/p"]);
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry(one.clone()), entry(other)]});
    server.call("POST", "").resource(&bundle).expect(409).await;
    assert_eq!(server.count("/Appointment").await, 0);
    // Two that change places.
    let mut first = one.clone();
    first["id"] = "first".into();
    server.put(&first).await;
    let mut second = appointment("integration", "booked", ("10:00", "11:00"), &["Patient/p"]);
    second["id"] = "second".into();
    server.put(&second).await;
    for name in ["start", "end"] {
        let time = first[name].take();
        first[name] = std::mem::replace(&mut second[name], time);
    }
    let entry = |content: &Value| {
        let url = format!("Appointment/{}", content["id"].as_str().unwrap());
        json!({"resource": content, "request": {"method": "PUT", "url": url}})
    };
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry(&first), entry(&second)]});
    server.call("POST", "").resource(&bundle).expect(200).await;
}

/// A lock within one process would not be enough.
#[tokio::test]
async fn of_bookings_on_two_instances_one_succeeds() {
    let Some(server) = Server::start(StoreKind::Postgres).await else {
        return;
    };
    let second = server.second().await;
    let content = appointment(
        "integration",
        "booked",
        ("09:00", "10:00"),
        &["Patient/p", "Practitioner/d"],
    );
    let book = |number: usize| {
        let server = if number.is_multiple_of(2) {
            &server
        } else {
            &second
        };
        server
            .call("POST", "/Appointment")
            .resource(&content)
            .send()
    };
    let replies = join_all((0..32).map(book)).await;
    let won = replies.iter().filter(|reply| reply.status == 201).count();
    let lost = replies.iter().filter(|reply| reply.status == 409).count();
    assert_eq!((won, lost), (1, 31));
}
