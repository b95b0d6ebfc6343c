//! A Condition outweighs the questionnaire, and what no set of codes knows leaves
//! criteria open (issue 12, A3).

use serde_json::json;

use crate::candidacy::{
    SNOMED, active, all_answers, asked, condition, criterion, overall, with_everything,
};
use crate::nothing_harmful_a2::{ICD10, LOINC, coded, observed, status};
use crate::support::Server;

crate::on_both_stores!(
    a3_a_coded_contraindication_outweighs_the_questionnaire,
    a3_what_a_clinician_judges_refers,
    a3_a_problem_that_no_set_knows_is_listed_and_leaves_criteria_open,
    a3_a_contradiction_is_shown,
    a3_an_answer_that_is_neither_yes_nor_no_is_unknown,
    a3_pregnancy_is_found_by_tests_and_status,
    a3_an_american_heading_and_a_past_stroke_count,
);

/// A criterion and Conditions that stand against it, also where the questionnaire denies them.
const AGAINST: &[(&str, &[(&str, &str)])] = &[
    (
        "psychosis",
        &[
            (SNOMED, "64905009"),
            ("urn:oid:2.16.840.1.113883.6.96", "64905009"),
            ("http://snomed.info/sct/", "64905009"),
            (ICD10, "F32.3"),
            (ICD10, "F33.3"),
            (ICD10, "F31.2"),
            ("urn:oid:2.16.840.1.113883.6.90", "F20.0"),
        ],
    ),
    (
        "pregnancy",
        &[
            (SNOMED, "72892002"),
            (ICD10, "O09.90"),
            (ICD10, "Z3A.12"),
            (ICD10, "Z39.1"),
        ],
    ),
    (
        "substance-use",
        &[
            (SNOMED, "15167005"),
            (SNOMED, "75544000"),
            (SNOMED, "5602001"),
            (SNOMED, "31956009"),
            (SNOMED, "85005007"),
            (ICD10, "F10.20"),
        ],
    ),
    (
        "label-contraindication",
        &[
            (SNOMED, "128609009"),
            (SNOMED, "67362008"),
            (SNOMED, "233985008"),
            (SNOMED, "234142008"),
            (SNOMED, "274100004"),
            (ICD10, "I67.1"),
            (ICD10, "E05.00"),
        ],
    ),
    ("blood-pressure", &[(ICD10, "I16.1"), (SNOMED, "70272006")]),
    (
        "intracranial-pressure",
        &[(ICD10, "G93.2"), (SNOMED, "68267002")],
    ),
    (
        "heart",
        &[(ICD10, "I21.4"), (ICD10, "I20.0"), (SNOMED, "22298006")],
    ),
    ("liver", &[(ICD10, "K74.60"), (SNOMED, "19943007")]),
    ("eye-pressure", &[(ICD10, "H40.20X0")]),
];

async fn a3_a_coded_contraindication_outweighs_the_questionnaire(server: Server) {
    with_everything(&server).await;
    for (id, codes) in AGAINST {
        for (system, code) in *codes {
            server.put(&active("x", system, code)).await;
            let answer = asked(&server, "").await;
            let (status, effect, evidence) = criterion(&answer, id);
            assert_eq!((&*status, &*effect), ("not-met", "block"), "{id} {code}");
            assert_eq!(overall(&answer), "not-a-candidate-now", "{id} {code}");
            assert!(evidence.contains(&"Condition/x".to_owned()), "{id} {code}");
        }
    }
    for (system, code) in [
        (SNOMED, "371596008"),
        (SNOMED, "83225003"),
        (ICD10, "F34.0"),
    ] {
        server.put(&active("x", system, code)).await;
        assert_eq!(status(&server, "bipolar").await.0, "not-met", "{code}");
    }
}

async fn a3_what_a_clinician_judges_refers(server: Server) {
    with_everything(&server).await;
    for (id, system, code, expected) in [
        ("heart", ICD10, "I50.9", "not-met"),
        ("heart", SNOMED, "49436004", "not-met"),
        ("liver", ICD10, "K76.0", "not-met"),
        ("bladder", ICD10, "N30.10", "not-met"),
        ("seizure", ICD10, "G40.909", "not-met"),
        ("capacity", ICD10, "F03.90", "not-met"),
        ("eye-pressure", ICD10, "H40.10X0", "not-met"),
        ("kidney", ICD10, "N18.6", "not-met"),
        // Not active, and for a clinician to judge.
        ("substance-use", ICD10, "F10.21", "unknown"),
    ] {
        server.put(&active("x", system, code)).await;
        let answer = asked(&server, "").await;
        let (status, effect, _) = criterion(&answer, id);
        assert_eq!(
            (&*status, &*effect),
            (expected, "refer"),
            "{id} {code}: {answer}"
        );
        assert_eq!(overall(&answer), "needs-information", "{id} {code}");
    }
    for (id, content) in [
        ("psychosis", active("x", ICD10, "R44.0")),
        ("substance-use", active("x", ICD10, "F10.90")),
        (
            "psychosis",
            condition("x", SNOMED, "64905009", "remission", "confirmed"),
        ),
        (
            "psychosis",
            condition("x", SNOMED, "64905009", "active", "provisional"),
        ),
        (
            "heart",
            condition("x", ICD10, "I21.4", "active", "differential"),
        ),
    ] {
        server.put(&content).await;
        assert_eq!(status(&server, id).await.0, "unknown", "{id} {content}");
    }
    // The measured pressure decides, not the diagnosis.
    server.put(&active("x", ICD10, "I10")).await;
    assert_eq!(status(&server, "blood-pressure").await.0, "met");
}

async fn a3_a_problem_that_no_set_knows_is_listed_and_leaves_criteria_open(server: Server) {
    with_everything(&server).await;
    let near_all = [
        "psychosis",
        "substance-use",
        "label-contraindication",
        "pregnancy",
        "heart",
        "intracranial-pressure",
        "blood-pressure",
        "bipolar",
        "suicidality",
    ];
    for code in [
        json!({"text": "Paranoid schizophrenia"}),
        coded(SNOMED, "999480561000087100"),
        coded("urn:oid:1.2.3.4", "PSY-1"),
        json!({"coding": [{"system": SNOMED, "code": "36971009"}, {"system": SNOMED, "code": "999480561000087100"}]}),
    ] {
        let mut content = active("x", SNOMED, "1");
        content["code"] = code;
        server.put(&content).await;
        let answer = asked(&server, "").await;
        for id in near_all {
            assert_eq!(criterion(&answer, id).0, "unknown", "{id} {content}");
        }
        assert_eq!(overall(&answer), "needs-information", "{content}");
        let text = answer.to_string();
        assert!(text.contains("1 problem is not understood: "), "{answer}");
        assert!(text.contains("notUnderstood"), "{answer}");
    }
    // By its first letter near some criteria, and far from the others.
    server.put(&active("x", ICD10, "F90.0")).await;
    let answer = asked(&server, "").await;
    assert_eq!(criterion(&answer, "psychosis").0, "unknown");
    assert_eq!(criterion(&answer, "pregnancy").0, "met");
    for (system, code) in [(SNOMED, "36971009"), (ICD10, "J30.2")] {
        server.put(&active("x", system, code)).await;
        let answer = asked(&server, "").await;
        assert_eq!(overall(&answer), "eligible-for-review", "{code}");
        assert!(
            answer.to_string().contains("withoutConcern"),
            "{code}: {answer}"
        );
    }
    for (id, text) in [("x", "one"), ("x2", "two"), ("x3", "three")] {
        let mut content = active(id, SNOMED, "1");
        content["code"] = json!({"text": text});
        server.put(&content).await;
    }
    let answer = asked(&server, "").await.to_string();
    assert!(
        answer.contains("3 problems are not understood: "),
        "{answer}"
    );
}

async fn a3_a_contradiction_is_shown(server: Server) {
    with_everything(&server).await;
    server.put(&active("x", SNOMED, "64905009")).await;
    let answer = asked(&server, "").await;
    let (_, _, evidence) = criterion(&answer, "psychosis");
    assert_eq!(evidence, ["Condition/x", "QuestionnaireResponse/q"]);
    let text = answer.to_string();
    assert!(
        text.contains("The questionnaire says otherwise"),
        "{answer}"
    );
    // A refuted one is no evidence of anything; the answer counts.
    let refuted = condition("x", SNOMED, "64905009", "active", "refuted");
    server.put(&refuted).await;
    assert_eq!(status(&server, "psychosis").await.0, "met");
    server
        .put(&all_answers("q", "2026-11-15", &["psychosis"]))
        .await;
    assert_eq!(status(&server, "psychosis").await.0, "unknown");
}

#[expect(clippy::too_many_lines, reason = "one table of cases")]
async fn a3_pregnancy_is_found_by_tests_and_status(server: Server) {
    with_everything(&server).await;
    let concept = "valueCodeableConcept";
    let interpretation = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
    for (code, day, value, expected) in [
        (
            "82810-3",
            "2026-11-19",
            (concept, coded(SNOMED, "77386006")),
            "not-met",
        ),
        (
            "82810-3",
            "2026-11-19",
            (concept, coded(SNOMED, "146799005")),
            "unknown",
        ),
        (
            "82810-3",
            "2026-11-19",
            (concept, coded(SNOMED, "60001007")),
            "met",
        ),
        (
            "2106-3",
            "2026-11-12",
            (concept, coded(SNOMED, "10828004")),
            "not-met",
        ),
        (
            "2106-3",
            "2026-04-12",
            (concept, coded(LOINC, "LA6576-8")),
            "not-met",
        ),
        (
            "2118-8",
            "2026-11-12",
            ("valueString", "Positive".into()),
            "not-met",
        ),
        (
            "2118-8",
            "2026-11-12",
            ("valueString", "negative".into()),
            "met",
        ),
        (
            "2106-3",
            "2025-11-12",
            (concept, coded(SNOMED, "10828004")),
            "met",
        ),
        (
            "19080-1",
            "2026-11-12",
            ("valueQuantity", json!({"value": 2400})),
            "unknown",
        ),
        (
            "19080-1",
            "2026-11-12",
            ("interpretation", json!([coded(interpretation, "POS")])),
            "not-met",
        ),
        (
            "19080-1",
            "2026-11-12",
            ("interpretation", json!([coded(interpretation, "NEG")])),
            "met",
        ),
    ] {
        let content = observed("test", code, day, value);
        server.put(&content).await;
        assert_eq!(status(&server, "pregnancy").await.0, expected, "{content}");
    }
    // A later negative test contradicts a positive one, unless the end is recorded.
    let positive = observed(
        "test",
        "2106-3",
        "2026-09-12",
        (concept, coded(SNOMED, "10828004")),
    );
    let negative = observed(
        "later",
        "2106-3",
        "2026-11-12",
        (concept, coded(SNOMED, "260385009")),
    );
    server.put(&positive).await;
    server.put(&negative).await;
    assert_eq!(status(&server, "pregnancy").await.0, "unknown");
    let mut ended = condition("x", SNOMED, "19169002", "resolved", "confirmed");
    ended["onsetDateTime"] = "2026-10-12".into();
    server.put(&ended).await;
    assert_eq!(status(&server, "pregnancy").await.0, "met");
}

async fn a3_an_american_heading_and_a_past_stroke_count(server: Server) {
    with_everything(&server).await;
    for (system, code, clinical, expected) in [
        (ICD10, "Z86.73", "active", "not-met"),
        (SNOMED, "230690007", "resolved", "not-met"),
        // It is over and nobody knows what it was: it may have been a stroke.
        ("http://ehr.example", "17", "resolved", "unknown"),
        (ICD10, "Z86", "active", "unknown"),
        (SNOMED, "36971009", "resolved", "met"),
    ] {
        server
            .put(&condition("x", system, code, clinical, "confirmed"))
            .await;
        let found = status(&server, "label-contraindication").await.0;
        assert_eq!(found, expected, "{code} {clinical}");
    }
}

async fn a3_an_answer_that_is_neither_yes_nor_no_is_unknown(server: Server) {
    with_everything(&server).await;
    for (values, expected) in [
        (json!([{"valueCoding": {"code": "N"}}]), "unknown"),
        (json!([{"valueString": "no"}]), "unknown"),
        (
            json!([{"valueBoolean": true}, {"valueBoolean": false}]),
            "not-met",
        ),
        (
            json!([{"valueBoolean": true}, {"valueString": "but"}]),
            "unknown",
        ),
        (json!([{"valueBoolean": true}]), "met"),
    ] {
        let mut content = all_answers("later", "2026-11-17", &[]);
        content["item"] = json!([{"linkId": "psychosis", "answer": values}]);
        server.put(&content).await;
        assert_eq!(status(&server, "psychosis").await.0, expected, "{content}");
    }
}
