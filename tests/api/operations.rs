//! Operations that are registered: where they are found, what they take, and
//! that they see no more than their caller.

use serde_json::{Value, json};
use unloop::access::{Caller, Internal};
use unloop::fhir::answer::Answer;
use unloop::fhir::audit::Actor;
use unloop::fhir::authority::{Authority, Permission};
use unloop::fhir::cursor::CursorKey;
use unloop::fhir::definitions::r4;
use unloop::fhir::engine::{Engine, Limits, Settings};
use unloop::fhir::operation::output::answer;
use unloop::fhir::operation::{Call, Definition, Level, Operation, Parameter, Part, Target};
use unloop::fhir::outcome::{Failure, Kind};
use unloop::fhir::request::{Content, Request, Verb};
use unloop::store::{Comparison, Filter, Scope};

use crate::support::{Database, StoreKind, example};

static COUNTING: Definition = Definition {
    name: "count-flags",
    url: "http://example.org/OperationDefinition/count-flags",
    title: "Count flags",
    text: "How many flags a patient has.",
    types: &["Patient"],
    levels: &[Level::Instance, Level::System],
    affects_state: false,
    parameters: &[
        Parameter {
            name: "only",
            kind: "code",
            required: false,
            codes: &["a", "b"],
            text: "Only the one of this id.",
        },
        Parameter {
            name: "at",
            kind: "date",
            required: false,
            codes: &[],
            text: "The day.",
        },
    ],
};

struct Counting;

#[async_trait::async_trait]
impl Operation for Counting {
    fn definition(&self) -> &'static Definition {
        &COUNTING
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let Target::Instance(patient) = &call.target else {
            return Ok(answer(vec![Part::text("level", "system")]));
        };
        let records = call.records();
        let patient = records.read(patient).await?.key.to_string();
        let mut criteria = vec![("subject", patient.as_str())];
        criteria.extend(call.arguments.text("only").map(|id| ("_id", id)));
        let seen = records.search("Flag", &criteria).await?;
        let count = seen.resources.len();
        Ok(answer(vec![
            Part::value("count", "Integer", count),
            Part::flag("hidden", seen.hidden),
        ]))
    }
}

static WRITING: Definition = Definition {
    name: "write",
    affects_state: true,
    parameters: &[Parameter {
        name: "resource",
        kind: "Resource",
        required: true,
        codes: &[],
        text: "What to write.",
    }],
    levels: &[Level::Type],
    ..COUNTING
};

struct Writing;

#[async_trait::async_trait]
impl Operation for Writing {
    fn definition(&self) -> &'static Definition {
        &WRITING
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let resource = call.arguments.resource("resource");
        let name = resource.map_or("none", |resource| resource.resource_type.as_str());
        Ok(answer(vec![Part::text("written", name)]))
    }
}

fn local() -> Caller {
    Caller::internal(Internal::Demo)
}

/// Sees Patients, and Flags only where they have one of the ids.
struct Limited(&'static [&'static str]);

impl Authority for Limited {
    fn scope(&self, _: Permission, resource_type: Option<&str>) -> Result<Scope, Failure> {
        match resource_type {
            Some("Patient") => Ok(Scope::everything()),
            Some("Flag") if self.0.is_empty() => Err(Failure::new(Kind::Forbidden, "No flags.")),
            Some("Flag") => {
                let ids = self.0.iter().map(|id| (*id).to_owned()).collect();
                Ok(Scope::only(Filter::Is(Comparison::Id(ids))))
            }
            _ => Err(Failure::new(Kind::Forbidden, "Nothing else.")),
        }
    }

    fn identity(&self) -> &str {
        "limited"
    }

    fn actor(&self) -> Actor {
        Actor::default()
    }
}

async fn ask(engine: &Engine, who: &dyn Authority, url: &str, content: Option<Value>) -> Answer {
    let verb = if content.is_some() {
        Verb::Post
    } else {
        Verb::Get
    };
    let mut request = Request::parse_url(verb, url).unwrap();
    if let Some(content) = content {
        request.content = Content::Resource(content.as_object().unwrap().clone());
    }
    engine.handle(who, request).await
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_str(answer.content.as_ref().unwrap()).unwrap()
}

async fn counted(engine: &Engine, who: &dyn Authority, url: &str) -> (i64, bool) {
    let answer = ask(engine, who, url, None).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let parameters = json_of(&answer)["parameter"].clone();
    let count = parameters[0]["valueInteger"].as_i64().unwrap();
    (count, parameters[1]["valueBoolean"].as_bool().unwrap())
}

async fn registered(kind: StoreKind) {
    let Some((_database, store)) = Database::create(kind).await else {
        return;
    };
    let settings = Settings {
        base_url: "http://127.0.0.1/fhir".to_owned(),
        types: Vec::new(),
        limits: Limits::default(),
        cursors: CursorKey::new(b"cursors"),
    };
    let engine = Engine::new(store, r4(), settings, Vec::new())
        .with_operations(vec![Box::new(Counting), Box::new(Writing)]);
    for (id, status) in [("a", "active"), ("b", "active"), ("c", "inactive")] {
        let flag = json!({"resourceType": "Flag", "id": id, "status": status, "code": {"text": "x"},
            "subject": {"reference": "Patient/p"}});
        put(&engine, &format!("Flag/{id}"), flag).await;
    }
    let mut patient = example::patient("One");
    patient["id"] = "p".into();
    put(&engine, "Patient/p", patient).await;

    let url = "Patient/p/$count-flags";
    let one = "Patient/p/$count-flags?only=a&at=2026-11&_pretty=true";
    assert_eq!(counted(&engine, &local(), url).await, (3, false));
    assert_eq!(counted(&engine, &local(), one).await, (1, false));
    let limited = Limited(&["a", "c"]);
    assert_eq!(counted(&engine, &limited, url).await, (2, true));
    // C1: told by the rights alone, also where all that matches is within reach.
    assert_eq!(counted(&engine, &limited, one).await, (1, true));
    assert_eq!(counted(&engine, &Limited(&["c"]), one).await, (0, true));
    assert_eq!(counted(&engine, &Limited(&[]), url).await, (0, true));

    let refused = [
        ("Patient/none/$count-flags", 404, "There is no Patient/none"),
        (
            "Patient/p/$count-flags?only=odd",
            400,
            "only is one of a, b.",
        ),
        (
            "Patient/p/$count-flags?at=soon",
            400,
            "at is not a FHIR date",
        ),
        ("Patient/p/$count-flags?all=a", 400, "It has only, at."),
        (
            "Patient/p/$count-flags?at=2026&at=2025",
            400,
            "more than once",
        ),
        ("Flag/a/$count-flags", 404, "no such operation"),
        ("Patient/$count-flags", 404, "no such operation"),
        ("Patient/$write", 405, "it has POST"),
    ];
    for (url, status, text) in refused {
        let answer = ask(&engine, &local(), url, None).await;
        assert_eq!(answer.status, status, "{url}: {answer:?}");
        assert!(answer.content.unwrap().contains(text), "{url}");
    }
    assert_eq!(
        ask(&engine, &local(), "$count-flags", None).await.status,
        200
    );
}

async fn put(engine: &Engine, url: &str, content: Value) {
    let mut request = Request::parse_url(Verb::Put, url).unwrap();
    request.content = Content::Resource(content.as_object().unwrap().clone());
    assert_eq!(engine.handle(&local(), request).await.status, 201);
}

async fn in_the_content(kind: StoreKind) {
    let Some((_database, store)) = Database::create(kind).await else {
        return;
    };
    let settings = Settings {
        base_url: "http://127.0.0.1/fhir".to_owned(),
        types: Vec::new(),
        limits: Limits::default(),
        cursors: CursorKey::new(b"cursors"),
    };
    let engine =
        Engine::new(store, r4(), settings, Vec::new()).with_operations(vec![Box::new(Writing)]);
    let patient = example::patient("One");
    let wrapped = json!({"resourceType": "Parameters",
        "parameter": [{"name": "resource", "resource": patient}]});
    for content in [patient.clone(), wrapped] {
        let answer = ask(&engine, &local(), "Patient/$write", Some(content)).await;
        assert_eq!(json_of(&answer)["parameter"][0]["valueString"], "Patient");
    }
    let refused = [
        (
            json!({"resourceType": "Parameters"}),
            "$write needs resource",
        ),
        (
            json!({"resourceType": "Parameters", "parameter": [{"name": "resource", "valueCode": "x"}]}),
            "resource is a resource",
        ),
        (
            json!({"resourceType": "Parameters", "parameter": [{"name": "resource"}]}),
            "inv-1",
        ),
        (
            json!({"resourceType": "Patient", "active": "yes"}),
            "active",
        ),
    ];
    for (content, text) in refused {
        let answer = ask(&engine, &local(), "Patient/$write", Some(content)).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(
            answer.content.as_ref().unwrap().contains(text),
            "{answer:?}"
        );
    }
    let entry = example::entry("POST", "Patient/$write", Some(patient));
    let bundle = example::bundle("transaction", &[entry]);
    let answer = ask(&engine, &local(), "", Some(bundle)).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer
            .content
            .unwrap()
            .contains("cannot be an entry of a transaction")
    );
    let metadata = ask(&engine, &local(), "metadata", None).await;
    let text = metadata.content.unwrap();
    assert!(
        text.contains("OperationDefinition/count-flags"),
        "the URL of $write"
    );
}

#[tokio::test]
async fn registered_on_sqlite() {
    registered(StoreKind::Sqlite).await;
}

#[tokio::test]
async fn registered_on_postgres() {
    registered(StoreKind::Postgres).await;
}

#[tokio::test]
async fn in_the_content_on_sqlite() {
    in_the_content(StoreKind::Sqlite).await;
}

#[tokio::test]
async fn in_the_content_on_postgres() {
    in_the_content(StoreKind::Postgres).await;
}
