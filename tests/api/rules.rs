//! Rules see every commit before the store does: they refuse, warn, and add
//! what is written with it.

use serde_json::{Value, json};
use unloop::access::{Caller, Internal};
use unloop::fhir::answer::Answer;
use unloop::fhir::authority::Authority;
use unloop::fhir::cursor::CursorKey;
use unloop::fhir::definitions::r4;
use unloop::fhir::engine::{Draft, Engine, Limits, Settings};
use unloop::fhir::outcome::{Failure, Issue, Kind};
use unloop::fhir::request::{Content, Request, Return, Verb};
use unloop::fhir::resource::Resource;
use unloop::fhir::rule::{Review, Rule};
use unloop::store::{Guard, Method, ResourceKey};

use crate::support::{Database, StoreKind};

/// Refuses patients who are called No, and notes every other one in a Flag.
struct Noted;

#[async_trait::async_trait]
impl Rule for Noted {
    fn concerns(&self, draft: &Draft) -> bool {
        draft.key.resource_type == "Patient"
    }

    async fn review(
        &self,
        _engine: &Engine,
        _writer: &dyn Authority,
        drafts: &mut Vec<Draft>,
    ) -> Result<Review, Failure> {
        let mut notes = Vec::new();
        for draft in drafts.iter() {
            let Some(resource) = &draft.content else {
                continue;
            };
            if resource.content["name"][0]["family"] == "No" {
                return Err(Failure::new(Kind::BusinessRule, "Nobody is called No."));
            }
            notes.push(flag(&draft.key));
        }
        drafts.extend(notes);
        Ok(Review {
            issues: vec![Issue::warning(Kind::BusinessRule, "Noted.")],
            ..Review::default()
        })
    }
}

fn flag(of: &ResourceKey) -> Draft {
    let content = json!({"resourceType": "Flag", "status": "active", "code": {"text": "new"},
        "subject": {"reference": of.to_string()}});
    Draft {
        key: ResourceKey::new("Flag", of.id.clone()),
        method: Method::Put,
        guard: Guard::None,
        content: Some(
            Resource::from_object(content.as_object().unwrap().clone())
                .unwrap()
                .into(),
        ),
    }
}

async fn send(engine: &Engine, verb: Verb, url: &str, content: Option<Value>) -> Answer {
    let mut request = Request::parse_url(verb, url).unwrap();
    request.prefer = Return::OperationOutcome;
    if let Some(content) = content {
        request.content = Content::Resource(content.as_object().unwrap().clone());
    }
    engine
        .handle(&Caller::internal(Internal::Demo), request)
        .await
}

async fn refuses_warns_and_adds(kind: StoreKind) {
    let Some((_database, store)) = Database::create(kind).await else {
        return;
    };
    let settings = Settings {
        base_url: "http://127.0.0.1/fhir".to_owned(),
        types: Vec::new(),
        limits: Limits::default(),
        cursors: CursorKey::new(b"cursors"),
    };
    let engine = Engine::new(store, r4(), settings, vec![Box::new(Noted)]);

    let patient = |family: &str| {
        let name = json!([{"family": family}]);
        Some(json!({"resourceType": "Patient", "id": "p", "name": name}))
    };
    let refused = send(&engine, Verb::Put, "Patient/p", patient("No")).await;
    assert_eq!(refused.status, 422);
    assert!(refused.content.unwrap().contains("Nobody is called No."));
    let absent = send(&engine, Verb::Get, "Patient/p", None).await;
    assert_eq!(absent.status, 404);

    let done = send(&engine, Verb::Put, "Patient/p", patient("Yes")).await;
    assert_eq!(done.status, 201);
    assert!(done.content.unwrap().contains("Noted."));
    let found = send(&engine, Verb::Get, "Flag?subject=Patient/p", None).await;
    let found: Value = serde_json::from_str(&found.content.unwrap()).unwrap();
    assert_eq!(found["total"], 1, "{found}");
}

#[tokio::test]
async fn on_sqlite() {
    refuses_warns_and_adds(StoreKind::Sqlite).await;
}

#[tokio::test]
async fn on_postgres() {
    refuses_warns_and_adds(StoreKind::Postgres).await;
}
