//! Sound examples with one thing made wrong: every one is refused at its place.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use unloop::fhir::definitions::{Element, TypeDefinition, TypeKind, r4};

use crate::support::{each_official_example, problems, told};

const LARGEST: u64 = 20_000;
const EXAMPLES_OF_A_TYPE: usize = 3;
/// Of each kind of mutation, in one example.
const SITES: usize = 3;

/// A value in an example.
struct Site {
    /// JSON pointers to the object, and to the value or the item of an array.
    object: String,
    pointer: String,
    key: String,
    /// FHIRPath of the object, the element and the item.
    parent: String,
    element_place: String,
    place: String,
    element: &'static Element,
    definition: &'static TypeDefinition,
}

/// Makes one thing wrong; answers the code and the place to be told, or
/// nothing where there is no such thing to make wrong.
type Mutation = fn(&Site, &mut Value) -> Option<(&'static str, String)>;

const MUTATIONS: [(&str, Mutation); 13] = [
    ("drop a required element", drop_required),
    ("wrong JSON type", wrong_type),
    ("number as string", number_as_string),
    ("bad date", bad_date),
    ("broken format", broken_format),
    ("unknown code", unknown_code),
    ("unknown concept", unknown_concept),
    ("double value[x]", double_choice),
    ("null", null),
    ("empty string, object", empty),
    ("empty array", empty_array),
    ("unknown element", unknown_element),
    ("wrong reference target", wrong_target),
];

#[test]
fn every_mutation_is_refused_at_its_place() {
    let mut examples: BTreeMap<String, usize> = BTreeMap::new();
    let mut made: BTreeMap<&str, usize> = BTreeMap::new();
    let mut accepted = Vec::new();
    each_official_example(LARGEST, |name, resource| {
        let resource_type = resource["resourceType"].as_str().unwrap_or_default();
        let count = examples.entry(resource_type.to_owned()).or_default();
        if *count == EXAMPLES_OF_A_TYPE || !problems(resource).is_empty() {
            return;
        }
        *count += 1;
        let sites = sites(resource);
        for (kind, mutation) in MUTATIONS {
            for (expected, mutant) in mutants(resource, &sites, mutation) {
                *made.entry(kind).or_default() += 1;
                let told = told(&mutant);
                let right = told.contains(&expected);
                if !right || !told.iter().all(|(_, at)| at.starts_with(&expected.1)) {
                    accepted.push(format!("{kind}, {name}: {expected:?}, told {told:?}"));
                }
            }
        }
    });
    assert!(accepted.is_empty(), "{}", accepted.join("\n"));
    let rare = MUTATIONS.iter().filter(|(kind, _)| {
        let count = made.get(kind).copied().unwrap_or_default();
        !examples.is_empty() && count < 10
    });
    assert_eq!(rare.map(|(kind, _)| kind).collect::<Vec<_>>(), [&""; 0]);
    eprintln!("{} types, {made:?}", examples.len());
}

type Mutant = ((String, String), Value);

/// The first mutants of a kind, from sites spread over the example.
fn mutants(resource: &Value, sites: &[Site], mutation: Mutation) -> Vec<Mutant> {
    let (early, late) = sites.split_at(sites.len() / 2);
    let mut found = Vec::new();
    for site in late.iter().chain(early) {
        let mut mutant = resource.clone();
        if let Some((code, place)) = mutation(site, &mut mutant) {
            found.push(((code.to_owned(), place), mutant));
            if found.len() == SITES {
                break;
            }
        }
    }
    found
}

fn sites(resource: &Value) -> Vec<Site> {
    let name = resource["resourceType"].as_str().expect("a type");
    let mut sites = Vec::new();
    collect(name, resource, "", name, &mut sites);
    sites
}

fn collect(type_name: &str, object: &Value, pointer: &str, parent: &str, sites: &mut Vec<Site>) {
    let definition = r4().type_definition(type_name).expect("a type");
    for (key, value) in object.as_object().expect("an object") {
        let Some((index, of)) = definition.properties.get(key) else {
            continue;
        };
        let element = &definition.elements[*index];
        let element_place = format!("{parent}.{}", element.name);
        let items: Vec<_> = match value.as_array() {
            Some(items) => items
                .iter()
                .enumerate()
                .map(|(i, v)| (Some(i), v))
                .collect(),
            None => vec![(None, value)],
        };
        for (index, item) in items {
            let (pointer_end, place_end) = index.map_or_else(Default::default, |index| {
                (format!("/{index}"), format!("[{index}]"))
            });
            let site = Site {
                object: pointer.to_owned(),
                pointer: format!("{pointer}/{key}{pointer_end}"),
                key: key.clone(),
                parent: parent.to_owned(),
                place: format!("{element_place}{place_end}"),
                element_place: element_place.clone(),
                element,
                definition: r4().type_definition(of).expect("a type"),
            };
            if item.is_object() {
                let of = item["resourceType"].as_str().unwrap_or(of);
                collect(of, item, &site.pointer, &site.place, sites);
            }
            sites.push(site);
        }
    }
}

impl Site {
    fn set(&self, document: &mut Value, value: Value) {
        *document.pointer_mut(&self.pointer).expect("a value") = value;
    }

    fn get<'v>(&self, document: &'v Value) -> &'v Value {
        document.pointer(&self.pointer).expect("a value")
    }

    fn object<'v>(&self, document: &'v mut Value) -> &'v mut serde_json::Map<String, Value> {
        let object = document.pointer_mut(&self.object).expect("an object");
        object.as_object_mut().expect("an object")
    }

    fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.definition.name.as_str())
    }
}

fn drop_required(site: &Site, document: &mut Value) -> Option<(&'static str, String)> {
    let object = site.object(document);
    if site.element.min == 0 || object.len() == 1 {
        return None;
    }
    object.remove(&site.key);
    object.remove(&format!("_{}", site.key));
    Some(("required", site.element_place.clone()))
}

fn wrong_type(site: &Site, document: &mut Value) -> Option<(&'static str, String)> {
    let wrong = match site.get(document) {
        Value::String(_) => json!(5),
        Value::Number(_) => json!(true),
        Value::Bool(_) => json!("true"),
        Value::Object(_) => json!("text"),
        _ => return None,
    };
    site.set(document, wrong);
    Some(("structure", site.place.clone()))
}

fn number_as_string(site: &Site, document: &mut Value) -> Option<(&'static str, String)> {
    let number = site.get(document).as_number()?.to_string();
    site.set(document, json!(number));
    Some(("structure", site.place.clone()))
}

fn bad_date(site: &Site, document: &mut Value) -> Option<(&'static str, String)> {
    let wrong = match site.definition.name.as_str() {
        "date" => "2019-02-29",
        "dateTime" => "2019-04-31T10:00:00Z",
        "instant" => "2019-04-30T10:00:00",
        "time" => "24:00:00",
        _ => return None,
    };
    site.set(document, json!(wrong));
    Some(("value", site.place.clone()))
}

fn broken_format(site: &Site, document: &mut Value) -> Option<(&'static str, String)> {
    let wrong = match site.definition.name.as_str() {
        "id" => json!("a/b"),
        "code" => json!(" final"),
        "uri" | "url" | "canonical" | "oid" | "uuid" => json!("urn:x y"),
        "base64Binary" => json!("abc"),
        "integer" => json!(2_147_483_648_u32),
        "positiveInt" => json!(0),
        "unsignedInt" => json!(-1),
        "string" | "markdown" if site.key != "id" => json!("a\u{7}b"),
        "xhtml" => json!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>open</div>"),
        _ => return None,
    };
    site.set(document, wrong);
    Some(("value", site.place.clone()))
}

fn unknown_code(site: &Site, document: &mut Value) -> Option<(&'static str, String)> {
    let url = site.element.required_binding.as_deref()?;
    if !site.is(&["code"]) || !r4().value_set(url)?.is_written_out() {
        return None;
    }
    site.set(document, json!("no-such-code"));
    Some(("code-invalid", site.place.clone()))
}

fn unknown_concept(site: &Site, document: &mut Value) -> Option<(&'static str, String)> {
    let url = site.element.required_binding.as_deref()?;
    if !site.is(&["CodeableConcept"]) || !r4().value_set(url)?.is_written_out() {
        return None;
    }
    let (_, code) = r4().value_set(url)?.concepts().next()?;
    let wrong = json!({"coding": [{"system": "urn:other", "code": code}]});
    site.set(document, wrong);
    Some(("code-invalid", site.place.clone()))
}

fn double_choice(site: &Site, document: &mut Value) -> Option<(&'static str, String)> {
    let other = site
        .element
        .types
        .iter()
        .find(|t| **t != site.definition.name)?;
    let kind = r4().type_definition(other)?.kind;
    let property = site.element.property(other);
    let (key, value) = match kind {
        TypeKind::Primitive => (
            format!("_{property}"),
            json!({"extension": [{"url": "urn:x"}]}),
        ),
        _ => (property, json!({"extension": [{"url": "urn:x"}]})),
    };
    site.object(document).insert(key, value);
    Some(("structure", site.element_place.clone()))
}

fn null(site: &Site, document: &mut Value) -> Option<(&'static str, String)> {
    if site
        .object(document)
        .contains_key(&format!("_{}", site.key))
    {
        return None;
    }
    site.set(document, Value::Null);
    Some(("structure", site.place.clone()))
}

fn empty(site: &Site, document: &mut Value) -> Option<(&'static str, String)> {
    let (code, wrong) = match site.get(document) {
        Value::String(_) => ("value", json!("")),
        Value::Object(_) if site.definition.kind == TypeKind::Resource => return None,
        Value::Object(_) => ("structure", json!({})),
        _ => return None,
    };
    site.set(document, wrong);
    Some((code, site.place.clone()))
}

fn empty_array(site: &Site, document: &mut Value) -> Option<(&'static str, String)> {
    let object = site.object(document);
    if !site.element.array || object.contains_key(&format!("_{}", site.key)) {
        return None;
    }
    object.insert(site.key.clone(), json!([]));
    Some(("structure", site.element_place.clone()))
}

fn unknown_element(site: &Site, document: &mut Value) -> Option<(&'static str, String)> {
    site.object(document)
        .insert("unknown_1".to_owned(), json!(1));
    Some(("structure", format!("{}.unknown_1", site.parent)))
}

fn wrong_target(site: &Site, document: &mut Value) -> Option<(&'static str, String)> {
    let targets = match site.is(&["Reference"]) {
        true => &site.element.targets,
        false => return None,
    };
    let others = ["Basic", "Slot", "Patient"].into_iter();
    let mut others = others.filter(|other| !targets.iter().any(|t| t == other));
    let other = others.next().filter(|_| !targets.is_empty())?;
    site.set(document, json!({"reference": format!("{other}/1")}));
    Some(("value", format!("{}.reference", site.place)))
}
