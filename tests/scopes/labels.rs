//! Issue 12, C3 and C5: what hides is what the official value sets of sensitivity list, in
//! every spelling of the system; psychotherapy notes are in no grant unless named.

use serde_json::{Value, json};
use unloop::access::label::SENSITIVE_LABELS;

use crate::support::{Bench, granted, holder, observation, patient};

crate::on_both_stores!(
    c3_every_spelling_of_a_sensitive_label_hides,
    c3_each_label_is_shown_by_its_name_alone,
    c5_psychotherapy_notes_are_no_part_of_what_a_patient_reads,
    c4_a_group_is_not_shown_to_its_members,
);

const ACT_CODE: [&str; 5] = [
    "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "https://terminology.hl7.org/CodeSystem/v3-ActCode/",
    "http://hl7.org/fhir/v3/ActCode",
    "urn:oid:2.16.840.1.113883.5.4",
    "2.16.840.1.113883.5.4",
];
const CONFIDENTIALITY: [&str; 3] = [
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "http://hl7.org/fhir/v3/Confidentiality",
    "urn:oid:2.16.840.1.113883.5.25",
];

fn labelled(id: &str, label: &Value) -> Value {
    let mut one = observation(id, "a");
    one["meta"] = json!({"security": [label]});
    one
}

async fn names(bench: &Bench, labels: &[&str]) -> Vec<String> {
    let mut holder = granted("patient/*.rs", &["a"], labels);
    holder.scope = "patient/*.rs".to_owned();
    let caller = bench.caller(&holder);
    bench.get(&caller, "Observation?_count=500").await.names()
}

async fn c3_every_spelling_of_a_sensitive_label_hides(bench: Bench) {
    bench
        .put_all(&[patient("a"), observation("plain", "a")])
        .await;
    let mut all = Vec::new();
    for system in ACT_CODE {
        for code in [
            "HIV",
            "42CFRPart2",
            "HIPAAPsyNotes",
            "Title38Section7332",
            "MST",
            "psy",
            "of-2031",
        ] {
            all.push(json!({"system": system, "code": code}));
        }
    }
    for system in CONFIDENTIALITY {
        for code in ["R", "V", "X"] {
            all.push(json!({"system": system, "code": code}));
        }
    }
    all.extend([
        json!({"code": "ETH"}),
        json!({"display": "Secret"}),
        json!({"system": ACT_CODE[0]}),
    ]);
    let hidden: Vec<Value> = all
        .iter()
        .enumerate()
        .map(|(number, label)| labelled(&format!("h{number}"), label))
        .collect();
    bench.put_all(&hidden).await;
    let open = [
        labelled(
            "normal",
            &json!({"system": CONFIDENTIALITY[0], "code": "N"}),
        ),
        labelled(
            "handling",
            &json!({"system": ACT_CODE[0], "code": "NORDSCLCD"}),
        ),
        labelled(
            "other",
            &json!({"system": "http://example.org/labels", "code": "blue"}),
        ),
    ];
    bench.put_all(&open).await;
    let shown = ["handling", "normal", "other", "plain"].map(|id| format!("Observation/{id}"));
    assert_eq!(names(&bench, &[]).await, shown);
}

async fn c3_each_label_is_shown_by_its_name_alone(bench: Bench) {
    bench.put_all(&[patient("a")]).await;
    let all: Vec<Value> = SENSITIVE_LABELS
        .iter()
        .enumerate()
        .map(|(number, code)| {
            labelled(
                &format!("l{number:02}"),
                &json!({"system": ACT_CODE[0], "code": code}),
            )
        })
        .collect();
    bench.put_all(&all).await;
    assert!(names(&bench, &[]).await.is_empty());
    for (number, code) in SENSITIVE_LABELS.iter().enumerate() {
        assert_eq!(
            names(&bench, &[code]).await,
            [format!("Observation/l{number:02}")],
            "{code}"
        );
    }
}

/// It names all others who are in it.
async fn c4_a_group_is_not_shown_to_its_members(bench: Bench) {
    let member =
        |id: &str| json!({"entity": {"reference": format!("Patient/{id}"), "display": id}});
    let group = json!({"resourceType": "Group", "id": "g", "type": "person", "actual": true,
        "member": [member("a"), member("b")]});
    bench.put_all(&[patient("a"), patient("b"), group]).await;
    for caller in [
        bench.patient("a", "patient/*.cruds"),
        bench.caller(&granted("patient/*.cruds", &["a"], &[])),
    ] {
        let status = bench.get(&caller, "Group/g").await.status();
        assert!(matches!(status, 403 | 404), "{status}");
        let everything = bench.get(&caller, "Patient/a/$everything").await;
        assert!(
            !everything.text().contains("Group/g"),
            "{}",
            everything.text()
        );
    }
}

async fn c5_psychotherapy_notes_are_no_part_of_what_a_patient_reads(bench: Bench) {
    let note = |id: &str, code: &str| labelled(id, &json!({"system": ACT_CODE[0], "code": code}));
    bench
        .put_all(&[
            patient("a"),
            note("one", "PSYTHPN"),
            note("two", "HIPAAPsyNotes"),
            note("hiv", "HIV"),
        ])
        .await;
    let own = |user: Option<&str>, scope: &str| holder(scope, Some("a"), user);
    for holder in [
        own(None, "patient/*.rs"),
        own(Some("Patient/a"), "user/*.rs"),
    ] {
        let caller = bench.caller(&holder);
        assert_eq!(
            bench.get(&caller, "Observation").await.names(),
            ["Observation/hiv"]
        );
        assert_eq!(bench.get(&caller, "Observation/one").await.status(), 404);
        let mut shown = holder.clone();
        shown.sees_psychotherapy_notes = true;
        let caller = bench.caller(&shown);
        assert_eq!(bench.get(&caller, "Observation").await.names().len(), 3);
    }
    // Staff and systems of the practice read them by their own scopes.
    let staff = bench.caller(&holder("user/*.rs", None, Some("Practitioner/d")));
    assert_eq!(bench.get(&staff, "Observation").await.names().len(), 3);
}
