//! What a token may touch: its scopes and its context as conditions on rows.

use super::compartment::{Standing, standing};
use super::label;
use super::scope::{Context, Permissions, SmartScope};
use super::views::Views;
use crate::fhir::authority::Permission;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::search::key::compartment_key;
use crate::fhir::search::{Catalogue, constraint};
use crate::store::Scope;
use crate::store::plan::{Comparison, Filter};

/// A token with more scopes is none that anybody meant.
const MOST_SCOPES: usize = 256;

/// Each stands in every question that is asked of the store.
const MOST_ALTERNATIVES: usize = 512;

/// What a token says about its rights, once its signature was found good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// The claim `scope`, separated by spaces.
    pub scope: String,
    /// The patient in context: the id alone.
    pub patient: Option<String>,
    /// `Practitioner/1`
    pub fhir_user: Option<String>,
    /// What the token rests on, where it rests on a grant.
    pub grant: Option<GrantTerms>,
    /// The practice shows its psychotherapy notes to their patients.
    pub sees_psychotherapy_notes: bool,
    /// Tells this caller from all others; the same for each of its tokens.
    pub identity: String,
}

/// The bounds of a grant: a token of it can do nothing else, whatever it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantTerms {
    pub scope: String,
    /// Ids of the patients whose records it opens.
    pub patients: Vec<String>,
    /// Codes of the sensitive labels that it does not hide.
    pub labels: Vec<String>,
    /// Why it was given: a code of v3-PurposeOfUse.
    pub purpose: String,
}

/// All that a caller may touch: the union of these.
#[derive(Clone, Debug)]
pub struct Rights {
    alternatives: Vec<Alternative>,
    views: Views,
    identity: String,
    /// That of the grant.
    purpose: Option<String>,
}

impl Default for Rights {
    fn default() -> Self {
        Self::new(Vec::new(), String::new())
    }
}

#[derive(Clone, Debug)]
struct Alternative {
    permissions: Permissions,
    /// `None`: every type.
    types: Option<Vec<String>>,
    /// Holds the types as well.
    rows: Filter,
}

/// Whose records a scope opens.
enum Reach {
    Everybody,
    Patients(Vec<String>),
    Nobody,
}

impl Rights {
    /// For the service's own work.
    pub(super) fn everything(identity: &str) -> Self {
        let all = Alternative {
            permissions: Permissions::ALL,
            types: None,
            rows: Filter::All(Vec::new()),
        };
        Self::new(vec![all], identity.to_owned())
    }

    fn new(alternatives: Vec<Alternative>, identity: String) -> Self {
        let views = Views::of(|permission| {
            let granted = alternatives
                .iter()
                .filter(|a| a.permissions.has(permission));
            granted.map(|alternative| &alternative.rows).collect()
        });
        Self {
            views,
            alternatives,
            identity,
            purpose: None,
        }
    }

    /// Scopes that are unknown or written wrongly grant nothing.
    pub fn of(catalogue: &Catalogue, holder: &Holder) -> Result<Self, Failure> {
        let mut alternatives = alternatives(catalogue, holder, &holder.scope)?;
        if let Some(grant) = &holder.grant {
            let bounds = self::alternatives(catalogue, holder, &grant.scope)?;
            let hidden = label::hidden(&grant.labels);
            alternatives = within(&alternatives, &bounds, &hidden);
        }
        if alternatives.len() > MOST_ALTERNATIVES {
            let text = "The restrictions of the token's scopes come to too many conditions. Ask for fewer, or name the types.";
            return Err(Failure::new(Kind::Forbidden, text));
        }
        Ok(Self {
            purpose: holder.grant.as_ref().map(|grant| grant.purpose.clone()),
            ..Self::new(alternatives, format!("{holder:?}"))
        })
    }

    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    pub(super) fn purpose(&self) -> Option<&str> {
        self.purpose.as_deref()
    }

    /// Whether some scope is about this interaction with the type at all.
    pub fn covers(&self, permission: Permission, resource_type: Option<&str>) -> bool {
        self.alternatives.iter().any(|alternative| {
            let listed = |name| match &alternative.types {
                None => true,
                Some(types) => types.iter().any(|t| t == name),
            };
            alternative.permissions.has(permission) && resource_type.is_none_or(listed)
        })
    }

    /// All rows, of whatever type, with which the caller may do this.
    pub fn view(&self, permission: Permission) -> Scope {
        self.views.view(permission)
    }
}

/// Refuses scopes of which a part would grant nothing: whoever writes them
/// means them.
pub fn refuse_unusable(catalogue: &Catalogue, scope: &str) -> Result<(), Failure> {
    let reach = Reach::Everybody;
    for text in scope.split_ascii_whitespace() {
        let parsed = SmartScope::parse(text).ok_or_else(|| {
            unusable(
                text,
                "is not written as context/Type.cruds, such as patient/Observation.rs",
            )
        })?;
        if let Some(name) = &parsed.resource_type
            && !catalogue.definitions.is_resource_type(name)
        {
            return Err(unusable(text, "names no resource type of R4"));
        }
        if of_scope(catalogue, &parsed, &reach).is_empty() {
            return Err(unusable(
                text,
                "restricts by something else than token, reference and date parameters of its type",
            ));
        }
    }
    if scope.trim().is_empty() {
        return Err(unusable(scope, "is empty"));
    }
    Ok(())
}

/// What outside therapists can be given: the context of a patient or user.
pub(super) fn refuse_ungrantable(catalogue: &Catalogue, scope: &str) -> Result<(), Failure> {
    refuse_unusable(catalogue, scope)?;
    for text in scope.split_ascii_whitespace() {
        let parsed = SmartScope::parse(text);
        if parsed.is_some_and(|scope| scope.context == Context::System) {
            return Err(unusable(
                text,
                "is for systems; a grant begins with patient/ or user/",
            ));
        }
    }
    Ok(())
}

fn unusable(scope: &str, problem: &str) -> Failure {
    Failure::new(Kind::Value, format!("The scope {scope:?} {problem}."))
}

fn alternatives(
    catalogue: &Catalogue,
    holder: &Holder,
    scope: &str,
) -> Result<Vec<Alternative>, Failure> {
    let mut scopes: Vec<SmartScope> = Vec::new();
    for scope in scope.split_ascii_whitespace().filter_map(SmartScope::parse) {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
        if scopes.len() > MOST_SCOPES {
            let text = format!("The token has more than {MOST_SCOPES} scopes. Ask for fewer.");
            return Err(Failure::new(Kind::Forbidden, text));
        }
    }
    let notes = label::without_psychotherapy_notes();
    let opened = |scope: &SmartScope| {
        let reach = reach(holder, scope.context);
        let is_patient = holder.grant.is_none() && matches!(reach, Reach::Patients(_));
        let mut all = of_scope(catalogue, scope, &reach);
        if is_patient && !holder.sees_psychotherapy_notes {
            for one in &mut all {
                one.rows = Filter::All(vec![one.rows.clone(), notes.clone()]);
            }
        }
        all
    };
    Ok(scopes.iter().flat_map(opened).collect())
}

fn reach(holder: &Holder, context: Context) -> Reach {
    if let Some(grant) = &holder.grant {
        return match (context, &holder.patient) {
            (Context::System, _) => Reach::Nobody,
            (_, None) => Reach::Patients(grant.patients.clone()),
            (_, Some(one)) if grant.patients.contains(one) => Reach::Patients(vec![one.clone()]),
            (_, Some(_)) => Reach::Nobody,
        };
    }
    match context {
        Context::System => Reach::Everybody,
        Context::Patient => match &holder.patient {
            Some(patient) => Reach::Patients(vec![patient.clone()]),
            None => Reach::Nobody,
        },
        Context::User => user(holder),
    }
}

/// Practitioners of the practice see its patients; a patient sees the own record.
fn user(holder: &Holder) -> Reach {
    let user = holder.fhir_user.as_deref().unwrap_or_default();
    match user.split_once('/') {
        Some(("Practitioner" | "PractitionerRole", _)) => Reach::Everybody,
        Some(("Patient", id)) => Reach::Patients(vec![id.to_owned()]),
        _ => Reach::Nobody,
    }
}

fn of_scope(catalogue: &Catalogue, scope: &SmartScope, reach: &Reach) -> Vec<Alternative> {
    match &scope.resource_type {
        Some(name) => of_type(catalogue, scope, reach, name).into_iter().collect(),
        None if scope.constraint.is_empty() => of_every_type(catalogue, scope, reach),
        None => {
            let types = catalogue.definitions.resource_types.iter();
            joined(types.filter_map(|name| of_type(catalogue, scope, reach, name)))
        }
    }
}

/// Types on which the scope puts the same conditions are one alternative: a
/// restriction by `_tag` is the same for all.
fn joined(of_types: impl Iterator<Item = Alternative>) -> Vec<Alternative> {
    let mut groups: Vec<(Permissions, Vec<Filter>, Vec<String>)> = Vec::new();
    for alternative in of_types {
        let conditions = without_type(&alternative.rows);
        let types = alternative.types.unwrap_or_default();
        let alike = groups.iter_mut().find(|(permissions, rows, _)| {
            *permissions == alternative.permissions && *rows == conditions
        });
        match alike {
            Some((.., joined)) => joined.extend(types),
            None => groups.push((alternative.permissions, conditions, types)),
        }
    }
    let whole = |(permissions, conditions, types)| alternative(permissions, types, conditions);
    groups.into_iter().map(whole).collect()
}

/// The conditions besides the type, however they are nested.
fn without_type(filter: &Filter) -> Vec<Filter> {
    match filter {
        Filter::All(parts) => parts.iter().flat_map(without_type).collect(),
        Filter::Is(Comparison::Type(_)) => Vec::new(),
        other => vec![other.clone()],
    }
}

fn of_every_type(catalogue: &Catalogue, scope: &SmartScope, reach: &Reach) -> Vec<Alternative> {
    let patients = match reach {
        Reach::Nobody => return Vec::new(),
        Reach::Everybody if scope.context == Context::System => {
            return vec![Alternative {
                permissions: scope.permissions,
                types: None,
                rows: Filter::All(Vec::new()),
            }];
        }
        Reach::Everybody => None,
        Reach::Patients(patients) => Some(patients),
    };
    let standing = |wanted: Standing| {
        let types = catalogue.definitions.resource_types.iter();
        let stands = |name: &&String| self::standing(catalogue.definitions, name) == wanted;
        types.filter(stands).cloned().collect::<Vec<_>>()
    };
    let Some(patients) = patients else {
        let mut types = catalogue.definitions.resource_types.clone();
        types.retain(|name| name != "AuditEvent");
        return vec![alternative(scope.permissions, types, Vec::new())];
    };
    let member = vec![in_compartment(patients)];
    let read_only = scope.permissions.and(Permissions::READ);
    vec![
        alternative(scope.permissions, standing(Standing::OfPatient), member),
        alternative(read_only, standing(Standing::OfNobody), Vec::new()),
    ]
}

/// `None` where the scope opens nothing of the type.
fn of_type(
    catalogue: &Catalogue,
    scope: &SmartScope,
    reach: &Reach,
    name: &str,
) -> Option<Alternative> {
    let mut permissions = scope.permissions;
    let mut conditions = Vec::new();
    let system = scope.context == Context::System;
    match (reach, standing(catalogue.definitions, name)) {
        (Reach::Nobody, _) => return None,
        (Reach::Everybody, _) if system || name != "AuditEvent" => {}
        (Reach::Patients(patients), Standing::OfPatient) => {
            conditions.push(in_compartment(patients));
        }
        (Reach::Patients(_), Standing::OfNobody) => {
            permissions = permissions.and(Permissions::READ)
        }
        (Reach::Everybody | Reach::Patients(_), _) => return None,
    }
    if !scope.constraint.is_empty() {
        conditions.push(constraint(catalogue, name, &scope.constraint).ok()?);
    }
    let known = catalogue.definitions.is_resource_type(name);
    (known && !permissions.is_empty())
        .then(|| alternative(permissions, vec![name.to_owned()], conditions))
}

fn alternative(
    permissions: Permissions,
    types: Vec<String>,
    conditions: Vec<Filter>,
) -> Alternative {
    let mut rows = vec![Filter::Is(Comparison::Type(types.clone()))];
    rows.extend(conditions);
    Alternative {
        permissions,
        types: Some(types),
        rows: Filter::All(rows),
    }
}

fn in_compartment(patients: &[String]) -> Filter {
    let key = |id: &String| compartment_key("Patient", id);
    Filter::Is(Comparison::Key(patients.iter().map(key).collect()))
}

/// What both allow, without what is hidden.
fn within(some: &[Alternative], bounds: &[Alternative], hidden: &Filter) -> Vec<Alternative> {
    let mut both = Vec::new();
    for (one, other) in some.iter().flat_map(|a| bounds.iter().map(move |b| (a, b))) {
        let permissions = one.permissions.and(other.permissions);
        let types = match (&one.types, &other.types) {
            (None, types) | (types, None) => types.clone(),
            (Some(one), Some(other)) => Some(
                one.iter()
                    .filter(|name| other.contains(name))
                    .cloned()
                    .collect(),
            ),
        };
        if permissions.is_empty() || types.as_ref().is_some_and(Vec::is_empty) {
            continue;
        }
        both.push(Alternative {
            permissions,
            types,
            rows: Filter::All(vec![one.rows.clone(), other.rows.clone(), hidden.clone()]),
        });
    }
    both
}
