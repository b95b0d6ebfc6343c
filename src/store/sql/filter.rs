//! A [`Filter`] as a condition on the row `r`.

use std::borrow::Cow;

use super::compare::{NEVER, write_comparison, write_ranges, write_texts};
use super::dialect::{Dialect, Lead, Leader, Reach};
use super::link::Linked;
use super::statement::Sql;
use crate::store::scope::narrowed;
use crate::store::{Bounds, Comparison, Filter, IndexKey, StoreError};

/// The records of more owners than this are not few rows.
const FEW_OWNERS: usize = 16;

/// Facts of more than this do not lead.
const MOST_FACTS: usize = 256;

/// More parts than this are joined as a tree.
const LONGEST_CHAIN: usize = 32;

/// What a scope's own links are held to.
static ALWAYS: Filter = Filter::All(Vec::new());

/// One of the conditions that must all hold.
#[derive(Clone, Copy, Debug)]
pub struct Part<'p> {
    pub filter: &'p Filter,
    /// What a resource at the other end of a link must meet too.
    pub scope: &'p Filter,
}

impl<'p> Part<'p> {
    /// Conditions inside this one, and whether they drive.
    fn each(self, filters: &'p [Filter], drive: bool) -> Vec<(Self, bool)> {
        let scope = self.scope;
        let inner = |filter| (Self { filter, scope }, drive);
        filters.iter().map(inner).collect()
    }
}

/// The conditions of a search, and which of them leads to the rows.
struct Conditions<'p> {
    dialect: &'p dyn Dialect,
    parts: Vec<Part<'p>>,
    lead: Lead,
}

impl<'p> Conditions<'p> {
    /// Every part of `own` (what the scope asks of these rows) and of the
    /// filter must hold; what the filter links to must be in the scope.
    fn new(
        dialect: &'p dyn Dialect,
        own: &'p Filter,
        scope: &'p Filter,
        filter: &'p Filter,
    ) -> Result<Self, StoreError> {
        let mut parts = Vec::new();
        flatten(own, &ALWAYS, &mut parts);
        flatten(filter, scope, &mut parts);
        let lead = if parts.iter().any(|part| is_few_owners(part.filter)) {
            Lead::Owner
        } else if parts.iter().any(|part| is_selective(part.filter)) {
            Lead::Few
        } else {
            dialect.lead(&parts)?
        };
        Ok(Self {
            dialect,
            parts,
            lead,
        })
    }

    fn write(&self, sql: &mut Sql, rows: Rows) -> Result<(), StoreError> {
        if self.lead == Lead::Open {
            sql.leave_open();
        }
        let rest = match self.lead {
            Lead::Owner | Lead::Few | Lead::Part(_) => Reach::Row,
            Lead::Open | Lead::Moment => Reach::Open,
        };
        let writer = Writer {
            dialect: self.dialect,
            rest,
            resource_type: self.resource_type(rows),
            types: self
                .parts
                .iter()
                .find_map(|part| types_of(part.filter))
                .unwrap_or_default(),
        };
        let drives = |number| self.lead == Lead::Part(number);
        let parts = self.parts.iter().enumerate();
        let parts: Vec<_> = parts.map(|(n, part)| (*part, drives(n))).collect();
        sql.sql(" FROM ").sql(self.dialect.resource(self.lead));
        sql.sql(" WHERE r.body IS NOT NULL AND ");
        writer.write_all(sql, &parts)
    }

    fn resource_type(&self, rows: Rows) -> &'static str {
        let is_fact = |part: &Part| matches!(part.filter, Filter::Is(Comparison::Key(_)));
        let led = match self.lead {
            Lead::Part(_) => true,
            Lead::Open => rows == Rows::All && self.parts.iter().any(is_fact),
            _ => false,
        };
        if led {
            self.dialect.type_beside_leader()
        } else {
            "r.type"
        }
    }
}

/// How many of the rows are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// The first ones in some order, which an index may have.
    First,
    All,
}

/// Appends ` FROM resource r WHERE …`, true or not true but never unknown: the
/// rows of the scope that meet the filter.
pub fn write_rows(
    dialect: &dyn Dialect,
    sql: &mut Sql,
    [scope, filter]: [&Filter; 2],
    rows: Rows,
) -> Result<(), StoreError> {
    let own = own_scope(scope, filter);
    Conditions::new(dialect, &own, scope, filter)?.write(sql, rows)
}

/// Facts of which every row that meets the filter has at least one. Of several
/// conditions the first counts: a scope says first whose records it opens.
pub fn keys_within(filter: &Filter) -> Option<Vec<IndexKey>> {
    match filter {
        Filter::Is(Comparison::Key(keys)) if keys.len() <= MOST_FACTS => Some(keys.clone()),
        Filter::All(parts) => parts.iter().find_map(keys_within),
        Filter::Any(parts) if !parts.is_empty() => {
            let mut all: Vec<IndexKey> = Vec::new();
            for part in parts {
                all.extend(keys_within(part)?);
                all.sort_unstable();
                all.dedup();
            }
            (all.len() <= MOST_FACTS).then_some(all)
        }
        _ => None,
    }
}

/// What the scope asks of the rows that the filter names.
pub fn own_scope<'s>(scope: &'s Filter, filter: &Filter) -> Cow<'s, Filter> {
    match types_of(filter) {
        Some(types) if !is_unconditional(scope) => Cow::Owned(narrowed(scope, types)),
        _ => Cow::Borrowed(scope),
    }
}

/// The types that all rows are of, where the filter names them.
pub fn types_of(filter: &Filter) -> Option<&[String]> {
    match filter {
        Filter::Is(Comparison::Type(types)) => Some(types),
        Filter::All(parts) => parts.iter().find_map(types_of),
        _ => None,
    }
}

/// Appends a condition on rows that something else leads to.
pub fn write_each(dialect: &dyn Dialect, sql: &mut Sql, filter: &Filter) -> Result<(), StoreError> {
    let rest = Reach::Row;
    let part = Part {
        filter,
        scope: &ALWAYS,
    };
    let writer = Writer {
        dialect,
        rest,
        resource_type: "r.type",
        types: &[],
    };
    writer.write(sql, part, false)
}

/// Whether a scope restricts anything at all.
pub fn is_unconditional(scope: &Filter) -> bool {
    matches!(scope, Filter::All(parts) if parts.is_empty())
}

/// Whether every row that meets the filter belongs to one of a few owners.
pub fn has_few_owners(filter: &Filter) -> bool {
    let mut parts = Vec::new();
    flatten(filter, &ALWAYS, &mut parts);
    parts.iter().any(|part| is_few_owners(part.filter))
}

/// An owner or an id leads to few rows, and the index of all facts must then
/// stay closed: the planner would read every row of a common fact.
pub fn is_selective(filter: &Filter) -> bool {
    match filter {
        Filter::Is(Comparison::Id(_)) => true,
        Filter::Is(_) => is_few_owners(filter),
        Filter::Not(_) | Filter::RefersTo { .. } | Filter::ReferredBy { .. } => false,
        Filter::All(parts) => parts.iter().any(is_selective),
        Filter::Any(parts) => !parts.is_empty() && parts.iter().all(is_selective),
    }
}

fn is_few_owners(filter: &Filter) -> bool {
    match filter {
        Filter::Is(Comparison::Owner(owners)) => (1..=FEW_OWNERS).contains(&owners.len()),
        _ => false,
    }
}

/// One range or several of which one must be met, where the filter is nothing else.
pub fn ranges_of(filter: &Filter) -> Option<Vec<(IndexKey, Bounds)>> {
    match filter {
        Filter::Is(Comparison::Range { param, bounds }) => Some(vec![(*param, *bounds)]),
        Filter::Any(alternatives) => ranges(alternatives),
        _ => None,
    }
}

/// Several ranges, where the alternatives are nothing else.
fn ranges(alternatives: &[Filter]) -> Option<Vec<(IndexKey, Bounds)>> {
    let range = |filter: &'_ Filter| match filter {
        Filter::Is(Comparison::Range { param, bounds }) => Some((*param, *bounds)),
        _ => None,
    };
    let several = (2..=LONGEST_CHAIN).contains(&alternatives.len());
    let ranges = || alternatives.iter().map(range).collect();
    several.then(ranges).flatten()
}

fn flatten<'a>(filter: &'a Filter, scope: &'a Filter, parts: &mut Vec<Part<'a>>) {
    match filter {
        Filter::All(inner) => {
            for part in inner {
                flatten(part, scope, parts);
            }
        }
        filter => parts.push(Part { filter, scope }),
    }
}

struct Writer<'d> {
    dialect: &'d dyn Dialect,
    /// For every test that does not drive.
    rest: Reach,
    /// The column, as it may be compared here.
    resource_type: &'static str,
    /// What all rows are of, where that is known.
    types: &'d [String],
}

type Written = Result<(), StoreError>;

impl Writer<'_> {
    /// Where the filter drives, each of its alternatives does.
    fn write(&self, sql: &mut Sql, part: Part<'_>, drive: bool) -> Written {
        match part.filter {
            Filter::Is(comparison) if drive => self.lead(sql, Leader::Is(comparison))?,
            Filter::Is(Comparison::Type(types)) => {
                write_texts(self.dialect, sql, self.resource_type, types);
            }
            Filter::Is(comparison) => write_comparison(self.dialect, sql, comparison, self.rest),
            Filter::All(filters) => self.write_all(sql, &part.each(filters, false))?,
            Filter::Any(filters) => match ranges(filters) {
                Some(ranges) if drive => self.lead(sql, Leader::Ranges(&ranges))?,
                Some(ranges) => write_ranges(sql, &ranges, self.rest),
                None => self.write_any(sql, &part.each(filters, drive))?,
            },
            Filter::Not(filter) => {
                let scope = part.scope;
                sql.sql("(");
                self.write(sql, Part { filter, scope }, false)?;
                sql.sql(") IS NOT TRUE");
            }
            Filter::RefersTo { .. } | Filter::ReferredBy { .. } => {
                self.write_link(sql, part, drive)?;
            }
        }
        Ok(())
    }

    fn lead(&self, sql: &mut Sql, leader: Leader<'_>) -> Written {
        self.dialect.write_leader(sql, leader, self.types)
    }

    fn write_link(&self, sql: &mut Sql, part: Part<'_>, drive: bool) -> Written {
        match Linked::of(part) {
            Some(linked) if drive => self.lead(sql, Leader::Link(&linked)),
            Some(linked) => linked.write(self.dialect, sql, self.rest),
            None => Ok(()),
        }
    }

    fn write_all(&self, sql: &mut Sql, parts: &[(Part<'_>, bool)]) -> Written {
        sql.sql(if parts.is_empty() { "(TRUE" } else { "(" });
        self.write_joined(sql, parts, " AND ")?;
        sql.sql(")");
        Ok(())
    }

    fn write_any(&self, sql: &mut Sql, parts: &[(Part<'_>, bool)]) -> Written {
        sql.sql("(");
        if parts.is_empty() {
            sql.sql(NEVER);
        }
        self.write_joined(sql, parts, " OR ")?;
        sql.sql(")");
        Ok(())
    }

    /// Joins many parts as a balanced tree: a chain of a thousand is deeper
    /// than SQLite allows.
    fn write_joined(
        &self,
        sql: &mut Sql,
        parts: &[(Part<'_>, bool)],
        operator: &'static str,
    ) -> Written {
        if parts.len() > LONGEST_CHAIN {
            let (left, right) = parts.split_at(parts.len() / 2);
            sql.sql("(");
            self.write_joined(sql, left, operator)?;
            sql.sql(")").sql(operator).sql("(");
            self.write_joined(sql, right, operator)?;
            sql.sql(")");
            return Ok(());
        }
        let mut between = "";
        for (part, drive) in parts {
            sql.sql(between);
            self.write(sql, *part, *drive)?;
            between = operator;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_that_every_row_has_are_found_in_what_it_must_meet() {
        let key = |keys: &[i64]| {
            let keys = keys.iter().map(|key| IndexKey(*key)).collect();
            Filter::Is(Comparison::Key(keys))
        };
        let of_type = Filter::Is(Comparison::Type(vec!["Patient".to_owned()]));
        let not = |filter| Filter::Not(Box::new(filter));
        let all = Filter::All;
        let any = Filter::Any;
        let found = |filter: Filter| {
            let keys = keys_within(&filter);
            keys.map(|keys| keys.into_iter().map(|key| key.0).collect::<Vec<_>>())
        };
        assert_eq!(found(key(&[1, 2])), Some(vec![1, 2]));
        let both = all(vec![of_type.clone(), key(&[2, 1]), key(&[3])]);
        assert_eq!(found(both.clone()), Some(vec![2, 1]));
        let either = any(vec![both.clone(), key(&[5, 1])]);
        assert_eq!(found(either), Some(vec![1, 2, 5]));
        for open in [
            of_type.clone(),
            not(key(&[1])),
            any(vec![both, of_type]),
            any(Vec::new()),
            all(vec![not(key(&[1]))]),
            all(Vec::new()),
            key(&(0..300).collect::<Vec<i64>>()),
        ] {
            assert_eq!(found(open.clone()), None, "{open:?}");
        }
    }
}
