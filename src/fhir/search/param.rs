//! One search parameter of a type: what it reads and where that is kept.
//! <https://hl7.org/fhir/R4/searchparameter.html>

use super::composite::{self, Composite};
use super::expression::{self, Expression};
use super::path::{Path, Predicate, Step};
use super::token;
use crate::fhir::definitions::{Definitions, ParamKind, SearchParam};

#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    pub code: String,
    pub kind: ParamKind,
    /// The type it belongs to; empty for the parameters of every type.
    pub scope: String,
    pub expression: Expression,
    pub targets: Vec<String>,
    pub storage: Storage,
    /// Its values that are patients are the owner.
    pub names_owner: bool,
    /// Of a composite parameter, the places where its values stand together.
    pub composites: Vec<Composite>,
    /// Parameters that together have the same values, and keep them.
    pub parts: Vec<String>,
}

/// Where the values of a parameter are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// The id of the row.
    Id,
    /// The time of the row's last change.
    Updated,
    /// The one patient of the row.
    Owner,
    /// The one clinical time of the row.
    Moment,
    /// Index rows by kind.
    Rows,
    /// Rows of how the words sound.
    Sounds,
    /// Rows of where the place is.
    Place,
}

/// Dates that are a type's clinical time, best first.
const MOMENTS: [&str; 15] = [
    "date",
    "effective",
    "effective-time",
    "period",
    "onset-date",
    "authoredon",
    "authored",
    "authored-on",
    "started",
    "start",
    "occurrence",
    "birthdate",
    "recorded-date",
    "recorded",
    "created",
];

impl Param {
    pub(super) fn compile(
        definitions: &Definitions,
        resource_type: &str,
        param: &SearchParam,
    ) -> Self {
        let mut expression = expression::compile(definitions, resource_type, &param.expression)
            .expect("tests/search/definitions.rs compiles every official expression");
        if !expression.existence {
            expression
                .paths
                .retain(|path| reads(param.kind, &path.leaf));
        }
        let of_every_type = param.code.starts_with('_');
        let composites = match param.kind {
            ParamKind::Composite => {
                composite::compile(definitions, resource_type, param, &expression.paths)
            }
            _ => Vec::new(),
        };
        Self {
            code: param.code.clone(),
            kind: param.kind,
            scope: if of_every_type { "" } else { resource_type }.to_owned(),
            targets: targets(&expression, &param.targets),
            expression,
            storage: match (param.code.as_str(), param.kind) {
                ("_id", _) => Storage::Id,
                ("_lastUpdated", _) => Storage::Updated,
                ("phonetic", _) => Storage::Sounds,
                (_, ParamKind::Special) => Storage::Place,
                _ => Storage::Rows,
            },
            names_owner: false,
            composites,
            parts: Vec::new(),
        }
    }

    /// One of the two values of a composite parameter.
    pub(super) fn component(
        composite: &SearchParam,
        kind: ParamKind,
        mut expression: Expression,
    ) -> Self {
        // `relationship` names its two definitions the wrong way round; what
        // the expression leads to tells.
        let is_of = |kind: ParamKind| expression.paths.iter().any(|path| reads(kind, &path.leaf));
        let kinds = [kind, ParamKind::Reference, ParamKind::Token];
        let kind = kinds.into_iter().find(|kind| is_of(*kind)).unwrap_or(kind);
        expression.paths.retain(|path| reads(kind, &path.leaf));
        Self {
            code: composite.code.clone(),
            kind,
            scope: String::new(),
            targets: targets(&expression, &[]),
            expression,
            storage: Storage::Rows,
            names_owner: false,
            composites: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// The values of the other are among those of this one.
    fn covers(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.code != other.code
            && !other.expression.paths.is_empty()
            && !self.expression.existence
            && !other.expression.existence
            && self.folds_case() == other.folds_case()
            && match self.kind {
                ParamKind::Composite => contains(&self.composites, &other.composites, alike),
                _ => contains(
                    &self.expression.paths,
                    &other.expression.paths,
                    PartialEq::eq,
                ),
            }
    }

    /// Some value has a text beside its code.
    pub(super) fn has_texts(&self) -> bool {
        let mut leaves = self.expression.paths.iter().map(|path| path.leaf.as_str());
        !self.expression.existence
            && leaves.any(|leaf| matches!(leaf, "CodeableConcept" | "Coding" | "Identifier"))
    }

    pub(super) fn has_identifiers(&self) -> bool {
        self.expression
            .paths
            .iter()
            .any(|path| path.leaf == "Identifier")
    }

    /// The code system that its codes are of without saying so.
    pub(super) fn has_implicit_system(&self, system: &str) -> bool {
        // The official value sets of one official code system carry its name.
        let name = system.strip_prefix("http://hl7.org/fhir/");
        let bound = |path: &Path| {
            let binding = path.binding.as_deref().unwrap_or_default();
            let (set, _version) = binding.split_once('|').unwrap_or((binding, ""));
            name.is_some() && set.strip_prefix("http://hl7.org/fhir/ValueSet/") == name
        };
        self.expression.paths.iter().all(bound)
    }

    /// A reference without targets may point at anything.
    pub fn may_refer_to(&self, resource_type: &str) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|target| target == resource_type)
    }

    /// The resource's owner stands for its values of this type.
    pub fn is_owner(&self, target: Option<&str>) -> bool {
        self.storage == Storage::Owner || (self.names_owner && target == Some("Patient"))
    }

    /// Whether there is a value is asked of the rows themselves where there is
    /// one row for each.
    pub(super) fn has_present_fact(&self) -> bool {
        let own_row = matches!(
            self.kind,
            ParamKind::Date | ParamKind::String | ParamKind::Number | ParamKind::Quantity
        );
        self.storage == Storage::Sounds || !own_row
    }

    pub fn folds_case(&self) -> bool {
        let leaves = self.expression.paths.iter().map(|path| path.leaf.as_str());
        token::folds_case(leaves)
    }

    /// A resource has at most one value: one element, and no array before it.
    fn is_single(&self) -> bool {
        let paths = &self.expression.paths;
        self.element().is_some() && paths.iter().all(|path| path.single)
    }

    /// No predicate leaves patients out.
    fn takes_patients(&self) -> bool {
        let mut steps = self.expression.paths.iter().flat_map(|path| &path.steps);
        steps.all(|step| match step {
            Step::Where(Predicate::RefersTo(target)) => target == "Patient",
            Step::Where(_) => false,
            Step::Field(_) | Step::Item(..) => true,
        })
    }

    /// The one element all values come from.
    fn element(&self) -> Option<&str> {
        let (first, rest) = self.expression.paths.split_first()?;
        let same = |path: &Path| path.element == first.element;
        rest.iter().all(same).then_some(first.element.as_str())
    }
}

fn contains<T>(whole: &[T], part: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    part.iter().all(|p| whole.iter().any(|w| same(w, p)))
}

/// The same values; the names of the parameters differ.
fn alike(one: &Composite, other: &Composite) -> bool {
    one.is_place_of(other)
        && one.first.expression == other.first.expression
        && one.second.expression == other.second.expression
        && one.second.kind == other.second.kind
}

/// `combo-code` is `code` and `component-code`, `combo-value-quantity` is `value-quantity` and `component-value-quantity`:
/// rows that stand there already need not stand twice.
pub(super) fn share(params: &mut [Param]) {
    let is_kept_in_rows = |param: &Param| {
        matches!(
            param.kind,
            ParamKind::Token | ParamKind::Number | ParamKind::Quantity | ParamKind::Composite
        )
    };
    let shared: Vec<(usize, Vec<String>)> = params
        .iter()
        .enumerate()
        .filter(|(_, whole)| is_kept_in_rows(whole))
        .filter_map(|(at, whole)| {
            let is_part = |part: &&Param| whole.covers(part) && !part.covers(whole);
            let parts: Vec<&Param> = params.iter().filter(is_part).collect();
            let covered = Param {
                expression: Expression {
                    paths: parts
                        .iter()
                        .flat_map(|p| p.expression.paths.clone())
                        .collect(),
                    existence: false,
                },
                composites: parts.iter().flat_map(|p| p.composites.clone()).collect(),
                code: String::new(),
                ..whole.clone()
            };
            let codes = parts.iter().map(|part| part.code.clone()).collect();
            (parts.len() > 1 && covered.covers(whole)).then_some((at, codes))
        })
        .collect();
    for (at, parts) in shared {
        if let Some(param) = params.get_mut(at) {
            param.parts = parts;
        }
    }
}

/// What the elements may point at: `encounter` lists EpisodeOfCare also where
/// there can be none. Extensions don't tell; then it is what the parameter lists.
fn targets(expression: &Expression, listed: &[String]) -> Vec<String> {
    let paths = &expression.paths;
    if paths.iter().any(|path| path.targets.is_empty()) {
        return listed.to_vec();
    }
    let mut targets: Vec<String> = paths.iter().flat_map(|path| path.targets.clone()).collect();
    targets.sort_unstable();
    targets.dedup();
    targets
}

/// Gives the patient and the clinical time, where a type allows only one of
/// them, their columns.
pub(super) fn place(params: &mut [Param]) {
    let moment = MOMENTS.iter().find_map(|code| {
        params.iter().position(|param| {
            param.code == *code && param.kind == ParamKind::Date && param.is_single()
        })
    });
    if let Some(param) = moment.and_then(|at| params.get_mut(at)) {
        param.storage = Storage::Moment;
    }
    let owner = params.iter_mut().find(|param| {
        param.code == "patient" && param.kind == ParamKind::Reference && param.is_single()
    });
    let Some(owner) = owner else { return };
    owner.storage = Storage::Owner;
    let element = owner.element().map(str::to_owned);
    for param in params {
        param.names_owner = param.kind == ParamKind::Reference
            && param.element() == element.as_deref()
            && param.takes_patients();
    }
}

/// The extraction of this kind understands values of this type.
fn reads(kind: ParamKind, leaf: &str) -> bool {
    match kind {
        ParamKind::Date => matches!(leaf, "date" | "dateTime" | "instant" | "Period" | "Timing"),
        ParamKind::String => matches!(leaf, "string" | "markdown" | "HumanName" | "Address"),
        ParamKind::Token => matches!(
            leaf,
            "CodeableConcept"
                | "Coding"
                | "Identifier"
                | "ContactPoint"
                | "code"
                | "string"
                | "id"
                | "uri"
                | "canonical"
                | "boolean"
        ),
        ParamKind::Reference => matches!(leaf, "Reference" | "canonical" | "uri" | "Resource"),
        ParamKind::Uri => matches!(leaf, "uri" | "url" | "canonical" | "oid" | "uuid"),
        ParamKind::Number => matches!(leaf, "decimal" | "integer" | "positiveInt" | "unsignedInt"),
        ParamKind::Quantity => matches!(
            leaf,
            "Quantity" | "Age" | "Count" | "Distance" | "Duration" | "Money" | "Range"
        ),
        ParamKind::Composite => true,
        ParamKind::Special => leaf == "Location.position",
    }
}
