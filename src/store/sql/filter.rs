//! A [`Filter`] as a condition on the row `r`.

use super::compare::{NEVER, write_comparison, write_rids};
use super::dialect::{Dialect, Lead, Reach};
use super::statement::Sql;
use crate::store::{Comparison, Filter, StoreError};

/// The records of more owners than this are not few rows.
const FEW_OWNERS: usize = 16;

/// More parts than this are joined as a tree.
const LONGEST_CHAIN: usize = 32;

/// The conditions of a search, and which of them leads to the rows.
pub struct Conditions<'p> {
    dialect: &'p dyn Dialect,
    parts: Vec<&'p Filter>,
    lead: Lead,
}

impl<'p> Conditions<'p> {
    /// Every part of scope and filter must hold.
    pub fn new(
        dialect: &'p dyn Dialect,
        scope: &'p Filter,
        filter: &'p Filter,
    ) -> Result<Self, StoreError> {
        let mut parts = Vec::new();
        flatten(scope, &mut parts);
        flatten(filter, &mut parts);
        let lead = if parts.iter().any(|part| is_few_owners(part)) {
            Lead::Owner
        } else if parts.iter().any(|part| is_selective(part)) {
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

    /// Appends ` FROM resource r WHERE …`, true or not true but never unknown.
    pub fn write(&self, sql: &mut Sql) {
        let rest = match self.lead {
            Lead::Owner | Lead::Few => Reach::Row,
            Lead::Open | Lead::Moment | Lead::Part(_) => Reach::Open,
        };
        let writer = Writer {
            dialect: self.dialect,
            rest,
        };
        let drives = |number| self.lead == Lead::Part(number);
        let parts = self.parts.iter().enumerate();
        let parts: Vec<_> = parts.map(|(n, part)| (*part, drives(n))).collect();
        sql.sql(" FROM ").sql(self.dialect.resource(self.lead));
        sql.sql(" WHERE r.body IS NOT NULL AND ");
        writer.write_all(sql, &parts);
    }
}

/// Appends a condition on rows that something else leads to.
pub fn write_each(dialect: &dyn Dialect, sql: &mut Sql, filter: &Filter) {
    let rest = Reach::Row;
    Writer { dialect, rest }.write(sql, filter, false);
}

/// Whether a scope restricts anything at all.
pub fn is_unconditional(scope: &Filter) -> bool {
    matches!(scope, Filter::All(parts) if parts.is_empty())
}

/// Whether every row that meets the filter belongs to one of a few owners.
pub fn has_few_owners(filter: &Filter) -> bool {
    let mut parts = Vec::new();
    flatten(filter, &mut parts);
    parts.iter().any(|part| is_few_owners(part))
}

/// Whether an owner or an id leads to the rows, whatever else is asked.
pub fn is_narrow(scope: &Filter, filter: &Filter) -> bool {
    is_selective(scope) || is_selective(filter)
}

/// An owner or an id leads to few rows, and the index of all facts must then
/// stay closed: the planner would read every row of a common fact.
fn is_selective(filter: &Filter) -> bool {
    match filter {
        Filter::Is(Comparison::Id(_)) => true,
        Filter::Is(_) => is_few_owners(filter),
        Filter::Not(_) => false,
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

fn flatten<'a>(filter: &'a Filter, parts: &mut Vec<&'a Filter>) {
    match filter {
        Filter::All(inner) => inner.iter().for_each(|part| flatten(part, parts)),
        other => parts.push(other),
    }
}

struct Writer<'d> {
    dialect: &'d dyn Dialect,
    /// For every test that does not drive.
    rest: Reach,
}

impl Writer<'_> {
    /// Where the filter drives, each of its alternatives does.
    fn write(&self, sql: &mut Sql, filter: &Filter, drive: bool) {
        match filter {
            Filter::Is(comparison) if drive => {
                sql.sql("r.rid IN (");
                write_rids(self.dialect, sql, comparison);
                sql.sql(")");
            }
            Filter::Is(comparison) => write_comparison(self.dialect, sql, comparison, self.rest),
            Filter::All(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| (part, false)).collect();
                self.write_all(sql, &parts);
            }
            Filter::Any(parts) => self.write_any(sql, parts, drive),
            Filter::Not(inner) => {
                sql.sql("(");
                self.write(sql, inner, false);
                sql.sql(") IS NOT TRUE");
            }
        }
    }

    fn write_all(&self, sql: &mut Sql, parts: &[(&Filter, bool)]) {
        sql.sql(if parts.is_empty() { "(TRUE" } else { "(" });
        self.write_joined(sql, parts, " AND ");
        sql.sql(")");
    }

    fn write_any(&self, sql: &mut Sql, parts: &[Filter], drive: bool) {
        let parts: Vec<_> = parts.iter().map(|part| (part, drive)).collect();
        sql.sql("(");
        if parts.is_empty() {
            sql.sql(NEVER);
        }
        self.write_joined(sql, &parts, " OR ");
        sql.sql(")");
    }

    /// Joins many parts as a balanced tree: a chain of a thousand is deeper
    /// than SQLite allows.
    fn write_joined(&self, sql: &mut Sql, parts: &[(&Filter, bool)], operator: &'static str) {
        if parts.len() > LONGEST_CHAIN {
            let (left, right) = parts.split_at(parts.len() / 2);
            sql.sql("(");
            self.write_joined(sql, left, operator);
            sql.sql(")").sql(operator).sql("(");
            self.write_joined(sql, right, operator);
            sql.sql(")");
            return;
        }
        let mut between = "";
        for (part, drive) in parts {
            sql.sql(between);
            self.write(sql, part, *drive);
            between = operator;
        }
    }
}
