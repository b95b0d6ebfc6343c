//! E: what clients send and expect. fhirpy, HAPI and Medplum are named where the wish is theirs.

use serde_json::{Value, json};

use crate::support::Server;

crate::on_both_stores!(
    a_merge_patch_changes_what_it_names,
    a_merge_patch_comes_in_a_bundle_too,
    fhirpy_counts_and_chooses_elements,
    a_sharp_s_is_two_and_long_values_are_found,
    metadata_has_a_slash_or_not,
    a_flag_has_its_implied_system,
    a_composite_asks_for_any_code_of_a_system,
    parameters_of_us_core_find,
    the_capabilities_name_us_core,
    a_night_in_hospital_is_found_on_both_days,
);

async fn patched(server: &Server, media_type: &str, patch: &Value) -> Value {
    let call = server.call("PATCH", "/Patient/p");
    let call = call.text(media_type, &patch.to_string());
    call.expect(200).await.json()
}

/// <https://www.rfc-editor.org/rfc/rfc7396>
async fn a_merge_patch_changes_what_it_names(server: Server) {
    server
        .put(&json!({"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1980-01-01",
            "_birthDate": {"extension": [{"url": "http://example.org/x", "valueString": "kept"}]},
            "name": [{"family": "Old"}], "active": true}))
        .await;
    let merge = "application/merge-patch+json";
    let patch = json!({"gender": null, "name": [{"family": "New"}]});
    let found = patched(&server, merge, &patch).await;
    assert!(found.get("gender").is_none(), "{found}");
    assert_eq!(found["name"][0]["family"], "New");
    assert_eq!(found["active"], true);
    assert_eq!(found["_birthDate"]["extension"][0]["valueString"], "kept");
    // What was said of the old value is not said of the new one.
    let found = patched(&server, merge, &json!({"birthDate": "1981-01-01"})).await;
    assert!(found.get("_birthDate").is_none(), "{found}");
    // fhirpy sends it as plain JSON.
    let found = patched(&server, "application/json", &json!({"active": false})).await;
    assert_eq!(found["active"], false);
    for wrong in [
        json!({"id": "other"}),
        json!({"resourceType": "Group"}),
        json!({"gender": "x"}),
    ] {
        let call = server
            .call("PATCH", "/Patient/p")
            .text(merge, &wrong.to_string());
        let status = call.send().await.status;
        assert!((400..500).contains(&status), "{wrong}: {status}");
    }
    let call = server.call("PATCH", "/Patient/p").text(merge, "[1]");
    call.expect(400).await;
    // As FHIR JSON it has to be a FHIRPath Patch.
    let call = server
        .call("PATCH", "/Patient/p")
        .resource(&json!({"resourceType": "Patient"}));
    call.expect(415).await;
}

async fn a_merge_patch_comes_in_a_bundle_too(server: Server) {
    server
        .put(&json!({"resourceType": "Patient", "id": "p", "active": true}))
        .await;
    // {"active": false}
    let binary = json!({"resourceType": "Binary", "contentType": "application/merge-patch+json", "data": "eyJhY3RpdmUiOiBmYWxzZX0="});
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": binary, "request": {"method": "PATCH", "url": "Patient/p"}}]});
    server.call("POST", "").resource(&bundle).expect(200).await;
    let found = server.get("/Patient/p").expect(200).await.json();
    assert_eq!(found["active"], false);
}

async fn fhirpy_counts_and_chooses_elements(server: Server) {
    for number in 0..3 {
        server
            .put(&json!({"resourceType": "Patient", "id": format!("p{number}"), "gender": "male"}))
            .await;
    }
    let found = server
        .get("/Patient?_count=0&_totalMethod=count")
        .expect(200)
        .await;
    assert_eq!(found.json()["total"], 3);
    let path = "/Patient?_elements=id,resourceType,gender";
    let found = server.get(path).expect(200).await.json();
    assert_eq!(found["entry"][0]["resource"]["gender"], "male");
    assert_eq!(found["entry"][0]["resource"]["resourceType"], "Patient");
}

/// <https://www.unicode.org/Public/UCD/latest/ucd/CaseFolding.txt>
async fn a_sharp_s_is_two_and_long_values_are_found(server: Server) {
    let long = "x".repeat(400);
    for (id, family) in [
        ("a", "Weiß"),
        ("b", "GROẞ"),
        ("c", "Strauss"),
        ("d", &*long),
    ] {
        server
            .put(&json!({"resourceType": "Patient", "id": id, "name": [{"family": family}]}))
            .await;
    }
    for (asked, expected) in [
        ("weiss", "a"),
        ("WEISS", "a"),
        ("Wei%C3%9F", "a"),
        ("gross", "b"),
        ("gro%C3%9F", "b"),
        ("Strau%C3%9F", "c"),
        (&*long, "d"),
        (&long[..300], "d"),
    ] {
        let found = server
            .get(&format!("/Patient?family={asked}"))
            .expect(200)
            .await;
        assert_eq!(found.entries(), [format!("Patient/{expected}")], "{asked}");
    }
    let exact = server
        .get("/Patient?family:exact=Wei%C3%9F")
        .expect(200)
        .await;
    assert_eq!(exact.entries().len(), 1);
    let exact = server.get("/Patient?family:exact=weiss").expect(200).await;
    assert!(exact.entries().is_empty());
}

async fn metadata_has_a_slash_or_not(server: Server) {
    for path in ["/metadata", "/metadata/"] {
        let url = format!("{}{path}", server.base);
        let reply = reqwest::Client::new().get(url).send().await.unwrap();
        assert_eq!(reply.status().as_u16(), 200, "{path}");
    }
}

/// <https://hl7.org/fhir/R4/search.html#token>: boolean has an implied system.
async fn a_flag_has_its_implied_system(server: Server) {
    server
        .put(&json!({"resourceType": "Patient", "id": "p", "active": true}))
        .await;
    let system = "http://terminology.hl7.org/CodeSystem/special-values";
    for (code, count) in [("true", 1), ("false", 0)] {
        for asked in [code.to_owned(), format!("{system}|{code}")] {
            let found = server
                .get(&format!("/Patient?active={asked}"))
                .expect(200)
                .await;
            assert_eq!(found.entries().len(), count, "{asked}");
        }
    }
}

async fn a_composite_asks_for_any_code_of_a_system(server: Server) {
    let component = |code: &str, value: i64| {
        json!({"code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}})
    };
    server
        .put(
            &json!({"resourceType": "Observation", "id": "o", "status": "final",
            "code": {"coding": [{"system": "http://example.org/own", "code": "bp"}]},
            "component": [component("8480-6", 150), component("8462-4", 90)]}),
        )
        .await;
    server
        .put(&json!({"resourceType": "Observation", "id": "t", "status": "final",
            "code": {"coding": [{"system": "http://example.org/own", "code": "weight"}]},
            "valueQuantity": {"value": 70, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}}))
        .await;
    for (asked, expected) in [
        (
            "component-code-value-quantity=http://loinc.org|$gt140",
            vec!["Observation/o"],
        ),
        (
            "component-code-value-quantity=http://loinc.org|$gt160",
            vec![],
        ),
        (
            "component-code-value-quantity=http://example.org/own|$gt140",
            vec![],
        ),
        (
            "code-value-quantity=http://example.org/own|$gt60",
            vec!["Observation/t"],
        ),
        ("code-value-quantity=http://loinc.org|$gt60", vec![]),
        (
            "combo-code-value-quantity=http://loinc.org|$150",
            vec!["Observation/o"],
        ),
    ] {
        let found = server
            .get(&format!("/Observation?{asked}"))
            .expect(200)
            .await;
        assert_eq!(found.entries(), expected, "{asked}");
    }
}

/// <https://hl7.org/fhir/us/core/STU6.1/CapabilityStatement-us-core-server.html>
async fn parameters_of_us_core_find(server: Server) {
    server
        .put(&json!({"resourceType": "Patient", "id": "p"}))
        .await;
    let subject = json!({"reference": "Patient/p"});
    let concept = |code: &str| json!({"coding": [{"system": "http://example.org", "code": code}]});
    server
        .put(
            &json!({"resourceType": "CareTeam", "id": "t", "subject": subject,
            "participant": [{"role": [concept("nurse")], "member": {"reference": "Patient/p"}}]}),
        )
        .await;
    server
        .put(&json!({"resourceType": "Condition", "id": "c", "subject": subject, "code": concept("x"),
            "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/condition-assertedDate",
                "valueDateTime": "2026-03-01"}]}))
        .await;
    server
        .put(&json!({"resourceType": "Encounter", "id": "e", "status": "finished", "subject": subject,
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
            "hospitalization": {"dischargeDisposition": concept("home")}}))
        .await;
    server
        .put(&json!({"resourceType": "Goal", "id": "g", "lifecycleStatus": "active", "subject": subject,
            "description": concept("walk")}))
        .await;
    for (asked, expected) in [
        ("CareTeam?patient=p&role=nurse", "CareTeam/t"),
        (
            "Condition?patient=p&asserted-date=ge2026-02-01",
            "Condition/c",
        ),
        (
            "Encounter?patient=p&discharge-disposition=http://example.org|home",
            "Encounter/e",
        ),
        ("Goal?patient=p&description=walk", "Goal/g"),
    ] {
        let found = server.get(&format!("/{asked}")).expect(200).await;
        assert_eq!(found.entries(), [expected], "{asked}");
    }
    let none = server
        .get("/Condition?asserted-date=ge2026-04-01")
        .expect(200)
        .await;
    assert!(none.entries().is_empty());
}

async fn the_capabilities_name_us_core(server: Server) {
    let found = server.get("/metadata").expect(200).await.json();
    let us_core = "http://hl7.org/fhir/us/core";
    assert_eq!(
        found["instantiates"][0],
        format!("{us_core}/CapabilityStatement/us-core-server")
    );
    let formats = found["patchFormat"].as_array().unwrap();
    assert!(formats.contains(&"application/merge-patch+json".into()));
    let resources = found["rest"][0]["resource"].as_array().unwrap();
    let of_type = |name: &str| resources.iter().find(|one| one["type"] == name).unwrap();
    let profiles = of_type("Patient")["supportedProfile"].as_array().unwrap();
    assert_eq!(
        *profiles,
        [format!("{us_core}/StructureDefinition/us-core-patient")]
    );
    assert!(
        of_type("Observation")["supportedProfile"]
            .as_array()
            .unwrap()
            .len()
            > 10
    );
    assert!(of_type("Basic").get("supportedProfile").is_none());
    for name in ["Patient", "Observation", "Goal"] {
        let reverse = of_type(name)["searchRevInclude"].as_array().unwrap();
        assert!(reverse.contains(&"Provenance:target".into()), "{name}");
    }
}

/// R4: a day alone asks for what lies within it as a whole; its first and last second ask for
/// what meets it. <https://hl7.org/fhir/R4/search.html#prefix>
async fn a_night_in_hospital_is_found_on_both_days(server: Server) {
    server
        .put(
            &json!({"resourceType": "Encounter", "id": "e", "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
            "period": {"start": "2026-03-01T22:00:00Z", "end": "2026-03-02T06:00:00Z"}}),
        )
        .await;
    for (day, count) in [
        ("2026-02-28", 0),
        ("2026-03-01", 1),
        ("2026-03-02", 1),
        ("2026-03-03", 0),
    ] {
        let found = server
            .get(&format!(
                "/Encounter?date=ge{day}T00:00:00Z&date=le{day}T23:59:59Z"
            ))
            .expect(200)
            .await;
        assert_eq!(found.entries().len(), count, "{day}");
        let whole = server
            .get(&format!("/Encounter?date={day}"))
            .expect(200)
            .await;
        assert!(whole.entries().is_empty(), "{day}");
    }
}
