//! <https://hl7.org/fhir/R4/http.html#paging>, <https://hl7.org/fhir/R4/search.html#sort>

use serde_json::json;

use crate::support::{Reply, Server, example};

crate::on_both_stores!(
    the_order_is_what_was_asked_for,
    what_lacks_the_value_comes_last,
    pages_lead_to_the_end_and_back,
    an_edited_cursor_is_refused,
    writes_between_pages_lose_and_repeat_nothing,
    a_page_of_which_nothing_is_left_still_leads_back,
);

/// Twelve patients; every third has no birth date.
async fn dozen(server: &Server) {
    let mut entries = Vec::new();
    for number in 0..12 {
        let id = format!("p{number:02}");
        let mut patient = example::patient(&format!("Family{:02}", (number * 5) % 12));
        patient["id"] = id.clone().into();
        patient["birthDate"] = format!("19{:02}-01-01", 50 + (number * 7) % 12).into();
        if number % 3 == 0 {
            patient.as_object_mut().unwrap().remove("birthDate");
        }
        entries.push(example::entry(
            "PUT",
            &format!("Patient/{id}"),
            Some(patient),
        ));
    }
    server.bundle("transaction", &entries).await;
}

fn all(pages: &[Reply]) -> Vec<String> {
    pages.iter().flat_map(Reply::entries).collect()
}

async fn values(server: &Server, query: &str, pointer: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    for page in server.pages(&format!("/Patient?_count=5&{query}")).await {
        for entry in page.json()["entry"].as_array().unwrap() {
            let value = entry["resource"].pointer(pointer);
            values.push(value.map(|value| value.as_str().unwrap().to_owned()));
        }
    }
    assert_eq!(values.len(), 12, "{query}");
    values
}

async fn the_order_is_what_was_asked_for(server: Server) {
    dozen(&server).await;
    for (query, pointer) in [
        ("family", "/name/0/family"),
        ("_id", "/id"),
        ("_lastUpdated", "/meta/lastUpdated"),
    ] {
        let up = values(&server, &format!("_sort={query}"), pointer).await;
        assert!(up.is_sorted(), "{query}: {up:?}");
        let mut down = values(&server, &format!("_sort=-{query}"), pointer).await;
        down.reverse();
        assert!(down.is_sorted(), "-{query}: {down:?}");
    }
}

async fn what_lacks_the_value_comes_last(server: Server) {
    dozen(&server).await;
    for sort in ["birthdate", "-birthdate"] {
        let values = values(&server, &format!("_sort={sort}"), "/birthDate").await;
        let (present, missing) = values.split_at(8);
        assert!(missing.iter().all(Option::is_none), "{sort}: {values:?}");
        let mut present = present.to_vec();
        if sort.starts_with('-') {
            present.reverse();
        }
        assert!(
            present.is_sorted() && present[0].is_some(),
            "{sort}: {values:?}"
        );
    }
}

async fn pages_lead_to_the_end_and_back(server: Server) {
    dozen(&server).await;
    for sort in [
        "",
        "&_sort=family",
        "&_sort=-birthdate",
        "&_sort=birthdate",
        "&_sort=-_lastUpdated",
    ] {
        let whole = server
            .get(&format!("/Patient?_count=50{sort}"))
            .expect(200)
            .await
            .entries();
        assert_eq!(whole.len(), 12);
        for count in [1, 5, 6, 12] {
            let pages = server
                .pages(&format!("/Patient?_count={count}{sort}"))
                .await;
            assert_eq!(all(&pages), whole, "{sort} by {count}");
            assert_eq!(
                pages.len(),
                12_usize.div_ceil(count),
                "no empty page at the end"
            );
            assert_eq!(pages[0].link("previous"), None);
            let mut back = vec![pages.last().unwrap().entries()];
            let mut link = pages.last().unwrap().link("previous");
            while let Some(url) = link {
                let page = server.get(&url).expect(200).await;
                assert!(page.link("next").is_some());
                back.push(page.entries());
                link = page.link("previous");
                assert!(back.len() < 50, "the way back never ends");
            }
            back.reverse();
            assert_eq!(back.concat(), whole, "back{sort} by {count}");
        }
    }
}

async fn an_edited_cursor_is_refused(server: Server) {
    dozen(&server).await;
    let page = server
        .get("/Patient?_count=5&_sort=birthdate")
        .expect(200)
        .await;
    let next = page.link("next").unwrap();
    let (_, cursor) = next.split_once("_cursor=").unwrap();
    let shorter = &cursor[..cursor.len() - 3];
    let flipped = cursor.replacen(|c: char| c.is_ascii_lowercase(), "Z", 2);
    for bad in ["x", "AAAA", shorter, &flipped, "bnVsbA", "%00", "W10"] {
        let path = format!("/Patient?_count=5&_sort=birthdate&_cursor={bad}");
        let reply = server.get(&path).expect(400).await;
        assert!(reply.diagnostics().contains("_cursor"), "{}", reply.text);
        assert!(reply.diagnostics().contains("follow"), "the remedy");
    }
    // A cursor belongs to its search.
    for other in [
        "/Patient?_sort=family",
        "/Patient?_sort=birthdate&active=true",
        "/Observation?",
        "/?_type=Patient",
    ] {
        let reply = server
            .get(&format!("{other}&_cursor={cursor}"))
            .expect(400)
            .await;
        assert!(reply.diagnostics().contains("_cursor"), "{}", reply.text);
    }
    // The size of the page may change on the way.
    let path = format!("/Patient?_count=2&_sort=birthdate&_cursor={cursor}");
    assert_eq!(server.get(&path).expect(200).await.entries().len(), 2);
}

async fn writes_between_pages_lose_and_repeat_nothing(server: Server) {
    dozen(&server).await;
    let first = server.get("/Patient?_count=4&_sort=_id").expect(200).await;
    server.call("DELETE", "/Patient/p03").expect(204).await;
    let earlier = json!({"resourceType": "Patient", "id": "p001"});
    server.put(&earlier).await;
    let later = json!({"resourceType": "Patient", "id": "p051"});
    server.put(&later).await;
    let rest = server.pages(&first.link("next").unwrap()).await;
    let mut expected: Vec<String> = (4..12).map(|n| format!("Patient/p{n:02}")).collect();
    expected.push("Patient/p051".to_owned());
    expected.sort();
    assert_eq!(all(&rest), expected);
}

async fn delete(server: &Server, ids: std::ops::Range<usize>) {
    for number in ids {
        let path = format!("/Patient/p{number:02}");
        server.call("DELETE", &path).expect(204).await;
    }
}

async fn follow(server: &Server, page: &Reply, relation: &str) -> Reply {
    server.get(&page.link(relation).unwrap()).expect(200).await
}

async fn a_page_of_which_nothing_is_left_still_leads_back(server: Server) {
    dozen(&server).await;
    let first = server.get("/Patient?_count=4").expect(200).await;
    let second = follow(&server, &first, "next").await;
    assert_eq!(second.entries().len(), 4);
    delete(&server, 8..12).await;
    let empty = follow(&server, &second, "next").await;
    assert_eq!((empty.entries().len(), empty.link("next")), (0, None));
    let back = follow(&server, &empty, "previous").await;
    assert_eq!(back.entries(), second.entries());
    let back = follow(&server, &back, "previous").await;
    assert_eq!(back.entries(), first.entries());

    delete(&server, 0..4).await;
    let empty = follow(&server, &second, "previous").await;
    assert_eq!((empty.entries().len(), empty.link("previous")), (0, None));
    let on = follow(&server, &empty, "next").await;
    assert_eq!(on.entries(), second.entries());
}
