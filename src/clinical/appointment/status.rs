//! Which status of an Appointment may follow which, and which of them take time.
//! R4 draws no diagram; the table follows from the definitions of the codes.
//! <https://hl7.org/fhir/R4/valueset-appointmentstatus.html>

/// What is still to come, or under way: it arranges something for the patient.
const AHEAD: [&str; 6] = [
    "proposed",
    "pending",
    "waitlist",
    "booked",
    "arrived",
    "checked-in",
];

pub fn is_treatment_ahead(status: &str) -> bool {
    AHEAD.contains(&status)
}

/// What is being arranged may become anything; what was booked is kept or not;
/// what is over can only turn out to be an error. A cancelled or missed
/// appointment is not revived: a new one is made.
const NEXT: [(&str, &[&str]); 10] = [
    (
        "proposed",
        &[
            "pending",
            "booked",
            "waitlist",
            "cancelled",
            "entered-in-error",
        ],
    ),
    (
        "pending",
        &[
            "proposed",
            "booked",
            "waitlist",
            "cancelled",
            "entered-in-error",
        ],
    ),
    (
        "waitlist",
        &[
            "proposed",
            "pending",
            "booked",
            "cancelled",
            "entered-in-error",
        ],
    ),
    (
        "booked",
        &[
            "pending",
            "arrived",
            "checked-in",
            "fulfilled",
            "noshow",
            "cancelled",
            "entered-in-error",
        ],
    ),
    (
        "arrived",
        &[
            "checked-in",
            "fulfilled",
            "noshow",
            "cancelled",
            "entered-in-error",
        ],
    ),
    (
        "checked-in",
        &["fulfilled", "noshow", "cancelled", "entered-in-error"],
    ),
    ("fulfilled", &["entered-in-error"]),
    ("cancelled", &["entered-in-error"]),
    ("noshow", &["entered-in-error"]),
    ("entered-in-error", &[]),
];

/// The statuses under which somebody's time is taken; a proposal takes it too,
/// or a course would be planned over another.
pub const TAKES_TIME: [&str; 6] = [
    "proposed",
    "pending",
    "booked",
    "arrived",
    "checked-in",
    "fulfilled",
];

/// It is settled that the appointment happens, or it has happened.
pub const SETTLED: [&str; 4] = ["booked", "arrived", "checked-in", "fulfilled"];

/// What may follow; nothing for a code that R4 does not have.
pub fn next(status: &str) -> &'static [&'static str] {
    NEXT.iter()
        .find(|(from, _)| *from == status)
        .map_or(&[], |(_, next)| next)
}

pub fn may_follow(from: &str, to: &str) -> bool {
    from == to || next(from).contains(&to)
}
