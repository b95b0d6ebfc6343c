//! Conditions, checked against the oracle.

use std::sync::Arc;

use unloop::store::{
    Ball, Bounds, Comparison, Filter, IndexKey, IndexRows, Link, Scope, SearchPlan, Store,
    TextMatch,
};

use crate::fixture::{
    Bench, Dice, all, commit, delete, done, has, ids, of_type, owned, plan, put, put_indexed,
};
use crate::oracle::{Document, FACTS, LINKS, TYPES, WORDS, answer, fill};

async fn check(store: &Arc<dyn Store>, documents: &[Document], plan: &SearchPlan) {
    let expected = answer(documents, plan);
    assert_eq!(ids(store, plan).await, expected, "{:?}", plan.filter);
    let count = u64::try_from(expected.len()).unwrap();
    assert_eq!(store.count(plan).await, Ok(count), "{:?}", plan.filter);
}

fn bounds() -> Vec<Bounds> {
    let some = [None, Some(-5), Some(8)];
    let mut all = Vec::new();
    for low_min in some {
        for low_max in some {
            for high_min in some {
                all.extend(some.map(|high_max| Bounds {
                    low_min,
                    low_max,
                    high_min,
                    high_max,
                }));
            }
        }
    }
    all
}

fn texts() -> Vec<TextMatch> {
    let parts = [
        "", "s", "smith", "Sm", "ü", "%", "_", "\\", "'", "🦀", "mith", "x",
    ];
    let words = parts.into_iter().chain(WORDS);
    let tests = words.flat_map(|word| {
        [
            TextMatch::StartsWith(word.into()),
            TextMatch::Contains(word.into()),
            TextMatch::Equals(word.into()),
        ]
    });
    tests.collect()
}

/// Every comparison, with none, one and several values.
fn comparisons(documents: &[Document]) -> Vec<Comparison> {
    let strings = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
    let keys = |list: &[i64]| list.iter().copied().map(IndexKey).collect();
    let mut all = vec![
        Comparison::Type(Vec::new()),
        Comparison::Type(strings(&TYPES[..1])),
        Comparison::Type(strings(&TYPES[1..])),
        Comparison::Id(Vec::new()),
        Comparison::Id(strings(&["d0003"])),
        Comparison::Id(strings(&["d0003", "d0007", "nobody"])),
        Comparison::Owner(Vec::new()),
        Comparison::Owner(keys(&[2])),
        Comparison::Owner(keys(&[1, 4, 77])),
        Comparison::Owner((2..40).map(IndexKey).collect()),
        Comparison::Key(Vec::new()),
        Comparison::Key(keys(&FACTS[2..4])),
        Comparison::Key(keys(&FACTS)),
    ];
    all.extend(FACTS.map(|fact| Comparison::Key(vec![IndexKey(fact)])));
    let middle = documents[documents.len() / 2].updated;
    all.extend([None, Some(middle)].map(|low_min| {
        Comparison::Updated(Bounds {
            low_min,
            high_max: Some(middle + 1),
            ..Bounds::default()
        })
    }));
    for bounds in bounds() {
        let param = IndexKey(0);
        all.push(Comparison::Moment(bounds));
        all.push(Comparison::Range { param, bounds });
    }
    let param = IndexKey(1);
    all.extend(
        texts()
            .into_iter()
            .map(|test| Comparison::Text { param, test }),
    );
    all
}

pub async fn every_comparison_answers_what_the_oracle_answers(bench: &mut dyn Bench) {
    let store = bench.store();
    let documents = fill(&store, 200).await;
    bench.analyze().await;
    for comparison in comparisons(&documents) {
        let is = Filter::Is(comparison);
        check(&store, &documents, &plan(is.clone())).await;
        check(&store, &documents, &plan(Filter::Not(Box::new(is)))).await;
    }
}

fn nested(dice: &mut Dice, from: &[Comparison], depth: u32) -> Filter {
    let sides = if depth == 0 { 1 } else { 6 };
    let parts = |dice: &mut Dice| {
        let count = dice.below(4);
        (0..count).map(|_| nested(dice, from, depth - 1)).collect()
    };
    match dice.below(sides) {
        0 => Filter::Is(dice.pick(from).clone()),
        1 => Filter::All(parts(dice)),
        2 => Filter::Any(parts(dice)),
        3 => Filter::Not(Box::new(nested(dice, from, depth - 1))),
        _ => {
            let far = nested(dice, from, depth - 1);
            dice.pick(&links(&far)).clone()
        }
    }
}

/// Every way to reach resources that meet the condition.
fn links(far: &Filter) -> Vec<Filter> {
    let keys = LINKS.map(|link| Link::Key(IndexKey(link)));
    let mut all = Vec::new();
    for by in [Link::Owner].into_iter().chain(keys) {
        let far = || Box::new(far.clone());
        all.push(Filter::RefersTo { by, to: far() });
        all.push(Filter::ReferredBy { by, from: far() });
    }
    all
}

pub async fn links_lead_in_both_directions(bench: &mut dyn Bench) {
    let store = bench.store();
    let documents = fill(&store, 200).await;
    bench.analyze().await;
    let from = comparisons(&documents);
    let mut dice = Dice(11);
    for _ in 0..25 {
        let far = nested(&mut dice, &from, 1);
        for link in links(&far) {
            check(&store, &documents, &plan(link.clone())).await;
            let around = vec![of_type("Observation"), link.clone()];
            check(&store, &documents, &plan(Filter::All(around))).await;
            let scope = Scope::only(Filter::Any(vec![owned(1), link.clone(), has(0)]));
            let scoped = SearchPlan {
                scope,
                ..plan(link)
            };
            check(&store, &documents, &scoped).await;
        }
    }
}

pub async fn links_do_not_lead_to_what_is_deleted(bench: &mut dyn Bench) {
    let store = bench.store();
    let [link, identity] = [9, 100];
    let index = |identity: Option<i64>, keys: &[i64]| IndexRows {
        identity: identity.map(IndexKey),
        keys: keys.iter().copied().map(IndexKey).collect(),
        ..IndexRows::default()
    };
    let target = || put_indexed("Patient", "a", "x", index(Some(identity), &[1]));
    let source = || {
        put_indexed(
            "Observation",
            "b",
            "x",
            index(Some(200), &[link ^ identity, 2]),
        )
    };
    let by = Link::Key(IndexKey(link));
    let to = Filter::RefersTo {
        by,
        to: Box::new(has(1)),
    };
    let from = Filter::ReferredBy {
        by,
        from: Box::new(has(2)),
    };
    for (change, expected) in [
        (target(), 0),
        (source(), 1),
        (delete("Patient", "a"), 0),
        (target(), 1),
        (delete("Observation", "b"), 0),
    ] {
        done(&store, change).await;
        for filter in [&to, &from] {
            assert_eq!(store.count(&plan(filter.clone())).await, Ok(expected));
        }
    }
}

pub async fn nested_conditions_answer_what_the_oracle_answers(bench: &mut dyn Bench) {
    let store = bench.store();
    let documents = fill(&store, 200).await;
    bench.analyze().await;
    let from = comparisons(&documents);
    let mut dice = Dice(7);
    for _ in 0..300 {
        check(&store, &documents, &plan(nested(&mut dice, &from, 3))).await;
    }
    // What leads to the rows is chosen among the parts of the outermost all.
    for _ in 0..300 {
        let parts = (0..3).map(|_| Filter::Is(dice.pick(&from).clone()));
        let mut parts: Vec<_> = parts.collect();
        parts.push(nested(&mut dice, &from, 1));
        check(&store, &documents, &plan(Filter::All(parts))).await;
    }
}

/// Coordinates about as large as the port allows.
pub async fn points_lie_within_balls(bench: &mut dyn Bench) {
    const LARGE: i64 = 1_000_000_000;
    let store = bench.store();
    let mut dice = Dice(7);
    let params = [11, 12, 13].map(IndexKey);
    let ends = [-LARGE / 2, -3, 0, 3, LARGE / 2];
    let mut documents = Vec::new();
    for n in 0..60 {
        let mut index = IndexRows::default();
        for (number, param) in params.into_iter().enumerate() {
            let at = *dice.pick(&ends);
            // Some lack a coordinate, which is no point.
            if n % 10 != number {
                index.ranges.push((param, at, at));
            }
        }
        let id = format!("b{n:02}");
        let put = put_indexed("Location", &id, "{}", index.clone());
        let version = done(&store, put).await;
        documents.push(Document {
            resource_type: "Location".to_owned(),
            id,
            updated: version.updated,
            index,
        });
    }
    for radius in [0, 3, 5, LARGE / 2, LARGE, 2 * LARGE] {
        for _ in 0..20 {
            let ball = Ball {
                params,
                center: [(); 3].map(|()| *dice.pick(&ends)),
                radius_squared: radius * radius,
            };
            let within = Filter::Is(Comparison::Within(ball));
            check(&store, &documents, &plan(within.clone())).await;
            check(&store, &documents, &plan(Filter::Not(Box::new(within)))).await;
        }
    }
}

pub async fn long_lists_are_answered(bench: &mut dyn Bench) {
    let store = bench.store();
    let documents = fill(&store, 50).await;
    bench.analyze().await;
    let ids = Comparison::Id((0..40_000).map(|n| format!("d{n:04}")).collect());
    check(&store, &documents, &plan(Filter::Is(ids))).await;
    let keys = Comparison::Key((0..40_000).map(IndexKey).collect());
    check(&store, &documents, &plan(Filter::Is(keys))).await;
    let parts: Vec<_> = (0..3_000)
        .map(|n| Filter::Any(vec![has(n), of_type("Patient")]))
        .collect();
    check(&store, &documents, &plan(Filter::Any(parts.clone()))).await;
    check(&store, &documents, &plan(Filter::All(parts))).await;
}

pub async fn updates_and_deletes_change_what_is_found(bench: &mut dyn Bench) {
    let store = bench.store();
    let index = |fact| IndexRows {
        identity: Some(IndexKey(fact)),
        owner: Some(IndexKey(fact)),
        moment: Some((fact, fact)),
        keys: vec![IndexKey(fact), IndexKey(fact)],
        texts: vec![(IndexKey(0), format!("text {fact}"))],
        ranges: vec![(IndexKey(0), fact, fact)],
        order: vec![("name".into(), fact.to_string())],
    };
    let filters = |fact: i64| {
        let bounds = Bounds {
            low_min: Some(fact),
            high_max: Some(fact),
            ..Bounds::default()
        };
        let (param, text) = (IndexKey(0), format!("text {fact}"));
        let test = TextMatch::Equals(text);
        [
            has(fact),
            owned(fact),
            Filter::Is(Comparison::Moment(bounds)),
            Filter::Is(Comparison::Range { param, bounds }),
            Filter::Is(Comparison::Text { param, test }),
        ]
    };
    let steps = [
        (put_indexed("Patient", "a", "x", index(1)), Some(1)),
        (put_indexed("Patient", "a", "x", index(2)), Some(2)),
        (delete("Patient", "a"), None),
        (put_indexed("Patient", "a", "x", index(3)), Some(3)),
        (put("Patient", "a", "x"), None),
    ];
    for (change, now) in steps {
        done(&store, change).await;
        for fact in 1..=3 {
            for filter in filters(fact) {
                let expected = u64::from(now == Some(fact));
                assert_eq!(store.count(&plan(filter)).await, Ok(expected));
            }
        }
    }
    commit(&store, vec![delete("Patient", "a")]).await.unwrap();
    assert_eq!(store.count(&plan(all())).await, Ok(0));
    let not = Filter::Not(Box::new(has(1)));
    assert_eq!(store.count(&plan(not)).await, Ok(0));
}
