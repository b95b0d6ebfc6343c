//! Every operation that is registered, for callers who may not see all that it
//! reads: one that forgets the caller's scope fails here.

use serde_json::{Value, json};
use unloop::access::Caller;
use unloop::fhir::operation::{Definition, Level};
use unloop::fhir::request::Verb;

use crate::support::{Bench, Reply, granted, holder, patient};

crate::on_both_stores!(no_operation_shows_what_is_hidden);

/// Stands in every record that is not the Patient itself: in ids and texts.
pub const MARK: &str = "hidden";

/// Operations that show nothing of hidden records to anybody: they are held to the
/// same, have to succeed here for whoever may do everything, and no more is asked.
const QUIET: [&str; 6] = [
    // Nobody has looked here; `tests/api/access_log.rs` has who learns of whom.
    "access-log",
    // The drug that a product is, and no record.
    "check",
    // Slots and practitioners, which are nobody's.
    "find",
    "hold",
    // What it makes has new ids.
    "plan-course",
    // Whether a record is right, and not what it says.
    "validate",
];

/// A ketamine session that is held and can be booked, and the slots of its day.
pub fn session() -> Vec<Value> {
    let concept =
        |system: &str, code: &str| json!([{"coding": [{"system": system, "code": code}]}]);
    let own = |name: &str| format!("https://unloop.dev/fhir/CodeSystem/{name}");
    let slot = |id: &str, status: &str, hour: i32| {
        json!({"resourceType": "Slot", "id": id, "status": status,
            "schedule": {"reference": "Schedule/week"}, "start": format!("2026-01-01T{hour:02}:00:00Z"),
            "end": format!("2026-01-01T{:02}:30:00Z", hour + 2)})
    };
    let companion = concept(
        "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
        "PART",
    );
    vec![
        json!({"resourceType": "Practitioner", "id": "d"}),
        json!({"resourceType": "Schedule", "id": "week", "actor": [{"reference": "Practitioner/d"}],
            "serviceType": concept(&own("appointment-kind"), "ketamine-session")}),
        slot("held", "busy-tentative", 9),
        slot("free", "free", 14),
        json!({"resourceType": "Appointment", "id": MARK, "status": "pending", "description": MARK,
        "serviceType": concept(&own("appointment-kind"), "ketamine-session"),
        "serviceCategory": concept(&own("session-setting"), "home"),
        "slot": [{"reference": "Slot/held"}],
        "start": "2026-01-01T09:00:00Z", "end": "2026-01-01T11:30:00Z",
        "participant": [
            {"actor": {"reference": "Patient/a"}, "status": "accepted"},
            {"actor": {"reference": "Practitioner/d"}, "status": "accepted"},
            {"actor": {"reference": format!("RelatedPerson/{MARK}")}, "status": "accepted",
                "required": "required", "type": companion},
        ]}),
    ]
}

async fn records(bench: &Bench) {
    bench.put_all(&[patient("a"), patient("b")]).await;
    bench.put_all(&of_patient()).await;
    bench.put_all(&session()).await;
}

/// Records of every type that operations read, of the patient a.
pub fn of_patient() -> Vec<Value> {
    let subject = json!({"reference": "Patient/a"});
    let text = json!({"text": MARK});
    let rxnorm = |code: &str| json!({"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code}], "text": MARK});
    let score = |system: &str, code: &str, value: i32| {
        json!({"resourceType": "Observation", "id": format!("{MARK}-{code}"), "status": "final",
            "code": {"coding": [{"system": system, "code": code}], "text": MARK},
            "subject": subject, "effectiveDateTime": "2026-01-02T10:00:00Z", "valueInteger": value})
    };
    let mut all = vec![
        // A product belongs to no patient: its name is no secret.
        json!({"resourceType": "Medication", "code": {"coding": [{"code": "10734",
            "system": "http://www.nlm.nih.gov/research/umls/rxnorm"}], "text": "tranylcypromine"}}),
        json!({"resourceType": "MedicationStatement", "status": "active", "subject": subject,
            "medicationCodeableConcept": rxnorm("10734"), "effectivePeriod": {"start": "2020-01-01"}}),
        json!({"resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": subject,
            "medicationReference": {"reference": format!("Medication/{MARK}")}}),
        json!({"resourceType": "AllergyIntolerance", "patient": subject, "code": rxnorm("6130"),
            "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]}}),
        json!({"resourceType": "Condition", "subject": subject, "code": text}),
        json!({"resourceType": "Procedure", "status": "completed", "subject": subject, "code": text,
            "performedDateTime": "2026-01-01"}),
        json!({"resourceType": "MedicationAdministration", "status": "completed", "subject": subject,
            "medicationCodeableConcept": rxnorm("6130"), "effectiveDateTime": "2026-01-01T09:10:00Z"}),
        json!({"resourceType": "QuestionnaireResponse", "status": "completed", "subject": subject,
            "questionnaire": "https://unloop.dev/fhir/Questionnaire/ybocs",
            "author": {"reference": "Practitioner/d", "display": MARK},
            "authored": "2026-01-02T10:00:00Z", "item": answers()}),
        json!({"resourceType": "RelatedPerson", "patient": subject}),
        json!({"resourceType": "Consent", "status": "active", "patient": subject,
            "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "treatment"}]},
            "category": [text], "policy": [{"uri": "https://example.org/consent"}]}),
        json!({"resourceType": "AdverseEvent", "actuality": "actual", "subject": subject,
            "date": "2026-01-01T10:00:00Z", "event": text}),
        pressure(),
        json!({"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}, "subject": subject}),
        json!({"resourceType": "EpisodeOfCare", "status": "active", "patient": subject}),
        json!({"resourceType": "DetectedIssue", "status": "final", "patient": subject, "detail": MARK}),
        json!({"resourceType": "Flag", "status": "active", "subject": subject, "code": text}),
        json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": subject, "code": text}),
        json!({"resourceType": "Goal", "lifecycleStatus": "active", "subject": subject, "description": text}),
    ];
    for record in &mut all {
        record["id"] = MARK.into();
    }
    all.push(
        json!({"resourceType": "MedicationStatement", "id": format!("{MARK}-ssri"),
        "status": "active", "subject": subject, "medicationCodeableConcept": rxnorm("4493"),
        "effectivePeriod": {"start": "2020-01-01"}}),
    );
    all.extend([
        score("http://loinc.org", "44261-6", 20),
        score("http://loinc.org", "8480-6", 120),
        score(
            "https://unloop.dev/fhir/CodeSystem/measures",
            "ybocs-total",
            30,
        ),
    ]);
    all
}

/// Measured before the session, and beyond what is right for one.
fn pressure() -> Value {
    let half = |code: &str, value: i32| {
        json!({"code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}})
    };
    json!({"resourceType": "Observation", "status": "final", "subject": {"reference": "Patient/a"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
        "effectiveDateTime": "2026-01-01T08:30:00Z", "component": [half("8480-6", 190), half("8462-4", 120)]})
}

/// The ten answers of the shipped Questionnaire, in its two groups.
fn answers() -> Value {
    let item = |number: i32| json!({"linkId": format!("ybocs-item-{number}"), "answer": [{"valueInteger": 2}]});
    let group = |link: &str, numbers: std::ops::RangeInclusive<i32>| json!({"linkId": link, "item": numbers.map(item).collect::<Vec<_>>()});
    json!([
        group("ybocs-obsessions", 1..=5),
        group("ybocs-compulsions", 6..=10)
    ])
}

/// What an operation is given; those that need nothing are asked by GET.
fn input(definition: &Definition, level: Level) -> Option<Value> {
    let part =
        |name: &str, kind: &str, value: &str| json!({"name": name, format!("value{kind}"): value});
    let parameters = match definition.name {
        "check" => vec![json!({"name": "resource", "resource": {
            "resourceType": "MedicationStatement", "status": "active",
            "subject": {"reference": "Patient/a"},
            "medicationReference": {"reference": format!("Medication/{MARK}")},
        }})],
        "plan-course" => vec![
            part("protocol", "Code", "home-sublingual"),
            part("key", "String", "one"),
            part("start", "Date", "2036-12-01"),
            part("time", "Time", "09:30:00"),
            part("zone", "String", "Europe/Berlin"),
        ],
        "find" => {
            let actor = json!({"reference": "Practitioner/d"});
            vec![
                part("start", "DateTime", "2026-01-01"),
                part("end", "DateTime", "2026-01-31"),
                json!({"name": "actor", "valueReference": actor}),
                json!({"name": "patient", "valueReference": {"reference": "Patient/a"}}),
            ]
        }
        "hold" => vec![
            json!({"name": "slot", "valueReference": {"reference": "Slot/free"}}),
            json!({"name": "patient", "valueReference": {"reference": "Patient/a"}}),
        ],
        "book" => Vec::new(),
        "cancel" => vec![part("reason", "String", "moved")],
        "lastn" => vec![
            part("patient", "String", "Patient/a"),
            part("code", "String", "44261-6"),
        ],
        "stats" => vec![
            part("subject", "Uri", "Patient/a"),
            part("system", "Uri", "http://loinc.org"),
            part("code", "String", "44261-6"),
            part("statistic", "Code", "count"),
            json!({"name": "include", "valueBoolean": true}),
        ],
        "validate" if level == Level::Type => vec![json!({"name": "resource", "resource": {
            "resourceType": "Appointment", "status": "proposed",
            "participant": [{"actor": {"reference": "Patient/a"}, "status": "needs-action"}],
        }})],
        name => {
            let needs = definition.parameters.iter().any(|one| one.required);
            assert!(
                !needs && !definition.affects_state,
                "${name} is new: say here what it is given"
            );
            return None;
        }
    };
    if parameters.is_empty() {
        return Some(json!({"resourceType": "Parameters"}));
    }
    Some(json!({"resourceType": "Parameters", "parameter": parameters}))
}

/// An operation, and whether it is asked of a type or of one record.
pub type Asked<'d> = (&'d Definition, Level);

pub async fn ask(
    bench: &Bench,
    caller: &Caller,
    (definition, level): Asked<'_>,
    url: &str,
) -> Reply {
    let reply = match input(definition, level) {
        None => bench.get(caller, url).await,
        Some(content) => bench.write(caller, Verb::Post, url, content).await,
    };
    assert!(reply.status() < 500, "{url}: {}", reply.text());
    reply
}

/// Whether more than what was asked with is told.
fn tells(reply: &Reply, url: &str) -> bool {
    let target = url.split_once("/$").map_or("", |(target, _)| target);
    let named = [format!("Medication/{MARK}"), target.to_owned()];
    let text = named
        .iter()
        .fold(reply.text().to_owned(), |text, name| text.replace(name, ""));
    text.contains(MARK)
}

async fn no_operation_shows_what_is_hidden(bench: Bench) {
    records(&bench).await;
    let all = bench.caller(&holder("system/*.cruds", None, None));
    let own = "patient/Patient.rs patient/MedicationStatement.c patient/EpisodeOfCare.c";
    let outside = granted("patient/Patient.rs", &["a"], &[]);
    let callers = [
        ("the patient alone", bench.patient("a", own)),
        ("a therapist", bench.caller(&outside)),
        ("no types", bench.patient("a", "patient/Basic.cruds")),
    ];
    let strangers = [
        bench.patient("b", "patient/*.cruds"),
        bench.caller(&granted("patient/*.cruds user/*.cruds", &["b"], &[])),
        bench.caller(&holder("user/*.cruds", None, Some("Patient/b"))),
    ];
    let mut seen = 0;
    for operation in &bench.engine.operations {
        let definition = operation.definition();
        for level in definition.levels {
            for name in definition.types {
                let name = if *name == "Resource" {
                    "Appointment"
                } else {
                    name
                };
                let asked = (definition, *level);
                let id = if name == "Patient" { "a" } else { MARK };
                let url = match level {
                    Level::Instance => format!("{name}/{id}/${}", definition.name),
                    Level::Type => format!("{name}/${}", definition.name),
                    Level::System => format!("${}", definition.name),
                };
                bench.put_all(&session()).await;
                for (who, caller) in &callers {
                    let reply = ask(&bench, caller, asked, &url).await;
                    assert!(!tells(&reply, &url), "{who}: {url}: {}", reply.text());
                }
                for caller in &strangers {
                    let reply = ask(&bench, caller, asked, &url).await;
                    let instance = *level == Level::Instance;
                    let absent = matches!(reply.status(), 403 | 404);
                    assert!(absent || !instance, "{url}: {}", reply.text());
                    assert!(!tells(&reply, &url), "{url}: {}", reply.text());
                }
                let reply = ask(&bench, &all, asked, &url).await;
                assert_eq!(reply.status(), 200, "{url}: {}", reply.text());
                let shows = tells(&reply, &url) || QUIET.contains(&definition.name);
                assert!(shows, "{url} shows nothing here: {}", reply.text());
                seen += 1;
            }
        }
    }
    assert!(seen > 5, "{seen}");
}
