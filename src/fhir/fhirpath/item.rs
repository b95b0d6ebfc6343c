//! What an expression works on: elements of a document, and FHIRPath's own values.
//! <http://hl7.org/fhirpath/N1/#collections>,
//! <https://hl7.org/fhir/R4/fhirpath.html#types>

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::decimal::Decimal;
use super::quantity::Quantity;
use super::temporal::{Temporal, TemporalKind};
use crate::fhir::definitions::{Definitions, TypeDefinition, TypeKind};

pub type Collection<'a> = Vec<Item<'a>>;

#[derive(Clone, Debug)]
pub enum Item<'a> {
    Node(Node<'a>),
    Boolean(bool),
    Integer(i64),
    Decimal(Decimal),
    String(Cow<'a, str>),
    Temporal(Temporal),
    Quantity(Box<Quantity>),
    /// What `type()` answers.
    Type {
        namespace: &'static str,
        name: Cow<'a, str>,
    },
}

/// An element with the type that its place gives it.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    pub content: Content<'a>,
    /// The `_name` beside a primitive.
    pub sibling: Option<&'a Map<String, Value>>,
    pub of: &'a TypeDefinition,
}

#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// A primitive that has only extensions, or what a reference points at elsewhere.
    Absent,
    Object(&'a Map<String, Value>),
    Value(&'a Value),
}

impl<'a> From<&'a Value> for Content<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Absent,
            Value::Object(map) => Self::Object(map),
            other => Self::Value(other),
        }
    }
}

impl<'a> Node<'a> {
    pub fn object(map: &'a Map<String, Value>, of: &'a TypeDefinition) -> Self {
        Self {
            content: Content::Object(map),
            sibling: None,
            of,
        }
    }

    /// A resource by its own `resourceType`.
    pub fn resource(definitions: &'a Definitions, map: &'a Map<String, Value>) -> Option<Self> {
        let name = map.get("resourceType")?.as_str()?;
        Some(Self::object(map, definitions.type_definition(name)?))
    }

    /// Where the children are.
    pub fn map(&self) -> Option<&'a Map<String, Value>> {
        match (self.of.kind, self.content) {
            (TypeKind::Primitive, _) => self.sibling,
            (_, Content::Object(map)) => Some(map),
            _ => None,
        }
    }

    /// Children that stand under a name, whatever their type.
    pub fn children_named(&self, definitions: &'a Definitions, name: &str) -> Vec<Self> {
        let mut found = Vec::new();
        super::navigate::named(definitions, self, name, &mut found);
        found.iter().filter_map(Item::node).copied().collect()
    }

    pub fn is_primitive(&self) -> bool {
        self.of.kind == TypeKind::Primitive
    }

    pub fn has_value(&self) -> bool {
        self.is_primitive() && matches!(self.content, Content::Value(_))
    }

    pub fn text(&self) -> Option<&'a str> {
        match self.content {
            Content::Value(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The value of a primitive, or a Quantity, as FHIRPath's own type.
    fn plain(&self) -> Option<Item<'a>> {
        match self.content {
            Content::Value(Value::Bool(value)) => Some(Item::Boolean(*value)),
            Content::Value(Value::Number(number)) => number_item(number.as_str(), &self.of.name),
            Content::Value(Value::String(text)) => Some(self.text_item(text)),
            _ => None,
        }
    }

    fn text_item(&self, text: &'a str) -> Item<'a> {
        let temporal = match self.of.name.as_str() {
            "date" => Temporal::date(text),
            "dateTime" | "instant" => Temporal::date_time(text),
            "time" => Temporal::time(text),
            _ => None,
        };
        temporal.map_or(Item::String(Cow::Borrowed(text)), Item::Temporal)
    }

    /// <https://hl7.org/fhir/R4/fhirpath.html#quantity>
    pub fn quantity(&self, definitions: &Definitions) -> Option<Quantity> {
        let Content::Object(map) = self.content else {
            return None;
        };
        if !definitions.is_a(&self.of.name, "Quantity") {
            return None;
        }
        let text = |name: &str| map.get(name).and_then(Value::as_str);
        let unit = text("code").or(text("unit")).unwrap_or("1");
        Some(Quantity {
            value: Decimal::parse(map.get("value")?.as_number()?.as_str())?,
            unit: unit.to_owned(),
        })
    }
}

fn number_item<'a>(text: &str, type_name: &str) -> Option<Item<'a>> {
    match type_name {
        "decimal" => Decimal::parse(text).map(Item::Decimal),
        _ => text.parse().ok().map(Item::Integer),
    }
}

impl<'a> Item<'a> {
    /// A primitive as its value; everything else as it is.
    pub fn plain(self) -> Self {
        match &self {
            Self::Node(node) if node.is_primitive() => node.plain().unwrap_or(self),
            _ => self,
        }
    }

    pub fn node(&self) -> Option<&Node<'a>> {
        match self {
            Self::Node(node) => Some(node),
            _ => None,
        }
    }

    /// (namespace, name) of its type.
    pub fn type_name(&self) -> (&'static str, Cow<'a, str>) {
        let system = match self {
            Self::Node(node) => return ("FHIR", Cow::Borrowed(&node.of.name)),
            Self::Boolean(_) => "Boolean",
            Self::Integer(_) => "Integer",
            Self::Decimal(_) => "Decimal",
            Self::String(_) => "String",
            Self::Temporal(temporal) => match temporal.kind {
                TemporalKind::Date => "Date",
                TemporalKind::DateTime => "DateTime",
                TemporalKind::Time => "Time",
            },
            Self::Quantity(_) => "Quantity",
            Self::Type { .. } => "TypeInfo",
        };
        ("System", Cow::Borrowed(system))
    }

    /// As `toString()` writes it; none for a complex element.
    pub fn written(&self) -> Option<Cow<'a, str>> {
        Some(match self {
            Self::Node(node) => match node.plain()? {
                // The document's own spelling of a date or number stays.
                Self::Temporal(_) => Cow::Borrowed(node.text()?),
                plain => return plain.written(),
            },
            Self::Boolean(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Self::Integer(value) => Cow::Owned(value.to_string()),
            Self::Decimal(value) => Cow::Owned(value.to_string()),
            Self::String(text) => text.clone(),
            Self::Temporal(temporal) => Cow::Owned(temporal.to_string()),
            Self::Quantity(quantity) => Cow::Owned(quantity.to_string()),
            Self::Type { .. } => return None,
        })
    }
}
