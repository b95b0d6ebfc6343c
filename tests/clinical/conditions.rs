//! Codes of conditions: in the sets that a clinician would expect, however their
//! system is written, and what is in no set is not understood (issue 12, A3).

use serde_json::{Value, json};
use unloop::clinical::conditions::ConceptReading;
use unloop::clinical::knowledge::{Knowledge, SetAction};

const SNOMED: &str = "http://snomed.info/sct";
const ICD10CM: &str = "http://hl7.org/fhir/sid/icd-10-cm";

fn coded(system: Option<&str>, code: &str) -> Value {
    let mut coding = json!({"code": code});
    if let Some(system) = system {
        coding["system"] = system.into();
    }
    json!({"coding": [coding]})
}

fn sets<'r>(reading: &'r ConceptReading<'_>) -> Vec<&'r str> {
    reading.hits.iter().map(|hit| hit.set.id.as_str()).collect()
}

/// A row: set, system, code.
const OF_SETS: &[(&str, &str, &str)] = &[
    ("psychosis", SNOMED, "64905009"),
    ("psychosis", ICD10CM, "F32.3"),
    ("psychosis", ICD10CM, "F33.3"),
    ("psychosis", ICD10CM, "F31.2"),
    ("psychosis", ICD10CM, "F10.951"),
    ("pregnancy", SNOMED, "72892002"),
    ("pregnancy", ICD10CM, "O09.90"),
    ("pregnancy", ICD10CM, "Z3A.12"),
    ("breastfeeding", ICD10CM, "Z39.1"),
    ("sud-alcohol", SNOMED, "15167005"),
    ("sud-opioid", SNOMED, "75544000"),
    ("sud-opioid", SNOMED, "5602001"),
    ("sud-cocaine", SNOMED, "31956009"),
    ("sud-cannabis", SNOMED, "85005007"),
    ("aneurysm-avm-dissection", SNOMED, "128609009"),
    ("aneurysm-avm-dissection", SNOMED, "67362008"),
    ("aneurysm-avm-dissection", SNOMED, "233985008"),
    ("aneurysm-avm-dissection", SNOMED, "234142008"),
    ("intracranial-haemorrhage", SNOMED, "274100004"),
    ("hypertensive-crisis", ICD10CM, "I16.1"),
    ("hypertensive-crisis", SNOMED, "70272006"),
    ("bipolar", SNOMED, "371596008"),
    ("bipolar", SNOMED, "83225003"),
    ("bipolar", ICD10CM, "F34.0"),
    ("raised-icp-lesion", SNOMED, "68267002"),
    ("bladder", ICD10CM, "N30.10"),
    ("liver-severe", ICD10CM, "K74.60"),
    ("heart-failure", SNOMED, "84114007"),
    ("acute-coronary", ICD10CM, "I21.4"),
    ("seizure", ICD10CM, "G40.909"),
    ("angle-closure", ICD10CM, "H40.20X0"),
    ("dementia", ICD10CM, "F03.90"),
    ("suicide-attempt", ICD10CM, "T14.91XA"),
    ("psychosis", "http://hl7.org/fhir/sid/icd-9-cm", "295.30"),
    ("ocd", ICD10CM, "F42"),
    ("ocd", "http://fhir.de/CodeSystem/bfarm/icd-10-gm", "F42.1"),
];

#[test]
fn a3_codes_are_in_the_sets_that_a_clinician_expects() {
    let knowledge = Knowledge::embedded().unwrap();
    for (set, system, code) in OF_SETS {
        let concept = coded(Some(system), code);
        let reading = knowledge.conditions.read_concept(Some(&concept));
        assert!(sets(&reading).contains(set), "{code}: {:?}", sets(&reading));
        assert!(reading.is_understood(), "{code}");
    }
}

#[test]
fn a3_a_system_is_known_however_it_is_written() {
    let knowledge = Knowledge::embedded().unwrap();
    for (system, code, set) in [
        (
            Some("urn:oid:2.16.840.1.113883.6.96"),
            "64905009",
            "psychosis",
        ),
        (Some("2.16.840.1.113883.6.96"), "64905009", "psychosis"),
        (Some("http://snomed.info/sct/"), "64905009", "psychosis"),
        (Some("https://snomed.info/sct"), "64905009", "psychosis"),
        (
            Some("http://snomed.info/sct/731000124108/version/20240301"),
            "64905009",
            "psychosis",
        ),
        (Some("HTTP://SNOMED.INFO/SCT"), "64905009", "psychosis"),
        (Some("urn:oid:2.16.840.1.113883.6.90"), "F20.0", "psychosis"),
        (Some("urn:oid:2.16.840.1.113883.6.3"), "F20.0", "psychosis"),
        (
            Some(" http://hl7.org/fhir/sid/icd-10-cm/ "),
            "f200",
            "psychosis",
        ),
        (None, "64905009", "psychosis"),
        (None, "F20.0", "psychosis"),
    ] {
        let concept = coded(system, code);
        let reading = knowledge.conditions.read_concept(Some(&concept));
        assert!(sets(&reading).contains(&set), "{system:?} {code}");
        assert_eq!(reading.hits[0].guessed, system.is_none());
    }
}

#[test]
fn a3_what_no_set_knows_is_not_understood() {
    let knowledge = Knowledge::embedded().unwrap();
    for (concept, near, far) in [
        (
            json!({"text": "paranoid schizophrenia"}),
            "no-psychosis",
            "",
        ),
        (
            json!({"coding": [{"display": "Schizophrenia"}]}),
            "no-psychosis",
            "",
        ),
        (json!({}), "pregnancy", ""),
        (
            coded(Some(SNOMED), "999999990989121104"),
            "label-contra",
            "",
        ),
        (
            coded(Some("http://ehr.example/problems"), "PSY-1"),
            "no-sud",
            "",
        ),
        (
            coded(Some("http://hl7.org/fhir/sid/icd-9-cm"), "999.9"),
            "no-sud",
            "",
        ),
        // By its first characters near some concerns and far from others.
        (coded(Some(ICD10CM), "F90.0"), "no-psychosis", "pregnancy"),
        (
            coded(Some(ICD10CM), "I83.90"),
            "label-contra",
            "no-psychosis",
        ),
        // A heading holds what stands below it.
        (coded(Some(ICD10CM), "Z86"), "label-contra", "bladder"),
        (coded(Some(ICD10CM), "not a code"), "label-contra", ""),
        // An overdose and an earlier cardiac arrest are no trifles.
        (coded(Some(SNOMED), "55680006"), "suicidality", ""),
        (coded(Some(SNOMED), "429007001"), "cardiac", ""),
    ] {
        let reading = knowledge.conditions.read_concept(Some(&concept));
        assert!(!reading.is_understood(), "{concept}");
        assert!(reading.may_concern(near), "{concept}");
        assert!(far.is_empty() || !reading.may_concern(far), "{concept}");
    }
    assert!(!knowledge.conditions.read_concept(None).is_understood());
}

#[test]
fn a3_one_known_code_does_not_hide_another() {
    let knowledge = Knowledge::embedded().unwrap();
    let sinusitis = json!({"system": SNOMED, "code": "36971009"});
    let hay_fever = json!({"system": ICD10CM, "code": "J30.2"});
    let unknown = json!({"system": SNOMED, "code": "999999990989121104"});
    let local = json!({"system": "http://ehr.example/problems", "code": "17"});
    let of = |codings: Value| json!({"coding": codings});
    for (concept, understood) in [
        (of(json!([sinusitis])), true),
        (of(json!([hay_fever])), true),
        // Translations of one another: the local one says no more.
        (of(json!([sinusitis, local])), true),
        (of(json!([local])), false),
        (of(json!([sinusitis, unknown])), false),
        (of(json!([unknown, hay_fever])), false),
    ] {
        let reading = knowledge.conditions.read_concept(Some(&concept));
        assert_eq!(reading.is_understood(), understood, "{concept}");
    }
    let both = of(json!([sinusitis, {"system": SNOMED, "code": "64905009"}]));
    let reading = knowledge.conditions.read_concept(Some(&both));
    assert!(reading.hit("psychosis").is_some());
}

#[test]
fn a3_a_text_that_says_more_than_the_code_makes_it_doubtful() {
    let knowledge = Knowledge::embedded().unwrap();
    let coded = |code: &str, display: &str, text: &str| json!({"coding": [{"system": SNOMED, "code": code, "display": display}], "text": text});
    for (concept, near) in [
        (
            coded("36971009", "Sinusitis (disorder)", "Paranoid schizophrenia"),
            "no-psychosis",
        ),
        (
            coded("36971009", "Bipolar I disorder", "Sinusitis"),
            "bipolar",
        ),
        (
            coded("36971009", "Sinusitis", "Pregnant, 12 weeks"),
            "pregnancy",
        ),
        (
            coded("36971009", "Sinusitis", "after a stroke"),
            "label-contra",
        ),
    ] {
        let reading = knowledge.conditions.read_concept(Some(&concept));
        assert!(reading.may_concern(near), "{concept}");
        assert!(!reading.may_concern("bladder"), "{concept}");
    }
    for concept in [
        coded("36971009", "Sinusitis (disorder)", "Sinusitis of the cheek"),
        coded(
            "64905009",
            "Paranoid schizophrenia",
            "schizophrenia, paranoid",
        ),
        coded("49436004", "Atrial fibrillation", "atrial fibrillation"),
        coded(
            "76441001",
            "Severe major depression",
            "severe without psychotic features",
        ),
    ] {
        let reading = knowledge.conditions.read_concept(Some(&concept));
        assert!(reading.is_understood(), "{concept}");
    }
}

#[test]
fn a3_use_and_remission_are_told_from_a_disorder() {
    let knowledge = Knowledge::embedded().unwrap();
    let read = |system: &str, code: &str| {
        let concept = coded(Some(system), code);
        let reading = knowledge.conditions.read_concept(Some(&concept));
        let hits = reading.hits.iter();
        hits.map(|hit| (hit.set.id.clone(), hit.use_only))
            .collect::<Vec<_>>()
    };
    let remission = ("sud-alcohol-remission".to_owned(), false);
    assert_eq!(read(ICD10CM, "F10.21"), std::slice::from_ref(&remission));
    assert_eq!(read(ICD10CM, "F10.90"), [("sud-alcohol".to_owned(), true)]);
    let german = "http://fhir.de/CodeSystem/bfarm/icd-10-gm";
    assert_eq!(read(german, "F10.20"), [remission]);
    assert_eq!(read(german, "F10.2"), [("sud-alcohol".to_owned(), false)]);
    // American feeds write F10.20, dependence, under the WHO's address too.
    let either = read("http://hl7.org/fhir/sid/icd-10", "F10.20");
    assert!(either.contains(&("sud-alcohol".to_owned(), false)));
}

#[test]
fn a3_every_set_has_codes_an_action_a_source_and_a_tier() {
    let knowledge = Knowledge::embedded().unwrap();
    assert_eq!(knowledge.conditions.sets().len(), 69);
    for set in knowledge.conditions.sets() {
        let fact = &set.fact;
        let coded = [
            &fact.published,
            &fact.matched,
            &fact.icd10cm,
            &fact.icd10who,
        ];
        let has_codes = coded.iter().any(|codes| !codes.is_empty());
        assert!(has_codes, "{}", set.id);
        assert!(!set.provenance.sources.is_empty(), "{}", set.id);
    }
    let psychosis = knowledge.conditions.set("psychosis").unwrap();
    assert_eq!(psychosis.fact.action, SetAction::Block);
}
