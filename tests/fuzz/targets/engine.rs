//! The parsers of content: what they let through goes through the engine into
//! a store of its own.

use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};
use unloop::fhir::answer::Answer;
use unloop::fhir::audit::Actor;
use unloop::fhir::authority::{Authority, Permission};
use unloop::fhir::cursor::CursorKey;
use unloop::fhir::definitions::r4;
use unloop::fhir::engine::{Engine, Limits, Settings};
use unloop::fhir::json;
use unloop::fhir::outcome::Failure;
use unloop::fhir::request::{Content, Request, Verb};
use unloop::store::Scope;
use unloop::store::sqlite::{SqliteSettings, SqliteStore};

const DEPTH: usize = 64;

/// A patient with something of each kind in it.
const PATIENT: &str = r#"{"resourceType":"Patient","id":"1","active":true,
    "name":[{"family":"Doe","given":["Jane","Q"]}],"birthDate":"1970-01-01",
    "extension":[{"url":"http://example.org/score","valueDecimal":1.10}]}"#;

/// Nothing is refused for lack of rights, so that everything is reached.
struct Anybody;

impl Authority for Anybody {
    fn scope(&self, _: Permission, _: Option<&str>) -> Result<Scope, Failure> {
        Ok(Scope::everything())
    }

    fn identity(&self) -> &str {
        "anybody"
    }

    fn actor(&self) -> Actor {
        Actor::default()
    }
}

struct Bench {
    engine: Engine,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

fn bench() -> &'static Bench {
    static BENCH: OnceLock<Bench> = OnceLock::new();
    BENCH.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("fuzz.db").display());
        SqliteStore::migrate(&url, &SqliteSettings::default()).expect("a fresh file");
        let store = SqliteStore::open(&url, SqliteSettings::default()).expect("a fresh file");
        let settings = Settings {
            base_url: "http://127.0.0.1:8080/fhir".to_owned(),
            types: Vec::new(),
            limits: Limits::default(),
            cursors: CursorKey::new(b"fuzz"),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        Bench {
            engine: Engine::new(Arc::new(store), r4(), settings, Vec::new()),
            runtime: runtime.expect("a runtime"),
            _folder: folder,
        }
    })
}

fn handle(request: Request) -> Answer {
    let bench = bench();
    let answer = bench.engine.handle(&Anybody, request);
    let answer = bench.runtime.block_on(answer);
    assert_ne!(answer.status, 500, "{:?}", answer.content);
    answer
}

fn request(verb: Verb, path: &[&str], content: Content) -> Request {
    let path = path.iter().map(|segment| (*segment).to_owned()).collect();
    Request {
        content,
        ..Request::new(verb, path, Vec::new())
    }
}

/// A batch or transaction; anything else is created, if it is a resource.
pub fn bundle(data: &[u8]) {
    let Ok(content) = json::parse_object(data, DEPTH) else {
        return;
    };
    let is_bundle = content
        .get("type")
        .and_then(Value::as_str)
        .is_some_and(|kind| matches!(kind, "batch" | "transaction"));
    let name = content.get("resourceType").and_then(Value::as_str);
    let name = name.unwrap_or("Patient").to_owned();
    if is_bundle {
        handle(request(Verb::Post, &[], Content::Resource(content)));
    } else {
        let answer = handle(request(Verb::Post, &[&name], Content::Resource(content)));
        answered_as_json(&answer);
    }
}

/// A JSON Patch of a patient that is there.
pub fn patch(data: &[u8]) {
    let Ok(document) = json::parse(data, DEPTH) else {
        return;
    };
    let patient: Map<String, Value> = serde_json::from_str(PATIENT).expect("written by hand");
    handle(request(
        Verb::Put,
        &["Patient", "1"],
        Content::Resource(patient),
    ));
    let patch = Content::JsonPatch(document);
    answered_as_json(&handle(request(Verb::Patch, &["Patient", "1"], patch)));
}

fn answered_as_json(answer: &Answer) {
    if let Some(content) = &answer.content {
        serde_json::from_str::<Value>(content).expect("answers are JSON");
    }
}
