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

type Edit<'e, T> = &'e dyn Fn(&mut T);

const NOW: i64 = 1_800_000_000;
const LATER: i64 = NOW + 3600;

struct World {
    _database: Database,
    engine: Arc<Engine>,
    grants: Grants,
}

fn practice() -> Caller {
    Caller::internal(Internal::Demo)
}

async fn put(engine: &Engine, content: Value) {
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

async fn get(engine: &Engine, caller: &Caller, path: &str) -> (u16, String) {
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

async fn world(kind: StoreKind) -> Option<World> {
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

fn asked(patients: &[&str]) -> NewGrant {
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
async fn therapist(world: &World, grant: &Grant, now: i64) -> Option<Caller> {
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

#[expect(clippy::too_many_lines, reason = "one table of cases")]
async fn a_consent_that_exists(kind: StoreKind) {
    let Some(world) = world(kind).await else {
        return;
    };
    let concept = |system: &str, code: &str| json!({"coding": [{"system": format!("http://terminology.hl7.org/CodeSystem/{system}"), "code": code}]});
    let consent = |id: &str, patient: &str, change: &dyn Fn(&mut Value)| {
        let mut content = json!({
            "resourceType": "Consent", "id": id, "status": "active",
            "scope": concept("consentscope", "patient-privacy"),
            "category": [concept("v3-ActCode", "INFAO")],
            "policyRule": concept("v3-ActCode", "OPTIN"),
            "patient": {"reference": format!("Patient/{patient}")},
            "provision": {"type": "permit", "actor": [{
                "role": concept("v3-ParticipationType", "PRCP"),
                "reference": {"reference": "Practitioner/outside"},
            }]},
        });
        change(&mut content);
        content
    };
    // Issue 12, C2 and attack 19: each member narrowed, widened, removed, of another system.
    let cases: &[(&str, Edit<'_, Value>, bool)] = &[
        (
            "opt-out",
            &|c| c["policyRule"] = concept("v3-ActCode", "OPTOUT"),
            false,
        ),
        (
            "opt-in-with-limits",
            &|c| c["policyRule"] = concept("v3-ActCode", "OPTINR"),
            false,
        ),
        (
            "rule-of-another-system",
            &|c| c["policyRule"] = concept("other", "OPTIN"),
            false,
        ),
        (
            "research",
            &|c| c["scope"] = concept("consentscope", "research"),
            false,
        ),
        (
            "treatment",
            &|c| c["scope"] = concept("consentscope", "treatment"),
            false,
        ),
        (
            "scope-of-another-system",
            &|c| c["scope"] = concept("other", "patient-privacy"),
            false,
        ),
        (
            "scope-in-words",
            &|c| c["scope"] = json!({"text": "patient-privacy"}),
            false,
        ),
        (
            "category-unknown",
            &|c| c["category"] = json!([concept("consentcategorycodes", "rsreid")]),
            false,
        ),
        (
            "no-provision",
            &|c| {
                c.as_object_mut().unwrap().remove("provision");
            },
            false,
        ),
        (
            "no-type",
            &|c| {
                c["provision"].as_object_mut().unwrap().remove("type");
            },
            false,
        ),
        (
            "no-actor",
            &|c| {
                c["provision"].as_object_mut().unwrap().remove("actor");
            },
            false,
        ),
        (
            "custodian",
            &|c| c["provision"]["actor"][0]["role"] = concept("v3-ParticipationType", "CST"),
            false,
        ),
        (
            "role-of-another-system",
            &|c| c["provision"]["actor"][0]["role"] = concept("other", "PRCP"),
            false,
        ),
        (
            "access",
            &|c| c["provision"]["action"] = json!([concept("consentaction", "access")]),
            true,
        ),
        (
            "collect-only",
            &|c| c["provision"]["action"] = json!([concept("consentaction", "collect")]),
            false,
        ),
        (
            "action-of-another-system",
            &|c| c["provision"]["action"] = json!([concept("other", "access")]),
            false,
        ),
        (
            "purpose",
            &|c| c["provision"]["purpose"] = json!([{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}]),
            true,
        ),
        (
            "purpose-research",
            &|c| c["provision"]["purpose"] = json!([{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HRESCH"}]),
            false,
        ),
        (
            "purpose-of-another-system",
            &|c| c["provision"]["purpose"] = json!([{"system": "http://x", "code": "TREAT"}]),
            false,
        ),
        (
            "class",
            &|c| {
                c["provision"]["class"] =
                    json!([{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}])
            },
            false,
        ),
        (
            "code",
            &|c| c["provision"]["code"] = json!([{"text": "Y-BOCS"}]),
            false,
        ),
        (
            "data",
            &|c| {
                c["provision"]["data"] =
                    json!([{"meaning": "instance", "reference": {"reference": "Patient/a"}}])
            },
            false,
        ),
        (
            "data-period",
            &|c| c["provision"]["dataPeriod"] = json!({"start": "2026"}),
            false,
        ),
        (
            "label",
            &|c| c["provision"]["securityLabel"] = json!([{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"}]),
            false,
        ),
        (
            "modifier",
            &|c| c["modifierExtension"] = json!([{"url": "http://x", "valueBoolean": true}]),
            false,
        ),
        (
            "modifier-inside",
            &|c| {
                c["provision"]["modifierExtension"] =
                    json!([{"url": "http://x", "valueBoolean": true}])
            },
            false,
        ),
        (
            "not-verified",
            &|c| c["verification"] = json!([{"verified": false}]),
            false,
        ),
        ("plain", &|_| {}, true),
        ("draft", &|c| c["status"] = json!("draft"), false),
        ("deny", &|c| c["provision"]["type"] = json!("deny"), false),
        (
            "over",
            &|c| c["provision"]["period"] = json!({"end": "2020-01-01"}),
            false,
        ),
        (
            "not-yet",
            &|c| c["provision"]["period"] = json!({"start": "2999"}),
            false,
        ),
        (
            "exception",
            &|c| c["provision"]["provision"] = json!([{"type": "deny"}]),
            false,
        ),
        (
            "somebody-else",
            &|c| {
                c["provision"]["actor"] = json!([{
            "role": concept("v3-ParticipationType", "PRCP"), "reference": {"reference": "Practitioner/else"}}])
            },
            false,
        ),
    ];
    for (id, change, expected) in cases {
        put(&world.engine, consent(id, "a", *change)).await;
        let mut asked = asked(&["a"]);
        asked.consents = vec![(*id).to_owned()];
        let added = world
            .grants
            .add(&practice(), asked, NOW, &deed("grant-add"))
            .await;
        assert_eq!(added.is_ok(), *expected, "{id}: {added:?}");
    }
    // A Consent of somebody else opens nothing.
    put(&world.engine, consent("of-b", "b", &|_| {})).await;
    let mut asked = asked(&["a"]);
    asked.consents = vec!["of-b".to_owned()];
    assert!(
        world
            .grants
            .add(&practice(), asked, NOW, &deed("grant-add"))
            .await
            .is_err()
    );
    // What was there before the grant is there after it.
    let grant = world.grants.list().await.unwrap().remove(0);
    world
        .grants
        .revoke(&practice(), &grant.id, &deed("grant-revoke"))
        .await
        .unwrap();
    let (_, text) = get(&world.engine, &practice(), "Consent/plain").await;
    assert!(text.contains(r#""status":"active""#));
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
    a_consent_that_exists,
    refusals,
);
