//! The five official CompartmentDefinitions, read beside the service's own
//! tables. <https://hl7.org/fhir/R4/compartmentdefinition.html>

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use unloop::fhir::definitions::r4;
use unloop::fhir::search::Catalogue;
use unloop::fhir::search::key::compartment_key;

use crate::support::{BASE, package};

const FIVE: [&str; 5] = [
    "Device",
    "Encounter",
    "Patient",
    "Practitioner",
    "RelatedPerson",
];

type Definition = BTreeMap<String, BTreeSet<String>>;

/// Compartment -> type -> codes, and `type code` -> expression.
struct Official {
    compartments: BTreeMap<String, Definition>,
    expressions: BTreeMap<(String, String), String>,
}

fn official() -> Option<Official> {
    let wanted = |name: &str| {
        let file = name.trim_start_matches("package/");
        let definition = file.starts_with("CompartmentDefinition-");
        definition || file.starts_with("SearchParameter-") && !file.contains("extensions")
    };
    let mut official = Official {
        compartments: BTreeMap::new(),
        expressions: BTreeMap::new(),
    };
    for (_, content) in package(wanted)? {
        let text = |name: &str| content[name].as_str().unwrap_or_default().to_owned();
        let array = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let of_hl7 = text("url").starts_with("http://hl7.org/fhir/");
        match text("resourceType").as_str() {
            "CompartmentDefinition"
                if FIVE.contains(&text("code").as_str()) && of_hl7 && text("id") != "example" =>
            {
                let members = array(&content["resource"])
                    .into_iter()
                    .filter_map(|member| {
                        let codes: BTreeSet<String> = array(&member["param"])
                            .iter()
                            .map(|code| code.as_str().unwrap().to_owned())
                            .collect();
                        (!codes.is_empty())
                            .then(|| (member["code"].as_str().unwrap().to_owned(), codes))
                    });
                official
                    .compartments
                    .insert(text("code"), members.collect());
            }
            "SearchParameter" if of_hl7 && content["expression"].is_string() => {
                for base in array(&content["base"]) {
                    let key = (base.as_str().unwrap().to_owned(), text("code"));
                    official.expressions.insert(key, text("expression"));
                }
            }
            _ => {}
        }
    }
    Some(official)
}

#[test]
fn members_and_their_parameters_are_the_official_ones() {
    let Some(official) = official() else { return };
    let names: Vec<&str> = official.compartments.keys().map(String::as_str).collect();
    assert_eq!(names, FIVE);
    for (code, members) in &official.compartments {
        let ours = r4().compartment(code).unwrap();
        for name in &r4().resource_types {
            let expected = members.get(name).cloned().unwrap_or_default();
            let found: BTreeSet<String> = ours
                .members
                .get(name)
                .map(|codes| codes.iter().cloned().collect())
                .unwrap_or_default();
            let real: BTreeSet<String> = expected
                .into_iter()
                .filter(|code| !code.starts_with('{'))
                .collect();
            let found: BTreeSet<String> = found
                .into_iter()
                .filter(|code| !code.starts_with('{'))
                .collect();
            assert_eq!(found, real, "{code}: {name}");
        }
    }
}

/// Each parameter of each member makes a resource that refers by it a member,
/// by a relative and by an absolute reference; a reference elsewhere does not.
#[test]
fn each_parameter_makes_a_member() {
    let Some(official) = official() else { return };
    let catalogue = Catalogue::new(r4(), BASE);
    let mut tried = 0;
    let mut untold = Vec::new();
    for (code, members) in &official.compartments {
        for (name, codes) in members {
            for param in codes.iter().filter(|param| !param.starts_with('{')) {
                let key = (name.clone(), param.clone());
                let Some(expression) = official.expressions.get(&key) else {
                    untold.push(format!("{code} {name} {param}"));
                    continue;
                };
                tried += 1;
                for path in paths(expression, name) {
                    let of = |reference: String| {
                        let resource = referring(name, &path, &reference);
                        let keys = catalogue.compartments(name, resource.as_object().unwrap());
                        keys.contains(&compartment_key(code, "x"))
                    };
                    let place = format!("{code}: {name}.{param} ({path})");
                    assert!(of(format!("{code}/x")), "{place}");
                    assert!(of(format!("{BASE}/{code}/x")), "{place}, absolute");
                    assert!(of(format!("{code}/x/_history/3")), "{place}, of a version");
                    for elsewhere in [
                        format!("http://elsewhere.example.org/fhir/{code}/x"),
                        format!("{BASE}2/{code}/x"),
                        format!("{code}/y"),
                        "Group/x".to_owned(),
                        format!("#{code}/x"),
                        format!("urn:uuid:{code}/x"),
                        format!("{code}?identifier=x"),
                    ] {
                        assert!(!of(elsewhere.clone()), "{place}: {elsewhere}");
                    }
                }
            }
        }
    }
    assert!(tried > 250, "only {tried}");
    assert_eq!(
        untold, [""; 0],
        "parameters that the package does not define"
    );
}

/// The straight paths of an expression, as dots and names.
fn paths(expression: &str, name: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for part in expression.split('|') {
        let part = part.trim().trim_start_matches('(').trim_end_matches(')');
        let Some(rest) = part.strip_prefix(&format!("{name}.")) else {
            continue;
        };
        let end = rest.find(".where(").unwrap_or(rest.len());
        let rest = rest[..end]
            .replace(".as(Reference", "")
            .replace(" as Reference", "");
        let rest = rest.trim_end_matches([')', '(']).to_owned();
        paths.push(rest);
    }
    assert!(!paths.is_empty(), "{name}: {expression}");
    paths
}

/// A resource of the type with one reference at the path, arrays where the
/// definition has them.
fn referring(name: &str, path: &str, reference: &str) -> Value {
    let segments: Vec<&str> = path.split('.').collect();
    let mut resource = build(name, &segments, reference);
    resource["resourceType"] = json!(name);
    resource["id"] = json!("own");
    resource
}

fn build(of_type: &str, segments: &[&str], reference: &str) -> Value {
    let Some((first, rest)) = segments.split_first() else {
        return json!({"reference": reference});
    };
    let definition = r4().type_definition(of_type).unwrap();
    let element = definition
        .elements
        .iter()
        .find(|element| element.name == *first);
    let element = element.unwrap_or_else(|| panic!("{of_type} has no {first}"));
    let inner = match rest {
        [] => build("", &[], reference),
        rest => build(&element.types[0], rest, reference),
    };
    let property = match element.choice {
        true => element.property("Reference"),
        false => element.name.clone(),
    };
    match element.array {
        true => json!({property: [inner]}),
        false => json!({property: inner}),
    }
}

/// What is in no patient's compartment by definition is never a patient's.
#[test]
fn focus_is_no_membership() {
    let catalogue = Catalogue::new(r4(), BASE);
    let observation = json!({
        "resourceType": "Observation", "id": "o",
        "subject": {"reference": "Patient/a"},
        "focus": [{"reference": "Patient/b"}],
        "subjectx": {"reference": "Patient/c"},
        "hasMember": [{"reference": "Patient/d"}],
        "contained": [{"resourceType": "Observation", "id": "c", "subject": {"reference": "Patient/e"}}],
        "extension": [{"url": "http://x", "valueReference": {"reference": "Patient/f"}}],
        "note": [{"authorReference": {"reference": "Patient/g"}, "text": "x"}],
    });
    let keys = catalogue.compartments("Observation", observation.as_object().unwrap());
    let of = |id: &str| keys.contains(&compartment_key("Patient", id));
    assert!(of("a"));
    for id in ["b", "c", "d", "e", "f", "g", "o"] {
        assert!(!of(id), "{id}");
    }
}
