//! `UNLOOP_STRICT_APPOINTMENTS`: other systems' appointments are held to the rules.

use serde_json::{Value, json};
use unloop::access::{Caller, Internal};
use unloop::clinical::Clinical;
use unloop::clinical::knowledge::Knowledge;
use unloop::fhir::cursor::CursorKey;
use unloop::fhir::definitions::r4;
use unloop::fhir::engine::{Engine, Limits, Settings};
use unloop::fhir::request::{Content, Request, Verb};

use crate::appointments::appointment;
use crate::support::{Database, StoreKind};

async fn put(engine: &Engine, content: &Value) -> u16 {
    let path = format!("Appointment/{}", content["id"].as_str().unwrap());
    let mut request = Request::parse_url(Verb::Put, &path).unwrap();
    request.content = Content::Resource(content.as_object().unwrap().clone());
    let caller = Caller::internal(Internal::Demo);
    engine.handle(&caller, request).await.status
}

fn foreign(id: &str, status: &str, times: (&str, &str)) -> Value {
    let mut content = appointment("integration", status, times, &["Patient/p"]);
    content.as_object_mut().unwrap().remove("serviceType");
    content["id"] = json!(id);
    content
}

async fn is_held_to_the_rules(kind: StoreKind) {
    for (strict, expected) in [(false, (201, 200)), (true, (409, 422))] {
        let Some((_database, store)) = Database::create(kind).await else {
            return;
        };
        let settings = Settings {
            base_url: "http://127.0.0.1/fhir".to_owned(),
            types: Vec::new(),
            limits: Limits::default(),
            cursors: CursorKey::new(b"cursors"),
        };
        let clinical = Clinical::new(Knowledge::embedded().unwrap());
        let clinical = clinical.with_strict_appointments(strict);
        let engine = Engine::new(store, r4(), settings, clinical.rules());
        let first = foreign("first", "fulfilled", ("09:00", "10:00"));
        assert_eq!(put(&engine, &first).await, 201);
        let over = foreign("over", "booked", ("09:30", "10:30"));
        assert_eq!(put(&engine, &over).await, expected.0, "twice at once");
        let back = foreign("first", "booked", ("09:00", "09:15"));
        assert_eq!(put(&engine, &back).await, expected.1, "back to booked");
    }
}

#[tokio::test]
async fn on_sqlite() {
    is_held_to_the_rules(StoreKind::Sqlite).await;
}

#[tokio::test]
async fn on_postgres() {
    is_held_to_the_rules(StoreKind::Postgres).await;
}
