//! The official cases. Those that do not pass are listed with the reason; a
//! listed one that passes fails the test like any other that does not.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use unloop::fhir::definitions::r4;
use unloop::fhir::fhirpath::{Evaluator, Expression, Item, Node};

use crate::exceptions::EXCEPTIONS;
use crate::shared;

#[test]
fn the_official_cases_pass() {
    let Some(path) = shared::path("fhir/suites/fhirpath/tests-fhir-r4.xml") else {
        return;
    };
    let Some(inputs) = inputs() else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let suite = roxmltree::Document::parse(&text).unwrap();
    let mut groups: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    let children = suite.root_element().children();
    for group in children.filter(|n| n.has_tag_name("group")) {
        let counts = groups.entry(group.attribute("name").unwrap()).or_default();
        for case in group.children().filter(|n| n.has_tag_name("test")) {
            let name = case.attribute("name").unwrap();
            let excepted = EXCEPTIONS.iter().any(|(_, names)| names.contains(&name));
            counts.1 += 1;
            match (judge(case, &inputs), excepted) {
                (Ok(()), false) => counts.0 += 1,
                (Err(_), true) => {}
                (Ok(()), true) => wrong.push(format!("{name} passes now: take it off the list")),
                (Err(why), false) => wrong.push(format!("{name}: {why}")),
            }
        }
    }
    for (name, (passed, all)) in &groups {
        println!("{name}: {passed} of {all}");
    }
    let sum = |f: fn(&(usize, usize)) -> usize| groups.values().map(f).sum::<usize>();
    println!("{} of {} official cases pass", sum(|g| g.0), sum(|g| g.1));
    assert!(sum(|g| g.1) > 900);
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

fn judge(case: roxmltree::Node<'_, '_>, inputs: &BTreeMap<&str, Value>) -> Result<(), String> {
    let expression = case.children().find(|n| n.has_tag_name("expression"));
    let expression = expression.unwrap();
    let text = expression.text().unwrap_or_default();
    let file = case.attribute("inputfile").unwrap_or("patient-example.xml");
    let input = inputs.get(file).ok_or(format!("no input {file}"))?;
    let outcome = answers(text, input);
    if expression.attribute("invalid").is_some() {
        return match outcome {
            Ok(found) => Err(format!("`{text}` is invalid, not {found:?}")),
            Err(_) => Ok(()),
        };
    }
    let mut found = outcome.map_err(|why| format!("`{text}`: {why}"))?;
    if case.attribute("predicate") == Some("true") {
        found = vec![("boolean".to_owned(), (!found.is_empty()).to_string())];
    }
    let outputs = case.children().filter(|n| n.has_tag_name("output"));
    let expected: Vec<_> = outputs
        .map(|n| {
            (
                n.attribute("type").unwrap_or(""),
                n.text().unwrap_or_default(),
            )
        })
        .collect();
    let fits = |((of, value), (wanted, text)): (&(String, String), &(&str, &str))| {
        let of_type = wanted.is_empty() || of.eq_ignore_ascii_case(wanted);
        of_type && value == text.trim_start_matches(['@', 'T'])
    };
    let same = found.len() == expected.len() && found.iter().zip(&expected).all(fits);
    match same {
        true => Ok(()),
        false => Err(format!("`{text}` is {found:?}, not {expected:?}")),
    }
}

/// (type, value) of each item.
fn answers(text: &str, input: &Value) -> Result<Vec<(String, String)>, String> {
    let expression = Expression::parse(text).map_err(|e| e.to_string())?;
    let node = Node::resource(r4(), input.as_object().unwrap()).unwrap();
    let evaluator = Evaluator::new(r4(), node, node);
    let found = expression.evaluate(&evaluator, Item::Node(node));
    let found = found.map_err(|e| e.to_string())?;
    let shown = |item: &Item<'_>| {
        let value = item.written().unwrap_or_default().into_owned();
        let value = value.trim_start_matches('T').to_owned();
        (item.type_name().1.into_owned(), value)
    };
    Ok(found.iter().map(shown).collect())
}

/// The cases' inputs: official examples, and what the package does not have.
fn inputs() -> Option<BTreeMap<&'static str, Value>> {
    let examples = shared::examples()?;
    let example = |name: &str| {
        let mut named = examples.iter().filter(|(own, _)| own == name);
        named.next().unwrap().1.clone()
    };
    // The package's examples are older than the cases in these two places.
    let mut observation = example("Observation-example.json");
    observation["extension"] = json!([{
        "url": "http://example.com/fhir/StructureDefinition/patient-age",
        "valueAge": {"value": 10, "unit": "y", "system": "http://unitsofmeasure.org", "code": "a"}
    }]);
    let mut expansion = example("ValueSet-example-expansion.json");
    expansion["version"] = json!("20150622");
    Some(BTreeMap::from([
        ("patient-example.xml", example("Patient-example.json")),
        ("observation-example.xml", observation),
        (
            "questionnaire-example.xml",
            example("Questionnaire-3141.json"),
        ),
        ("valueset-example-expansion.xml", expansion),
        ("codesystem-example.xml", example("CodeSystem-example.json")),
        (
            "appointment-examplereq.json",
            example("Appointment-examplereq.json"),
        ),
        (
            "explanationofbenefit-example.json",
            example("ExplanationOfBenefit-EB3500.json"),
        ),
        (
            "parameters-example-types.xml",
            json!({
                "resourceType": "Parameters",
                "parameter": [
                    {"name": "string", "valueString": "s"},
                    {"name": "integer", "valueInteger": 1},
                    {"name": "uuid", "valueUuid": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"},
                    {"name": "decimal", "valueDecimal": 1.0},
                ]
            }),
        ),
        (
            "patient-example-period.xml",
            json!({
                "resourceType": "Patient",
                "identifier": [{"period": {"start": "2021-02-02", "end": "2021-02-02T14:00:00Z"}}]
            }),
        ),
        (
            "patient-container-example.json",
            json!({
                "resourceType": "Patient",
                "contained": [{"resourceType": "Organization", "id": "1", "name": "o"}],
                "managingOrganization": {"reference": "#1"}
            }),
        ),
        (
            "patient-name-extensions.json",
            json!({
                "resourceType": "Patient",
                "name": [{
                    "given": [null, "B"],
                    "_given": [{"extension": [{"url": "urn:x", "valueCode": "masked"}]}, null]
                }]
            }),
        ),
    ]))
}
