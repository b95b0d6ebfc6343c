//! Index rows in order, each once.

use crate::store::IndexRows;

/// A fact stands once.
pub fn sort_and_deduplicate(rows: &mut IndexRows) {
    rows.keys.sort_unstable();
    rows.keys.dedup();
    rows.texts.sort_unstable();
    rows.texts.dedup();
    rows.ranges.sort_unstable();
    rows.ranges.dedup();
}
