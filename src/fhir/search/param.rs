//! One search parameter of a type: what it reads and where that is kept.
//! <https://hl7.org/fhir/R4/searchparameter.html>

use super::expression::{self, Expression};
use super::path::{Path, Predicate, Step};
use super::token;
use crate::fhir::definitions::{Definitions, ParamKind, SearchParam};

#[derive(Debug)]
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
        Self {
            code: param.code.clone(),
            kind: param.kind,
            scope: if of_every_type { "" } else { resource_type }.to_owned(),
            targets: targets(&expression, &param.targets),
            expression,
            storage: match param.code.as_str() {
                "_id" => Storage::Id,
                "_lastUpdated" => Storage::Updated,
                _ => Storage::Rows,
            },
            names_owner: false,
        }
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
        ParamKind::Number | ParamKind::Composite | ParamKind::Quantity | ParamKind::Special => {
            false
        }
    }
}
