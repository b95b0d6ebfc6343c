//! Judges conditions and orders in memory, as the port's documentation says.

use std::cmp::Ordering;
use std::sync::Arc;

use unloop::store::{
    Bounds, Comparison, Filter, IndexKey, IndexRows, Link, OrderBy, SearchPlan, Store, TextMatch,
};

use crate::fixture::{Dice, commit, put_indexed};

pub const TYPES: [&str; 3] = ["Patient", "Observation", "Appointment"];
pub const WORDS: [&str; 10] = [
    "smith",
    "smithson",
    "Smith",
    "müller",
    "mu",
    "100%",
    "a_b",
    "a\\b",
    "o'neil",
    "🦀 crab",
];
/// Facts beyond this hash space are negative on purpose.
pub const FACTS: [i64; 6] = [i64::MIN, -7, 0, 1, 99, i64::MAX];

/// Links by a fact; one is negative on purpose.
pub const LINKS: [i64; 2] = [-12_345, 77];

#[derive(Clone, Debug)]
pub struct Document {
    pub resource_type: String,
    pub id: String,
    pub updated: i64,
    pub index: IndexRows,
}

/// Fills the store with documents of every kind, in commits of ten.
pub async fn fill(store: &Arc<dyn Store>, count: usize) -> Vec<Document> {
    let mut dice = Dice(42);
    let mut documents: Vec<Document> = (0..count).map(|n| document(&mut dice, n)).collect();
    for chunk in documents.chunks_mut(10) {
        let put = |d: &Document| put_indexed(&d.resource_type, &d.id, "{}", d.index.clone());
        let versions = commit(store, chunk.iter().map(put).collect())
            .await
            .unwrap();
        for (document, version) in chunk.iter_mut().zip(versions) {
            document.updated = version.updated;
        }
    }
    documents
}

fn document(dice: &mut Dice, n: usize) -> Document {
    let mut index = IndexRows::default();
    if dice.below(5) > 0 {
        index.identity = Some(IndexKey(dice.signed(12)));
    }
    for link in LINKS {
        if dice.below(2) > 0 {
            index.keys.push(IndexKey(link ^ dice.signed(12)));
        }
    }
    if dice.below(3) > 0 {
        index.owner = Some(IndexKey(dice.signed(5)));
    }
    if dice.below(3) > 0 {
        let low = dice.signed(50) - 25;
        index.moment = Some((low, low + dice.signed(10)));
    }
    for _ in 0..dice.below(4) {
        index.keys.push(IndexKey(*dice.pick(&FACTS)));
    }
    for _ in 0..dice.below(3) {
        let text = (*dice.pick(&WORDS)).to_owned();
        index.texts.push((IndexKey(dice.signed(2)), text));
    }
    for _ in 0..dice.below(3) {
        let low = dice.signed(50) - 25;
        let date = (IndexKey(dice.signed(2)), low, low + dice.signed(10));
        index.ranges.push(date);
    }
    for name in ["name", "odd.$name \"x\""] {
        if dice.below(2) > 0 {
            index.order.push((name.into(), (*dice.pick(&WORDS)).into()));
        }
    }
    Document {
        resource_type: (*dice.pick(&TYPES)).into(),
        id: format!("d{n:04}"),
        updated: 0,
        index,
    }
}

/// All documents, and what those at the other end of a link must meet too.
#[derive(Clone, Copy)]
struct World<'d> {
    documents: &'d [Document],
    scope: &'d Filter,
}

static ALWAYS: Filter = Filter::All(Vec::new());

impl World<'_> {
    fn judge(&self, document: &Document, filter: &Filter) -> bool {
        match filter {
            Filter::All(parts) => parts.iter().all(|part| self.judge(document, part)),
            Filter::Any(parts) => parts.iter().any(|part| self.judge(document, part)),
            Filter::Not(part) => !self.judge(document, part),
            Filter::Is(comparison) => compare(document, comparison),
            Filter::RefersTo { by, to } => self.some(to, |other| refers(document, *by, other)),
            Filter::ReferredBy { by, from } => {
                self.some(from, |other| refers(other, *by, document))
            }
        }
    }

    fn some(&self, filter: &Filter, linked: impl Fn(&Document) -> bool) -> bool {
        let unscoped = World {
            scope: &ALWAYS,
            ..*self
        };
        let mut documents = self.documents.iter();
        documents.any(|other| {
            linked(other) && unscoped.judge(other, self.scope) && self.judge(other, filter)
        })
    }
}

fn refers(from: &Document, by: Link, to: &Document) -> bool {
    let Some(identity) = to.index.identity else {
        return false;
    };
    match by {
        Link::Owner => from.index.owner == Some(identity),
        Link::Key(key) => from.index.keys.contains(&IndexKey(key.0 ^ identity.0)),
    }
}

fn compare(document: &Document, comparison: &Comparison) -> bool {
    let index = &document.index;
    match comparison {
        Comparison::Type(types) => types.contains(&document.resource_type),
        Comparison::Id(ids) => ids.contains(&document.id),
        Comparison::Updated(bounds) => within(bounds, document.updated, document.updated),
        Comparison::Owner(owners) => index.owner.is_some_and(|owner| owners.contains(&owner)),
        Comparison::Key(keys) => index.keys.iter().any(|key| keys.contains(key)),
        Comparison::Text { param, test } => index
            .texts
            .iter()
            .any(|(of, text)| of == param && text_matches(test, text)),
        Comparison::Within(ball) => {
            let low = |param: IndexKey| index.ranges.iter().find(|(of, ..)| *of == param);
            let coordinates = ball.params.map(|param| low(param).map(|(_, low, _)| *low));
            coordinates.iter().all(Option::is_some) && {
                let axes = coordinates.into_iter().flatten().zip(ball.center);
                let apart = axes.map(|(one, other)| i128::from(one - other).pow(2));
                apart.sum::<i128>() <= i128::from(ball.radius_squared)
            }
        }
        Comparison::Moment(bounds) => index
            .moment
            .is_some_and(|(low, high)| within(bounds, low, high)),
        Comparison::Range { param, bounds } => index
            .ranges
            .iter()
            .any(|(of, low, high)| of == param && within(bounds, *low, *high)),
    }
}

fn text_matches(test: &TextMatch, text: &str) -> bool {
    match test {
        TextMatch::StartsWith(part) => text.starts_with(part.as_str()),
        TextMatch::Contains(part) => text.contains(part.as_str()),
        TextMatch::Equals(whole) => text == whole,
    }
}

fn within(bounds: &Bounds, low: i64, high: i64) -> bool {
    bounds.low_min.is_none_or(|bound| low >= bound)
        && bounds.low_max.is_none_or(|bound| low <= bound)
        && bounds.high_min.is_none_or(|bound| high >= bound)
        && bounds.high_max.is_none_or(|bound| high <= bound)
}

/// What the plan answers in all, in its order, without place and limit.
pub fn answer(documents: &[Document], plan: &SearchPlan) -> Vec<String> {
    let scope = plan.scope.filter();
    let world = World { documents, scope };
    let unscoped = World {
        scope: &ALWAYS,
        ..world
    };
    let mut rows: Vec<&Document> = documents
        .iter()
        .filter(|document| unscoped.judge(document, scope) && world.judge(document, &plan.filter))
        .collect();
    rows.sort_by(|a, b| order(a, b, plan));
    if plan.backwards {
        rows.reverse();
    }
    rows.into_iter().map(|row| row.id.clone()).collect()
}

fn order(a: &Document, b: &Document, plan: &SearchPlan) -> Ordering {
    let terms = plan
        .order
        .iter()
        .map(|term| match (value(a, &term.by), value(b, &term.by)) {
            (Some(a), Some(b)) if term.descending => b.cmp(&a),
            (Some(a), Some(b)) => a.cmp(&b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
    terms.fold(Ordering::Equal, Ordering::then)
}

fn value(document: &Document, by: &OrderBy) -> Option<(i64, String)> {
    let index = &document.index;
    let number = |number: i64| (number, String::new());
    match by {
        OrderBy::Type => Some((0, document.resource_type.clone())),
        OrderBy::Id => Some((0, document.id.clone())),
        OrderBy::Updated => Some(number(document.updated)),
        OrderBy::MomentLow => index.moment.map(|(low, _)| number(low)),
        OrderBy::MomentHigh => index.moment.map(|(_, high)| number(high)),
        OrderBy::Value(names) => names.iter().find_map(|name| {
            let found = index.order.iter().find(|(of, _)| of == name);
            found.map(|(_, value)| (0, value.clone()))
        }),
    }
}
