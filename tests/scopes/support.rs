//! An engine on a database of its own, and callers with tokens.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use unloop::access::{Bearer, Caller, GrantTerms, Holder, Internal, Rights};
use unloop::clinical::Clinical;
use unloop::clinical::knowledge::Knowledge;
use unloop::fhir::answer::Answer;
use unloop::fhir::cursor::CursorKey;
use unloop::fhir::definitions::r4;
use unloop::fhir::engine::{Engine, Limits, Settings};
use unloop::fhir::request::{Content, Request, Verb};

pub use crate::database::{Database, StoreKind};

pub const BASE: &str = "http://records.example.org/fhir";

/// Makes one test per store of each `async fn(Bench)`.
#[macro_export]
macro_rules! on_both_stores {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    let bench = $crate::support::Bench::open($crate::support::StoreKind::Sqlite).await;
                    super::$name(bench.unwrap()).await;
                }
            )+
        }
        mod postgres {
            $(
                #[tokio::test]
                async fn $name() {
                    if let Some(bench) = $crate::support::Bench::open($crate::support::StoreKind::Postgres).await {
                        super::$name(bench).await;
                    }
                }
            )+
        }
    };
}

pub struct Bench {
    pub engine: Engine,
    _database: Database,
}

impl Bench {
    pub async fn open(kind: StoreKind) -> Option<Self> {
        let (database, store) = Database::create(kind).await?;
        let settings = Settings {
            base_url: BASE.to_owned(),
            types: Vec::new(),
            limits: Limits::default(),
            cursors: CursorKey::new(b"cursors"),
        };
        let clinical = Clinical::new(Knowledge::embedded().unwrap());
        let engine = Engine::new(store, r4(), settings, Vec::new());
        let engine = engine.with_operations(clinical.operations());
        Some(Self {
            engine,
            _database: database,
        })
    }

    /// A bearer; a token that is refused as a whole opens nothing here.
    pub fn caller(&self, holder: &Holder) -> Caller {
        self.admitted(holder).unwrap()
    }

    pub fn admitted(&self, holder: &Holder) -> Option<Caller> {
        let bearer = Bearer {
            patient: holder.patient.clone(),
            fhir_user: holder.fhir_user.clone(),
            ..Bearer::default()
        };
        let rights = Rights::of(&self.engine.catalogue, holder).ok()?;
        Some(Caller::bearer(bearer, Arc::new(rights)))
    }

    /// Somebody in the context of one patient.
    pub fn patient(&self, id: &str, scope: &str) -> Caller {
        self.caller(&holder(scope, Some(id), None))
    }

    pub async fn send(&self, caller: &Caller, request: Request) -> Answer {
        self.engine.handle(caller, request).await
    }

    pub async fn get(&self, caller: &Caller, url: &str) -> Reply {
        let request = Request::parse_url(Verb::Get, url).unwrap();
        Reply(self.send(caller, request).await)
    }

    pub async fn write(&self, caller: &Caller, verb: Verb, url: &str, content: Value) -> Reply {
        Reply(self.send(caller, asking(verb, url, content)).await)
    }

    /// As the service itself, under the id that the content has.
    pub async fn put(&self, content: Value) {
        let url = name_of(&content);
        let local = Caller::internal(Internal::Demo);
        let reply = self.write(&local, Verb::Put, &url, content).await;
        assert!(reply.status() < 300, "{url}: {}", reply.text());
    }

    pub async fn put_all(&self, contents: &[Value]) {
        for part in contents.chunks(50) {
            let entries: Vec<Value> = part
                .iter()
                .map(|content| {
                    let url = name_of(content);
                    json!({"request": {"method": "PUT", "url": url}, "resource": content})
                })
                .collect();
            let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
            let local = Caller::internal(Internal::Demo);
            let reply = self.write(&local, Verb::Post, "", bundle).await;
            assert_eq!(reply.status(), 200, "{}", reply.text());
        }
    }
}

pub fn holder(scope: &str, patient: Option<&str>, user: Option<&str>) -> Holder {
    Holder {
        scope: scope.to_owned(),
        patient: patient.map(str::to_owned),
        fhir_user: user.map(str::to_owned),
        grant: None,
        sees_psychotherapy_notes: false,
        identity: "somebody".to_owned(),
    }
}

pub fn granted(scope: &str, patients: &[&str], labels: &[&str]) -> Holder {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    Holder {
        grant: Some(GrantTerms {
            scope: scope.to_owned(),
            patients: owned(patients),
            labels: owned(labels),
            purpose: "TREAT".to_owned(),
        }),
        ..holder(scope, None, Some("Practitioner/outside"))
    }
}

pub fn asking(verb: Verb, url: &str, content: Value) -> Request {
    let mut request = Request::parse_url(verb, url).unwrap();
    request.content = match content {
        Value::Null => Content::None,
        Value::Object(content) => Content::Resource(content),
        operations => Content::JsonPatch(operations),
    };
    request
}

pub fn name_of(content: &Value) -> String {
    let text = |name: &str| content[name].as_str().unwrap_or_default();
    format!("{}/{}", text("resourceType"), text("id"))
}

/// An answer with what tests ask of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply(pub Answer);

impl Reply {
    pub fn status(&self) -> u16 {
        self.0.status
    }

    pub fn text(&self) -> &str {
        self.0.content.as_deref().unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(self.text()).unwrap_or(Value::Null)
    }

    /// `Type/id` of the entries, outcomes left out.
    pub fn names(&self) -> Vec<String> {
        let json = self.json();
        let entries = json["entry"].as_array().cloned().unwrap_or_default();
        let resources = entries.iter().map(|entry| &entry["resource"]);
        resources
            .filter(|resource| {
                !resource.is_null() && resource["resourceType"] != "OperationOutcome"
            })
            .map(name_of)
            .collect()
    }

    pub fn link(&self, relation: &str) -> Option<String> {
        let json = self.json();
        let mut links = json["link"].as_array()?.iter();
        let link = links.find(|link| link["relation"] == relation)?;
        let url = link["url"].as_str()?;
        Some(url.trim_start_matches(BASE).to_owned())
    }

    /// All that a client gets, without the names asked for, new ids and times:
    /// what is absent and what is hidden must look alike.
    pub fn without(&self, names: &[&str]) -> String {
        let answer = &self.0;
        let mut text = format!(
            "{} {:?} {} {:?}\n{}",
            answer.status,
            answer.version,
            answer.updated.is_some(),
            answer.location,
            self.text()
        );
        let made = answer
            .location
            .as_deref()
            .and_then(|location| location.split('/').nth(1));
        for name in names.iter().copied().chain(made) {
            text = text.replace(name, "…");
        }
        let is_new = |word: &&str| {
            let time = word.starts_with("20") && word.contains('T');
            let id = word.len() == 36 && word.matches('-').count() == 4;
            time || id
        };
        let words = text.split(['"', ' ', '/']);
        let words: Vec<&str> = words.filter(|word| !is_new(word)).collect();
        words.join(" ")
    }
}

pub fn patient(id: &str) -> Value {
    json!({
        "resourceType": "Patient", "id": id, "active": true,
        "identifier": [{"system": "http://example.org/mrn", "value": id}],
        "name": [{"family": format!("Family{id}")}],
    })
}

pub fn observation(id: &str, patient: &str) -> Value {
    json!({
        "resourceType": "Observation", "id": id, "status": "final",
        "identifier": [{"system": "http://example.org/obs", "value": id}],
        "category": [{"coding": [{"system": CATEGORY, "code": "survey"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "44261-6"}]},
        "subject": {"reference": format!("Patient/{patient}")},
        "effectiveDateTime": "2026-01-02T10:00:00Z",
    })
}

pub const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

/// A file of the shared data beside the repository, or of `UNLOOP_SHARED`. Where
/// it is missing a test is skipped, which CI does not accept.
pub fn shared(path: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared");
    let folder = std::env::var("UNLOOP_SHARED").unwrap_or_else(|_| beside.to_owned());
    let file = Path::new(&folder).join(path);
    if file.exists() {
        return Some(file);
    }
    let in_ci = std::env::var("CI").as_deref() == Ok("true");
    assert!(!in_ci, "CI needs {}", file.display());
    eprintln!("skipped: there is no {}", file.display());
    None
}

/// The files of the official package that a test wants, read once.
pub fn package(wanted: impl Fn(&str) -> bool) -> Option<Vec<(String, Value)>> {
    use std::io::Read;
    const TOO_LARGE: u64 = 1 << 20;
    let path = shared("fhir/definitions/hl7.fhir.r4.examples-4.0.1.tgz")?;
    let file = std::fs::File::open(path).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut found = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        if entry.size() > TOO_LARGE || !name.ends_with(".json") || !wanted(&name) {
            continue;
        }
        let mut text = String::new();
        if entry.read_to_string(&mut text).is_err() {
            continue;
        }
        if let Ok(content) = serde_json::from_str::<Value>(&text) {
            found.push((name, content));
        }
    }
    Some(found)
}
