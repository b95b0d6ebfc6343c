//! The made-up people of the demo. Nobody here exists; names say so.

/// The patient whom the printed requests ask for.
pub const FIRST: &str = "demo-alder";
/// Takes what must not be given with ketamine.
pub const CONTRAINDICATED: &str = "demo-ginkgo";
/// In remission, and later not.
pub const RELAPSED: &str = "demo-hazel";

pub struct Person {
    pub id: &'static str,
    pub given: &'static str,
    pub family: &'static str,
    pub gender: &'static str,
    pub birth_date: &'static str,
    /// When the condition began.
    pub onset: &'static str,
    pub medication: &'static [Medication],
    pub ratings: &'static [Rating],
    /// Date, systolic and diastolic in mm[Hg].
    pub pressures: &'static [(&'static str, u16, u16)],
    /// Start and end of a coming session.
    pub appointment: (&'static str, &'static str),
}

/// One visit: the Y-BOCS total, 0 to 40, and the clinician's impression, 1 to 7.
pub struct Rating {
    pub at: &'static str,
    pub total: u8,
    pub severity: u8,
    /// Against the first visit.
    pub improvement: Option<u8>,
}

const fn first(at: &'static str, total: u8, severity: u8) -> Rating {
    Rating {
        at,
        total,
        severity,
        improvement: None,
    }
}

const fn later(at: &'static str, total: u8, severity: u8, improvement: u8) -> Rating {
    Rating {
        at,
        total,
        severity,
        improvement: Some(improvement),
    }
}

pub struct Medication {
    pub drug: Drug,
    pub since: &'static str,
    pub daily_mg: u16,
}

/// Ingredients by RxNorm; without a code by name alone.
#[derive(Clone, Copy)]
pub struct Drug {
    pub rxnorm: &'static str,
    pub name: &'static str,
}

const SERTRALINE: Drug = drug("36437", "sertraline");
const FLUOXETINE: Drug = drug("4493", "fluoxetine");
const FLUVOXAMINE: Drug = drug("42355", "fluvoxamine");
const ESCITALOPRAM: Drug = drug("321988", "escitalopram");
const CLOMIPRAMINE: Drug = drug("2597", "clomipramine");
const TRANYLCYPROMINE: Drug = drug("10734", "tranylcypromine");
/// As a patient may name it: nothing that can be looked up.
const UNRESOLVED: Drug = drug("", "calming drops from a market");
const ARIPIPRAZOLE: Drug = drug("89013", "aripiprazole");

const fn drug(rxnorm: &'static str, name: &'static str) -> Drug {
    Drug { rxnorm, name }
}

const fn since(since: &'static str, drug: Drug, daily_mg: u16) -> Medication {
    Medication {
        drug,
        since,
        daily_mg,
    }
}

pub const PEOPLE: &[Person] = &[
    Person {
        id: FIRST,
        given: "Alder",
        family: "Fictitious",
        gender: "female",
        birth_date: "1988-04-12",
        onset: "2009",
        medication: &[since("2025-02-03", SERTRALINE, 200)],
        ratings: &[
            first("2026-01-12T10:00:00Z", 31, 6),
            later("2026-02-09T10:00:00Z", 27, 5, 3),
            later("2026-03-09T10:00:00Z", 19, 4, 2),
        ],
        pressures: &[
            ("2026-01-12T09:45:00Z", 118, 76),
            ("2026-03-09T09:45:00Z", 121, 78),
        ],
        appointment: ("2026-12-07T10:00:00Z", "2026-12-07T12:00:00Z"),
    },
    Person {
        id: "demo-birch",
        given: "Birch",
        family: "Invented",
        gender: "male",
        birth_date: "1979-11-30",
        onset: "1996",
        medication: &[
            since("2024-06-17", FLUVOXAMINE, 300),
            since("2025-09-01", ARIPIPRAZOLE, 10),
        ],
        ratings: &[
            first("2026-01-19T13:00:00Z", 34, 6),
            later("2026-03-16T13:00:00Z", 33, 6, 4),
        ],
        pressures: &[("2026-01-19T12:45:00Z", 134, 86)],
        appointment: ("2026-12-08T13:00:00Z", "2026-12-08T15:00:00Z"),
    },
    Person {
        id: "demo-cedar",
        given: "Cedar",
        family: "Imaginary",
        gender: "other",
        birth_date: "1999-07-05",
        onset: "2014",
        medication: &[since("2025-05-20", ESCITALOPRAM, 30)],
        ratings: &[
            first("2026-02-02T08:30:00Z", 26, 5),
            later("2026-03-30T08:30:00Z", 14, 3, 2),
        ],
        pressures: &[("2026-02-02T08:15:00Z", 109, 68)],
        appointment: ("2026-12-09T08:30:00Z", "2026-12-09T10:30:00Z"),
    },
    Person {
        id: "demo-dogwood",
        given: "Dogwood",
        family: "Pretend",
        gender: "female",
        birth_date: "1966-01-23",
        onset: "1985",
        medication: &[since("2023-10-10", CLOMIPRAMINE, 225)],
        ratings: &[first("2026-02-11T15:00:00Z", 29, 5)],
        pressures: &[("2026-02-11T14:45:00Z", 142, 91)],
        appointment: ("2026-12-10T15:00:00Z", "2026-12-10T16:00:00Z"),
    },
    Person {
        id: "demo-elm",
        given: "Elm",
        family: "Madeup",
        gender: "male",
        birth_date: "1992-09-18",
        onset: "2011",
        medication: &[since("2025-08-04", FLUOXETINE, 60)],
        ratings: &[
            first("2026-02-16T11:00:00Z", 24, 5),
            later("2026-04-13T11:00:00Z", 22, 5, 4),
        ],
        pressures: &[("2026-02-16T10:45:00Z", 125, 80)],
        appointment: ("2026-12-11T11:00:00Z", "2026-12-11T13:00:00Z"),
    },
    Person {
        id: "demo-fir",
        given: "Fir",
        family: "Notreal",
        gender: "unknown",
        birth_date: "2001-03-02",
        onset: "2017",
        medication: &[],
        ratings: &[first("2026-03-03T09:00:00Z", 21, 4)],
        pressures: &[("2026-03-03T08:45:00Z", 112, 70)],
        appointment: ("2026-12-14T09:00:00Z", "2026-12-14T10:00:00Z"),
    },
    Person {
        id: CONTRAINDICATED,
        given: "Ginkgo",
        family: "Fabricated",
        gender: "female",
        birth_date: "1971-06-08",
        onset: "1990",
        medication: &[since("2025-11-02", TRANYLCYPROMINE, 30)],
        ratings: &[first("2026-03-10T14:00:00Z", 32, 6)],
        pressures: &[("2026-03-10T13:45:00Z", 128, 82)],
        appointment: ("2026-12-15T14:00:00Z", "2026-12-15T15:00:00Z"),
    },
    Person {
        id: RELAPSED,
        given: "Hazel",
        family: "Unreal",
        gender: "male",
        birth_date: "1984-12-19",
        onset: "2003",
        medication: &[
            since("2024-01-15", SERTRALINE, 200),
            since("2026-05-04", UNRESOLVED, 5),
        ],
        ratings: &[
            first("2026-01-05T16:00:00Z", 30, 6),
            later("2026-02-02T16:00:00Z", 11, 2, 1),
            later("2026-03-02T16:00:00Z", 10, 2, 1),
            later("2026-06-01T16:00:00Z", 27, 5, 6),
            later("2026-07-06T16:00:00Z", 28, 6, 7),
        ],
        pressures: &[("2026-01-05T15:45:00Z", 119, 74)],
        appointment: ("2026-12-16T16:00:00Z", "2026-12-16T18:00:00Z"),
    },
];
