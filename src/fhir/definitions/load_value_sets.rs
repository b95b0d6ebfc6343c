//! `value_sets.txt`: `value-set url`, then `system code...` for each system.

use super::by_name::ByName;
use super::load::BadLine;
use super::value_set::ValueSet;

pub fn value_sets(text: &'static str) -> Result<ByName<ValueSet>, BadLine> {
    let mut sets: ByName<ValueSet> = ByName::default();
    let mut current = None;
    for line in text.lines() {
        if let Some(url) = line.strip_prefix("value-set ") {
            current = Some(url);
            sets.insert(url.to_owned(), ValueSet::default());
            continue;
        }
        let mut words = line.split_whitespace();
        let set = current.and_then(|url| sets.get_mut(url));
        let (Some(set), Some(system)) = (set, words.next()) else {
            return Err(BadLine::of(line));
        };
        set.add(system, words.collect());
    }
    Ok(sets)
}
