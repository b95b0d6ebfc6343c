//! Security labels that hide a record from those who were not granted the label.
//! <https://hl7.org/fhir/R4/security-labels.html>. What hides is what these value sets
//! and code systems of the R4 package list, in every spelling of the system:
//! v3-InformationSensitivityPolicy, v3-ActUSPrivacyLaw and v3-Confidentiality.

use serde_json::{Map, Value};

use super::key::hash;
use crate::store::IndexKey;

/// Confidentiality that is more than normal, the sensitivity policies, and US privacy
/// law (`tests/scopes/labels.rs` compares them with the official value sets).
pub const SENSITIVE_LABELS: [&str; 57] = [
    // v3-Confidentiality, without low, moderate, normal and unrestricted.
    "R",
    "V",
    "B",
    "D",
    "I",
    "C",
    "S",
    "T",
    // v3-InformationSensitivityPolicy: of acts
    "ETH",
    "GDIS",
    "HIV",
    "MST",
    "SCA",
    "SDV",
    "SEX",
    "SPI",
    "BH",
    "COGN",
    "DVD",
    "EMOTDIS",
    "MH",
    "PSY",
    "PSYTHPN",
    "SUD",
    "ETHUD",
    "OPIOIDUD",
    "STD",
    "TBOO",
    "VIO",
    "SICKLE",
    // of entities and roles
    "DEMO",
    "DOB",
    "GENDER",
    "LIVARG",
    "MARST",
    "RACE",
    "REL",
    "EMPL",
    "LOCIS",
    "SSP",
    "ADOL",
    "CEL",
    "DIA",
    "DRGIS",
    "EMP",
    "PDS",
    "PHY",
    "PRS",
    // v3-ActUSPrivacyLaw
    "42CFRPart2",
    "CommonRule",
    "HIPAANOPP",
    "HIPAAPsyNotes",
    "HIPAASelfPay",
    "Title38Section7332",
    // Of later editions of v3-ActCode and of earlier ones of this service.
    "ALC",
    "PREGNANT",
    "SUICIDE",
];

/// Notes of conversations in psychotherapy that are kept apart from the record.
/// 45 CFR 164.501.
pub const PSYCHOTHERAPY_NOTES: [&str; 2] = ["PSYTHPN", "HIPAAPsyNotes"];

/// Says that a label of these systems is of a code that nobody here knows.
const UNKNOWN: &str = "unknown";

/// Codes of v3-Confidentiality that hide nothing.
const OPEN: [&str; 4] = ["L", "M", "N", "U"];

/// Codes of v3-ActCode that ask for a handling and hide nothing: v3-ObligationPolicy
/// and v3-RefrainPolicy.
const HANDLING: [&str; 46] = [
    "ANONY",
    "AOD",
    "AUDIT",
    "AUDTR",
    "CPLYCC",
    "CPLYCD",
    "CPLYJPP",
    "CPLYOPP",
    "CPLYOSP",
    "CPLYPOL",
    "DECLASSIFYLABEL",
    "DEID",
    "DELAU",
    "DOWNGRDLABEL",
    "DRIVLABEL",
    "ENCRYPT",
    "ENCRYPTR",
    "ENCRYPTT",
    "ENCRYPTU",
    "HUAPRV",
    "LABEL",
    "MASK",
    "MINEC",
    "PERSISTLABEL",
    "PRIVMARK",
    "PSEUD",
    "REDACT",
    "UPGRDLABEL",
    "NOAUTH",
    "NOCOLLECT",
    "NODSCLCD",
    "NODSCLCDS",
    "NOINTEGRATE",
    "NOLIST",
    "NOMOU",
    "NOORGPOL",
    "NOPAT",
    "NOPERSISTP",
    "NORDSCLCD",
    "NORDSCLCDS",
    "NORDSCLW",
    "NORELINK",
    "NOREUSE",
    "NOVIP",
    "ORCON",
    "NORDSLCD",
];

/// Who may speak of sensitivity.
enum LabelSystem {
    Confidentiality,
    ActCode,
    /// None, or one that does not say how sensitive something is.
    Other,
}

/// The key of rows that have this label; of an unknown code where it is none of
/// [`SENSITIVE_LABELS`].
pub fn sensitive_label_key(code: &str) -> IndexKey {
    let known = SENSITIVE_LABELS
        .iter()
        .find(|known| known.eq_ignore_ascii_case(code));
    hash(&["sensitive-label", known.unwrap_or(&UNKNOWN)])
}

/// The keys of all labels that hide.
pub fn all_sensitive_label_keys(without: &[String]) -> Vec<IndexKey> {
    let hides = |code: &&str| !without.iter().any(|shown| shown == code);
    let codes = SENSITIVE_LABELS.into_iter().filter(hides);
    codes.chain([UNKNOWN]).map(sensitive_label_key).collect()
}

/// What hides a resource.
pub fn sensitive_label_keys_of(resource: &Map<String, Value>) -> Vec<IndexKey> {
    let security = resource.get("meta").and_then(|meta| meta.get("security"));
    let labels = security.and_then(Value::as_array).into_iter().flatten();
    labels.filter_map(key_of_label).collect()
}

fn key_of_label(label: &Value) -> Option<IndexKey> {
    let text = |name| label.get(name).and_then(Value::as_str).map(str::trim);
    let code = text("code").unwrap_or_default();
    let is_in = |codes: &[&str]| codes.iter().any(|known| known.eq_ignore_ascii_case(code));
    let hides = match system_of(text("system").unwrap_or_default()) {
        LabelSystem::Confidentiality => !is_in(&OPEN),
        LabelSystem::ActCode => !is_in(&HANDLING),
        // A label without its system was meant as well; one without a code may be any.
        LabelSystem::Other => code.is_empty() || is_in(&SENSITIVE_LABELS),
    };
    hides.then(|| sensitive_label_key(code))
}

/// `http://terminology.hl7.org/CodeSystem/v3-ActCode`, `http://hl7.org/fhir/v3/ActCode`,
/// `urn:oid:2.16.840.1.113883.5.4` and the bare OID are one system.
fn system_of(system: &str) -> LabelSystem {
    let system = system.trim_end_matches('/').to_ascii_lowercase();
    let oid = system.strip_prefix("urn:oid:").unwrap_or(&system);
    let last = system.rsplit('/').next().unwrap_or_default();
    let name = last.split('|').next().unwrap_or_default();
    match (oid, name.trim_start_matches("v3-")) {
        ("2.16.840.1.113883.5.25", _) | (_, "confidentiality") => LabelSystem::Confidentiality,
        ("2.16.840.1.113883.5.4", _) | (_, "actcode") => LabelSystem::ActCode,
        _ => LabelSystem::Other,
    }
}
