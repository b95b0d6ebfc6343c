//! Clinical times of which some windows hold many rows and others few: what a store
//! knows of them may change how it searches, never what it finds.

use std::sync::Arc;

use unloop::store::{Bounds, Comparison, Filter, IndexKey, IndexRows, Link, Store};

use crate::fixture::{Bench, commit, ids, of_type, plan, put_indexed};

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// More than any store looks at without asking what else could lead.
const MANY: i64 = 700;

type Rows = Vec<(String, i64, i64)>;

/// Some every hour for a month, many at the same moment, and the ends of time.
fn rows() -> Rows {
    let hourly = (0..MANY).map(|n| (format!("h{n:04}"), n * HOUR, n * HOUR + HOUR / 2));
    let at_once = (0..MANY).map(|n| (format!("m{n:04}"), 90 * DAY, 90 * DAY));
    let ends = [("first", i64::MIN), ("last", i64::MAX), ("before", -1)];
    let ends = ends.map(|(id, at)| (id.to_owned(), at, at));
    hourly.chain(at_once).chain(ends).collect()
}

fn within(low: i64, high: i64) -> Filter {
    Filter::Is(Comparison::Moment(Bounds {
        low_min: Some(low),
        high_max: Some(high),
        ..Bounds::default()
    }))
}

async fn fill(store: &Arc<dyn Store>, resource_type: &str, rows: &Rows, owner: i64) {
    for chunk in rows.chunks(200) {
        let change = |(id, low, high): &(String, i64, i64)| {
            let index = IndexRows {
                identity: Some(IndexKey(owner)),
                owner: Some(IndexKey(owner)),
                moment: Some((*low, *high)),
                ..IndexRows::default()
            };
            put_indexed(resource_type, id, "x", index)
        };
        commit(store, chunk.iter().map(change).collect())
            .await
            .unwrap();
    }
}

pub async fn full_and_thin_windows_are_searched_alike(bench: &mut dyn Bench) {
    let (store, rows) = (bench.store(), rows());
    fill(&store, "Appointment", &rows, 1).await;
    bench.analyze().await;
    let ranges = [
        (DAY, 2 * DAY),
        (DAY, DAY + HOUR),
        (0, 20 * DAY),
        (-DAY, DAY),
        (-1, 0),
        (90 * DAY, 90 * DAY),
        (89 * DAY, 91 * DAY),
        (2 * DAY, DAY),
        (i64::MIN, i64::MAX),
        (i64::MIN, i64::MIN),
        (i64::MAX, i64::MAX),
        (i64::MIN, -1),
    ];
    // What was learned by the first question must not mislead the second.
    for (low, high) in ranges.iter().chain(&ranges).copied() {
        let inside = rows.iter().filter(|row| low <= row.1 && row.2 <= high);
        let mut expected: Vec<_> = inside.map(|row| row.0.clone()).collect();
        expected.sort();
        let plan = plan(Filter::All(vec![of_type("Appointment"), within(low, high)]));
        assert_eq!(ids(&store, &plan).await, expected, "{low} to {high}");
        let count = u64::try_from(expected.len()).unwrap();
        assert_eq!(store.count(&plan).await, Ok(count), "{low} to {high}");
    }
}

/// The same bounds on both ends of a link: few rows of the one type, many of the other.
pub async fn a_time_of_one_type_says_nothing_of_another(bench: &mut dyn Bench) {
    let (store, rows) = (bench.store(), rows());
    fill(&store, "Appointment", &rows, 7).await;
    let few = vec![("e".to_owned(), 90 * DAY, 90 * DAY)];
    fill(&store, "Encounter", &few, 7).await;
    bench.analyze().await;
    let day = || within(90 * DAY, 91 * DAY);
    let link = Filter::RefersTo {
        by: Link::Owner,
        to: Box::new(Filter::All(vec![of_type("Encounter"), day()])),
    };
    let plan = plan(Filter::All(vec![of_type("Appointment"), day(), link]));
    assert_eq!(
        ids(&store, &plan).await.len(),
        usize::try_from(MANY).unwrap()
    );
}
