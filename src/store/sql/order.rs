//! The order of a search, and the place behind which a page begins.

use super::compare::NEVER;
use super::dialect::Dialect;
use super::statement::Sql;
use crate::store::{Comparison, Filter, OrderBy, OrderTerm, PositionValue, SearchPlan, StoreError};

/// One sort key as it will run, the direction of the page applied.
struct Term<'p> {
    by: &'p OrderBy,
    descending: bool,
    nullable: bool,
}

/// The terms of a plan, in the direction of its page.
pub struct Order<'p> {
    dialect: &'p dyn Dialect,
    terms: Vec<Term<'p>>,
    backwards: bool,
}

impl<'p> Order<'p> {
    pub fn new(dialect: &'p dyn Dialect, plan: &'p SearchPlan) -> Self {
        let has_moment = requires_moment(plan.scope.filter()) || requires_moment(&plan.filter);
        let term = |term: &'p OrderTerm| Term {
            by: &term.by,
            descending: term.descending != plan.backwards,
            nullable: match term.by {
                OrderBy::Type | OrderBy::Id | OrderBy::Updated => false,
                OrderBy::MomentLow | OrderBy::MomentHigh => !has_moment,
                OrderBy::Value(_) => true,
            },
        };
        Self {
            dialect,
            terms: plan.order.iter().map(term).collect(),
            backwards: plan.backwards,
        }
    }

    /// Appends `ORDER BY` and its terms; rows without the value stand last, or
    /// first where the page runs backwards.
    pub fn write_order(&self, sql: &mut Sql) {
        let mut between = " ORDER BY ";
        for term in &self.terms {
            sql.sql(between);
            self.write_value(sql, term.by);
            sql.sql(if term.descending { " DESC" } else { "" });
            if term.nullable {
                sql.sql(if self.backwards {
                    " NULLS FIRST"
                } else {
                    " NULLS LAST"
                });
            }
            between = ", ";
        }
    }

    /// Appends the values that only this order needs, as one JSON array.
    pub fn write_place(&self, sql: &mut Sql) {
        let is_value = |term: &&Term| matches!(term.by, OrderBy::Value(_));
        let mut between = "(";
        for term in self.terms.iter().filter(is_value) {
            if between == "(" {
                sql.sql("CAST(").sql(self.dialect.json_array());
            }
            sql.sql(between);
            self.write_value(sql, term.by);
            between = ", ";
        }
        sql.sql(if between == "(" {
            "CAST(NULL AS TEXT)"
        } else {
            ") AS TEXT)"
        });
    }

    /// Appends the condition that a row is strictly behind the place.
    pub fn write_behind(&self, sql: &mut Sql, place: &[PositionValue]) -> Result<(), StoreError> {
        let fits = place.len() == self.terms.len()
            && !place.is_empty()
            && self
                .terms
                .iter()
                .zip(place)
                .all(|(term, value)| term.fits(value));
        if !fits {
            return Err(StoreError::Corrupt(
                "the place does not fit the order".into(),
            ));
        }
        let pairs: Vec<_> = self.terms.iter().zip(place).collect();
        match self.one_direction() {
            Some(operator) => self.write_tuple(sql, &pairs, operator),
            None => {
                self.write_start(sql, &pairs);
                self.write_chain(sql, &pairs);
            }
        }
        Ok(())
    }

    /// The operator, where one comparison of whole tuples is enough.
    fn one_direction(&self) -> Option<&'static str> {
        let descending = self.terms.first()?.descending;
        let alike = |term: &Term| !term.nullable && term.descending == descending;
        let operator = if descending { " < " } else { " > " };
        self.terms.iter().all(alike).then_some(operator)
    }

    fn write_tuple(
        &self,
        sql: &mut Sql,
        pairs: &[(&Term, &PositionValue)],
        operator: &'static str,
    ) {
        let mut between = "(";
        for (term, _) in pairs {
            sql.sql(between);
            self.write_value(sql, term.by);
            between = ", ";
        }
        sql.sql(")").sql(operator);
        between = "(";
        for (_, value) in pairs {
            sql.sql(between);
            bind(sql, value);
            between = ", ";
        }
        sql.sql(")");
    }

    /// Says again what follows from the chain, for an index on the first term.
    fn write_start(&self, sql: &mut Sql, pairs: &[(&Term, &PositionValue)]) {
        if let Some((term, value)) = pairs.first().filter(|(term, _)| !term.nullable) {
            self.write_value(sql, term.by);
            sql.sql(if term.descending { " <= " } else { " >= " });
            bind(sql, value);
            sql.sql(" AND ");
        }
    }

    /// Behind in the first term, or equal there and behind in the next ones.
    fn write_chain(&self, sql: &mut Sql, pairs: &[(&Term, &PositionValue)]) {
        let Some(((term, value), rest)) = pairs.split_first() else {
            sql.sql(NEVER);
            return;
        };
        sql.sql("(");
        self.write_beyond(sql, term, value);
        sql.sql(" OR (");
        self.write_value(sql, term.by);
        if **value == PositionValue::Missing {
            sql.sql(" IS NULL");
        } else {
            sql.sql(" = ");
            bind(sql, value);
        }
        sql.sql(" AND ");
        self.write_chain(sql, rest);
        sql.sql("))");
    }

    fn write_beyond(&self, sql: &mut Sql, term: &Term, value: &PositionValue) {
        if *value == PositionValue::Missing {
            if self.backwards {
                self.write_value(sql, term.by);
                sql.sql(" IS NOT NULL");
            } else {
                sql.sql(NEVER);
            }
            return;
        }
        self.write_value(sql, term.by);
        sql.sql(if term.descending { " < " } else { " > " });
        bind(sql, value);
        if term.nullable && !self.backwards {
            sql.sql(" OR ");
            self.write_value(sql, term.by);
            sql.sql(" IS NULL");
        }
    }

    fn write_value(&self, sql: &mut Sql, by: &OrderBy) {
        match by {
            OrderBy::Type => sql.sql("r.type"),
            OrderBy::Id => sql.sql("r.id"),
            OrderBy::Updated => sql.sql("r.updated"),
            OrderBy::MomentLow => sql.sql("r.moment_low"),
            OrderBy::MomentHigh => sql.sql("r.moment_high"),
            OrderBy::Value(names) if names.is_empty() => sql.sql("CAST(NULL AS TEXT)"),
            OrderBy::Value(names) => {
                self.dialect.order_value(sql, names);
                sql
            }
        };
    }
}

impl Term<'_> {
    fn fits(&self, value: &PositionValue) -> bool {
        match self.by {
            OrderBy::Type | OrderBy::Id => matches!(value, PositionValue::Text(_)),
            OrderBy::Updated => matches!(value, PositionValue::Number(_)),
            OrderBy::MomentLow | OrderBy::MomentHigh => !matches!(value, PositionValue::Text(_)),
            OrderBy::Value(_) => !matches!(value, PositionValue::Number(_)),
        }
    }
}

/// The filter holds only for rows that have a clinical time; the order can
/// then use the index without a word about missing values.
fn requires_moment(filter: &Filter) -> bool {
    match filter {
        Filter::Is(Comparison::Moment(_)) => true,
        Filter::Is(_) | Filter::Not(_) | Filter::RefersTo { .. } | Filter::ReferredBy { .. } => {
            false
        }
        Filter::All(parts) => parts.iter().any(requires_moment),
        Filter::Any(parts) => !parts.is_empty() && parts.iter().all(requires_moment),
    }
}

fn bind(sql: &mut Sql, value: &PositionValue) {
    match value {
        PositionValue::Number(number) => sql.big(*number),
        PositionValue::Text(text) => sql.text(text.as_str()),
        PositionValue::Missing => sql.sql("NULL"),
    };
}
