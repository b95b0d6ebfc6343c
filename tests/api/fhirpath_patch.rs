//! FHIRPath Patch, by the cases of the FHIR community's test suite and over HTTP.
//! <https://hl7.org/fhir/R4/fhirpatch.html>

use roxmltree::{Document, Node};
use serde_json::{Map, Value, json};
use unloop::fhir::definitions::{Element, TypeDefinition, TypeKind, r4};
use unloop::fhir::engine::Limits;
use unloop::fhir::interaction::patch;
use unloop::fhir::interaction::patch_bound::DocumentBound;
use unloop::fhir::request::Content;

use crate::support::{Server, example, shared};

crate::on_both_stores!(
    a_patch_changes_what_its_paths_name,
    what_cannot_be_done_changes_nothing,
    bundles_carry_patches,
);

/// Cases that are left out, each with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[(
    "Full Resource",
    "its narrative is XML, which this test does not make into text",
)];

#[test]
fn the_cases_of_the_test_suite_hold() {
    let Some(path) = shared("fhir/suites/patch/fhir-patch-tests.xml") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let document = Document::parse(&text).unwrap();
    let cases = document
        .descendants()
        .filter(|node| node.has_tag_name("case"));
    let (mut run, mut findings) = (0, Vec::new());
    for case in cases {
        let name = case.attribute("name").unwrap();
        if EXCEPTIONS.iter().any(|(exception, _)| *exception == name) {
            continue;
        }
        run += 1;
        let part = |name: &str| case.children().find(|child| child.has_tag_name(name));
        let content = |name: &str| resource(part(name)?.first_element_child()?);
        let patched = patched(content("input").unwrap(), content("diff").unwrap());
        match (patched, content("output")) {
            (Ok(found), Some(expected)) if found == expected => {}
            (Err(_), None) => {}
            (found, expected) => findings.push(format!("{name}: {found:?}, not {expected:?}")),
        }
    }
    assert!(run >= 28, "only {run} cases");
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

fn patched(document: Value, parameters: Value) -> Result<Value, String> {
    let Value::Object(parameters) = parameters else {
        panic!("an object");
    };
    let text = |failure: unloop::fhir::outcome::Failure| failure.issues[0].text.clone();
    let operations = patch::operations(r4(), &Content::Resource(parameters)).map_err(text)?;
    let bound = DocumentBound::from_limits(&Limits::default());
    patch::apply(r4(), document, &operations, &bound).map_err(text)
}

/// A resource of the XML form in the JSON form.
fn resource(node: Node<'_, '_>) -> Option<Value> {
    let name = node.tag_name().name();
    let mut map = Map::new();
    map.insert("resourceType".to_owned(), name.into());
    members(node, r4().type_definition(name)?, &mut map);
    Some(map.into())
}

fn members(node: Node<'_, '_>, of: &TypeDefinition, map: &mut Map<String, Value>) {
    for attribute in node
        .attributes()
        .filter(|attribute| attribute.name() != "value")
    {
        map.insert(attribute.name().to_owned(), attribute.value().into());
    }
    for child in node.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        let (index, type_name) = &of.properties[name];
        let element: &Element = &of.elements[*index];
        let inner = r4().type_definition(type_name).unwrap();
        let mut own = Map::new();
        members(child, inner, &mut own);
        if inner.kind != TypeKind::Primitive {
            put(map, name, own.into(), element.array);
            continue;
        }
        let text = child.attribute("value").unwrap();
        let value = match type_name.as_str() {
            "boolean" | "integer" | "decimal" => serde_json::from_str(text).unwrap(),
            _ => text.into(),
        };
        put(map, name, value, element.array);
        if !own.is_empty() {
            put(map, &format!("_{name}"), own.into(), element.array);
        }
    }
}

fn put(map: &mut Map<String, Value>, name: &str, value: Value, repeats: bool) {
    if !repeats {
        map.insert(name.to_owned(), value);
        return;
    }
    let list = map.entry(name.to_owned()).or_insert_with(|| json!([]));
    list.as_array_mut().unwrap().push(value);
}

fn operation(kind: &str, path: &str, rest: &[Value]) -> Value {
    let mut parts = vec![
        json!({"name": "type", "valueCode": kind}),
        json!({"name": "path", "valueString": path}),
    ];
    parts.extend_from_slice(rest);
    json!({"name": "operation", "part": parts})
}

fn parameters(operations: &[Value]) -> Value {
    json!({"resourceType": "Parameters", "parameter": operations})
}

async fn a_patch_changes_what_its_paths_name(server: Server) {
    let path = server.create(&example::patient("A")).await.path();
    let named = |name: &str| json!({"name": "name", "valueString": name});
    let flag = json!({"name": "value", "valueBoolean": true});
    let day = json!({"name": "value", "valueDateTime": "2026-01-02"});
    let content = parameters(&[
        operation(
            "replace",
            "Patient.name.where(family.exists()).first().family",
            &[json!({"name": "value", "valueString": "B"})],
        ),
        operation("delete", "Patient.name[0].given[0]", &[]),
        operation("delete", "Patient.photo", &[]),
        operation("add", "Patient", &[named("deceased"), flag]),
        operation("replace", "Patient.deceased", &[day]),
        operation(
            "add",
            "Patient",
            &[
                named("contact"),
                json!({"name": "value", "part": [
                    {"name": "gender", "valueCode": "male"},
                    {"name": "telecom", "valueContactPoint": {"system": "phone", "value": "1"}},
                ]}),
            ],
        ),
    ]);
    let reply = server
        .call("PATCH", &path)
        .resource(&content)
        .expect(200)
        .await
        .json();
    assert_eq!(reply["name"][0]["family"], "B");
    assert_eq!(reply["name"][0]["given"], json!(["James"]));
    assert_eq!(reply["deceasedDateTime"], "2026-01-02");
    assert_eq!(reply["deceasedBoolean"], Value::Null);
    assert_eq!(
        reply["contact"][0],
        json!({"gender": "male", "telecom": [{"system": "phone", "value": "1"}]})
    );
    assert_eq!(reply["meta"]["versionId"], "2");
}

/// What cannot be done is answered with 422, and what is no patch or leaves no resource of R4
/// with 400.
fn refusals() -> Vec<(u16, Value)> {
    let value = json!({"name": "value", "valueString": "x"});
    let name = |name: &str| json!({"name": "name", "valueString": name});
    let number = |name: &str, number: u32| json!({"name": name, "valueInteger": number});
    let with = |kind: &str, path: &str| operation(kind, path, std::slice::from_ref(&value));
    let add = |element: &str| operation("add", "Patient", &[name(element), value.clone()]);
    let given = "Patient.name[0].given";
    vec![
        (422, with("replace", "Patient.birthDate.substring(1)")),
        (422, with("replace", "Patient.contact.name")),
        (422, operation("delete", "Patient.name.given", &[])),
        (422, operation("delete", "Patient", &[])),
        (422, add("nothing")),
        (422, add("gender")),
        (422, add("deceased")),
        (
            422,
            operation("insert", given, &[number("index", 7), value.clone()]),
        ),
        (
            422,
            operation(
                "move",
                given,
                &[number("source", 0), number("destination", 9)],
            ),
        ),
        (
            422,
            operation(
                "replace",
                "Patient.id",
                &[json!({"name": "value", "valueId": "other"})],
            ),
        ),
        (400, with("replace", "Patient.gender")),
        (400, with("replace", "Patient.(")),
        (400, with("change", "Patient.gender")),
        (400, operation("replace", "Patient.gender", &[])),
        (400, json!({"name": "other", "valueString": "x"})),
    ]
}

async fn what_cannot_be_done_changes_nothing(server: Server) {
    let path = server.create(&example::patient("A")).await.path();
    for (status, refused) in refusals() {
        let family = json!({"name": "value", "valueString": "B"});
        let fine = operation("replace", "Patient.name[0].family", &[family]);
        let content = parameters(&[fine, refused.clone()]);
        let reply = server.call("PATCH", &path).resource(&content).send().await;
        assert_eq!(reply.status, status, "{refused}: {}", reply.text);
    }
    let kept = server.get(&path).expect(200).await.json();
    assert_eq!(kept["meta"]["versionId"], "1");
}

async fn bundles_carry_patches(server: Server) {
    server
        .put(&json!({"resourceType": "Patient", "id": "p", "active": true}))
        .await;
    let flag = json!({"name": "value", "valueBoolean": false});
    let content = parameters(&[operation("replace", "Patient.active", &[flag])]);
    for kind in ["batch", "transaction"] {
        let entry = example::entry("PATCH", "Patient/p", Some(content.clone()));
        let reply = server.bundle(kind, &[entry]).await.json();
        assert_eq!(reply["entry"][0]["response"]["status"], "200 OK", "{kind}");
    }
    let patched = server.get("/Patient/p").expect(200).await.json();
    assert_eq!(patched["active"], false);
}
