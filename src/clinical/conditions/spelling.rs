//! How feeds write the system of a code: as URL, as `urn:oid:`, with a slash at
//! the end, or not at all.
//! <https://hl7.org/fhir/R4/terminologies-systems.html>

use crate::clinical::knowledge::{CodingSystemAlias, Entry};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CodeSystemKind {
    SnomedCt,
    Icd10Cm,
    /// The WHO's, and what American feeds write for ICD-10-CM.
    Icd10,
    /// National ones that follow the WHO's.
    Icd10National,
    Icd9Cm,
    Loinc,
    /// No system is stated.
    Unstated,
    Other,
}

const URLS: [(&str, CodeSystemKind); 12] = [
    ("http://snomed.info/sct", CodeSystemKind::SnomedCt),
    ("http://snomed.info", CodeSystemKind::SnomedCt),
    ("http://hl7.org/fhir/sid/icd-10-cm", CodeSystemKind::Icd10Cm),
    ("http://hl7.org/fhir/sid/icd-10", CodeSystemKind::Icd10),
    (
        "http://hl7.org/fhir/sid/icd-10-de",
        CodeSystemKind::Icd10National,
    ),
    (
        "http://hl7.org/fhir/sid/icd-10-nl",
        CodeSystemKind::Icd10National,
    ),
    (
        "http://fhir.de/codesystem/bfarm/icd-10-gm",
        CodeSystemKind::Icd10National,
    ),
    (
        "http://fhir.de/codesystem/dimdi/icd-10-gm",
        CodeSystemKind::Icd10National,
    ),
    ("http://hl7.org/fhir/sid/icd-9-cm", CodeSystemKind::Icd9Cm),
    (
        "http://hl7.org/fhir/sid/icd-9-cm/diagnosis",
        CodeSystemKind::Icd9Cm,
    ),
    (
        "http://terminology.hl7.org/codesystem/icd9cm",
        CodeSystemKind::Icd9Cm,
    ),
    ("http://loinc.org", CodeSystemKind::Loinc),
];

/// The system that is meant, however it is written.
pub fn recognise_code_system(
    aliases: &[Entry<CodingSystemAlias>],
    system: Option<&str>,
) -> CodeSystemKind {
    let Some(system) = system.map(str::trim).filter(|system| !system.is_empty()) else {
        return CodeSystemKind::Unstated;
    };
    let lower = system.to_lowercase();
    let bare = lower.split('|').next().unwrap_or(&lower);
    let bare = bare.trim_end_matches(['/', '#', ' ']);
    let oid = bare.strip_prefix("urn:oid:").unwrap_or(bare);
    if let Some(alias) = aliases.iter().find(|alias| alias.fact.oid == oid) {
        return recognise_url(&alias.fact.url.to_lowercase());
    }
    let rest = bare.strip_prefix("https://");
    let rest = rest.or_else(|| bare.strip_prefix("http://"));
    match rest {
        Some(rest) => recognise_url(&format!(
            "http://{}",
            rest.strip_prefix("www.").unwrap_or(rest)
        )),
        None => CodeSystemKind::Other,
    }
}

fn recognise_url(url: &str) -> CodeSystemKind {
    // An edition or a version: http://snomed.info/sct/731000124108/version/20240301.
    if url.starts_with("http://snomed.info/sct/") {
        return CodeSystemKind::SnomedCt;
    }
    let mut known = URLS.iter();
    known
        .find(|(known, _)| *known == url)
        .map_or(CodeSystemKind::Other, |(_, kind)| *kind)
}
