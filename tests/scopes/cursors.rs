//! The place in a listing is good for the caller and the listing that it was
//! given for, and for nothing else.

use serde_json::json;
use unloop::access::Caller;

use crate::on_both_stores;
use crate::support::{Bench, granted, holder, observation, patient};

on_both_stores!(
    a_cursor_is_its_callers,
    an_edited_cursor_is_refused,
    a_history_tells_nothing_of_versions_in_between,
);

const LISTINGS: [&str; 6] = [
    "Observation?_count=1",
    "Observation?_count=1&_sort=-date",
    "?_type=Observation,Patient&_count=1",
    "Patient/a/$everything?_count=1",
    "Observation/_history?_count=1",
    "_history?_count=1",
];

async fn some(bench: &Bench) {
    let mut all = vec![patient("a"), patient("b")];
    for number in 0..4 {
        all.push(observation(&format!("a{number}"), "a"));
        all.push(observation(&format!("b{number}"), "b"));
    }
    bench.put_all(&all).await;
}

/// Each other token, even one with wider rights.
fn others(bench: &Bench) -> Vec<(&'static str, Caller)> {
    let mut grant = granted("patient/*.rs", &["a"], &[]);
    grant.scope = "patient/*.rs".to_owned();
    let mut somebody_else = holder("patient/*.rs", Some("a"), None);
    somebody_else.identity = "somebody else".to_owned();
    vec![
        ("another patient", bench.patient("b", "patient/*.rs")),
        ("another scope", bench.patient("a", "patient/*.cruds")),
        ("another person", bench.caller(&somebody_else)),
        ("a grant", bench.caller(&grant)),
        ("a system", bench.caller(&holder("system/*.rs", None, None))),
        (
            "a user",
            bench.caller(&holder("user/*.rs", Some("a"), Some("Practitioner/p"))),
        ),
        (
            "the service",
            Caller::internal(unloop::access::Internal::Demo),
        ),
    ]
}

async fn a_cursor_is_its_callers(bench: Bench) {
    some(&bench).await;
    let caller = bench.patient("a", "patient/*.rs");
    for listing in LISTINGS {
        let next = bench.get(&caller, listing).await.link("next").unwrap();
        assert_eq!(bench.get(&caller, &next).await.status(), 200, "{listing}");
        for (who, other) in others(&bench) {
            let reply = bench.get(&other, &next).await;
            assert!(
                matches!(reply.status(), 400 | 403 | 404),
                "{who}: {next} {}",
                reply.text()
            );
            assert!(reply.names().is_empty());
        }
        let cursor = next
            .split("_cursor=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap();
        for elsewhere in LISTINGS.iter().filter(|other| **other != listing) {
            let reply = bench
                .get(&caller, &format!("{elsewhere}&_cursor={cursor}"))
                .await;
            assert_eq!(
                reply.status(),
                400,
                "{listing} -> {elsewhere}: {}",
                reply.text()
            );
        }
        for more in [
            "&_sort=date",
            "&code=x",
            "&_since=2020",
            "&subject=Patient/a",
        ] {
            let reply = bench.get(&caller, &format!("{next}{more}")).await;
            assert_eq!(reply.status(), 400, "{next}{more}");
        }
    }
}

async fn an_edited_cursor_is_refused(bench: Bench) {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    some(&bench).await;
    let caller = bench.patient("a", "patient/*.rs");
    for listing in LISTINGS {
        let next = bench.get(&caller, listing).await.link("next").unwrap();
        let (head, tail) = next.split_once("_cursor=").unwrap();
        let (cursor, tail) = tail.split_once('&').unwrap_or((tail, ""));
        let bytes = URL_SAFE_NO_PAD.decode(cursor).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            !["a0", "a1", "Patient", "null", "["]
                .iter()
                .any(|part| text.contains(part) && part.len() > 1),
            "{text}"
        );
        let mut edited: Vec<Vec<u8>> = (0..bytes.len())
            .map(|place| {
                let mut edited = bytes.clone();
                edited[place] ^= 1;
                edited
            })
            .collect();
        edited.push(bytes[16..].to_vec());
        edited.push(bytes[..16].to_vec());
        edited.push([&[0; 16][..], &bytes[16..]].concat());
        edited.push([&bytes[..], b" "].concat());
        edited.push(json!(["Observation", "b0"]).to_string().into_bytes());
        edited.push(Vec::new());
        let texts = edited.iter().map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        for text in texts.chain(["x".to_owned(), format!("{cursor}A"), "%00".to_owned()]) {
            if text.is_empty() {
                continue;
            }
            let url = format!("{head}_cursor={text}&{tail}");
            let reply = bench.get(&caller, &url).await;
            assert_eq!(reply.status(), 400, "{url}: {}", reply.text());
        }
    }
}

/// Of a record that was another patient's for a while.
async fn a_history_tells_nothing_of_versions_in_between(bench: Bench) {
    some(&bench).await;
    for patient in ["a", "b", "b", "b", "a", "b", "a"] {
        bench.put(observation("moved", patient)).await;
    }
    let caller = bench.patient("a", "patient/*.rs");
    let versions = async |url: &str| {
        let mut versions = Vec::new();
        let mut next = Some(url.to_owned());
        while let Some(url) = next {
            let page = bench.get(&caller, &url).await;
            assert_eq!(page.status(), 200, "{url}: {}", page.text());
            let entries = page.json()["entry"].as_array().cloned().unwrap_or_default();
            next = page.link("next");
            assert!(!entries.is_empty(), "{url} leads to nothing");
            assert!(entries.len() == 2 || next.is_none(), "{url} is short");
            versions.extend(entries.into_iter().map(|entry| {
                let version = &entry["resource"]["meta"]["versionId"];
                version.as_str().unwrap().to_owned()
            }));
        }
        versions
    };
    let own = versions("Observation/moved/_history?_count=2").await;
    assert_eq!(own, ["7", "5", "1"]);
    // Behind the last there are hidden ones only.
    for _ in 0..2 {
        bench.put(observation("a0", "b")).await;
        bench.put(observation("a0", "a")).await;
    }
    let own = versions("Observation/a0/_history?_count=2").await;
    assert_eq!(own, ["5", "3", "1"]);
    bench.put(observation("begun", "b")).await;
    bench.put(observation("begun", "b")).await;
    bench.put(observation("begun", "a")).await;
    bench.put(observation("begun", "a")).await;
    let own = versions("Observation/begun/_history?_count=2").await;
    assert_eq!(own, ["4", "3"], "and no link");
    versions("Observation/_history?_count=2").await;
    versions("_history?_count=2").await;
}
