//! Characters that mean something elsewhere mean nothing here.

use std::sync::Arc;

use unloop::store::{
    Comparison, Filter, IndexKey, IndexRows, OrderBy, Scope, SearchPlan, Store, TextMatch,
};

use crate::fixture::{
    Bench, all, commit, done, ids, key, of_type, plan, put, put_indexed, read, term,
};

const PARAM: IndexKey = IndexKey(3);

const SPECIAL: [&str; 14] = [
    "100%",
    "100x",
    "a_b",
    "axb",
    "a\\b",
    "a\\%b",
    "o'neil",
    "\"quoted\"",
    "müller",
    "muller",
    "🦀",
    "$1 ?1 :x @y",
    "--",
    "/* */;",
];

async fn fill_texts(store: &Arc<dyn Store>, texts: &[&str]) {
    let put = |(n, text): (usize, &&str)| {
        let index = IndexRows {
            texts: vec![(PARAM, (*text).to_owned())],
            order: vec![("text".into(), (*text).to_owned())],
            ..IndexRows::default()
        };
        put_indexed("Patient", &format!("t{n:02}"), text, index)
    };
    let changes = texts.iter().enumerate().map(put).collect();
    commit(store, changes).await.unwrap();
}

async fn bodies(store: &Arc<dyn Store>, test: TextMatch) -> Vec<String> {
    let filter = Filter::Is(Comparison::Text { param: PARAM, test });
    let found = store.search(&plan(filter)).await.unwrap();
    found.rows.into_iter().filter_map(|row| row.body).collect()
}

pub async fn special_characters_are_ordinary(bench: &mut dyn Bench) {
    let store = bench.store();
    fill_texts(&store, &SPECIAL).await;
    for text in SPECIAL {
        assert_eq!(bodies(&store, TextMatch::Equals(text.into())).await, [text]);
        let expected = |test: &dyn Fn(&str) -> bool| -> Vec<String> {
            let matching = SPECIAL.iter().filter(|other| test(other));
            matching.map(|other| (*other).to_owned()).collect()
        };
        for part in text.char_indices().map(|(n, _)| &text[n..]) {
            let contains = bodies(&store, TextMatch::Contains(part.into())).await;
            assert_eq!(contains, expected(&|other| other.contains(part)));
            let starts = bodies(&store, TextMatch::StartsWith(part.into())).await;
            assert_eq!(starts, expected(&|other| other.starts_with(part)));
        }
    }
}

pub async fn texts_compare_bytewise(bench: &mut dyn Bench) {
    let store = bench.store();
    let mut texts = [
        "Z", "a", "B", "ä", "z", "é", "e\u{301}", "\u{ffff}", "🦀", "\u{e000}", "", " ", "10", "9",
    ];
    fill_texts(&store, &texts).await;
    texts.sort_unstable();
    for descending in [false, true] {
        let by = OrderBy::Value(vec!["text".into()]);
        let plan = SearchPlan {
            order: vec![term(by, descending), term(OrderBy::Id, false)],
            ..plan(all())
        };
        let found = store.search(&plan).await.unwrap();
        let bodies: Vec<_> = found.rows.into_iter().filter_map(|row| row.body).collect();
        assert_eq!(bodies, texts);
        texts.reverse();
    }
}

pub async fn beginnings_work_at_the_end_of_unicode(bench: &mut dyn Bench) {
    let store = bench.store();
    let texts = [
        "\u{10ffff}",
        "\u{10ffff}a",
        "a\u{10ffff}",
        "a\u{10ffff}b",
        "ab",
        "b",
        "\u{d7ff}x",
        "\u{e000}",
        "\u{7f}z",
        "\u{80}",
    ];
    fill_texts(&store, &texts).await;
    for start in ["\u{10ffff}", "a", "a\u{10ffff}", "\u{d7ff}", "\u{7f}", ""] {
        let found = bodies(&store, TextMatch::StartsWith(start.into())).await;
        let expected = texts.iter().filter(|text| text.starts_with(start));
        assert_eq!(found, expected.copied().collect::<Vec<_>>());
    }
}

pub async fn hostile_ids_and_values_stay_data(bench: &mut dyn Bench) {
    let store = bench.store();
    let hostile = [
        "'; DROP TABLE resource; --",
        "\" OR 1=1 --",
        "{\"json\": [1, 2]}",
        "[\"x\"]",
        "{1,2}",
        "\\",
        "\\'",
        "NULL",
        "$1",
        "%s%n",
        "\u{202e}tpircs",
        "",
    ];
    for id in hostile {
        done(&store, put(id, id, id)).await;
    }
    for id in hostile {
        assert_eq!(
            read(&store, id, id).await.unwrap().body.as_deref(),
            Some(id)
        );
        assert_eq!(ids(&store, &plan(of_type(id))).await, [id]);
        let is = Filter::Is(Comparison::Id(vec![id.into(), "nobody'".into()]));
        assert_eq!(ids(&store, &plan(is)).await, [id]);
        let by = OrderBy::Value(vec![id.into(), "$.x".into()]);
        let plan = SearchPlan {
            order: vec![term(by, true), term(OrderBy::Id, false)],
            ..plan(all())
        };
        assert_eq!(store.search(&plan).await.unwrap().rows.len(), hostile.len());
    }
    let keys = hostile.map(|id| key(id, id));
    let rows = store.read(&Scope::everything(), &keys).await.unwrap();
    let bodies: Vec<_> = rows
        .into_iter()
        .flatten()
        .filter_map(|row| row.body)
        .collect();
    assert_eq!(bodies, hostile);
}

pub async fn bodies_come_back_as_they_went_in(bench: &mut dyn Bench) {
    let store = bench.store();
    let bodies = [
        "{\"value\": 1.10, \"value\":  1.1e400}".to_owned(),
        "not even json \u{1} \r\n\t".to_owned(),
        "ü🦀\u{10ffff}".repeat(1000),
        "x".repeat(3_000_000),
        String::new(),
    ];
    for body in &bodies {
        done(&store, put("Patient", "a", body)).await;
        let stored = read(&store, "Patient", "a").await.unwrap();
        assert!(stored.body.as_ref() == Some(body));
    }
    for (version, body) in (1..).zip(&bodies) {
        let everything = Scope::everything();
        let stored = store
            .vread(&everything, &key("Patient", "a"), version)
            .await;
        assert!(stored.unwrap().unwrap().body.as_ref() == Some(body));
    }
}

pub async fn a_nul_is_no_fault(bench: &mut dyn Bench) {
    let store = bench.store();
    fill_texts(&store, &["a\0b", "ab"]).await;
    for test in [
        TextMatch::Equals("a\0b".into()),
        TextMatch::StartsWith("a\0b".into()),
        TextMatch::Contains("\0".into()),
    ] {
        assert_eq!(bodies(&store, test).await.len(), 1);
    }
    assert_eq!(read(&store, "Patient", "t\0").await, None);
    let is = Filter::Is(Comparison::Id(vec!["t\0".into(), "\0".into()]));
    assert_eq!(store.count(&plan(is)).await, Ok(0));
}

pub async fn long_texts_are_found_by_their_beginning(bench: &mut dyn Bench) {
    let store = bench.store();
    // Text that does not compress, longer than an index entry may be.
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from_u32(0x4e00 + (state >> 16) % 0x5000).unwrap()
    };
    let long: String = (0..20_000).map(|_| next()).collect();
    fill_texts(&store, &[&long, "short"]).await;
    let start: String = long.chars().take(300).collect();
    let found = bodies(&store, TextMatch::StartsWith(start)).await;
    assert_eq!(found, [long]);
}
