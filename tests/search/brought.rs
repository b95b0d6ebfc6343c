//! `_include` and `_revinclude` by the book: every reference of every match is followed.
//! <https://hl7.org/fhir/R4/search.html#include>

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use unloop::fhir::definitions::{ParamKind, SearchParam, r4};

use super::ask::Dice;
use super::random::{Records, is_simple};
use super::values::{normal, text};
use super::world::{World, key_of};

type Object = Map<String, Value>;

/// `Type:parameter` or `Type:parameter:Target`
#[derive(Clone, Debug)]
pub struct Brought {
    source: String,
    param: &'static SearchParam,
    target: Option<String>,
}

impl Brought {
    /// What these resources refer to, or are referred to by.
    pub fn random(dice: &mut Dice, records: &Records, own: &str) -> Option<(bool, Self)> {
        let reverse = dice.below(2) == 0;
        let source = if reverse {
            let sources: Vec<&String> = records.by_type.keys().collect();
            (*dice.pick(&sources)?).clone()
        } else {
            own.to_owned()
        };
        let may_refer = |param: &&SearchParam| {
            !reverse || param.targets.is_empty() || param.targets.iter().any(|t| t == own)
        };
        let params: Vec<&'static SearchParam> = r4()
            .search_params(&source)
            .iter()
            .filter(|param| param.kind == ParamKind::Reference && is_simple(param))
            .filter(may_refer)
            .collect();
        let param = *dice.pick(&params)?;
        let of_type = if reverse {
            Some(own.to_owned())
        } else {
            dice.pick(&param.targets).cloned()
        };
        let target = of_type.filter(|_| dice.below(3) == 0);
        let brought = Self {
            source,
            param,
            target,
        };
        Some((reverse, brought))
    }

    pub fn value(&self) -> String {
        let target = self.target.as_ref().map(|target| format!(":{target}"));
        format!(
            "{}:{}{}",
            self.source,
            self.param.code,
            target.unwrap_or_default()
        )
    }

    /// The resources here that these refer to.
    pub fn included(&self, records: &Records, matches: &[&Object]) -> Vec<String> {
        let names = matches.iter().flat_map(|found| self.targets(found));
        let here = names.filter(|name| records.by_name.contains_key(name));
        here.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The resources that refer to one of these.
    pub fn revincluded(&self, records: &Records, matches: &[&Object]) -> Vec<String> {
        let matches: BTreeSet<String> = matches.iter().map(|r| key_of(r).to_string()).collect();
        let refers = |far: &&Object| self.targets(far).iter().any(|name| matches.contains(name));
        let sources = records.by_type[&self.source].iter().filter(refers);
        let names = sources.map(|far| key_of(far).to_string());
        names.collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn targets(&self, resource: &Object) -> Vec<String> {
        let nodes = super::naive::evaluate(resource, &self.param.expression);
        let names = nodes.iter().flat_map(|node| named(&node.value));
        let fits = |name: &String| {
            let of_type = name.split('/').next();
            self.target
                .as_deref()
                .is_none_or(|target| of_type == Some(target))
        };
        names.filter(fits).collect()
    }
}

/// By reference, by canonical or as a resource inside.
fn named(value: &Value) -> Vec<String> {
    if value["resourceType"].is_string() {
        return vec![format!(
            "{}/{}",
            text(value, "resourceType"),
            text(value, "id")
        )];
    }
    let literal = value["reference"].as_str().or(value.as_str());
    let name = literal.and_then(normal).unwrap_or_default();
    let bare = name.split('|').next().unwrap_or_default();
    vec![bare.to_owned()]
}

/// Each store's answer that is not the one of the book.
pub async fn check(
    dice: &mut Dice,
    world: &World,
    records: &Records,
    matches: &[&Object],
) -> Vec<String> {
    let Some(own) = matches.first().map(|found| key_of(found).resource_type) else {
        return Vec::new();
    };
    let Some((reverse, brought)) = Brought::random(dice, records, &own) else {
        return Vec::new();
    };
    let (name, expected) = if reverse {
        ("_revinclude", brought.revincluded(records, matches))
    } else {
        ("_include", brought.included(records, matches))
    };
    let answers = world.brought(name, &brought.value(), matches).await;
    let wrong = answers
        .into_iter()
        .filter(|(_, answer)| *answer != expected);
    wrong
        .map(|(store, answer)| {
            let value = brought.value();
            format!(
                "{name}={value} of {} {own} on {store}:\n  {answer:?}\n  by the book {expected:?}",
                matches.len()
            )
        })
        .collect()
}
