//! <https://hl7.org/fhir/R4/http.html#vread>

use crate::support::{Server, example};

crate::on_both_stores!(
    every_version_stays_readable,
    a_version_that_is_not_there_is_not_found,
    the_version_of_a_deletion_is_gone,
);

async fn every_version_stays_readable(server: Server) {
    let first = server.create(&example::patient("One")).await;
    let path = first.path();
    let mut second = first.json();
    second["name"][0]["family"] = "Two".into();
    server
        .call("PUT", &path)
        .resource(&second)
        .expect(200)
        .await;

    let reply = server.get(&format!("{path}/_history/1")).expect(200).await;
    assert_eq!(reply.text, first.text);
    assert_eq!(reply.header("ETag"), "W/\"1\"");
    assert!(reply.headers.contains_key("Last-Modified"));
    let reply = server.get(&format!("{path}/_history/2")).expect(200).await;
    assert_eq!(reply.json()["name"][0]["family"], "Two");
    assert_eq!(reply.json()["meta"]["versionId"], "2");
    let reply = server
        .get(&format!("{path}/_history/1?_elements=name"))
        .expect(200)
        .await;
    assert!(reply.json()["gender"].is_null());
}

async fn a_version_that_is_not_there_is_not_found(server: Server) {
    let path = server.create(&example::patient("A")).await.path();
    for version in ["2", "0", "-1", "x", "99999999999999999999"] {
        let reply = server.get(&format!("{path}/_history/{version}"));
        assert_eq!(reply.expect(404).await.code(), "not-found");
    }
    server.get("/Patient/nobody/_history/1").expect(404).await;
}

async fn the_version_of_a_deletion_is_gone(server: Server) {
    let path = server.create(&example::patient("A")).await.path();
    server.call("DELETE", &path).expect(204).await;
    let reply = server.get(&format!("{path}/_history/2")).expect(410).await;
    assert_eq!(reply.code(), "deleted");
    server.get(&format!("{path}/_history/1")).expect(200).await;
}
