//! SQL that only PostgreSQL speaks.

use std::ptr;

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{Array, BigInt, Nullable, SmallInt, Text};

use crate::store::sql::{
    Bind, Dialect, Far, Lead, Leader, Linked, Part, Reach, Sql, Statement, compare,
};
use crate::store::{Comparison, Filter, IndexKey, Link, ResourceKey, StoreError};

/// What leads to the rows is said wherever it is known: then one plan serves all
/// values, and the planner, which would need longer than the search, is not asked.
#[derive(Default)]
pub(super) struct Postgres<'p> {
    /// Conditions that are known to lead to few rows.
    leaders: Vec<&'p Filter>,
}

impl<'p> Postgres<'p> {
    pub fn led_by_any(leaders: Vec<&'p Filter>) -> Self {
        Self { leaders }
    }

    /// The indexes of owners and of clinical times begin with the type; outside, an
    /// index in the order asked for would seem as good.
    fn begin_rids_of(&self, sql: &mut Sql, types: &[String]) {
        sql.sql("r.rid = ANY(ARRAY(SELECT r.rid FROM resource r WHERE ");
        compare::write_texts(self, sql, "r.type", types);
        sql.sql(" AND ");
    }
}

impl Dialect for Postgres<'_> {
    fn lead(&self, parts: &[Part<'_>]) -> Result<Lead, StoreError> {
        // Not alike, but the same: elsewhere in the search it may hold of many rows.
        let leads = |part: &Part| self.leaders.iter().any(|one| ptr::eq(*one, part.filter));
        Ok(parts.iter().position(leads).map_or(Lead::Open, Lead::Part))
    }

    fn type_beside_leader(&self) -> &'static str {
        "(r.type || '')"
    }

    /// Rids are an array that is made before the rows are looked for.
    fn write_leader(
        &self,
        sql: &mut Sql,
        leader: Leader<'_>,
        types: &[String],
    ) -> Result<(), StoreError> {
        match leader {
            Leader::Is(Comparison::Key(keys)) => {
                self.has_key(sql, keys, Reach::Open);
                return Ok(());
            }
            Leader::Link(owned @ Linked::To(Link::Owner, _)) if !types.is_empty() => {
                self.begin_rids_of(sql, types);
                owned.write(self, sql, Reach::Open)?;
            }
            Leader::Is(moment @ Comparison::Moment(_)) if !types.is_empty() => {
                self.begin_rids_of(sql, types);
                compare::write_comparison(self, sql, moment, Reach::Open);
            }
            Leader::Link(linked) => return linked.write(self, sql, Reach::Open),
            Leader::Is(comparison) => {
                sql.sql("r.rid = ANY(ARRAY(");
                compare::write_rids(self, sql, comparison);
            }
            Leader::Ranges(ranges) => {
                sql.sql("r.rid = ANY(ARRAY(");
                compare::write_range_rids(sql, ranges);
            }
        }
        sql.sql("))");
        Ok(())
    }

    fn among(&self, few: bool) -> [&'static str; 2] {
        if few {
            [" = ANY(ARRAY(", "))"]
        } else {
            [" IN (", ")"]
        }
    }

    fn one_of_numbers(&self, sql: &mut Sql, column: &'static str, values: Vec<i64>) {
        sql.sql(column).sql(" = ANY(");
        sql.bind(Bind::BigArray(values)).sql(")");
    }

    fn one_of_texts(&self, sql: &mut Sql, column: &'static str, values: Vec<String>) {
        sql.sql(column).sql(" = ANY(");
        sql.bind(Bind::TextArray(values)).sql(")");
    }

    /// The functions do what the operators do, but no index can serve them.
    /// <https://www.postgresql.org/docs/current/gin-builtin-opclasses.html>
    fn has_key(&self, sql: &mut Sql, keys: &[IndexKey], reach: Reach) {
        let keys: Vec<i64> = keys.iter().map(|key| key.0).collect();
        let (function, operator) = match keys.len() {
            1 => ("arraycontains(r.keys, ", "r.keys @> "),
            _ => ("arrayoverlap(r.keys, ", "r.keys && "),
        };
        match reach {
            Reach::Row => sql.sql(function).bind(Bind::BigArray(keys)).sql(")"),
            Reach::Open => sql.sql(operator).bind(Bind::BigArray(keys)),
        };
    }

    /// The array is made once.
    fn has_key_to(
        &self,
        sql: &mut Sql,
        key: IndexKey,
        far: &Far<'_>,
        reach: Reach,
    ) -> Result<(), StoreError> {
        let end = match reach {
            Reach::Row => {
                sql.sql("arrayoverlap(r.keys, ARRAY(");
                "))"
            }
            Reach::Open => {
                sql.sql("r.keys && ARRAY(");
                ")"
            }
        };
        far.write_keys(self, sql, key.0)?;
        sql.sql(end);
        Ok(())
    }

    fn keys_of(&self, sql: &mut Sql, key: IndexKey, far: &Far<'_>) -> Result<(), StoreError> {
        sql.sql("SELECT ");
        self.exclusive_or(sql, key.0, "s.key");
        sql.sql(" FROM (SELECT unnest(r.keys) AS key");
        far.write(self, sql)?;
        sql.sql(") s");
        Ok(())
    }

    fn exclusive_or(&self, sql: &mut Sql, number: i64, column: &'static str) {
        sql.big(number).sql(" # ").sql(column);
    }

    fn contains(&self, sql: &mut Sql, column: &'static str, text: &str) {
        sql.sql("strpos(").sql(column).sql(", ").text(text);
        sql.sql(") > 0");
    }

    fn order_value(&self, sql: &mut Sql, names: &[String]) {
        let mut between = "(coalesce(";
        for name in names {
            sql.sql(between).sql("r.ordering ->> ").text(name.as_str());
            between = ", ";
        }
        sql.sql(") COLLATE \"C\")");
    }

    fn json_array(&self) -> &'static str {
        "jsonb_build_array"
    }

    fn key_table(&self, sql: &mut Sql, keys: &[ResourceKey]) {
        let types = keys.iter().map(|key| key.resource_type.clone()).collect();
        let ids = keys.iter().map(|key| key.id.clone()).collect();
        sql.sql("unnest(").bind(Bind::TextArray(types));
        sql.sql(", ").bind(Bind::TextArray(ids));
        sql.sql(") WITH ORDINALITY AS w(type, id, n)");
    }
}

impl<Row> QueryFragment<Pg> for Statement<Row> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.walk(pass, push)
    }
}

fn push<'b>(pass: &mut AstPass<'_, 'b, Pg>, bind: &'b Bind) -> QueryResult<()> {
    match bind {
        Bind::Text(value) => pass.push_bind_param::<Text, _>(value),
        Bind::NullableText(value) => pass.push_bind_param::<Nullable<Text>, _>(value),
        Bind::Big(value) => pass.push_bind_param::<BigInt, _>(value),
        Bind::NullableBig(value) => pass.push_bind_param::<Nullable<BigInt>, _>(value),
        Bind::Small(value) => pass.push_bind_param::<SmallInt, _>(value),
        Bind::BigArray(value) => pass.push_bind_param::<Array<BigInt>, _>(value),
        Bind::NullableBigArray(value) => pass.push_bind_param::<Array<Nullable<BigInt>>, _>(value),
        Bind::SmallArray(value) => pass.push_bind_param::<Array<SmallInt>, _>(value),
        Bind::TextArray(value) => pass.push_bind_param::<Array<Text>, _>(value),
        Bind::NullableTextArray(value) => pass.push_bind_param::<Array<Nullable<Text>>, _>(value),
    }
}
