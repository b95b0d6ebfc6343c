//! The plan that each parameter type becomes. The columns of the row serve what
//! is single; everything else is keys and rows.

use serde_json::json;
use unloop::fhir::search::key::{Fact, compartment_key, fact_key, identity_key, param_key};
use unloop::fhir::search::{Compartment, order};
use unloop::store::{Comparison, Filter, OrderBy, OrderTerm, TextMatch};

use super::judge::{catalogue, object, plan};

fn conditions(resource_type: &str, url: &str) -> Vec<Filter> {
    let filter = plan(Some(resource_type), url, None).filter;
    let Filter::All(mut all) = filter else {
        panic!("{filter:?} should be a list of conditions");
    };
    let of_type = Filter::Is(Comparison::Type(vec![resource_type.to_owned()]));
    assert_eq!(all.remove(0), of_type);
    all
}

fn key(resource_type: &str, code: &str, fact: Fact<'_>) -> Filter {
    Filter::Is(Comparison::Key(vec![fact_key(resource_type, code, fact)]))
}

#[test]
fn each_parameter_type_has_its_comparison() {
    let text = |test| {
        Filter::Is(Comparison::Text {
            param: param_key("Patient", "name"),
            test,
        })
    };
    let owner = Filter::Is(Comparison::Owner(vec![identity_key("Patient/p")]));
    let loinc = Fact::SystemCode("http://loinc.org", "8480-6");
    let cases = [
        (
            "Patient",
            "name=Ñu",
            text(TextMatch::StartsWith("nu".to_owned())),
        ),
        (
            "Patient",
            "name:contains=X",
            text(TextMatch::Contains("x".to_owned())),
        ),
        (
            "Patient",
            "name:exact=X",
            key("Patient", "name", Fact::Exact("X")),
        ),
        (
            "Patient",
            "_id=a,b",
            Filter::Is(Comparison::Id(vec!["a".to_owned(), "b".to_owned()])),
        ),
        (
            "Patient",
            "gender=male",
            key("Patient", "gender", Fact::Code("male")),
        ),
        ("Patient", "_tag=a|", key("", "_tag", Fact::System("a"))),
        (
            "Observation",
            "code=http://loinc.org|8480-6",
            key("Observation", "code", loinc),
        ),
        (
            "Observation",
            "code:not=x",
            Filter::Not(Box::new(key("Observation", "code", Fact::Code("x")))),
        ),
        ("Observation", "patient=p", owner.clone()),
        ("Observation", "subject=Patient/p", owner.clone()),
        ("Observation", "subject:Patient=p", owner),
        (
            "Observation",
            "encounter=e",
            key("Observation", "encounter", Fact::Reference("Encounter/e")),
        ),
        (
            "Library",
            "url=http://x.org",
            key("Library", "url", Fact::Uri("http://x.org")),
        ),
    ];
    for (resource_type, url, expected) in cases {
        assert_eq!(conditions(resource_type, url), [expected], "{url}");
    }
    let moment = &conditions("Observation", "date=2020")[0];
    assert!(
        matches!(moment, Filter::Is(Comparison::Moment(_))),
        "{moment:?}"
    );
    let date = &conditions("Observation", "value-date=2020")[0];
    assert!(
        matches!(date, Filter::Is(Comparison::Range { .. })),
        "{date:?}"
    );
    let updated = &conditions("Observation", "_lastUpdated=2020")[0];
    assert!(
        matches!(updated, Filter::Is(Comparison::Updated(_))),
        "{updated:?}"
    );
}

/// "An id without a type": any type the parameter may point at.
#[test]
fn an_id_alone_is_of_any_target_type() {
    let filters = conditions("Observation", "subject=1");
    let [Filter::Any(alternatives)] = filters.as_slice() else {
        panic!("alternatives expected");
    };
    let [
        Filter::Is(Comparison::Owner(owners)),
        Filter::Is(Comparison::Key(keys)),
    ] = alternatives.as_slice()
    else {
        panic!("the owner and keys expected: {alternatives:?}");
    };
    assert_eq!(*owners, [identity_key("Patient/1")]);
    let group = fact_key("Observation", "subject", Fact::Reference("Group/1"));
    assert!(
        keys.contains(&group) && keys.len() == 3,
        "Group, Device and Location"
    );
}

#[test]
fn keys_are_of_one_parameter_of_one_type() {
    let facts = [
        fact_key("Patient", "a", Fact::Code("bc")),
        fact_key("Patient", "ab", Fact::Code("c")),
        fact_key("Person", "a", Fact::Code("bc")),
        fact_key("Patient", "a", Fact::NoSystem("bc")),
        fact_key("Patient", "a", Fact::SystemCode("b", "c")),
        fact_key("Patient", "a", Fact::SystemCode("", "bc")),
        fact_key("Patient", "a", Fact::Reference("bc")),
    ];
    let distinct: std::collections::HashSet<_> = facts.iter().collect();
    assert_eq!(distinct.len(), facts.len());
}

#[test]
fn a_compartment_is_one_more_condition() {
    let compartment = Compartment {
        code: "Patient".to_owned(),
        id: "1".to_owned(),
    };
    let plan = plan(Some("Observation"), "status=final", Some(&compartment));
    let inside = Filter::Is(Comparison::Key(vec![compartment_key("Patient", "1")]));
    assert!(matches!(plan.filter, Filter::All(all) if all.len() == 3 && all[0] == inside));
}

#[test]
fn the_order_is_always_complete() {
    let term = |by, descending| OrderTerm { by, descending };
    let value = |names: &[&str]| OrderBy::Value(names.iter().map(|&n| n.to_owned()).collect());
    let id = || term(OrderBy::Id, false);
    let cases = [
        (Some("Patient"), "", vec![id()]),
        (None, "", vec![term(OrderBy::Type, false), id()]),
        (Some("Patient"), "_sort=-_id", vec![term(OrderBy::Id, true)]),
        (
            Some("Patient"),
            "_sort=_lastUpdated",
            vec![term(OrderBy::Updated, false), id()],
        ),
        (
            Some("Patient"),
            "_sort=-birthdate",
            vec![term(OrderBy::MomentLow, true), id()],
        ),
        (
            Some("Patient"),
            "_sort=family,-given",
            vec![
                term(value(&["family"]), false),
                term(value(&["-given", "given"]), true),
                id(),
            ],
        ),
    ];
    for (resource_type, url, expected) in cases {
        assert_eq!(plan(resource_type, url, None).order, expected, "{url}");
    }
}

/// "The lowest value ascending, the highest descending", in bytes.
#[test]
fn order_values_sort_bytewise() {
    let patient = object(json!({
        "resourceType": "Patient", "id": "p", "gender": "male",
        "name": [{"family": "Zoë"}, {"family": "Ábel"}], "deceasedDateTime": "1950"
    }));
    let rows = catalogue().extract("Patient", &patient);
    let value = |name: &str| {
        rows.order
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    };
    assert_eq!(
        (value("family"), value("-family")),
        (Some("abel"), Some("zoe"))
    );
    assert_eq!((value("gender"), value("-gender")), (Some("male"), None));
    assert_eq!(value("birthdate"), None, "the clinical time has a column");
    let names: std::collections::HashSet<_> = rows.order.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), rows.order.len(), "a name stands once");

    let times = [i64::MIN, -1, 0, 1, i64::MAX].map(order::of_time);
    assert!(times.is_sorted(), "{times:?}");
    assert!(times.iter().all(|time| time.len() == 20), "{times:?}");
}
