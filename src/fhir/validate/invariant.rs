//! The invariants of the base definitions, on every element of a document.
//! <https://hl7.org/fhir/R4/conformance-rules.html#constraints>
//!
//! Runs on content whose structure is sound. An expression that comes out neither
//! true nor false (two dates of different precision) shows no breach.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::invariant_table::{Invariant, of_type};
use super::place::Place;
use crate::fhir::definitions::{Definitions, TypeDefinition, TypeKind};
use crate::fhir::fhirpath::{Error, Evaluator, Item, Node};
use crate::fhir::outcome::{Issue, Kind};

/// Deeper than any document a parser of this service lets through.
const DEEPEST: usize = 200;
/// More problems than anybody reads.
const MOST: usize = 100;
/// Steps of evaluation that each element of a document adds to the allowance.
const STEPS_EACH: u32 = 500;

/// All breaches in a resource and what it contains or carries.
pub fn check(definitions: &Definitions, resource: &Map<String, Value>) -> Vec<Issue> {
    let issues = RefCell::new(Vec::new());
    if let Some(root) = Node::resource(definitions, resource) {
        let name = &root.of.name;
        Checker::new(definitions, root, &issues).object(root.of, resource, &Place::root(name));
    }
    issues.into_inner()
}

/// Checks one resource: `root` as a whole, or one that it contains.
struct Checker<'a, 'i> {
    definitions: &'a Definitions,
    evaluator: Evaluator<'a>,
    root: Node<'a>,
    /// Shared by all that is judged under the same root.
    contained_ids: Rc<OnceCell<HashSet<&'a str>>>,
    issues: &'i RefCell<Vec<Issue>>,
    given_up: Cell<bool>,
}

impl<'a, 'i> Checker<'a, 'i> {
    fn new(definitions: &'a Definitions, root: Node<'a>, issues: &'i RefCell<Vec<Issue>>) -> Self {
        Self {
            definitions,
            evaluator: Evaluator::new(definitions, root, root),
            root,
            contained_ids: Rc::default(),
            issues,
            given_up: Cell::new(false),
        }
    }

    /// For a resource that the root contains.
    fn contained_in(&self, resource: Node<'a>) -> Self {
        Self {
            evaluator: Evaluator::new(self.definitions, resource, self.root),
            contained_ids: Rc::clone(&self.contained_ids),
            ..Self::new(self.definitions, self.root, self.issues)
        }
    }

    fn object(&self, of: &'a TypeDefinition, map: &'a Map<String, Value>, place: &Place<'_>) {
        if place.depth > DEEPEST || self.given_up.get() || self.issues.borrow().len() >= MOST {
            return;
        }
        self.native(of, map, place);
        let invariants = of_type(self.definitions, &of.name);
        if !invariants.is_empty() {
            let more = self.evaluator.steps().saturating_add(STEPS_EACH);
            self.evaluator.allow(more);
            for invariant in invariants {
                self.invariant(invariant, Node::object(map, of), place);
            }
        }
        for (key, value) in map {
            let name = key.strip_prefix('_').unwrap_or(key);
            let child = of.properties.get(name).and_then(|(index, type_name)| {
                let element = of.elements.get(*index)?;
                Some((element, self.definitions.type_definition(type_name)?))
            });
            let Some((element, child)) = child else {
                continue;
            };
            let at = place.child(&element.name);
            match value {
                Value::Object(inner) => self.child(child, inner, &at),
                Value::Array(items) => {
                    for (index, item) in items.iter().enumerate() {
                        if let Value::Object(inner) = item {
                            self.child(child, inner, &at.item(Some(index)));
                        }
                    }
                }
                _ => {}
            }
            if child.kind == TypeKind::Primitive && name.len() < key.len() {
                self.primitive(map.get(name), value, &at);
            }
        }
    }

    /// A resource in a Bundle or Parameters is judged as one of its own.
    fn child(&self, of: &'a TypeDefinition, map: &'a Map<String, Value>, place: &Place<'_>) {
        if of.kind != TypeKind::Resource {
            return self.object(of, map, place);
        }
        let Some(resource) = Node::resource(self.definitions, map) else {
            return;
        };
        let checker = match place.name() {
            "contained" => self.contained_in(resource),
            _ => Self::new(self.definitions, resource, self.issues),
        };
        checker.evaluator.allow(self.evaluator.steps());
        checker.object(resource.of, map, place);
        self.evaluator.allow(checker.evaluator.steps());
        self.given_up.set(checker.given_up.get());
    }

    fn invariant(&self, invariant: &'static Invariant, node: Node<'a>, place: &Place<'_>) {
        match &invariant.element {
            None => self.evaluate(invariant, node, place),
            Some(name) => {
                for child in node.children_named(self.definitions, name) {
                    self.evaluate(invariant, child, &place.child(name));
                }
            }
        }
    }

    fn evaluate(&self, invariant: &'static Invariant, node: Node<'a>, place: &Place<'_>) {
        if self.given_up.get() {
            return;
        }
        match invariant
            .expression
            .evaluate(&self.evaluator, Item::Node(node))
        {
            Ok(found) => {
                let breach = found
                    .iter()
                    .any(|i| matches!(i.clone().plain(), Item::Boolean(false)));
                if breach {
                    self.breach(&invariant.key, &invariant.path, &invariant.text, place);
                }
            }
            Err(Error::TooComplex) => {
                self.given_up.set(true);
                let text = format!(
                    "{} takes too long to check on this content: split it up",
                    invariant.key
                );
                self.put(Issue::error(Kind::TooLarge, text).at(place.to_string()));
            }
            Err(why) => {
                let text = format!("{} cannot be checked: {why}", invariant.key);
                self.put(issue(text, place));
            }
        }
    }

    fn breach(&self, key: &str, of: &str, expression: &str, place: &Place<'_>) {
        let text = format!(
            "{key} does not hold: `{expression}`; see the invariant {key} of {of} in FHIR R4"
        );
        self.put(issue(text, place));
    }

    fn put(&self, issue: Issue) {
        let mut issues = self.issues.borrow_mut();
        if issues.len() < MOST {
            issues.push(issue);
        }
    }
}

fn issue(text: String, place: &Place<'_>) -> Issue {
    Issue {
        code: "invariant",
        ..Issue::error(Kind::BusinessRule, text).at(place.to_string())
    }
}

/// What concerns every element or resource, without evaluating an expression.
impl<'a> Checker<'a, '_> {
    fn native(&self, of: &TypeDefinition, map: &'a Map<String, Value>, place: &Place<'_>) {
        if of.kind == TypeKind::Resource {
            if let Some(Value::Array(contained)) = map.get("contained") {
                self.contained(map, contained, place);
            }
            return;
        }
        if of.kind != TypeKind::Primitive && !map.keys().any(|key| key != "id" && key != "_id") {
            let expression = "hasValue() or (children().count() > id.count())";
            self.breach("ele-1", "Element", expression, place);
        }
        match of.name.as_str() {
            "Extension" => {
                let value = map
                    .keys()
                    .any(|k| k.trim_start_matches('_').starts_with("value"));
                if value == map.contains_key("extension") {
                    let expression = "extension.exists() != value.exists()";
                    self.breach("ext-1", "Extension", expression, place);
                }
            }
            "Reference" => self.reference(map, place),
            _ => {}
        }
    }

    /// `ele-1` of a primitive that has a `_name`.
    fn primitive(&self, value: Option<&Value>, sibling: &Value, place: &Place<'_>) {
        let says = |value: Option<&Value>, sibling: &Value| {
            let extended = sibling
                .as_object()
                .is_none_or(|m| m.keys().any(|k| k != "id"));
            value.is_some_and(|v| !v.is_null()) || extended
        };
        let expression = "hasValue() or (children().count() > id.count())";
        match sibling {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if !says(value.and_then(|v| v.get(index)), item) {
                        let place = place.item(Some(index));
                        self.breach("ele-1", "Element", expression, &place);
                    }
                }
            }
            single if !says(value, single) => self.breach("ele-1", "Element", expression, place),
            _ => {}
        }
    }

    /// `ref-1`
    fn reference(&self, map: &Map<String, Value>, place: &Place<'_>) {
        let reference = map.get("reference").and_then(Value::as_str);
        let Some(id) = reference.and_then(|r| r.strip_prefix('#')) else {
            return;
        };
        let ids = self.contained_ids.get_or_init(|| {
            let contained = self.root.map().and_then(|m| m.get("contained"));
            let contained = contained.and_then(Value::as_array);
            let id = |resource: &'a Value| resource.get("id")?.as_str();
            contained.into_iter().flatten().filter_map(id).collect()
        });
        if !id.is_empty() && !ids.contains(id) {
            let expression = "reference.startsWith('#').not() or \
                              reference.substring(1) in %rootResource.contained.id";
            self.breach("ref-1", "Reference", expression, place);
        }
    }

    /// `dom-2` to `dom-5`
    fn contained(&self, map: &Map<String, Value>, contained: &[Value], place: &Place<'_>) {
        let mut told = HashSet::new();
        let mut breach = |key: &'static str, expression| {
            if told.insert(key) {
                self.breach(key, "DomainResource", expression, place);
            }
        };
        let mut pointers = HashSet::new();
        local_pointers(map, &mut pointers);
        for resource in contained {
            if resource.get("contained").is_some() {
                breach("dom-2", "contained.contained.empty()");
            }
            let meta = |name: &str| resource.get("meta").and_then(|m| m.get(name)).is_some();
            if meta("versionId") || meta("lastUpdated") {
                let expression =
                    "contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()";
                breach("dom-4", expression);
            }
            if meta("security") {
                breach("dom-5", "contained.meta.security.empty()");
            }
            let id = resource.get("id").and_then(Value::as_str);
            let referred = id.is_some_and(|id| pointers.contains(id));
            if !referred && !resource.as_object().is_some_and(points_at_container) {
                let expression =
                    "each contained resource is referred to as `#id`, or refers to `#`";
                breach("dom-3", expression);
            }
        }
    }
}

/// Every `#id` in the document; the few texts that only look like one do no harm.
fn local_pointers<'a>(map: &'a Map<String, Value>, found: &mut HashSet<&'a str>) {
    let mut waiting: Vec<&Value> = map.values().collect();
    while let Some(value) = waiting.pop() {
        match value {
            Value::String(text) => found.extend(text.strip_prefix('#')),
            Value::Array(items) => waiting.extend(items),
            Value::Object(inner) => waiting.extend(inner.values()),
            _ => {}
        }
    }
}

fn points_at_container(map: &Map<String, Value>) -> bool {
    let mut found = HashSet::new();
    local_pointers(map, &mut found);
    found.contains("")
}
