//! A table of searches and what each finds, worked out by hand from
//! <https://hl7.org/fhir/R4/search.html> over the resources of `data.ndjson`.
//!
//! A row is `search => answer`; a line that begins with `#` names the section of the
//! specification. The search may begin with `POST`, `STRICT` or `LENIENT`. Of the
//! answer: `400 word` is a refusal that says the word, `#5` the total, `#-` no total,
//! `>` that the ids stand in this order, and the rest are the ids.

use serde_json::Value;

use crate::support::{Call, Reply, Server, example};

crate::on_both_stores!(every_search_finds_what_the_specification_says);

const DATA: &str = include_str!("data.ndjson");

const TABLES: [(&str, &str); 10] = [
    ("strings", include_str!("strings.txt")),
    ("tokens", include_str!("tokens.txt")),
    ("dates", include_str!("dates.txt")),
    ("numbers", include_str!("numbers.txt")),
    ("composites", include_str!("composites.txt")),
    ("references", include_str!("references.txt")),
    ("chains", include_str!("chains.txt")),
    ("common", include_str!("common.txt")),
    ("results", include_str!("results.txt")),
    ("places", include_str!("places.txt")),
];

async fn every_search_finds_what_the_specification_says(server: Server) {
    fill(&server).await;
    let (mut rows, mut wrong) = (0, Vec::new());
    for (table, text) in TABLES {
        for (at, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (search, expected) = line.split_once(" =>").unwrap();
            rows += 1;
            let reply = ask(&server, search.trim()).send().await;
            if let Err(found) = judge(&reply, expected.trim()) {
                wrong.push(format!("{table}.txt:{}: {line}\n    {found}", at + 1));
            }
        }
    }
    assert!(rows >= 400, "{rows} rows");
    assert!(
        wrong.is_empty(),
        "{} of {rows} rows:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

async fn fill(server: &Server) {
    let mut entries = Vec::new();
    for line in DATA.lines() {
        let resource: Value = serde_json::from_str(line).unwrap();
        let [kind, id] = ["resourceType", "id"].map(|name| resource[name].as_str().unwrap());
        let url = format!("{kind}/{id}");
        entries.push(example::entry("PUT", &url, Some(resource)));
    }
    server.bundle("transaction", &entries).await;
}

/// `{u}` is UCUM, `{base}` this server.
fn ask(server: &Server, search: &str) -> Call {
    let search = search
        .replace("{u}", "http://unitsofmeasure.org")
        .replace("{base}", &server.base);
    match search.split_once(' ') {
        Some(("POST", rest)) => {
            let (path, form) = rest.split_once('?').unwrap();
            let path = if path.is_empty() {
                "/_search".to_owned()
            } else {
                format!("/{path}/_search")
            };
            let call = server.call("POST", &path);
            call.text("application/x-www-form-urlencoded", form)
        }
        Some((handling @ ("STRICT" | "LENIENT"), rest)) => {
            let handling = format!("handling={}", handling.to_lowercase());
            let call = server.get(&format!("/{rest}"));
            call.header("Prefer", &handling)
        }
        _ => server.get(&format!("/{search}")),
    }
}

/// What was answered instead, where the answer is another one.
fn judge(reply: &Reply, expected: &str) -> Result<(), String> {
    if let Some(word) = expected.strip_prefix("400 ") {
        let refused = reply.status == 400 && reply.diagnostics().contains(word);
        return refused.then_some(()).ok_or_else(|| shown(reply));
    }
    if reply.status != 200 {
        return Err(shown(reply));
    }
    let json = reply.json();
    let mut found = ids(&json);
    let (ordered, expected) = match expected.strip_prefix('>') {
        Some(rest) => (true, rest),
        None => (false, expected),
    };
    let (totals, ids): (Vec<&str>, Vec<&str>) = expected
        .split_whitespace()
        .partition(|word| word.starts_with('#'));
    let mut ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
    if !ordered {
        found.sort();
        ids.sort();
    }
    let total = match &json["total"] {
        Value::Null => "#-".to_owned(),
        total => format!("#{total}"),
    };
    let right = found == ids && totals.iter().all(|expected| *expected == total);
    right
        .then_some(())
        .ok_or_else(|| format!("{total} {}", found.join(" ")))
}

fn ids(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().map_or(&[][..], Vec::as_slice);
    entries
        .iter()
        .filter(|entry| entry["search"]["mode"] != "outcome")
        .map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned())
        .collect()
}

fn shown(reply: &Reply) -> String {
    format!("{} {}", reply.status, reply.text)
}
