//! The invariants of each type, parsed once, with what is corrected in them.
//! <https://hl7.org/fhir/R4/conformance-rules.html#constraints>

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::fhir::definitions::Definitions;
use crate::fhir::fhirpath::Expression;

pub struct Invariant {
    pub key: String,
    /// The path it is stated at.
    pub path: String,
    /// Where it is about one element of the type, that element's name.
    pub element: Option<String>,
    pub text: String,
    pub expression: Expression,
}

/// Checked without an expression: they concern every element or every resource.
pub const NATIVE: &[&str] = &[
    "ele-1", "ext-1", "ref-1", "dom-2", "dom-3", "dom-4", "dom-5",
];

/// Expressions of R4 4.0.1 that do not say what their sentence says:
/// (key, what is evaluated instead).
const CORRECTED: &[(&str, &str)] = &[
    // "Cancelation reason is only used for appointments that have been cancelled,
    // or no-show": the code of AppointmentStatus is `noshow`.
    (
        "app-4",
        "cancelationReason.exists() implies (status = 'noshow' or status = 'cancelled')",
    ),
    // "If the operator is 'exists', the value must be a boolean": the type of an
    // element is `boolean`; `Boolean` is only that of literals.
    ("que-7", "operator = 'exists' implies (answer is boolean)"),
];

type Table = HashMap<String, Vec<&'static Invariant>>;

/// The invariants of a type, inherited ones included.
pub fn of_type(definitions: &Definitions, name: &str) -> &'static [&'static Invariant] {
    static TABLE: OnceLock<Table> = OnceLock::new();
    let table = TABLE.get_or_init(|| by_type(definitions));
    table.get(name).map_or(&[], Vec::as_slice)
}

fn by_type(definitions: &Definitions) -> Table {
    static ALL: OnceLock<Vec<Invariant>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        read(
            definitions,
            include_str!("../definitions/data/invariants.txt"),
        )
        .expect("the data file is generated and a test reads every line")
    });
    let mut own: HashMap<&str, Vec<&'static Invariant>> = HashMap::new();
    for invariant in all {
        let of = match &invariant.element {
            Some(_) => invariant.path.rsplit_once('.').map_or("", |(of, _)| of),
            None => &invariant.path,
        };
        own.entry(of).or_default().push(invariant);
    }
    let mut table = Table::new();
    for name in definitions.types.keys() {
        let parent = |name: &&str| definitions.types.get(*name)?.parent.as_deref();
        let lineage = std::iter::successors(Some(name.as_str()), parent);
        let invariants: Vec<_> = lineage
            .filter_map(|n| own.get(n))
            .flatten()
            .copied()
            .collect();
        if !invariants.is_empty() {
            table.insert(name.clone(), invariants);
        }
    }
    table
}

fn read(definitions: &Definitions, text: &str) -> Result<Vec<Invariant>, String> {
    let mut invariants: Vec<Invariant> = Vec::new();
    let mut path = "";
    for line in text.lines() {
        let Some((key, text)) = line.strip_prefix("  ").and_then(|l| l.split_once(' ')) else {
            path = line;
            continue;
        };
        // Two keys of one element with one expression: once is enough.
        let twin = invariants
            .last()
            .is_some_and(|i| i.path == path && i.text == text);
        if twin || NATIVE.contains(&key) {
            continue;
        }
        let corrected = CORRECTED.iter().find(|(own, _)| *own == key);
        let text = corrected.map_or(text, |(_, text)| *text);
        let element = match definitions.type_definition(path) {
            Some(_) => None,
            None => path.rsplit('.').next(),
        };
        invariants.push(Invariant {
            key: key.to_owned(),
            path: path.to_owned(),
            element: element.map(|name| name.trim_end_matches("[x]").to_owned()),
            text: text.to_owned(),
            expression: Expression::parse(text).map_err(|e| format!("{key}: {e}"))?,
        });
    }
    Ok(invariants)
}
