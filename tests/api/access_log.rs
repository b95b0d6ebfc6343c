//! `Patient/{id}/$access-log`: the patient learns who looked, and nobody else
//! learns who else did.

use serde_json::{Value, json};
use unloop::access::issuer::TokenTerms;

use crate::grants_http::{grant, token};
use crate::support::{Reply, Server};

crate::on_both_stores!(
    the_patient_learns_who_looked,
    nobody_learns_of_another_patient,
    others_do_not_learn_who_else_looks,
    a_long_log_comes_in_pages,
);

async fn records(server: &Server) {
    for id in ["a", "b"] {
        server
            .put(&json!({"resourceType": "Patient", "id": id}))
            .await;
        let mine = json!({"resourceType": "Observation", "id": id, "status": "final",
            "code": {"text": "score"}, "subject": {"reference": format!("Patient/{id}")}});
        server.put(&mine).await;
    }
    let therapist = json!({"resourceType": "Practitioner", "id": "t",
        "name": [{"prefix": ["Dr"], "given": ["Ada", "B"], "family": "Example"}]});
    server.put(&therapist).await;
}

fn terms(scope: &str, patient: Option<&str>, user: Option<&str>) -> TokenTerms {
    TokenTerms {
        subject: "tester".to_owned(),
        scope: scope.to_owned(),
        patient: patient.map(str::to_owned),
        fhir_user: user.map(str::to_owned),
        ttl: 3600,
        ..TokenTerms::default()
    }
}

/// As whoever has the token.
async fn get(server: &Server, token: &str, path: &str) -> Reply {
    let url = match path.starts_with("http") {
        true => path.to_owned(),
        false => format!("{}{path}", server.base),
    };
    let call = reqwest::Client::new().get(url).bearer_auth(token);
    crate::support::Call(call).send().await
}

fn part<'v>(parts: &'v Value, name: &str) -> Vec<&'v Value> {
    let parts = parts.as_array().into_iter().flatten();
    parts.filter(|part| part["name"] == name).collect()
}

/// The parts of every access, the newest first.
fn accesses(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let all = reply.json()["parameter"].clone();
    part(&all, "access")
        .iter()
        .map(|access| access["part"].clone())
        .collect()
}

fn text(access: &Value) -> &str {
    part(access, "text")[0]["valueString"].as_str().unwrap()
}

async fn the_patient_learns_who_looked(server: Server) {
    records(&server).await;
    let therapist = token(&server, &grant(&server).await).await;
    let seen = get(&server, &therapist, "/Observation?subject=Patient/a").await;
    assert_eq!(seen.status, 200);
    assert_eq!(get(&server, &therapist, "/Patient/a").await.status, 403);
    let patient = server
        .issue_as(&terms("patient/Patient.r", Some("a"), Some("Patient/a")))
        .await;
    let reply = get(&server, &patient, "/Patient/a/$access-log").await;
    let log = accesses(&reply);
    let all = reply.json()["parameter"].clone();
    assert_eq!(part(&all, "complete")[0]["valueBoolean"], true);
    assert_eq!(
        part(&all, "patient")[0]["valueReference"]["reference"],
        "Patient/a"
    );

    // Newest first: refused, searched; then the consent of the grant, and the records.
    let refused = &log[0];
    assert_eq!(part(refused, "outcome")[0]["valueCode"], "refused");
    assert_eq!(part(refused, "interaction")[0]["valueCode"], "read");
    assert_eq!(part(refused, "resourceType")[0]["valueCode"], "Patient");
    let looked = &log[1];
    assert_eq!(part(looked, "who")[0]["valueString"], "Dr Ada B Example");
    let agent = &part(looked, "agent")[0]["valueReference"]["reference"];
    assert_eq!(agent, "Practitioner/t");
    let purpose = &part(looked, "purpose")[0]["valueCoding"];
    assert_eq!(purpose["code"], "TREAT");
    let system = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
    assert_eq!(purpose["system"], system);
    assert_eq!(part(looked, "grant").len(), 1);
    let types = part(looked, "resourceType");
    assert_eq!(types.len(), 1);
    assert_eq!(types[0]["valueCode"], "Observation");
    assert_eq!(part(looked, "outcome")[0]["valueCode"], "success");
    assert_eq!(text(looked), "Dr Ada B Example searched for Observation.");
    assert!(part(looked, "when")[0]["valueInstant"].is_string());
    let event = part(looked, "event")[0]["valueReference"]["reference"].clone();
    let event = server.get(&format!("/{}", event.as_str().unwrap()));
    let event = event.expect(200).await.json();
    assert_eq!(event["purposeOfEvent"][0]["coding"][0], *purpose);

    // Looking at the log, and at what it is made of, is an access as well.
    let again = accesses(&get(&server, &patient, "/Patient/a/$access-log").await);
    assert_eq!(again.len(), log.len() + 2);
    assert_eq!(
        part(&again[0], "resourceType")[0]["valueCode"],
        "AuditEvent"
    );
    assert_eq!(part(&again[1], "interaction")[0]["valueCode"], "access-log");
    let on_behalf = &part(&again[1], "onBehalfOf")[0]["valueReference"];
    assert_eq!(on_behalf["reference"], "Patient/a");
    let asked = json!({"resourceType": "Parameters",
        "parameter": [{"name": "_count", "valuePositiveInt": 1}]});
    let system = server.call("POST", "/Patient/a/$access-log");
    let one = system.resource(&asked).expect(200).await;
    assert_eq!(accesses(&one).len(), 1);
}

async fn nobody_learns_of_another_patient(server: Server) {
    records(&server).await;
    let other = server
        .issue_as(&terms("patient/*.rs", Some("b"), None))
        .await;
    let user = server
        .issue_as(&terms("user/*.rs", None, Some("Patient/b")))
        .await;
    for token in [&other, &user] {
        get(&server, token, "/Observation?subject=Patient/a").await;
    }
    server.get("/Observation?_id=a,b").expect(200).await;
    let patient = server
        .issue_as(&terms("patient/Patient.r", Some("a"), Some("Patient/a")))
        .await;
    let log = get(&server, &patient, "/Patient/a/$access-log").await;
    let found = accesses(&log);
    for place in [1, 2] {
        let who = &part(&found[place], "who")[0]["valueString"];
        assert_eq!(who, "somebody with access to another record");
    }
    for name in ["Patient/b", "Observation/b", "_id=", "\"b\""] {
        assert!(!log.text.contains(name), "{name}: {}", log.text);
    }
}

async fn others_do_not_learn_who_else_looks(server: Server) {
    records(&server).await;
    let log = "/Patient/a/$access-log";
    let told = [
        terms("patient/Patient.r", Some("a"), Some("Patient/a")),
        terms("user/Patient.r", None, Some("Patient/a")),
        terms("system/Patient.r system/AuditEvent.rs", None, None),
    ];
    for terms in told {
        let token = server.issue_as(&terms).await;
        assert_eq!(get(&server, &token, log).await.status, 200, "{terms:?}");
    }
    let refused = [
        (terms("system/Patient.rs", None, None), 403),
        (terms("user/*.cruds", None, Some("Practitioner/t")), 403),
        (
            terms("user/*.rs patient/*.rs", Some("a"), Some("Practitioner/t")),
            403,
        ),
        (
            terms("user/*.rs patient/*.rs", Some("a"), Some("RelatedPerson/r")),
            403,
        ),
        // Whose record it is, and not who has opened it.
        (terms("patient/Patient.r", Some("a"), None), 403),
        (
            terms("patient/Patient.r", Some("a"), Some("Patient/b")),
            403,
        ),
        (terms("patient/Observation.rs", Some("a"), None), 403),
        (terms("patient/*.cruds", Some("b"), None), 404),
        (terms("user/*.cruds", None, Some("Patient/b")), 404),
    ];
    for (terms, status) in refused {
        let token = server.issue_as(&terms).await;
        let reply = get(&server, &token, log).await;
        assert_eq!(reply.status, status, "{terms:?} {}", reply.text);
    }
    let ends = jiff::Timestamp::now().as_second() + 3600;
    let asked = json!({"practitioner": "t", "patients": ["a"], "scope": "patient/*.rs user/*.rs", "ends": ends});
    let sent = server.client.post(server.beside("/admin/grants"));
    let made: Value = sent
        .json(&asked)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let therapist = token(&server, made["id"].as_str().unwrap()).await;
    assert_eq!(get(&server, &therapist, "/Patient/a").await.status, 200);
    let reply = get(&server, &therapist, log).await;
    assert_eq!(reply.status, 403, "{}", reply.text);
    assert!(reply.diagnostics().contains("system/AuditEvent.rs"));
    assert_eq!(
        get(&server, &therapist, "/Patient/b/$access-log")
            .await
            .status,
        404
    );
}

async fn a_long_log_comes_in_pages(server: Server) {
    records(&server).await;
    for _ in 0..7 {
        server.get("/Patient/a").expect(200).await;
    }
    let patient = terms("patient/Patient.r", Some("a"), Some("Patient/a"));
    let patient = server.issue_as(&patient).await;
    let mut reply = get(&server, &patient, "/Patient/a/$access-log?_count=4").await;
    let mut events = Vec::new();
    let mut pages = 1;
    loop {
        for access in accesses(&reply) {
            events.push(part(&access, "event")[0].to_string());
        }
        let all = reply.json()["parameter"].clone();
        let next = part(&all, "next");
        assert_eq!(
            part(&all, "complete")[0]["valueBoolean"],
            next.is_empty(),
            "{all}"
        );
        assert_eq!(part(&all, "notice").is_empty(), next.is_empty());
        let Some(next) = next.first() else { break };
        let url = next["valueUri"].as_str().unwrap().to_owned();
        // A place works for the caller and the patient that it was made for.
        let other = get(&server, &patient, &url.replace("Patient/a", "Patient/b")).await;
        assert_eq!(other.status, 404);
        assert_eq!(server.get(&url).send().await.status, 400);
        reply = get(&server, &patient, &url).await;
        pages += 1;
    }
    // Two writes, seven reads, and the refusals of the system's attempts on the way.
    let mut unique = events.clone();
    unique.dedup();
    assert_eq!(
        (unique.len(), events.len()),
        (events.len(), 9),
        "{events:#?}"
    );
    assert_eq!(pages, 3);
    let early = get(
        &server,
        &patient,
        "/Patient/a/$access-log?_since=2100-01-01",
    )
    .await;
    assert_eq!(accesses(&early).len(), 0);
    for query in ["_count=0", "_since=soon", "other=1"] {
        let path = format!("/Patient/a/$access-log?{query}");
        assert_eq!(get(&server, &patient, &path).await.status, 400, "{query}");
    }
}
