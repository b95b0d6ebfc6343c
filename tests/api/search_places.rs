//! Where a search looks and how it is sent.
//! <https://hl7.org/fhir/R4/http.html#search>, <https://hl7.org/fhir/R4/compartmentdefinition.html>

use serde_json::json;

use crate::search::{found, three};
use crate::support::{Server, example};

crate::on_both_stores!(
    a_search_by_post_is_the_same,
    a_compartment_holds_what_belongs_to_it,
    a_search_of_the_system_names_its_types,
);

async fn a_search_by_post_is_the_same(server: Server) {
    three(&server).await;
    let form = "application/x-www-form-urlencoded";
    let search = |path: &str, content: &str| server.call("POST", path).text(form, content);
    let reply = search("/Patient/_search", "family=smith&_count=5")
        .expect(200)
        .await;
    assert_eq!(reply.entries(), ["Patient/c"]);
    let reply = search("/Patient/_search?active=true", "birthdate=1980&_count=1")
        .expect(200)
        .await;
    let next = server.get(&reply.link("next").unwrap()).expect(200).await;
    assert_eq!(
        [reply.entries(), next.entries()].concat(),
        ["Patient/a", "Patient/b"]
    );
    let reply = search("/_search", "_type=Patient&_id=a").expect(200).await;
    assert_eq!(reply.entries(), ["Patient/a"]);
    let reply = search("/Patient/_search", "").expect(200).await;
    assert_eq!(reply.entries().len(), 3);
    let call = server.call("POST", "/Patient/_search").resource(&json!({}));
    call.expect(415).await;
    server.get("/Patient/_search").expect(405).await;
}

async fn a_compartment_holds_what_belongs_to_it(server: Server) {
    three(&server).await;
    for (id, subject) in [("o1", "Patient/a"), ("o2", "Patient/b")] {
        let mut observation = example::observation(subject, "2026-11-21");
        observation["id"] = id.into();
        server.put(&observation).await;
    }
    assert_eq!(
        found(&server, "/Patient/a/Observation").await,
        ["Observation/o1"]
    );
    assert_eq!(
        found(&server, "/Patient/a/Observation?date=2026").await,
        ["Observation/o1"]
    );
    assert_eq!(
        found(&server, "/Patient/a/Observation?date=2025").await,
        [""; 0]
    );
    assert_eq!(
        found(&server, "/Patient/a/*").await,
        ["Observation/o1", "Patient/a"]
    );
    let form = "application/x-www-form-urlencoded";
    let call = server.call("POST", "/Patient/a/Observation/_search");
    let reply = call.text(form, "code=8867-4").expect(200).await;
    assert_eq!(reply.entries(), ["Observation/o1"]);
    let reply = server.get("/Observation/o1/Patient").expect(404).await;
    assert!(reply.diagnostics().contains("no compartment"));
    server.get("/Patient/a/Substance").expect(404).await;
}

async fn a_search_of_the_system_names_its_types(server: Server) {
    three(&server).await;
    let mut observation = example::observation("Patient/a", "2026-11-21");
    observation["id"] = "a".into();
    server.put(&observation).await;
    assert_eq!(
        found(&server, "/?_id=a").await,
        ["Observation/a", "Patient/a"]
    );
    assert_eq!(
        found(&server, "/?_type=Observation").await,
        ["Observation/a"]
    );
    assert_eq!(
        found(&server, "?_type=Observation,Patient&_id=a,b")
            .await
            .len(),
        3
    );
    let reply = server.get("/?_type=Patinet").expect(400).await;
    assert!(reply.diagnostics().contains("Patinet"));
}
