//! Therapist grants: what they open, and everything that ends them. The grant
//! rests on a FHIR Consent (<https://hl7.org/fhir/R4/consent.html>).

use std::sync::Arc;

use serde_json::{Value, json};
use unloop::access::grant::{Grant, Grants, NewGrant};
use unloop::access::{Bearer, Caller, Holder, Internal, Rights};
use unloop::fhir::cursor::CursorKey;
use unloop::fhir::definitions::r4;
use unloop::fhir::engine::{Engine, Limits, Settings};
use unloop::fhir::request::{Content, Request, Verb};

use crate::support::{Database, StoreKind, deed};

pub type Edit<'e, T> = &'e dyn Fn(&mut T);

pub const NOW: i64 = 1_800_000_000;
pub const LATER: i64 = NOW + 3600;

pub struct World {
    _database: Database,
    pub engine: Arc<Engine>,
    pub grants: Grants,
}

pub fn practice() -> Caller {
    Caller::internal(Internal::Demo)
}

pub async fn put(engine: &Engine, content: Value) {
    let path = format!(
        "{}/{}",
        content["resourceType"].as_str().unwrap(),
        content["id"].as_str().unwrap()
    );
    let mut request = Request::parse_url(Verb::Put, &path).unwrap();
    request.content = Content::Resource(content.as_object().unwrap().clone());
    let answer = engine.handle(&practice(), request).await;
    assert!(answer.status < 300, "{path}: {:?}", answer.content);
}

pub async fn get(engine: &Engine, caller: &Caller, path: &str) -> (u16, String) {
    let request = Request::parse_url(Verb::Get, path).unwrap();
    let answer = engine.handle(caller, request).await;
    (answer.status, answer.content.unwrap_or_default())
}

fn score(id: &str, patient: &str, label: Option<&str>) -> Value {
    let labels: Vec<Value> = label
        .iter()
        .map(|code| {
            json!({
                "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": code,
            })
        })
        .collect();
    let mut content = json!({
        "resourceType": "Observation", "id": id, "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "survey"}]}],
        "code": {"text": "score"}, "subject": {"reference": format!("Patient/{patient}")},
        "valueInteger": 20,
    });
    if !labels.is_empty() {
        content["meta"] = json!({"security": labels});
    }
    content
}

pub async fn world(kind: StoreKind) -> Option<World> {
    let (database, store) = Database::create(kind).await?;
    let settings = Settings {
        base_url: "http://127.0.0.1/fhir".to_owned(),
        types: Vec::new(),
        limits: Limits::default(),
        cursors: CursorKey::new(b"cursors"),
    };
    let engine = Arc::new(Engine::new(store, r4(), settings, Vec::new()));
    put(
        &engine,
        json!({"resourceType": "Practitioner", "id": "outside", "active": true}),
    )
    .await;
    for patient in ["a", "b", "c"] {
        put(&engine, json!({"resourceType": "Patient", "id": patient})).await;
        put(&engine, score(&format!("plain-{patient}"), patient, None)).await;
        put(
            &engine,
            score(&format!("psy-{patient}"), patient, Some("PSY")),
        )
        .await;
    }
    let grants = Grants {
        engine: engine.clone(),
    };
    Some(World {
        _database: database,
        engine,
        grants,
    })
}

pub fn asked(patients: &[&str]) -> NewGrant {
    NewGrant {
        practitioner: "outside".to_owned(),
        patients: patients.iter().map(|&p| p.to_owned()).collect(),
        scope: "patient/Observation.rs?category=survey patient/Consent.rs".to_owned(),
        purpose: "TREAT".to_owned(),
        ends: LATER,
        ..NewGrant::default()
    }
}

/// Who holds a token of the grant, if that is worth anything at the moment.
pub async fn therapist(world: &World, grant: &Grant, now: i64) -> Option<Caller> {
    let standing = world.grants.standing(&grant.id, now).await.unwrap()?;
    let holder = Holder {
        scope: "patient/*.cruds system/*.cruds".to_owned(),
        fhir_user: Some("Practitioner/outside".to_owned()),
        grant: Some(standing.terms),
        identity: "therapist".to_owned(),
        ..Holder::default()
    };
    let rights = Rights::of(&world.engine.catalogue, &holder).unwrap();
    Some(Caller::bearer(Bearer::default(), Arc::new(rights)))
}

async fn opens_what_it_names(kind: StoreKind) {
    let Some(world) = world(kind).await else {
        return;
    };
    let grant = world
        .grants
        .add(&practice(), asked(&["a", "b"]), NOW, &deed("grant-add"))
        .await
        .unwrap();
    let caller = therapist(&world, &grant, NOW).await.unwrap();
    for (path, expected) in [
        ("Observation/plain-a", 200),
        ("Observation/plain-b", 200),
        ("Observation/plain-c", 404),
        ("Observation/psy-a", 404),
        ("Observation/nothing", 404),
        ("Patient/a", 403),
    ] {
        assert_eq!(
            get(&world.engine, &caller, path).await.0,
            expected,
            "{path}"
        );
    }
    let (_, found) = get(&world.engine, &caller, "Observation?_total=accurate").await;
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["total"], 2);
    // The Consents are there for the patients of the grant, and valid R4.
    let (_, found) = get(&world.engine, &practice(), "Consent?status=active").await;
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["entry"].as_array().unwrap().len(), 2);
    assert_eq!(world.grants.list().await.unwrap(), [grant]);
}

async fn a_label_is_shown_where_it_is_named(kind: StoreKind) {
    let Some(world) = world(kind).await else {
        return;
    };
    let mut asked = asked(&["a"]);
    asked.labels = vec!["PSY".to_owned()];
    let grant = world
        .grants
        .add(&practice(), asked, NOW, &deed("grant-add"))
        .await
        .unwrap();
    let caller = therapist(&world, &grant, NOW).await.unwrap();
    assert_eq!(
        get(&world.engine, &caller, "Observation/psy-a").await.0,
        200
    );
}

async fn everything_that_ends_it(kind: StoreKind) {
    let Some(world) = world(kind).await else {
        return;
    };
    let owner = practice();
    let deed = deed("grant-add");
    let add = || world.grants.add(&owner, asked(&["a"]), NOW, &deed);

    let grant = add().await.unwrap();
    assert!(therapist(&world, &grant, LATER - 1).await.is_some());
    assert!(therapist(&world, &grant, LATER).await.is_none(), "its end");

    world
        .grants
        .revoke(&practice(), &grant.id, &deed)
        .await
        .unwrap();
    assert!(therapist(&world, &grant, NOW).await.is_none(), "revoked");
    let consent = format!("Consent/{}", grant.basis[0].consent);
    let (_, text) = get(&world.engine, &practice(), &consent).await;
    assert!(text.contains(r#""status":"inactive""#), "{text}");
    let again = world
        .grants
        .revoke(&practice(), &grant.id, &deed)
        .await
        .unwrap_err();
    assert_eq!(again.status(), 404);

    let grant = add().await.unwrap();
    let consent = format!("Consent/{}", grant.basis[0].consent);
    let (_, text) = get(&world.engine, &practice(), &consent).await;
    let mut content: Value = serde_json::from_str(&text).unwrap();
    content["status"] = json!("inactive");
    put(&world.engine, content).await;
    assert!(
        therapist(&world, &grant, NOW).await.is_none(),
        "the Consent ended"
    );

    let grant = add().await.unwrap();
    put(
        &world.engine,
        json!({"resourceType": "Practitioner", "id": "outside", "active": false}),
    )
    .await;
    assert!(
        therapist(&world, &grant, NOW).await.is_none(),
        "the Practitioner left"
    );
}

async fn refusals(kind: StoreKind) {
    let Some(world) = world(kind).await else {
        return;
    };
    let cases: [(&str, Edit<'_, NewGrant>); 9] = [
        ("Practitioner/nobody", &|g| {
            g.practitioner = "nobody".to_owned()
        }),
        ("Patient/nobody", &|g| {
            g.patients = vec!["nobody".to_owned()]
        }),
        ("1 to", &|g| g.patients.clear()),
        ("system/", &|g| g.scope = "system/*.rs".to_owned()),
        ("patient/Observation.sr", &|g| {
            g.scope = "patient/Observation.sr".to_owned()
        }),
        ("patient/Nothing.rs", &|g| {
            g.scope = "patient/Nothing.rs".to_owned()
        }),
        ("future", &|g| g.ends = NOW),
        ("TREAT", &|g| g.purpose = "CURIOSITY".to_owned()),
        ("label", &|g| g.labels = vec!["N".to_owned()]),
    ];
    for (said, change) in cases {
        let mut grant = asked(&["a"]);
        change(&mut grant);
        let failure = world
            .grants
            .add(&practice(), grant, NOW, &deed("grant-add"))
            .await
            .unwrap_err();
        assert!(
            failure.status() < 500 && failure.issues[0].text.contains(said),
            "{failure:?}"
        );
    }
    assert!(world.grants.list().await.unwrap().is_empty());
    let (_, found) = get(&world.engine, &practice(), "Consent").await;
    assert!(
        !found.contains(r#""entry""#),
        "nothing is left of a refusal"
    );
}

macro_rules! on_each_store {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::support::StoreKind::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::support::StoreKind::Postgres).await;
            })+
        }
    };
}

on_each_store!(
    opens_what_it_names,
    a_label_is_shown_where_it_is_named,
    everything_that_ends_it,
    refusals,
);
