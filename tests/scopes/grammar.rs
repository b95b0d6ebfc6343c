//! The grammar of scopes.
//! <https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-fhir-resources>

use serde_json::json;
use unloop::access::scope::{Context, SmartScope};
use unloop::fhir::request::Verb;

use crate::on_both_stores;
use crate::support::{Bench, CATEGORY, granted, holder, observation, patient};

on_both_stores!(
    what_scopes_open,
    ten_thousand_scopes_are_no_token,
    a_grant_may_show_every_label,
);

/// Scope, and `context type letters` or nothing.
const TABLE: [(&str, &str); 63] = [
    ("patient/Observation.rs", "Patient Observation rs"),
    ("user/Observation.cruds", "User Observation cruds"),
    ("system/*.cruds", "System * cruds"),
    ("patient/*.r", "Patient * r"),
    ("patient/Observation.c", "Patient Observation c"),
    ("patient/Observation.ud", "Patient Observation ud"),
    ("patient/Observation.cs", "Patient Observation cs"),
    // Version 1.
    ("patient/Observation.read", "Patient Observation rs"),
    ("patient/Observation.write", "Patient Observation cud"),
    ("patient/Observation.*", "Patient Observation cruds"),
    ("patient/*.*", "Patient * cruds"),
    ("user/*.read", "User * rs"),
    // The order of the letters is fixed, and each stands once.
    ("patient/Observation.sr", ""),
    ("patient/Observation.rr", ""),
    ("patient/Observation.crud s", ""),
    ("patient/Observation.srudc", ""),
    ("patient/Observation.dc", ""),
    ("patient/Observation.rsx", ""),
    ("patient/Observation.xrs", ""),
    ("patient/Observation.", ""),
    ("patient/Observation", ""),
    ("patient/.rs", ""),
    ("patient/", ""),
    ("patient", ""),
    ("", ""),
    ("/", ""),
    ("/Observation.rs", ""),
    ("patient//Observation.rs", ""),
    ("patient/Observation/rs", ""),
    ("patient/Observation.rs.rs", ""),
    ("patient/Observation.read.write", ""),
    ("patient/Observation.readwrite", ""),
    ("patient/Observation.**", ""),
    ("patient/**.rs", ""),
    ("patient/Observation*.rs", ""),
    ("patient/Obs*.rs", ""),
    ("*/Observation.rs", ""),
    ("*/*.*", ""),
    // Case matters everywhere.
    ("Patient/Observation.rs", ""),
    ("PATIENT/Observation.rs", ""),
    ("patient/observation.rs", ""),
    ("patient/Observation.RS", ""),
    ("patient/Observation.Read", ""),
    // Nothing of it is percent-encoded.
    ("patient%2FObservation.rs", ""),
    ("patient/Observation%2Ers", ""),
    ("patient/%2A.rs", ""),
    ("patient/Obs%65rvation.rs", ""),
    // Others, some of which look alike.
    ("launch/patient", ""),
    ("openid", ""),
    ("fhirUser", ""),
    ("offline_access", ""),
    ("group/Observation.rs", ""),
    ("practitioner/Observation.rs", ""),
    ("patient/Observation.rs#", ""),
    ("patient/Observation.rs&category=survey", ""),
    // A question mark announces a restriction.
    ("patient/Observation.rs?", ""),
    ("patient/Observation.rs?&", ""),
    ("patient/Observation?category=survey.rs", ""),
    ("patient/Observation.?category=survey", ""),
    ("?category=survey", ""),
    (
        "patient/Observation.rs?category=survey",
        "Patient Observation rs",
    ),
    (
        "patient/Observation.read?category=survey",
        "Patient Observation rs",
    ),
    (
        "patient/Observation.rs??category=survey",
        "Patient Observation rs",
    ),
];

#[test]
fn scopes_are_read_by_the_book() {
    for (text, expected) in TABLE {
        let read = SmartScope::parse(text).map_or(String::new(), |scope| {
            let context = match scope.context {
                Context::Patient => "Patient",
                Context::User => "User",
                Context::System => "System",
            };
            let name = scope.resource_type.as_deref().unwrap_or("*");
            format!("{context} {name} {}", scope.permissions)
        });
        assert_eq!(read, expected, "{text}");
    }
}

#[test]
fn restrictions_are_decoded_like_a_query() {
    for (query, expected) in [
        ("category=a", &[("category", "a")][..]),
        ("category=a&code=b", &[("category", "a"), ("code", "b")]),
        (
            "category=a&category=b",
            &[("category", "a"), ("category", "b")],
        ),
        ("category=http%3A%2F%2Fx%7Ca", &[("category", "http://x|a")]),
        ("category=http://x|a,b", &[("category", "http://x|a,b")]),
        ("category=a%26code%3Db", &[("category", "a&code=b")]),
        ("category=a%2Cb", &[("category", "a,b")]),
        ("?category=a", &[("?category", "a")]),
        ("category", &[("category", "")]),
    ] {
        let scope = SmartScope::parse(&format!("patient/Observation.rs?{query}")).unwrap();
        let pairs = scope
            .constraint
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()));
        assert_eq!(pairs.collect::<Vec<_>>(), expected, "{query}");
    }
}

const ALL: Option<&str> = Some("both survey vital");

/// Restriction -> what `patient/Observation.rs` with it opens; nothing where it
/// grants nothing.
const OPENED: [(&str, Option<&str>); 41] = [
    ("", ALL),
    ("?category=survey", Some("both survey")),
    (
        "?category=http://terminology.hl7.org/CodeSystem/observation-category|survey",
        Some("survey"),
    ),
    (
        "?category=http%3A%2F%2Fterminology.hl7.org%2FCodeSystem%2Fobservation-category%7Csurvey",
        Some("survey"),
    ),
    ("?category=survey&category=vital-signs", Some("both")),
    ("?category=survey,vital-signs", ALL),
    ("?category=survey%2Cvital-signs", ALL),
    ("?category=nothing", Some("")),
    ("?date=ge2025", Some("survey vital")),
    ("?date=lt2025&category=survey", Some("both")),
    ("?subject=Patient/a", ALL),
    ("?subject=Patient/b", Some("")),
    ("?patient=a", ALL),
    ("?category:not=survey", Some("vital")),
    ("?_security=x", Some("")),
    // No restriction that could be understood: nothing is granted.
    ("?category=", None),
    ("?category", None),
    ("?category=survey&unknown=1", None),
    ("?unknown=1", None),
    ("??category=survey", None),
    ("?category=survey,", None),
    ("?category=|", None),
    ("?category:missing=false", None),
    ("?category:unknown=survey", None),
    ("?Category=survey", None),
    ("?subject:Patient.name=x", None),
    ("?subject.name=x", None),
    ("?_has:Provenance:target:agent=x", None),
    ("?value-quantity=1", None),
    ("?_lastUpdated=ge2000", None),
    ("?date=ap2026", None),
    ("?_sort=date", None),
    ("?_count=1", None),
    ("?_include=*", None),
    ("?_include=Observation:subject", None),
    ("?_summary=count", None),
    ("?_type=Patient", None),
    ("?_elements=id", None),
    ("?category=survey&_count=1", None),
    ("?_cursor=x", None),
    ("?_format=json", None),
];

/// Scope -> the observations that a search finds, or nothing where it is refused.
async fn what_scopes_open(bench: Bench) {
    bench
        .put_all(&[patient("a"), patient("b"), observation("survey", "a")])
        .await;
    let mut vital = observation("vital", "a");
    vital["category"] = json!([{"coding": [{"system": CATEGORY, "code": "vital-signs"}]}]);
    let mut both = observation("both", "a");
    both["category"] = json!([
        {"coding": [{"system": CATEGORY, "code": "vital-signs"}]},
        {"coding": [{"system": "http://x", "code": "survey"}]},
    ]);
    both["effectiveDateTime"] = json!("2020-05-05");
    bench
        .put_all(&[vital, both, observation("other", "b")])
        .await;
    for (query, expected) in OPENED {
        let scope = format!("patient/Observation.rs{query}");
        let caller = bench.patient("a", &scope);
        let reply = bench.get(&caller, "Observation").await;
        let mut ids: Vec<String> = reply.names();
        ids.sort();
        let ids = ids.join(" ").replace("Observation/", "");
        let found = (reply.status() == 200).then_some(ids.as_str());
        assert_eq!(found, expected, "{scope}: {}", reply.text());
        if expected.is_none() {
            assert_eq!(reply.status(), 403, "{scope}");
            let read = bench.get(&caller, "Observation/survey").await;
            assert_eq!(read.status(), 403, "{scope}");
        }
    }
    for scope in [
        "",
        "patient/Observation.sr",
        "patient/Thing.rs",
        "user/*.rs",
        "patient/*.c",
    ] {
        let caller = bench.patient("a", scope);
        for url in [
            "Observation",
            "Observation/survey",
            "Observation/_history",
            "_history",
            "",
            "Patient/a/$everything",
        ] {
            assert_eq!(
                bench.get(&caller, url).await.status(),
                403,
                "{scope}: {url}"
            );
        }
    }
    contexts(&bench).await;
}

/// A scope without what its context needs opens nothing.
async fn contexts(bench: &Bench) {
    for (scope, patient, user, expected) in [
        ("patient/*.rs", None, Some("Practitioner/p"), 403),
        ("patient/*.rs", Some("a"), None, 200),
        ("patient/*.rs", Some("b"), None, 404),
        ("patient/*.rs", Some(""), None, 404),
        ("patient/*.rs", Some("Patient/a"), None, 404),
        ("patient/*.rs", Some("A"), None, 404),
        ("user/*.rs", None, None, 403),
        ("user/*.rs", Some("a"), None, 403),
        ("user/*.rs", None, Some("Practitioner/p"), 200),
        ("user/*.rs", None, Some("PractitionerRole/p"), 200),
        ("user/*.rs", None, Some("Patient/a"), 200),
        ("user/*.rs", None, Some("Patient/b"), 404),
        ("user/*.rs", None, Some("Person/a"), 403),
        ("user/*.rs", None, Some("Device/a"), 403),
        ("user/*.rs", None, Some("practitioner/p"), 403),
        ("user/*.rs", None, Some("Practitioner"), 403),
        ("system/*.rs", None, None, 200),
        ("system/*.rs", Some("b"), Some("Patient/b"), 200),
    ] {
        let caller = bench.caller(&holder(scope, patient, user));
        let reply = bench.get(&caller, "Observation/survey").await;
        assert_eq!(reply.status(), expected, "{scope} {patient:?} {user:?}");
    }
}

async fn ten_thousand_scopes_are_no_token(bench: Bench) {
    bench
        .put_all(&[patient("a"), observation("survey", "a")])
        .await;
    let many: Vec<String> = (0..10_000)
        .map(|n| format!("patient/Observation.rs?category=c{n}"))
        .collect();
    assert!(
        bench
            .admitted(&holder(&many.join(" "), Some("a"), None))
            .is_none()
    );
    let same = "patient/Observation.rs ".repeat(10_000);
    let caller = bench.patient("a", &same);
    assert_eq!(
        bench.get(&caller, "Observation").await.names(),
        ["Observation/survey"]
    );
    let noise = format!("{}patient/Observation.rs", "openid x/y.z ".repeat(10_000));
    let caller = bench.patient("a", &noise);
    assert_eq!(
        bench.get(&caller, "Observation").await.names(),
        ["Observation/survey"]
    );
    let wide: Vec<String> = (0..200).map(|n| format!("patient/*.rs?_id=c{n}")).collect();
    let caller = bench.patient("a", &wide.join(" "));
    let reply = bench.get(&caller, "Observation").await;
    assert_eq!((reply.status(), reply.names()), (200, Vec::new()));
    for url in [
        "?_type=Observation,Patient",
        "_history",
        "Observation?_include=*",
    ] {
        let reply = bench.get(&caller, url).await;
        assert_eq!(
            (reply.status(), reply.names()),
            (200, Vec::new()),
            "{}",
            reply.text()
        );
    }
}

async fn a_grant_may_show_every_label(bench: Bench) {
    let mut labelled = observation("labelled", "a");
    labelled["meta"] = json!({"security": [{"code": "ETH"}, {"code": "R"}, {"code": "PSY"}]});
    bench
        .put_all(&[patient("a"), labelled, observation("plain", "a")])
        .await;
    let labels = unloop::access::label::SENSITIVE_LABELS;
    let scope = "patient/*.cruds";
    let holder = |labels: &[&str]| {
        let mut holder = granted(scope, &["a"], labels);
        holder.scope = scope.to_owned();
        holder
    };
    for (shown, expected) in [
        (
            &labels[..],
            vec!["Observation/labelled", "Observation/plain"],
        ),
        (
            &["ETH", "R", "PSY"],
            vec!["Observation/labelled", "Observation/plain"],
        ),
        (&["ETH", "R"], vec!["Observation/plain"]),
        (&[], vec!["Observation/plain"]),
    ] {
        let caller = bench.caller(&holder(shown));
        assert_eq!(
            bench.get(&caller, "Observation").await.names(),
            expected,
            "{shown:?}"
        );
    }
    let caller = bench.caller(&holder(&[]));
    let mut own = observation("x", "a");
    own["meta"] = json!({"security": [{"code": "SUD"}]});
    own.as_object_mut().unwrap().remove("id");
    let reply = bench.write(&caller, Verb::Post, "Observation", own).await;
    assert_eq!(reply.status(), 403, "what is written must be in view");
}
