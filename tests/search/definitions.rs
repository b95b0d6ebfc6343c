//! The official search parameters, all of them.
//! <https://hl7.org/fhir/R4/searchparameter-registry.html>

use unloop::fhir::definitions::{ParamKind, r4};
use unloop::fhir::search::catalogue::Storage;
use unloop::fhir::search::path::{Predicate, Step};
use unloop::fhir::search::{Catalogue, expression, is_searchable};

fn catalogue() -> Catalogue {
    Catalogue::new(r4(), "http://localhost:8080/fhir")
}

#[test]
fn every_official_expression_compiles() {
    let definitions = r4();
    let mut compiled = 0;
    let mut refused = Vec::new();
    for resource_type in &definitions.resource_types {
        for param in definitions.search_params(resource_type) {
            if param.expression.is_empty() {
                assert!(!is_searchable(param), "{resource_type}.{}", param.code);
                continue;
            }
            match expression::compile(definitions, resource_type, &param.expression) {
                Ok(expression) => {
                    assert!(!expression.paths.is_empty());
                    compiled += 1;
                }
                Err(error) => refused.push(format!("{}: {error}", param.code)),
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert!(compiled > 1400, "{compiled}");
}

/// A parameter that is advertised must have something to read.
#[test]
fn every_searchable_parameter_reads_some_type() {
    let catalogue = catalogue();
    for resource_type in &r4().resource_types {
        for param in catalogue.params(resource_type) {
            assert!(
                !param.expression.paths.is_empty(),
                "{resource_type}.{} reads nothing",
                param.code
            );
        }
    }
}

/// Of the special parameters those with an expression: R4 has one.
#[test]
fn the_special_parameter_of_a_place_is_searchable() {
    let mut special = Vec::new();
    for resource_type in &r4().resource_types {
        let params = r4().search_params(resource_type).iter();
        for param in params.filter(|p| is_searchable(p) && p.kind == ParamKind::Special) {
            special.push(format!("{resource_type}.{}", param.code));
        }
    }
    assert_eq!(special, ["Location.near"]);
}

#[test]
fn paths_are_straight_and_typed() {
    let paths = |resource_type: &str, expression: &str| {
        expression::compile(r4(), resource_type, expression)
            .unwrap_or_else(|error| panic!("{error}"))
            .paths
    };
    let field = |name: &str| Step::Field(name.to_owned());

    let [path] = paths("Patient", "Patient.name.family")
        .try_into()
        .expect("one path");
    assert_eq!(path.steps, [field("name"), field("family")]);
    assert_eq!((path.leaf.as_str(), path.single), ("string", false));

    let leaves: Vec<String> = paths("Observation", "Observation.effective")
        .into_iter()
        .map(|path| path.leaf)
        .collect();
    assert_eq!(leaves, ["Period", "Timing", "dateTime", "instant"]);

    let [path] = paths("Observation", "(Observation.value as CodeableConcept).text")
        .try_into()
        .expect("one path");
    assert_eq!(path.steps, [field("valueCodeableConcept"), field("text")]);

    let [path] = paths(
        "Observation",
        "Observation.subject.where(resolve() is Patient)",
    )
    .try_into()
    .expect("one path");
    let patient = Step::Where(Predicate::RefersTo("Patient".to_owned()));
    assert_eq!(path.steps, [field("subject"), patient]);
    assert!(path.single);

    let [path] = paths("Bundle", "Bundle.entry[0].resource")
        .try_into()
        .expect("one path");
    assert_eq!(
        path.steps,
        [Step::Item("entry".to_owned(), 0), field("resource")]
    );

    let [path] = paths("Patient", "name").try_into().expect("one path");
    assert_eq!(
        (path.leaf.as_str(), path.element.as_str()),
        ("HumanName", "Patient.name")
    );

    for wrong in [
        "Patient.nme",
        "Patient.name.as(Period)",
        "Patient.name)",
        "",
        "Patient.name.f()",
    ] {
        assert!(
            expression::compile(r4(), "Patient", wrong).is_err(),
            "{wrong}"
        );
    }
}

/// All but those of three values, which are refused.
#[test]
fn every_composite_of_two_values_is_understood() {
    let catalogue = catalogue();
    let mut understood = std::collections::HashSet::new();
    let mut refused = Vec::new();
    for resource_type in &r4().resource_types {
        for param in r4().search_params(resource_type) {
            if param.kind != ParamKind::Composite {
                continue;
            }
            let Some(found) = catalogue.param(resource_type, &param.code) else {
                refused.push(format!("{resource_type}.{}", param.code));
                continue;
            };
            let name = format!("{resource_type}.{}", param.code);
            assert_eq!(
                found.composites.len(),
                found.expression.paths.len(),
                "{name}"
            );
            for composite in &found.composites {
                assert!(!composite.first.expression.paths.is_empty(), "{name}");
                assert!(!composite.second.expression.paths.is_empty(), "{name}");
            }
            understood.insert(&param.url);
        }
    }
    assert_eq!(understood.len(), 42);
    assert_eq!(refused.len(), 4, "{refused:?}");
    assert!(
        refused
            .iter()
            .all(|name| name.starts_with("MolecularSequence."))
    );
}

/// `combo-…` parameters have the rows of those that they combine.
#[test]
fn the_same_values_are_kept_once() {
    let catalogue = catalogue();
    let shared: Vec<&str> = catalogue
        .params("Observation")
        .iter()
        .filter(|param| !param.parts.is_empty())
        .map(|param| param.code.as_str())
        .collect();
    let expected = [
        "combo-code",
        "combo-code-value-concept",
        "combo-code-value-quantity",
        "combo-data-absent-reason",
        "combo-value-concept",
        "combo-value-quantity",
    ];
    assert_eq!(shared, expected);
}

/// The patient and the clinical time have columns where a type allows only one.
#[test]
fn columns_hold_what_is_single() {
    let catalogue = catalogue();
    let cases = [
        ("Observation", Some("patient"), Some("date")),
        ("Encounter", Some("patient"), Some("date")),
        ("Condition", Some("patient"), Some("onset-date")),
        ("MedicationStatement", Some("patient"), Some("effective")),
        ("MedicationRequest", Some("patient"), Some("authoredon")),
        ("AllergyIntolerance", Some("patient"), Some("date")),
        // Several participants, one of which may be a patient.
        ("Appointment", None, Some("date")),
        ("Patient", None, Some("birthdate")),
        ("Organization", None, None),
    ];
    for (resource_type, owner, moment) in cases {
        let stored_in = |storage: Storage| {
            let mut params = catalogue.params(resource_type).iter();
            params
                .find(|param| param.storage == storage)
                .map(|param| param.code.as_str())
        };
        assert_eq!(stored_in(Storage::Owner), owner, "{resource_type}");
        assert_eq!(stored_in(Storage::Moment), moment, "{resource_type}");
    }
    for resource_type in &r4().resource_types {
        for param in catalogue
            .params(resource_type)
            .iter()
            .filter(|p| p.names_owner)
        {
            let other = param.expression.paths.iter().flat_map(|path| &path.steps).any(|step| {
                matches!(step, Step::Where(p) if *p != Predicate::RefersTo("Patient".to_owned()))
            });
            assert!(!other, "{resource_type}.{} narrows the owner", param.code);
        }
    }
}
