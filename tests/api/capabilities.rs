//! <https://hl7.org/fhir/R4/http.html#capabilities>

use futures_util::{StreamExt as _, stream};
use serde_json::Value;

use unloop::fhir::definitions::{ParamKind, r4};

use crate::support::Server;

crate::on_both_stores!(
    the_statement_says_what_the_service_is,
    every_advertised_parameter_is_answered,
    every_advertised_include_is_answered,
    every_advertised_sort_is_answered,
);

async fn statement(server: &Server) -> Value {
    server.get("/metadata").expect(200).await.json()
}

async fn the_statement_says_what_the_service_is(server: Server) {
    let reply = server.get("/metadata").expect(200).await;
    assert!(reply.text.len() < 1 << 20, "{} bytes", reply.text.len());
    let json = reply.json();
    assert_eq!(json["resourceType"], "CapabilityStatement");
    assert_eq!(json["fhirVersion"], "4.0.1");
    assert_eq!(json["kind"], "instance");
    assert_eq!(json["implementation"]["url"], server.base);
    let rest = &json["rest"][0];
    let security = &rest["security"]["service"][0]["coding"][0];
    assert_eq!(security["code"], "SMART-on-FHIR");
    assert_eq!(rest["resource"].as_array().unwrap().len(), 146);
    let types: Vec<&str> = rest["resource"]
        .as_array()
        .unwrap()
        .iter()
        .map(|resource| resource["type"].as_str().unwrap())
        .collect();
    assert!(types.contains(&"Patient") && types.contains(&"VisionPrescription"));
    let codes = |value: &Value| -> Vec<String> {
        let codes = value["interaction"].as_array().unwrap();
        codes
            .iter()
            .map(|code| code["code"].as_str().unwrap().to_owned())
            .collect()
    };
    for code in ["transaction", "batch", "search-system", "history-system"] {
        assert!(codes(rest).contains(&code.to_owned()), "{code}");
    }
    for code in [
        "read",
        "vread",
        "update",
        "patch",
        "delete",
        "history-instance",
        "history-type",
        "create",
        "search-type",
    ] {
        assert!(
            codes(&rest["resource"][0]).contains(&code.to_owned()),
            "{code}"
        );
    }
    // The same text every time.
    assert_eq!(server.get("/metadata").expect(200).await.text, reply.text);
    server.get("/metadata?mode=full").expect(200).await;
    server.get("/metadata?mode=terminology").expect(400).await;
    server
        .get("/metadata?_pretty=true&_format=json")
        .expect(200)
        .await;
    server.get("/metadata?_summary=true").expect(200).await;
}

/// Each `(type, member of the type)` of the statement.
fn all(statement: &Value, member: &str) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for resource in statement["rest"][0]["resource"].as_array().unwrap() {
        let name = resource["type"].as_str().unwrap();
        for value in resource[member].as_array().into_iter().flatten() {
            found.push((name.to_owned(), value.clone()));
        }
    }
    found
}

async fn refused(server: &Server, paths: Vec<String>) -> Vec<String> {
    stream::iter(paths)
        .map(|path| async move {
            let reply = server.get(&path).send().await;
            (reply.status != 200).then(|| format!("{path}: {}", reply.text))
        })
        .buffer_unordered(8)
        .filter_map(|finding| async { finding })
        .collect()
        .await
}

async fn every_advertised_parameter_is_answered(server: Server) {
    let params = all(&statement(&server).await, "searchParam");
    assert!(params.len() > 1000, "{}", params.len());
    let mut paths = Vec::new();
    for (name, param) in &params {
        let code = param["name"].as_str().unwrap();
        let value = if code == "_lastUpdated" {
            "gt2020".to_owned()
        } else {
            value_of(name, code)
        };
        paths.push(format!("/{name}?{code}={value}"));
    }
    let findings = refused(&server, paths).await;
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

/// A value that a parameter of this kind takes; a composite takes one for each
/// of its components.
fn value_of(resource_type: &str, code: &str) -> String {
    let param = r4().search_param(resource_type, code).unwrap();
    match param.kind {
        ParamKind::Date => "ge2020-01-01".to_owned(),
        ParamKind::Reference => "Patient/1".to_owned(),
        ParamKind::Uri => "http://example.org/x".to_owned(),
        ParamKind::Token | ParamKind::String => "abc".to_owned(),
        ParamKind::Number | ParamKind::Quantity => "gt1".to_owned(),
        ParamKind::Composite => {
            let params = r4().search_params(resource_type);
            let of = |url: &str| params.iter().find(|param| param.url == url);
            let components = param.components.iter();
            let values = components.map(|(url, _)| match of(url) {
                Some(component) => value_of(resource_type, &component.code),
                None => "abc".to_owned(),
            });
            values.collect::<Vec<_>>().join("$")
        }
        ParamKind::Special => "52.37|4.89|5|km".to_owned(),
    }
}

async fn every_advertised_include_is_answered(server: Server) {
    let statement = statement(&server).await;
    let mut paths = Vec::new();
    for (member, parameter) in [
        ("searchInclude", "_include"),
        ("searchRevInclude", "_revinclude"),
    ] {
        for (name, include) in all(&statement, member) {
            paths.push(format!("/{name}?{parameter}={}", include.as_str().unwrap()));
        }
    }
    assert!(paths.len() > 500, "{}", paths.len());
    let findings = refused(&server, paths).await;
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

/// What orders is a matter of the service; what it refuses it says with 400.
async fn every_advertised_sort_is_answered(server: Server) {
    let params = all(&statement(&server).await, "searchParam");
    let of_patient = params.iter().filter(|(name, _)| name == "Patient");
    for (_, param) in of_patient {
        let code = param["name"].as_str().unwrap();
        for sign in ["", "-"] {
            let reply = server
                .get(&format!("/Patient?_sort={sign}{code}"))
                .send()
                .await;
            assert!(matches!(reply.status, 200 | 400), "{code}: {}", reply.text);
        }
    }
}
