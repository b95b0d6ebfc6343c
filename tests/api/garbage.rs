//! Whatever is sent, the answer is a refusal that tells nothing of the inside,
//! never a failure of the service.

use serde_json::json;

use crate::support::odd::{Dice, ODD, check, mutated};
use crate::support::{Server, example};

crate::on_both_stores!(
    odd_addresses_are_refused,
    odd_parameters_are_refused,
    odd_headers_are_refused,
    edited_cursors_are_refused,
);

async fn odd_addresses_are_refused(server: Server) {
    let path = server.create(&example::patient("A")).await.path();
    for odd in ODD {
        for address in [
            format!("/{odd}"),
            format!("/Patient/{odd}"),
            format!("/{odd}/1"),
            format!("{path}/_history/{odd}"),
            format!("{path}/{odd}"),
            format!("{path}/Observation/{odd}"),
            format!("/Patient/{odd}/_history"),
            format!("/Patient/{odd}/Observation"),
            format!("/Patient/{odd}/$everything"),
        ] {
            let reply = server.get(&address).send().await;
            check(&address, &reply);
        }
        for method in [
            "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND",
        ] {
            let address = format!("/Patient/{odd}");
            let reply = server
                .call(method, &address)
                .resource(&json!({}))
                .send()
                .await;
            check(&format!("{method} {address}"), &reply);
        }
    }
}

async fn odd_parameters_are_refused(server: Server) {
    server.create(&example::identified("1")).await;
    let names = [
        "_id",
        "_lastUpdated",
        "identifier",
        "family",
        "family:exact",
        "birthdate",
        "gender",
        "link",
        "active:not",
        "general-practitioner",
        "_sort",
        "_count",
        "_include",
        "_revinclude",
        "_total",
        "_summary",
        "_elements",
        "_cursor",
        "_since",
        "_at",
        "_type",
        "_format",
        "_pretty",
        "organization:missing",
        "_profile",
        "_tag",
        "_security",
        "_source",
    ];
    for name in names {
        for odd in ODD {
            let address = format!("/Patient?{name}={odd}");
            check(&address, &server.get(&address).send().await);
        }
        let address = format!("/Patient/_history?{name}=-1");
        check(&address, &server.get(&address).send().await);
    }
    for odd in ODD {
        let address = format!("/Patient?{odd}=1&{odd}");
        check(&address, &server.get(&address).send().await);
        for method in ["PUT", "DELETE"] {
            let address = format!("/Patient?identifier={odd}");
            let call = server
                .call(method, &address)
                .resource(&example::patient("A"));
            check(&address, &call.send().await);
        }
    }
    let many = "family=a&".repeat(800);
    check(
        "many parameters",
        &server.get(&format!("/Patient?{many}")).send().await,
    );
    let values = format!("identifier={}", "a,".repeat(3000));
    check(
        "many values",
        &server.get(&format!("/Patient?{values}")).send().await,
    );
    let form = "application/x-www-form-urlencoded";
    let many = format!("identifier={}b", "a,".repeat(100_000));
    let call = server.call("POST", "/Patient/_search").text(form, &many);
    check("very many values", &call.send().await);
}

async fn odd_headers_are_refused(server: Server) {
    let made = server.create(&example::patient("A")).await;
    let names = [
        "If-Match",
        "If-None-Match",
        "If-Modified-Since",
        "If-None-Exist",
        "Prefer",
        "Accept",
        "Accept-Encoding",
        "Content-Type",
        "Content-Encoding",
        "Expect",
        "Range",
        "X-HTTP-Method-Override",
        "traceparent",
    ];
    let values = [
        "",
        " ",
        "*",
        "W/",
        "W/\"",
        "W/\"x\"",
        "W/\"99999999999999999999\"",
        "\"-1\"",
        "W/\"0\"",
        "identifier=';--",
        "identifier=a|b|c",
        "?",
        "Thu, 99 Foo 9999 99:99:99 GMT",
        "return=",
        "q=;;,,",
        "application/fhir+json; fhirVersion",
        "gzip",
        "br",
        "%00",
        "text/*;q=x",
    ];
    for name in names {
        for value in values {
            if name == "Expect" && value.is_empty() {
                continue;
            }
            for method in ["GET", "PUT", "DELETE"] {
                let path = if method == "DELETE" {
                    "/Patient/none".to_owned()
                } else {
                    made.path()
                };
                let call = server.call(method, &path).header(name, value);
                let call = if method == "PUT" {
                    call.resource(&made.json())
                } else {
                    call
                };
                check(&format!("{method} {name}: {value}"), &call.send().await);
            }
            let call = server.call("POST", "/Patient").header(name, value);
            let call = call.resource(&example::patient("A"));
            check(&format!("POST {name}: {value}"), &call.send().await);
        }
    }
}

async fn edited_cursors_are_refused(server: Server) {
    for name in ["A", "B", "C"] {
        server.create(&example::patient(name)).await;
    }
    let mut dice = Dice(7);
    let patient = server.get("/Patient").expect(200).await.entries().remove(0);
    for path in [
        "/Patient?_count=1".to_owned(),
        "/Patient?_count=1&_sort=birthdate".to_owned(),
        "/?_type=Patient&_count=1&_sort=-_lastUpdated".to_owned(),
        "/Patient/_history?_count=1".to_owned(),
        format!("/{patient}/$everything?_count=1&_type=Patient"),
    ] {
        let next = server.get(&path).expect(200).await.link("next");
        let Some(next) = next else { continue };
        let (before, cursor) = next.split_once("_cursor=").unwrap();
        for _ in 0..60 {
            let bytes = mutated(cursor, &mut dice);
            let edited: String = form_urlencoded::byte_serialize(&bytes).collect();
            let reply = server
                .get(&format!("{before}_cursor={edited}"))
                .send()
                .await;
            check(&edited, &reply);
        }
        // As places were written before they were sealed, behind whatever stands first.
        use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
        let sealed = BASE64.decode(cursor).unwrap();
        for content in [
            json!(null),
            json!([]),
            json!({}),
            json!([false, null]),
            json!([false, ["a"]]),
            json!([true, [i64::MAX, "\u{0}"]]),
            json!([i64::MIN, "Patient", "a", 1]),
        ] {
            let content = content.to_string().into_bytes();
            for first in [&sealed[..0], &sealed[..16]] {
                let cursor = BASE64.encode([first, content.as_slice()].concat());
                let url = format!("{before}_cursor={cursor}");
                check(&cursor, &server.get(&url).expect(400).await);
            }
        }
    }
}
