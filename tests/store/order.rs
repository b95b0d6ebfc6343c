//! Orders and pages, checked against the oracle.

use std::sync::Arc;

use unloop::store::{
    Bounds, Comparison, Filter, Found, OrderBy, OrderTerm, PositionValue, SearchPlan, Store,
    StoreError,
};

use crate::fixture::{Bench, all, done, ids, of_type, plan, put, term};
use crate::oracle::{Document, answer, fill};

fn value(names: &[&str]) -> OrderBy {
    OrderBy::Value(names.iter().map(|name| (*name).to_owned()).collect())
}

fn orders() -> Vec<Vec<OrderTerm>> {
    let odd = "odd.$name \"x\"";
    let firsts = [
        OrderBy::Type,
        OrderBy::Updated,
        OrderBy::MomentLow,
        OrderBy::MomentHigh,
        value(&["name"]),
        value(&[odd, "name"]),
        value(&["nothing"]),
        value(&[]),
    ];
    let mut orders = Vec::new();
    for first in firsts {
        for down in [false, true] {
            let ends = [term(OrderBy::Type, down), term(OrderBy::Id, !down)];
            let mut order = vec![term(first.clone(), down)];
            order.extend(ends.clone());
            orders.push(order);
            let second = term(value(&["name"]), !down);
            let mut order = vec![term(first.clone(), down), second];
            order.extend(ends);
            orders.push(order);
        }
    }
    orders.push(vec![term(OrderBy::Updated, true), term(OrderBy::Id, true)]);
    orders.push(vec![term(OrderBy::Id, false)]);
    orders
}

fn filters() -> Vec<Filter> {
    let bounds = Bounds {
        high_min: Some(-10),
        ..Bounds::default()
    };
    vec![
        all(),
        Filter::Is(Comparison::Moment(bounds)),
        of_type("Observation"),
    ]
}

fn plans() -> Vec<SearchPlan> {
    let mut plans = Vec::new();
    for filter in filters() {
        for order in orders() {
            plans.push(SearchPlan {
                order,
                ..plan(filter.clone())
            });
        }
    }
    plans
}

/// Walks page by page to the end.
async fn walk(store: &Arc<dyn Store>, plan: &SearchPlan, limit: usize) -> Vec<String> {
    let mut plan = SearchPlan {
        limit,
        ..plan.clone()
    };
    let mut seen = Vec::new();
    loop {
        let Found {
            rows,
            mut positions,
            more,
        } = store.search(&plan).await.unwrap();
        assert_eq!(rows.len(), positions.len());
        assert!(rows.len() <= limit);
        seen.extend(rows.into_iter().map(|row| row.key.id));
        if !more {
            return seen;
        }
        plan.after = positions.pop();
    }
}

async fn check_pages(store: &Arc<dyn Store>, documents: &[Document], backwards: bool) {
    for plan in plans() {
        let plan = SearchPlan { backwards, ..plan };
        let expected = answer(documents, &plan);
        let seen = walk(store, &plan, 7).await;
        assert_eq!(seen, expected, "{:?}", plan.order);
    }
}

pub async fn every_order_puts_missing_values_last(bench: &mut dyn Bench) {
    let store = bench.store();
    let documents = fill(&store, 80).await;
    for plan in plans() {
        let expected = answer(&documents, &plan);
        assert_eq!(ids(&store, &plan).await, expected, "{:?}", plan.order);
    }
}

pub async fn pages_forward_lose_and_repeat_nothing(bench: &mut dyn Bench) {
    let store = bench.store();
    let documents = fill(&store, 60).await;
    check_pages(&store, &documents, false).await;
}

pub async fn pages_backward_mirror_pages_forward(bench: &mut dyn Bench) {
    let store = bench.store();
    let documents = fill(&store, 60).await;
    check_pages(&store, &documents, true).await;

    // From the middle, back to what stood before it.
    for plan in plans() {
        let found = store.search(&plan).await.unwrap();
        let Some(place) = found.positions.get(20) else {
            continue;
        };
        let back = SearchPlan {
            after: Some(place.clone()),
            backwards: true,
            limit: 5,
            ..plan.clone()
        };
        let expected = found.rows[15..20]
            .iter()
            .rev()
            .map(|row| row.key.id.clone());
        assert_eq!(ids(&store, &back).await, expected.collect::<Vec<_>>());
    }
}

pub async fn pages_stay_whole_while_others_write(bench: &mut dyn Bench) {
    let store = bench.store();
    for n in 0..100 {
        done(&store, put("Patient", &format!("old{n:03}"), "x")).await;
    }
    let writer = {
        let store = store.clone();
        tokio::spawn(async move {
            for n in 0..200 {
                done(&store, put("Patient", &format!("new{n:03}"), "x")).await;
            }
        })
    };
    for order in [
        vec![term(OrderBy::Id, false)],
        vec![term(OrderBy::Updated, true), term(OrderBy::Id, false)],
    ] {
        let plan = SearchPlan {
            order,
            ..plan(of_type("Patient"))
        };
        let mut seen = walk(&store, &plan, 9).await;
        let walked = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), walked);
        let old = seen.iter().filter(|id| id.starts_with("old")).count();
        assert_eq!(old, 100);
    }
    writer.await.unwrap();
}

pub async fn a_place_that_does_not_fit_is_refused(bench: &mut dyn Bench) {
    let store = bench.store();
    fill(&store, 20).await;
    let text = || PositionValue::Text("x".into());
    for place in [
        vec![],
        vec![text()],
        vec![PositionValue::Number(1), text()],
        vec![text(), PositionValue::Missing],
        vec![text(), text(), text()],
    ] {
        let plan = SearchPlan {
            after: Some(place),
            ..plan(all())
        };
        let refused = store.search(&plan).await;
        assert!(matches!(refused, Err(StoreError::Corrupt(_))));
    }
}
