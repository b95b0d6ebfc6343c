//! What the loaded R4 definitions say, held against the published pages.
//! <https://hl7.org/fhir/R4/>
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::print_stderr, clippy::string_slice)]

use unloop::fhir::definitions::{ParamKind, TypeKind, r4};

#[test]
fn every_concrete_resource_type_is_known_and_no_abstract_one() {
    let definitions = r4();
    assert_eq!(definitions.resource_types.len(), 146);
    assert!(definitions.is_resource_type("MedicationStatement"));
    for name in [
        "Resource",
        "DomainResource",
        "HumanName",
        "string",
        "patient",
    ] {
        assert!(!definitions.is_resource_type(name), "{name}");
    }
    assert!(definitions.resource_types.is_sorted());
}

#[test]
fn every_type_an_element_names_is_there() {
    for definition in r4().types.values() {
        for name in definition.elements.iter().flat_map(|e| &e.types) {
            assert!(
                r4().type_definition(name).is_some(),
                "{}: {name}",
                definition.name
            );
        }
    }
}

/// `required` has one bit for each element.
#[test]
fn what_is_required_is_marked() {
    for definition in r4().types.values() {
        assert!(definition.elements.len() <= 128, "{}", definition.name);
        let marked = definition.elements.iter().enumerate();
        let marked = marked.filter(|(index, _)| (definition.required >> index) & 1 == 1);
        let minimum = definition.elements.iter().filter(|e| e.min > 0);
        assert!(marked.map(|(_, e)| &e.name).eq(minimum.map(|e| &e.name)));
    }
}

#[test]
fn references_and_canonicals_have_targets_of_their_own() {
    let of = "EvidenceVariable.characteristic";
    let elements = &r4().type_definition(of).expect("a type").elements;
    let definition = elements.iter().find(|e| e.name == "definition");
    let definition = definition.expect("an element");
    assert_eq!(definition.targets_of("Reference"), ["Group"]);
    assert_eq!(definition.targets_of("canonical"), ["ActivityDefinition"]);
    assert!(definition.targets_of("CodeableConcept").is_empty());
}

#[test]
fn observation_has_its_elements_inherited_ones_included() {
    let observation = r4().type_definition("Observation").expect("a type");
    assert_eq!(observation.kind, TypeKind::Resource);
    let element = |name: &str| {
        let found = observation.elements.iter().find(|e| e.name == name);
        found.unwrap_or_else(|| panic!("{name}"))
    };
    assert_eq!(element("id").types, ["string"]);
    assert!(element("modifierExtension").modifier);
    let status = element("status");
    assert_eq!((status.min, status.array), (1, false));
    assert!(status.summary && status.modifier);
    assert_eq!(
        status.required_binding.as_deref(),
        Some("http://hl7.org/fhir/ValueSet/observation-status")
    );
    assert_eq!(
        element("subject").targets,
        ["Patient", "Group", "Device", "Location"]
    );
    assert!(element("focus").targets.is_empty(), "any resource");
    assert!(element("category").array);
    assert_eq!(element("value").types.len(), 11);
    assert!(element("value").choice);
}

#[test]
fn properties_are_the_json_names() {
    let property = |of: &str, name: &str| {
        let definition = r4().type_definition(of).expect("a type");
        definition.properties.get(name).map(|(_, t)| t.as_str())
    };
    assert_eq!(property("Observation", "valueQuantity"), Some("Quantity"));
    assert_eq!(property("Observation", "valueDateTime"), Some("dateTime"));
    assert_eq!(property("Observation", "value"), None);
    assert_eq!(
        property("Observation", "component"),
        Some("Observation.component")
    );
    assert_eq!(
        property("Observation.component", "referenceRange"),
        Some("Observation.referenceRange"),
        "a content reference"
    );
    assert_eq!(property("Timing", "repeat"), Some("Timing.repeat"));
    assert_eq!(property("Extension", "url"), Some("uri"));
    assert_eq!(property("Age", "value"), Some("decimal"));
    assert_eq!(property("Narrative", "div"), Some("xhtml"));
    assert_eq!(
        property("xhtml", "extension"),
        None,
        "forbidden by the type"
    );
    assert_eq!(property("string", "value"), None);
}

#[test]
fn search_params_say_only_what_concerns_the_type() {
    let param = |of: &str, code: &str| {
        let found = r4().search_param(of, code);
        found.unwrap_or_else(|| panic!("{of} {code}"))
    };
    assert_eq!(
        param("MedicationStatement", "patient").expression,
        "MedicationStatement.subject.where(resolve() is Patient)"
    );
    assert_eq!(
        param("AllergyIntolerance", "code").expression,
        "AllergyIntolerance.code | AllergyIntolerance.reaction.substance"
    );
    assert_eq!(param("InsurancePlan", "name").expression, "name | alias");
    assert_eq!(param("Binary", "_id").expression, "Resource.id");
    assert_eq!(param("Patient", "_lastUpdated").kind, ParamKind::Date);
    assert_eq!(param("Condition", "subject").targets, ["Group", "Patient"]);
    assert!(r4().search_param("Patient", "_text").is_none());
    assert!(r4().search_params("Nothing").is_empty());
    let composite = param("Observation", "code-value-quantity");
    assert_eq!(composite.components.len(), 2);
    assert_eq!(composite.components[0].1, "code");
}

#[test]
fn no_type_has_two_parameters_of_one_code() {
    for (name, params) in &r4().search_params {
        assert!(params.is_sorted_by(|a, b| a.code < b.code), "{name}");
        assert!(params.iter().all(|p| !p.expression.is_empty()), "{name}");
    }
}

#[test]
fn the_five_compartments() {
    let codes: Vec<_> = r4().compartments.iter().map(|c| c.code.as_str()).collect();
    assert_eq!(
        codes,
        [
            "Device",
            "Encounter",
            "Patient",
            "Practitioner",
            "RelatedPerson"
        ]
    );
    let patient = r4().compartment("Patient").expect("a compartment");
    assert_eq!(patient.members["Observation"], ["subject", "performer"]);
    assert_eq!(patient.members["Patient"], ["link"]);
    assert!(!patient.members.contains_key("Medication"));
    let encounter = r4().compartment("Encounter").expect("a compartment");
    assert_eq!(encounter.members["Encounter"], ["{def}"]);
}
