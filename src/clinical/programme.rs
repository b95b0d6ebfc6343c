//! Codes by which the programme marks records, as tags and as reasons.

use super::CANONICAL;

/// Watched for mania: the code of the Flag and of the schedule.
pub const MANIA_WATCH: &str = "mania-watch";
/// The treatment itself, which is not checked against itself.
pub const OWN_TREATMENT: &str = "own-treatment";

pub const CODES: [(&str, &str); 2] = [
    (
        MANIA_WATCH,
        "Somebody with bipolar disorder is watched for mania during the treatment.",
    ),
    (
        OWN_TREATMENT,
        "The record is one of the programme's own treatment with ketamine.",
    ),
];

pub fn system() -> String {
    format!("{CANONICAL}/CodeSystem/programme")
}
