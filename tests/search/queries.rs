//! Which searches are refused, and what the refusal says.
//! <https://hl7.org/fhir/R4/search.html#errors>

use unloop::fhir::cursor::CursorKey;
use unloop::fhir::outcome::Kind;
use unloop::fhir::search::page::{Place, decode, encode, tie};
use unloop::fhir::search::{Query, Settings, Summary, Total};
use unloop::store::PositionValue;

use super::judge::{catalogue, pairs, plan, query};

fn refusal(resource_type: Option<&str>, url: &str) -> (Kind, String) {
    let failure = query(resource_type, url).expect_err(url);
    (failure.kind, failure.issues[0].text.clone())
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn refusals_name_the_parameter() {
    let cases = [
        ("nme=x", Kind::NotSupported, "`nme`"),
        ("nme=x", Kind::NotSupported, "did you mean `name`"),
        (
            "brithdate=1980",
            Kind::NotSupported,
            "did you mean `birthdate`",
        ),
        ("name=", Kind::Value, "`name`"),
        ("name=a,,b", Kind::Value, "`name`"),
        ("name:below=x", Kind::NotSupported, "`name:below`"),
        ("gender:exact=male", Kind::NotSupported, "`gender:exact`"),
        (
            "gender=http://example.org/genders|male",
            Kind::NotSupported,
            "`gender`",
        ),
        ("birthdate=1980-13", Kind::Value, "1980-13"),
        ("birthdate=xx1980", Kind::Value, "`birthdate`"),
        (
            "birthdate:missing=perhaps",
            Kind::Value,
            "`birthdate:missing`",
        ),
        ("identifier=|", Kind::Value, "`identifier`"),
        ("identifier=a|b|c", Kind::Value, "`identifier`"),
        (
            "general-practitioner=Wrong/1",
            Kind::Value,
            "`general-practitioner`",
        ),
        (
            "general-practitioner=a b",
            Kind::Value,
            "`general-practitioner`",
        ),
        (
            "general-practitioner:Wrong=1",
            Kind::NotSupported,
            "`general-practitioner:Wrong`",
        ),
        ("general-practitioner.nme=x", Kind::NotSupported, "`nme`"),
        (
            "general-practitioner:Patient.name=x",
            Kind::NotSupported,
            "`general-practitioner:Patient.name`",
        ),
        ("name.family=x", Kind::NotSupported, "`name.family`"),
        (
            "organization.partof.partof.partof.partof.partof.name=x",
            Kind::Value,
            "5 references",
        ),
        (
            "_has:Observation:encounter:code=x",
            Kind::NotSupported,
            "`_has:Observation:encounter:code`",
        ),
        (
            "_has:Observation:patient:cod=x",
            Kind::NotSupported,
            "`code`",
        ),
        (
            "_has:Observation:patient=x",
            Kind::Value,
            "`_has:Observation:patient`",
        ),
        (
            "_has:Wrong:patient:code=x",
            Kind::NotSupported,
            "`_has:Wrong:patient:code`",
        ),
        (
            "identifier:of-type=a|b",
            Kind::Value,
            "`identifier:of-type`",
        ),
        ("gender:text=x", Kind::NotSupported, "`gender:text`"),
        ("gender:in=x", Kind::NotSupported, "`gender:in`"),
        ("phonetic=-", Kind::Value, "`phonetic`"),
        ("phonetic:exact=x", Kind::NotSupported, "`phonetic:exact`"),
        ("_filter=x", Kind::NotSupported, "`_filter`"),
        ("_content=x", Kind::NotSupported, "`_content`"),
        ("_list=$current-allergies", Kind::NotSupported, "`_list`"),
        ("_list=a/b", Kind::Value, "`_list`"),
        ("_list:not=x", Kind::NotSupported, "`_list:not`"),
        ("_contained=true", Kind::NotSupported, "`_contained`"),
        (
            "_containedType=contained",
            Kind::NotSupported,
            "`_containedType`",
        ),
        ("_query=x", Kind::NotSupported, "`_query`"),
        ("_id=a/b", Kind::Value, "`_id`"),
        ("_id=%00", Kind::Value, "`_id`"),
        ("_lastUpdated=yesterday", Kind::Value, "`_lastUpdated`"),
        ("_text=x", Kind::NotSupported, "`_text`"),
        ("_sort=nme", Kind::NotSupported, "`nme`"),
        ("_sort=_tag", Kind::NotSupported, "`_tag`"),
        ("_count=-1", Kind::Value, "`_count`"),
        ("_count=ten", Kind::Value, "`_count`"),
        ("_total=yes", Kind::Value, "`_total`"),
        ("_summary=short", Kind::Value, "`_summary`"),
        ("_type=Patient", Kind::Value, "`_type`"),
        ("_include=Patient", Kind::NotSupported, "`_include`"),
        ("_include=Patient:name", Kind::NotSupported, "Patient:name"),
        ("_include=Wrong:subject", Kind::NotSupported, "`_include`"),
        (
            "_include=Patient:organization:Wrong",
            Kind::NotSupported,
            "`_include`",
        ),
        (
            "_revinclude:other=Observation:subject",
            Kind::NotSupported,
            "`_revinclude:other`",
        ),
    ];
    for (url, kind, part) in cases {
        let (found, text) = refusal(Some("Patient"), url);
        assert!(
            found == kind && text.contains(part),
            "{url}: {found:?} {text}"
        );
    }
    let (kind, text) = refusal(Some("Location"), "near=42|-83|11|kg");
    assert!(
        kind == Kind::Value && text.contains("`near`") && text.contains("50 km"),
        "{text}"
    );
    let (kind, text) = refusal(
        Some("MolecularSequence"),
        "chromosome-window-coordinate=1$lt345$gt123",
    );
    assert!(
        kind == Kind::NotSupported && text.contains("contradict"),
        "{text}"
    );
    let (kind, text) = refusal(None, "name=x");
    assert!(
        kind == Kind::NotSupported && text.contains("`name`"),
        "{text}"
    );
    let (kind, text) = refusal(None, "_type=Patient,Wrong");
    assert!(kind == Kind::Value && text.contains("Wrong"), "{text}");
    let (kind, text) = refusal(None, "_type=Patient,Observation&family=x");
    assert!(
        kind == Kind::NotSupported && text.contains("`family`"),
        "{text}"
    );
    let many = format!("_id={}", vec!["a"; 501].join(","));
    assert_eq!(refusal(Some("Patient"), &many).0, Kind::Value);
}

#[test]
fn lenient_handling_leaves_unknown_parameters_out() {
    let settings = Settings {
        lenient: true,
        ..Settings::default()
    };
    let parse = |url: &str| Query::parse(&catalogue(), Some("Patient"), &pairs(url), &settings);
    let query = parse("nme=x&name=y&_filter=z").expect("lenient");
    assert_eq!(query.ignored, ["nme", "_filter"]);
    assert_eq!(query.used, [("name".to_owned(), "y".to_owned())]);
    assert_eq!(query.parameters.len(), 1);
    // "Servers SHALL reject any search request that contains a modifier that they don't support".
    assert!(parse("name:below=x").is_err());
    assert!(parse("birthdate=never").is_err());
}

#[test]
fn result_parameters_are_typed() {
    let query = query(
        Some("Patient"),
        "_count=5000&_total=accurate&_summary=data&_elements=name,gender&_cursor=abc&_format=json&_pretty=true",
    )
    .expect("valid");
    assert_eq!((query.count, query.total), (1000, Some(Total::Accurate)));
    assert_eq!(query.summary, Some(Summary::Data));
    assert_eq!(query.elements, ["name", "gender"]);
    assert_eq!(query.cursor.as_deref(), Some("abc"));
    assert!(query.parameters.is_empty());
    assert_eq!(super::judge::query(None, "").expect("valid").count, 20);
    assert_eq!(
        super::judge::query(None, "_count=0").expect("valid").count,
        0
    );
}

/// Section "Escaping Search Parameters".
#[test]
fn separators_can_be_escaped() {
    let family = |name: &str| serde_json::json!({"resourceType": "Patient", "id": "p", "name": [{"family": name}]});
    let finds = super::judge::finds;
    assert!(finds("Patient?family:exact=a\\,b", &family("a,b")));
    assert!(!finds("Patient?family:exact=a\\,b", &family("a")));
    assert!(finds("Patient?family:exact=a,b", &family("b")));
    assert!(finds("Patient?family:exact=a\\\\,b", &family("a\\")));
    assert!(finds("Patient?family:exact=a\\$b", &family("a$b")));
    let code = serde_json::json!({"resourceType": "Patient", "id": "p", "identifier": [{"system": "s|1", "value": "v|2"}]});
    assert!(finds("Patient?identifier=s\\|1|v\\|2", &code));
}

#[test]
fn cursors_belong_to_one_search() {
    let first = query(Some("Patient"), "name=x&_sort=-birthdate&_count=5").expect("valid");
    let same = query(
        Some("Patient"),
        "name=x&_sort=-birthdate&_count=50&_cursor=q",
    )
    .expect("valid");
    let other = query(Some("Patient"), "name=z&_sort=-birthdate").expect("valid");
    let key = CursorKey::new(b"secret");
    let of = |query: &Query| tie(&key, "somebody", query, None);

    let order = plan(Some("Patient"), "_sort=-birthdate", None).order;
    let place = Place {
        position: Some(vec![
            PositionValue::Number(i64::MIN),
            PositionValue::Text("p1".to_owned()),
        ]),
        backwards: true,
    };
    let cursor = encode(&place, &of(&first));
    assert_eq!(decode(&cursor, &of(&first), &order), Ok(place.clone()));
    assert_eq!(decode(&cursor, &of(&same), &order), Ok(place.clone()));
    assert!(decode(&cursor, &of(&other), &order).is_err());
    let stranger = tie(&key, "somebody else", &first, None);
    assert!(decode(&cursor, &stranger, &order).is_err());
    let elsewhere = tie(&CursorKey::new(b"another"), "somebody", &first, None);
    assert!(decode(&cursor, &elsewhere, &order).is_err());

    let text = |text: &str| PositionValue::Text(text.to_owned());
    let shapes = [
        vec![],
        vec![PositionValue::Missing],
        vec![text("x"), text("p1")],
        vec![PositionValue::Number(1), PositionValue::Missing],
        vec![PositionValue::Number(1), text("a\0")],
    ];
    for position in shapes {
        let forged = encode(
            &Place {
                position: Some(position),
                backwards: false,
            },
            &of(&first),
        );
        assert!(decode(&forged, &of(&first), &order).is_err());
    }
    for nonsense in ["", "%", "bm8", "W10", "é"] {
        let failure = decode(nonsense, &of(&first), &order).expect_err(nonsense);
        assert!(failure.kind == Kind::Value && failure.issues[0].text.contains("`_cursor`"));
    }
}
