//! Whether scores fit their parts: where all parts are known there is one right
//! sum, where some are there is a range.

use std::collections::BTreeMap;

use super::scale;
use crate::clinical::knowledge::{Entry, Knowledge, Score};

/// A score that is known, by its id.
pub type Known = BTreeMap<String, i64>;

/// The lowest and the highest that the parts allow; `None` where it has none.
pub fn expected(knowledge: &Knowledge, score: &Entry<Score>, known: &Known) -> Option<(i64, i64)> {
    let mut sum = None;
    for part in &score.fact.sum_of {
        let part = scale::score(knowledge, part)?;
        let (low, high) = bounds(knowledge, part, known);
        let (lowest, highest) = sum.unwrap_or((0_i64, 0_i64));
        sum = Some((lowest.saturating_add(low), highest.saturating_add(high)));
    }
    sum
}

fn bounds(knowledge: &Knowledge, score: &Entry<Score>, known: &Known) -> (i64, i64) {
    if let Some(value) = known.get(&score.id) {
        return (*value, *value);
    }
    let parts = expected(knowledge, score, known);
    parts.unwrap_or((score.fact.min, score.fact.max))
}

/// How many of the score's last parts are known.
pub fn answered(knowledge: &Knowledge, score: &Entry<Score>, known: &Known) -> usize {
    let parts = scale::tree(knowledge, score).into_iter();
    parts
        .filter(|part| part.fact.sum_of.is_empty() && known.contains_key(&part.id))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(known: &[(&str, i64)], score: &str) -> (i64, i64) {
        let knowledge = Knowledge::embedded().unwrap();
        let known = known.iter().map(|(id, value)| ((*id).to_owned(), *value));
        let score = scale::score(&knowledge, score).unwrap();
        expected(&knowledge, score, &known.collect()).unwrap()
    }

    #[test]
    fn what_is_missing_may_be_anything() {
        assert_eq!(of(&[], "ybocs-total"), (0, 40));
        assert_eq!(of(&[("ybocs-item-1", 3)], "ybocs-obsessions"), (3, 19));
        assert_eq!(of(&[("ybocs-item-1", 3)], "ybocs-total"), (3, 39));
        assert_eq!(of(&[("ybocs-obsessions", 12)], "ybocs-total"), (12, 32));
        let both = [("ybocs-obsessions", 12), ("ybocs-compulsions", 9)];
        assert_eq!(of(&both, "ybocs-total"), (21, 21));
    }
}
