//! A1 and A2 of issue 12: feeds write LOINC and SNOMED CT in several ways. What is worse
//! holds the session in each of them.

use serde_json::{Value, json};

use crate::candidacy::SNOMED;
use crate::readiness::{everything, pressure, screen, state, vital};
use crate::support::Server;

crate::on_both_stores!(what_is_worse_holds_however_its_system_is_written);

/// The same content with another spelling of a system; `None` leaves it out.
fn respelled(content: &Value, system: &str, spelling: Option<&str>) -> Value {
    match content {
        Value::Array(items) => items
            .iter()
            .map(|item| respelled(item, system, spelling))
            .collect(),
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, value)| {
                *name != "system" || *value != system || spelling.is_some()
            });
            let member = |(name, value): (&String, &Value)| match (name.as_str(), spelling) {
                ("system", Some(spelling)) if value == system => (name.clone(), spelling.into()),
                _ => (name.clone(), respelled(value, system, spelling)),
            };
            Value::Object(kept.map(member).collect())
        }
        other => other.clone(),
    }
}

async fn what_is_worse_holds_however_its_system_is_written(server: Server) {
    everything(&server, "home").await;
    let at = "2020-03-01T08:50:00Z";
    let mania = json!({"resourceType": "Observation", "id": "w", "status": "final",
        "code": {"coding": [{"system": SNOMED, "code": "838442002"}]},
        "subject": {"reference": "Patient/p"}, "effectiveDateTime": at,
        "performer": [{"reference": "Practitioner/d"}], "valueInteger": 18});
    let loinc = [
        "urn:oid:2.16.840.1.113883.6.1",
        "2.16.840.1.113883.6.1",
        "http://loinc.org/",
        "https://loinc.org",
        "http://www.loinc.org",
    ];
    let snomed = [
        "urn:oid:2.16.840.1.113883.6.96",
        "http://snomed.info/sct/",
        "http://snomed.info/sct/900000000000207008",
    ];
    let cases = [
        (
            "blood-pressure",
            pressure("w", at, 200, 115),
            "http://loinc.org",
            &loinc[..],
        ),
        (
            "heart-rate",
            vital("w", at, "8867-4", 195, "/min"),
            "http://loinc.org",
            &loinc[..],
        ),
        (
            "oxygen-saturation",
            vital("w", at, "2708-6", 85, "%"),
            "http://loinc.org",
            &loinc[..],
        ),
        (
            "suicidality",
            screen("w", at, "risk-high"),
            "http://loinc.org",
            &loinc[..],
        ),
        ("mania", mania, SNOMED, &snomed[..]),
    ];
    let mut wrong = Vec::new();
    for (check, content, system, spellings) in &cases {
        assert_eq!(state(&server, check).await, "go", "{check}");
        let spellings = spellings.iter().map(|one| Some(*one));
        for spelling in spellings.chain([None, Some(*system)]) {
            server.put(&respelled(content, system, spelling)).await;
            if state(&server, check).await == "go" {
                wrong.push(format!("{check} {spelling:?}"));
            }
        }
        server.call("DELETE", "/Observation/w").expect(204).await;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
