//! What the entries of a batch did, as few rows of the trail: ten thousand reads of
//! one record are one row and not ten thousand.

use std::collections::{BTreeMap, HashSet};

use super::{Event, Shown};
use crate::store::ResourceKey;

/// As long as a batch has no more entries, each has its own row.
const KEPT_APART: usize = 50;

/// Versions that one row names.
const SHOWN: usize = 500;

/// Characters of the addresses that one row has. Of others it has the number.
const SENT: usize = 8_192;

/// The same events, or, where they are many, those that were answered alike as one.
pub fn fold_entries(events: Vec<Event>) -> Vec<Event> {
    if events.len() <= KEPT_APART {
        return events;
    }
    let mut alike: BTreeMap<u16, Vec<Event>> = BTreeMap::new();
    for event in events {
        alike.entry(event.status).or_default().push(event);
    }
    alike
        .into_iter()
        .flat_map(|(status, events)| fold(status, events))
        .collect()
}

/// All that the entries showed stands in the rows, each version once.
fn fold(status: u16, events: Vec<Event>) -> Vec<Event> {
    let mut first = Event {
        interaction: "batch",
        status,
        sent: "POST ".to_owned(),
        ..Event::default()
    };
    let mut lines = HashSet::new();
    let mut known: HashSet<(ResourceKey, i64)> = HashSet::new();
    let mut shown: Vec<Shown> = Vec::new();
    for event in events {
        if event.resource_type.as_deref() == Some("Patient") {
            first.patients.extend(event.id);
        }
        first.patients.extend(event.patients);
        first.written.extend(event.written);
        first.deleted.extend(event.deleted);
        let fits = first.sent.len() + event.sent.len() <= SENT;
        if fits && lines.insert(event.sent.clone()) {
            first.sent.push('\n');
            first.sent.push_str(&event.sent);
        } else {
            first.more += 1;
        }
        for one in event.shown {
            if known.insert((one.key.clone(), one.version)) {
                shown.push(one);
            }
        }
    }
    first.patients.sort_unstable();
    first.patients.dedup();
    let mut parts = shown.chunks(SHOWN);
    first.shown = parts.next().map(<[Shown]>::to_vec).unwrap_or_default();
    let others: Vec<Event> = parts
        .map(|part| Event {
            interaction: "batch",
            status,
            sent: "POST ".to_owned(),
            shown: part.to_vec(),
            ..Event::default()
        })
        .collect();
    [vec![first], others].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(id: usize) -> Event {
        Event {
            interaction: "read",
            status: 200,
            sent: format!("GET Observation/{id}"),
            shown: vec![Shown {
                key: ResourceKey::new("Observation", id.to_string()),
                version: 1,
            }],
            ..Event::default()
        }
    }

    #[test]
    fn few_entries_keep_their_own_rows() {
        assert_eq!(fold_entries((0..50).map(read).collect()).len(), 50);
    }

    #[test]
    fn many_reads_of_one_record_are_one_row() {
        let rows = fold_entries((0..10_000).map(|_| read(1)).collect());
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].shown.len(), 1);
        assert_eq!(rows[0].more, 9_999);
    }

    #[test]
    fn no_record_that_was_shown_is_left_out() {
        let rows = fold_entries((0..1_200).map(read).collect());
        assert_eq!(rows.len(), 3);
        let shown: usize = rows.iter().map(|row| row.shown.len()).sum();
        assert_eq!(shown, 1_200);
    }
}
