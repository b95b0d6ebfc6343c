//! Whatever is sent, the answer is a refusal that tells nothing of the inside,
//! never a failure of the service. The same mutations every time.

use serde_json::{Value, json};

use crate::support::{Reply, Server, example};

crate::on_both_stores!(
    odd_addresses_are_refused,
    odd_parameters_are_refused,
    odd_headers_are_refused,
    mutated_contents_are_refused,
    mutated_bundles_are_refused,
    edited_cursors_are_refused,
    odd_patches_are_refused,
);

/// Words that would tell of the database, the program or the machine.
const INSIDE: [&str; 12] = [
    "SELECT ",
    "INSERT ",
    "diesel",
    "sqlite",
    "postgres",
    "src/",
    "/tmp/",
    ".rs:",
    "panicked",
    "syntax error",
    "relation \"",
    "serde",
];

fn check(what: &str, reply: &Reply) {
    assert!(
        reply.status < 500,
        "{what}: {} {}",
        reply.status,
        reply.text
    );
    if reply.status >= 400
        && reply
            .text
            .starts_with("{\"resourceType\":\"OperationOutcome\"")
    {
        let text = reply.diagnostics();
        for word in INSIDE {
            assert!(!text.contains(word), "{what} tells of {word}: {text}");
        }
    }
}

/// The generator of Park and Miller: the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        usize::try_from(self.0).unwrap() % sides
    }
}

const ODD: [&str; 40] = [
    "'",
    "\"",
    "';DROP TABLE resource;--",
    "1 OR 1=1",
    "%27%20OR%20%271%27=%271",
    "\\",
    "$1",
    "?",
    "%00",
    "%0a",
    "%ff%fe",
    "%c3%28",
    "%ed%a0%80",
    "%",
    "%zz",
    "%252e%252e",
    "..",
    "../../etc/passwd",
    "%2e%2e%2fetc",
    "..%5c",
    "{}",
    "[]",
    "null",
    "NaN",
    "-1",
    "99999999999999999999",
    "1e999",
    "0x10",
    "\u{202e}abc",
    "🧠",
    "e%CC%81%CC%81%CC%81",
    "%F0%9F%A7%A0",
    "a|b|c|d",
    "|",
    "||",
    ",",
    ",,,",
    "$",
    ":missing",
    "9999-99-99T99:99:99Z",
];

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

const TOKENS: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "null",
    "true",
    "-",
    "1e999999999",
    "-0",
    "0.1e-400",
    "\\u0000",
    "\\ud800",
    "\\",
    "\u{0}",
    "\u{7f}",
    "\u{feff}",
    "\"resourceType\"",
    "\"$serde_json::private::Number\"",
    "{\"$serde_json::private::Number\":\"x\"}",
    "{\"$serde_json::private::Number\":\"1\"}",
    "🧠",
];

/// The text with something cut out, put in, doubled or swapped.
fn mutated(text: &str, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(bytes.len().max(1)).min(bytes.len());
        match dice.roll(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.splice(at..at, TOKENS[dice.roll(TOKENS.len())].bytes())),
            2 => {
                let end = (at + dice.roll(12)).min(bytes.len());
                drop(bytes.splice(at..end, TOKENS[dice.roll(TOKENS.len())].bytes()));
            }
            3 => bytes.insert(at, u8::try_from(dice.roll(256)).unwrap()),
            4 => drop(bytes.drain(at..(at + dice.roll(9)).min(bytes.len()))),
            _ => {
                let end = (at + dice.roll(40)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, part));
            }
        }
    }
    bytes
}

async fn send(server: &Server, method: &str, path: &str, media_type: &str, content: Vec<u8>) {
    let what = format!("{method} {path} {}", String::from_utf8_lossy(&content));
    let call = server.call(method, path).header("Content-Type", media_type);
    let reply = crate::support::Call(call.0.body(content)).send().await;
    check(&what, &reply);
    if reply.status < 300 && method != "PATCH" {
        // What was taken can be read.
        if let Some(location) = reply.headers.get("Location") {
            let read = server.get(location.to_str().unwrap()).send().await;
            assert_eq!(read.status, 200, "{what}: {}", read.text);
            let summary = format!("{}?_summary=true", location.to_str().unwrap());
            assert_eq!(server.get(&summary).send().await.status, 200, "{what}");
        }
    }
}

const JSON: &str = "application/fhir+json";

async fn mutated_contents_are_refused(server: Server) {
    let mut dice = Dice(20_261_121);
    let mut content = example::identified("1");
    content["id"] = "p".into();
    content["extension"] = json!([{"url": "http://example.org/n", "valueDecimal": 1}]);
    content["_birthDate"] = json!({"extension": [{"url": "http://example.org/t", "valueDateTime": "1974-12-25T14:35:45Z"}]});
    for _ in 0..300 {
        let bytes = mutated(&content.to_string(), &mut dice);
        let (method, path) = [("POST", "/Patient"), ("PUT", "/Patient/p")][dice.roll(2)];
        send(&server, method, path, JSON, bytes).await;
    }
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    send(&server, "POST", "/Patient", JSON, deep.into_bytes()).await;
    let wide = format!(
        "{{\"resourceType\":\"Patient\",{}\"id\":\"x\"}}",
        "\"a\":[],".repeat(50_000)
    );
    send(&server, "POST", "/Patient", JSON, wide.into_bytes()).await;
    let number = format!(
        "{{\"resourceType\":\"Basic\",\"extension\":[{{\"url\":\"x\",\"valueDecimal\":{}}}]}}",
        "9".repeat(100_000)
    );
    send(&server, "POST", "/Basic", JSON, number.into_bytes()).await;
}

async fn mutated_bundles_are_refused(server: Server) {
    let mut dice = Dice(42);
    let entries = [
        example::posted(
            "urn:uuid:0b5c1c3e-6a0f-4a53-8c39-0d3c1b3f5a01",
            example::patient("A"),
        ),
        example::entry("GET", "Patient?name=x&_include=Patient:link", None),
        example::entry(
            "PUT",
            "Patient?identifier=1",
            Some(example::identified("1")),
        ),
        example::entry("DELETE", "Patient/x", None),
    ];
    for number in 0..200 {
        let kind = ["batch", "transaction"][number % 2];
        let text = example::bundle(kind, &entries).to_string();
        send(&server, "POST", "", JSON, mutated(&text, &mut dice)).await;
    }
    for odd in ODD {
        let entries = [
            example::entry("GET", odd, None),
            example::entry("GET", &format!("Patient/{odd}"), None),
        ];
        for kind in ["batch", "transaction"] {
            let bundle = example::bundle(kind, &entries);
            let reply = server.call("POST", "").resource(&bundle).send().await;
            check(odd, &reply);
            let failed = reply.text.contains("\"status\":\"50");
            assert!(!failed, "{odd}: {}", reply.text);
        }
        let mut create = example::entry("POST", "Patient", Some(example::patient("A")));
        create["request"]["ifNoneExist"] = odd.into();
        create["request"]["ifMatch"] = odd.into();
        create["fullUrl"] = odd.into();
        let bundle = example::bundle("transaction", &[create]);
        check(odd, &server.call("POST", "").resource(&bundle).send().await);
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
        // Well formed, with other values inside.
        use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
        let inner: Value = serde_json::from_slice(&BASE64.decode(cursor).unwrap()).unwrap();
        for odd in [
            json!(null),
            json!(-1),
            json!("\u{0}"),
            json!(i64::MAX),
            json!(i64::MIN),
            json!("'"),
            json!([]),
            json!({}),
        ] {
            for at in 0..inner.as_array().unwrap().len() {
                let mut changed = inner.clone();
                changed[at] = odd.clone();
                let cursor = BASE64.encode(changed.to_string());
                let reply = server
                    .get(&format!("{before}_cursor={cursor}"))
                    .send()
                    .await;
                check(&changed.to_string(), &reply);
                if let Some(values) = inner[at].as_array() {
                    let mut changed = inner.clone();
                    changed[at] = vec![odd.clone(); values.len()].into();
                    let cursor = BASE64.encode(changed.to_string());
                    let reply = server
                        .get(&format!("{before}_cursor={cursor}"))
                        .send()
                        .await;
                    check(&changed.to_string(), &reply);
                }
            }
        }
    }
}

async fn odd_patches_are_refused(server: Server) {
    let mut dice = Dice(99);
    let path = server.create(&example::patient("A")).await.path();
    let patch = json!([
        {"op": "test", "path": "/active", "value": true},
        {"op": "add", "path": "/telecom", "value": [{"value": "1"}]},
        {"op": "move", "from": "/name/0/given/0", "path": "/name/0/given/1"},
        {"op": "remove", "path": "/telecom"},
    ]);
    for _ in 0..150 {
        let bytes = mutated(&patch.to_string(), &mut dice);
        send(
            &server,
            "PATCH",
            &path,
            "application/json-patch+json",
            bytes,
        )
        .await;
    }
    for pointer in [
        "",
        "/",
        "//",
        "/name/-1",
        "/name/99999999999999999999",
        "/~",
        "/~2",
        "/name/-/x",
        "name",
        "/\u{0}",
    ] {
        for op in ["add", "remove", "replace", "move", "copy", "test"] {
            let operation =
                json!([{"op": op, "path": pointer, "from": pointer, "value": {"a": 1}}]);
            let reply = server.call("PATCH", &path).patch(&operation).send().await;
            check(&operation.to_string(), &reply);
        }
    }
    server.get(&path).expect(200).await;
}
