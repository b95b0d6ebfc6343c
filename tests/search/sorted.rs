//! `_sort` by the book: of several values the one that comes first in the order asked
//! for, what has none last in both directions, and what is equal by its id.
//! <https://hl7.org/fhir/R4/search.html#sort>

use std::cmp::Ordering;

use serde_json::{Map, Value};
use unloop::fhir::definitions::{ParamKind, SearchParam, r4};
use unloop::fhir::search::decimal::Decimal;
use unloop::fhir::search::ucum;

use super::ask::Dice;
use super::naive::{Node, amount, evaluate, plain, texts, times, tokens};
use super::random::is_simple;
use super::values::{normal, text};

/// The service sorts long values by their beginning.
const BYTES: usize = 64;

#[derive(Clone, Debug)]
pub struct Key {
    /// None: `_id`
    param: Option<&'static SearchParam>,
    descending: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sorted {
    Number(i64),
    Text(String),
}

/// Up to three keys; nothing for two of three searches.
pub fn random(dice: &mut Dice, own: &str) -> Vec<Key> {
    if dice.below(3) > 0 {
        return Vec::new();
    }
    let params: Vec<&SearchParam> = r4()
        .search_params(own)
        .iter()
        .filter(|param| is_simple(param) && !param.code.starts_with('_'))
        .filter(|param| !matches!(param.kind, ParamKind::Composite | ParamKind::Special))
        .collect();
    let mut keys: Vec<Key> = Vec::new();
    for _ in 0..=dice.below(3) {
        let by_id = dice.below(8) == 0;
        let param = dice.pick(&params).copied().filter(|_| !by_id);
        let code = |param: Option<&SearchParam>| param.map(|param| param.code.clone());
        if keys.iter().all(|key| code(key.param) != code(param)) {
            let descending = dice.below(2) == 0;
            keys.push(Key { param, descending });
        }
    }
    keys
}

pub fn value(keys: &[Key]) -> String {
    let one = |key: &Key| {
        let code = key.param.map_or("_id", |param| param.code.as_str());
        format!("{}{code}", if key.descending { "-" } else { "" })
    };
    keys.iter().map(one).collect::<Vec<_>>().join(",")
}

pub fn sort(resources: &mut [&Map<String, Value>], keys: &[Key]) {
    let id = |resource: &Map<String, Value>| resource["id"].as_str().expect("an id").to_owned();
    resources.sort_by_cached_key(|resource| id(resource));
    // The sort is stable: the last key first.
    for key in keys.iter().rev() {
        let first = |resource: &Map<String, Value>| {
            let values = values(resource, key.param);
            let first = if key.descending {
                values.into_iter().max()
            } else {
                values.into_iter().min()
            };
            (first.is_none(), first)
        };
        let mut keyed: Vec<_> = resources.iter().map(|r| (first(r), *r)).collect();
        keyed.sort_by(|((no_a, a), _), ((no_b, b), _)| {
            let order = match key.descending {
                true => b.cmp(a),
                false => a.cmp(b),
            };
            no_a.cmp(no_b)
                .then(if *no_a { Ordering::Equal } else { order })
        });
        for (place, (_, resource)) in resources.iter_mut().zip(keyed) {
            *place = resource;
        }
    }
}

fn values(resource: &Map<String, Value>, param: Option<&SearchParam>) -> Vec<Sorted> {
    let Some(param) = param else {
        return vec![Sorted::Text(
            resource["id"].as_str().expect("an id").to_owned(),
        )];
    };
    let nodes = evaluate(resource, &param.expression);
    let values = nodes.iter().flat_map(|node| of_node(param.kind, node));
    let cut = values.map(|value| match value {
        Sorted::Text(text) => {
            let end = (0..=BYTES.min(text.len()))
                .rev()
                .find(|end| text.is_char_boundary(*end));
            Sorted::Text(text[..end.expect("zero is a boundary")].to_owned())
        }
        number => number,
    });
    cut.filter(|value| *value != Sorted::Text(String::new()))
        .collect()
}

fn of_node(kind: ParamKind, node: &Node) -> Vec<Sorted> {
    let value = &node.value;
    match kind {
        ParamKind::String => {
            let texts = texts(value).into_iter();
            texts.map(|text| Sorted::Text(plain(&text))).collect()
        }
        ParamKind::Token => {
            let tokens = tokens(value).into_iter();
            let code = |(_, code, exact): (_, Option<String>, bool)| {
                code.map(|code| if exact { code } else { code.to_lowercase() })
            };
            tokens.filter_map(code).map(Sorted::Text).collect()
        }
        ParamKind::Date if node.of_type.as_deref() == Some("String") => Vec::new(),
        ParamKind::Date => times(value)
            .map(|(low, _)| Sorted::Number(low))
            .into_iter()
            .collect(),
        ParamKind::Number => {
            let number = Decimal::of(value).map(|number| Sorted::Number(number.ordered()));
            number.into_iter().collect()
        }
        ParamKind::Quantity => of_quantity(value).map(Sorted::Number).into_iter().collect(),
        ParamKind::Reference => references(value).into_iter().map(Sorted::Text).collect(),
        ParamKind::Uri => {
            let uri = value.as_str().map(|uri| Sorted::Text(uri.to_owned()));
            uri.into_iter().collect()
        }
        ParamKind::Composite | ParamKind::Special => Vec::new(),
    }
}

/// In base units where the unit has some.
fn of_quantity(value: &Value) -> Option<i64> {
    let measured = [&value["low"], &value["high"], value];
    let unit = measured.into_iter().find(|part| part["code"].is_string());
    let code = unit.map(|unit| text(unit, "code"));
    let known = code.filter(|code| ucum::unit(code).is_some());
    let in_base = known.and_then(|code| amount(value, Some((ucum::SYSTEM, code))));
    in_base.or(amount(value, None)).map(|(low, _)| low)
}

/// A literal reference, a canonical with its version and without, or a resource inside.
fn references(value: &Value) -> Vec<String> {
    if let Some(canonical) = value.as_str().and_then(normal) {
        let bare = canonical.split('|').next().unwrap_or_default();
        return vec![canonical.to_owned(), bare.to_owned()];
    }
    if value["resourceType"].is_string() {
        let inside = format!("{}/{}", text(value, "resourceType"), text(value, "id"));
        return vec![inside]
            .into_iter()
            .filter(|_| value["id"].is_string())
            .collect();
    }
    let literal = value["reference"].as_str().and_then(normal);
    literal.map(str::to_owned).into_iter().collect()
}
