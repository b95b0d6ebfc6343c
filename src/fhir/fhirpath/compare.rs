//! Equality, equivalence and order of items and collections.
//! <http://hl7.org/fhirpath/N1/#equality>

use std::cmp::Ordering;
use std::collections::HashSet;

use serde_json::{Map, Value};

use super::decimal::Decimal;
use super::error::{Error, Result};
use super::evaluate::Evaluator;
use super::item::{Collection, Content, Item, Node};
use super::temporal::{Temporal, TemporalKind};

impl<'a> Evaluator<'a> {
    /// None: cannot be told (dates of different precision).
    pub fn equal(&self, a: &Item<'a>, b: &Item<'a>) -> Result<Option<bool>> {
        self.step()?;
        if let (Item::Node(a), Item::Node(b)) = (a, b)
            && !(a.is_primitive() && b.is_primitive())
        {
            return Ok(Some(same_node(a, b)));
        }
        let (a, b) = (self.comparable(a), self.comparable(b));
        Ok(match (&a, &b) {
            (Item::Boolean(a), Item::Boolean(b)) => Some(a == b),
            (Item::String(a), Item::String(b)) => Some(a == b),
            (Item::Temporal(a), Item::Temporal(b)) if clocks(a) == clocks(b) => {
                a.compare(b).map(Ordering::is_eq)
            }
            (Item::Quantity(a), Item::Quantity(b)) => match a.compare(b) {
                Some(order) => Some(order.is_eq()),
                None if calendar_and_ucum(&a.unit, &b.unit) => None,
                None => Some(false),
            },
            (
                Item::Type { namespace, name },
                Item::Type {
                    namespace: other_namespace,
                    name: other,
                },
            ) => Some(namespace == other_namespace && name == other),
            _ => match (number(&a), number(&b)) {
                (Some(a), Some(b)) => Some(a.compare(b).is_some_and(Ordering::is_eq)),
                _ => Some(false),
            },
        })
    }

    /// None where either side is empty or an item cannot be told.
    pub fn equal_all(&self, a: &[Item<'a>], b: &[Item<'a>]) -> Result<Option<bool>> {
        if a.is_empty() || b.is_empty() {
            return Ok(None);
        }
        if a.len() != b.len() {
            return Ok(Some(false));
        }
        let mut all = Some(true);
        for (a, b) in a.iter().zip(b) {
            match self.equal(a, b)? {
                Some(false) => return Ok(Some(false)),
                None => all = None,
                Some(true) => {}
            }
        }
        Ok(all)
    }

    fn equivalent(&self, a: &Item<'a>, b: &Item<'a>) -> Result<bool> {
        self.step()?;
        let (left, right) = (self.comparable(a), self.comparable(b));
        Ok(match (&left, &right) {
            (Item::String(a), Item::String(b)) => folded(a) == folded(b),
            (Item::Temporal(a), Item::Temporal(b)) => {
                clocks(a) == clocks(b)
                    && a.same_precision(b)
                    && a.compare(b) == Some(Ordering::Equal)
            }
            (Item::Quantity(a), Item::Quantity(b)) => {
                let both = a.together_here(b);
                both.is_some_and(|(a, b)| near(a, b))
            }
            _ => match (number(&left), number(&right)) {
                (Some(a), Some(b)) => near(a, b),
                _ => self.equal(a, b)? == Some(true),
            },
        })
    }

    /// In any order.
    pub fn equivalent_all(&self, a: &[Item<'a>], b: &[Item<'a>]) -> Result<bool> {
        if a.len() != b.len() {
            return Ok(false);
        }
        let mut left_over: Vec<&Item<'a>> = b.iter().collect();
        for a in a {
            let mut place = None;
            for (index, b) in left_over.iter().enumerate() {
                if self.equivalent(a, b)? {
                    place = Some(index);
                    break;
                }
            }
            match place {
                Some(index) => left_over.swap_remove(index),
                None => return Ok(false),
            };
        }
        Ok(true)
    }

    pub fn order(&self, a: &Item<'a>, b: &Item<'a>) -> Result<Option<Ordering>> {
        self.step()?;
        let (a, b) = (self.comparable(a), self.comparable(b));
        match (&a, &b) {
            (Item::String(a), Item::String(b)) => Ok(Some(a.cmp(b))),
            (Item::Temporal(a), Item::Temporal(b)) if clocks(a) == clocks(b) => Ok(a.compare(b)),
            (Item::Quantity(a), Item::Quantity(b)) => Ok(a.compare(b)),
            _ => match (number(&a), number(&b)) {
                (Some(a), Some(b)) => Ok(a.compare(b)),
                _ => Err(Error::evaluation("these two have no order")),
            },
        }
    }

    pub fn contains(&self, collection: &[Item<'a>], item: &Item<'a>) -> Result<bool> {
        for other in collection {
            if self.equal(other, item)? == Some(true) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Each item once, in order of first occurrence.
    pub fn distinct(&self, collection: Collection<'a>) -> Result<Collection<'a>> {
        // Texts, the usual case, without comparing each with each.
        let mut texts = HashSet::new();
        let mut distinct: Collection<'a> = Vec::with_capacity(collection.len());
        let mut others: Collection<'a> = Vec::new();
        for item in collection {
            let fresh = match item.clone().plain() {
                Item::String(text) => texts.insert(text),
                _ => {
                    let fresh = !self.contains(&others, &item)?;
                    if fresh {
                        others.push(item.clone());
                    }
                    fresh
                }
            };
            if fresh {
                distinct.push(item);
            }
        }
        Ok(distinct)
    }

    fn comparable(&self, item: &Item<'a>) -> Item<'a> {
        if let Item::Node(node) = item
            && let Some(quantity) = node.quantity(self.definitions)
        {
            return Item::Quantity(Box::new(quantity));
        }
        item.clone().plain()
    }
}

pub fn number(item: &Item<'_>) -> Option<Decimal> {
    match item {
        Item::Integer(value) => Some(Decimal::from(*value)),
        Item::Decimal(value) => Some(*value),
        _ => None,
    }
}

/// Times of day compare with each other only.
fn clocks(temporal: &Temporal) -> bool {
    temporal.kind == TemporalKind::Time
}

/// A year or month of the calendar has no fixed length to compare.
fn calendar_and_ucum(a: &str, b: &str) -> bool {
    let calendar = |unit: &str| unit.starts_with("year") || unit.starts_with("month");
    let ucum = |unit: &str| matches!(unit, "a" | "mo");
    calendar(a) && ucum(b) || calendar(b) && ucum(a)
}

/// Equal at the precision of the less precise one.
fn near(a: Decimal, b: Decimal) -> bool {
    let scale = a.trimmed().scale().min(b.trimmed().scale());
    match (a.rounded(scale), b.rounded(scale)) {
        (Some(a), Some(b)) => a.compare(b).is_some_and(Ordering::is_eq),
        _ => false,
    }
}

/// Without case, white space made one.
fn folded(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

fn same_node(a: &Node<'_>, b: &Node<'_>) -> bool {
    let siblings = match (a.sibling, b.sibling) {
        (Some(a), Some(b)) => same_map(a, b),
        (a, b) => a.is_none() && b.is_none(),
    };
    siblings
        && match (a.content, b.content) {
            (Content::Object(a), Content::Object(b)) => same_map(a, b),
            (Content::Value(a), Content::Value(b)) => same_json(a, b),
            (Content::Absent, Content::Absent) => a.of.name == b.of.name,
            _ => false,
        }
}

fn same_map(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    a.len() == b.len()
        && a.iter()
            .all(|(key, value)| b.get(key).is_some_and(|other| same_json(value, other)))
}

/// Numbers by value, not by digits.
fn same_json(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => same_map(a, b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_json(a, b))
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_str(), b.as_str());
            let both = Decimal::parse(a).zip(Decimal::parse(b));
            both.map_or(a == b, |(a, b)| a.compare(b) == Some(Ordering::Equal))
        }
        (a, b) => a == b,
    }
}
