//! The Consent behind a grant: it carries one only where each of its members is
//! understood. <https://hl7.org/fhir/R4/consent.html>

use serde_json::{Value, json};

use crate::grants::{Edit, NOW, asked, get, practice, put, world};
use crate::support::{StoreKind, deed};

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

mod sqlite {
    #[tokio::test]
    async fn a_consent_that_exists() {
        super::a_consent_that_exists(crate::support::StoreKind::Sqlite).await;
    }
}

mod postgres {
    #[tokio::test]
    async fn a_consent_that_exists() {
        super::a_consent_that_exists(crate::support::StoreKind::Postgres).await;
    }
}
