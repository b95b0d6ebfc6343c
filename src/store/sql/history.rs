//! The questions on versions: the current one stands in `resource`, the ones
//! before it in `history`. Whether a past version is in scope is decided by
//! the current one, whose index rows are the only ones kept.

use super::dialect::{Dialect, Lead, Leader};
use super::filter::{has_few_owners, is_unconditional, keys_within};
use super::row::StoredSql;
use super::select::{write_limit, write_scope};
use super::statement::{Sql, Statement};
use crate::store::{
    Comparison, HistoryOf, HistoryPlan, HistoryPosition, IndexKey, ResourceKey, Scope, StoreError,
};

const CURRENT: &str = "SELECT r.type, r.id, r.version, r.updated, r.method, r.body FROM ";
const PAST: &str = "SELECT h.type, h.id, h.version, h.updated, h.method, h.body FROM ";
// SQLite keeps the order of a CROSS JOIN.
const BY_RESOURCE: &str = " CROSS JOIN history h WHERE h.rid = r.rid";
const BY_TIME: &str = "history h CROSS JOIN resource r WHERE r.rid = h.rid";

/// One version, current or past.
pub fn vread(
    dialect: &dyn Dialect,
    scope: &Scope,
    key: &ResourceKey,
    version: i64,
) -> Result<Statement<StoredSql>, StoreError> {
    let scope = &scope.within(&[&key.resource_type]);
    let mut sql = Sql::new(CURRENT);
    sql.sql("resource r WHERE r.version = ").big(version);
    write_instance(&mut sql, key);
    write_scope(dialect, &mut sql, scope)?;
    sql.sql(" UNION ALL ").sql(PAST);
    sql.sql("resource r").sql(BY_RESOURCE);
    sql.sql(" AND h.version = ").big(version);
    write_instance(&mut sql, key);
    write_past_scope(dialect, &mut sql, scope)?;
    Ok(sql.rows_of_client())
}

/// The versions of one page and one more. Each half is cut to the page's
/// length before they are put together, so that both can stop early.
pub fn history(
    dialect: &dyn Dialect,
    plan: &HistoryPlan,
) -> Result<Statement<StoredSql>, StoreError> {
    let plan = &HistoryPlan {
        scope: match &plan.of {
            HistoryOf::System | HistoryOf::Others(_) => plan.scope.clone(),
            HistoryOf::Types(names) => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                plan.scope.within(&names)
            }
            HistoryOf::Type(name) => plan.scope.within(&[name]),
            HistoryOf::Instance(key) => plan.scope.within(&[&key.resource_type]),
        },
        ..plan.clone()
    };
    let lead = &lead(dialect, plan)?;
    let mut sql = Sql::new("SELECT v.type, v.id, v.version, v.updated, v.method, v.body FROM (");
    sql.sql("SELECT * FROM (").sql(CURRENT);
    sql.sql(dialect.resource(lead.by)).sql(" WHERE TRUE");
    write_lead(dialect, &mut sql, lead)?;
    match &plan.of {
        HistoryOf::Type(resource_type) => {
            sql.sql(" AND r.type = ").text(resource_type.as_str());
        }
        HistoryOf::Instance(key) => write_instance(&mut sql, key),
        several => write_types(&mut sql, several, R.resource_type),
    }
    write_scope(dialect, &mut sql, &plan.scope)?;
    write_times(&mut sql, plan, &R);
    sql.sql(") c UNION ALL SELECT * FROM (");
    write_past(dialect, &mut sql, plan, lead)?;
    write_times(&mut sql, plan, &H);
    sql.sql(") p) v");
    write_end(&mut sql, plan, &V);
    Ok(sql.rows_of_client())
}

/// What leads to the resources.
struct Led {
    by: Lead,
    /// Each of them has one of these facts.
    keys: Option<Vec<IndexKey>>,
}

/// An owner in the scope, or whose records it opens, leads to fewer rows than the
/// time does.
fn lead(dialect: &dyn Dialect, plan: &HistoryPlan) -> Result<Led, StoreError> {
    let scope = plan.scope.filter();
    let (by, keys) = match plan.of {
        HistoryOf::Instance(_) => (Lead::Few, None),
        _ if has_few_owners(scope) => (Lead::Owner, None),
        _ => match keys_within(scope) {
            Some(keys) if dialect.leads_a_history(&keys)? => (Lead::Part(0), Some(keys)),
            _ => (Lead::Open, None),
        },
    };
    Ok(Led { by, keys })
}

fn write_lead(dialect: &dyn Dialect, sql: &mut Sql, lead: &Led) -> Result<(), StoreError> {
    if let Some(keys) = &lead.keys {
        sql.sql(" AND ");
        let keys = Comparison::Key(keys.clone());
        dialect.write_leader(sql, Leader::Is(&keys), &[])?;
    }
    Ok(())
}

fn write_past(
    dialect: &dyn Dialect,
    sql: &mut Sql,
    plan: &HistoryPlan,
    lead: &Led,
) -> Result<(), StoreError> {
    sql.sql(PAST);
    if lead.by != Lead::Open {
        sql.sql(dialect.resource(lead.by)).sql(BY_RESOURCE);
        write_lead(dialect, sql, lead)?;
    } else if is_unconditional(plan.scope.filter()) {
        sql.sql("history h WHERE TRUE");
    } else {
        sql.sql(BY_TIME);
    }
    match &plan.of {
        HistoryOf::Instance(key) => write_instance(sql, key),
        HistoryOf::Type(resource_type) => {
            // The type of what leads, so that the other side keeps to its key.
            sql.sql(match lead.by {
                Lead::Open => " AND h.type = ",
                _ => " AND r.type = ",
            });
            sql.text(resource_type.as_str());
            if lead.keys.is_some() && dialect.orders_joins() {
                sql.sql(" AND h.type = ").text(resource_type.as_str());
            }
        }
        several => write_types(sql, several, H.resource_type),
    }
    write_past_scope(dialect, sql, &plan.scope)?;
    if let Some((low, _)) = plan.at {
        sql.sql(" AND h.superseded > ").big(low);
    }
    Ok(())
}

/// The columns of one alias.
struct Columns {
    updated: &'static str,
    resource_type: &'static str,
    id: &'static str,
    version: &'static str,
}

const R: Columns = Columns {
    updated: "r.updated",
    resource_type: "r.type",
    id: "r.id",
    version: "r.version",
};
const H: Columns = Columns {
    updated: "h.updated",
    resource_type: "h.type",
    id: "h.id",
    version: "h.version",
};
const V: Columns = Columns {
    updated: "v.updated",
    resource_type: "v.type",
    id: "v.id",
    version: "v.version",
};

fn write_times(sql: &mut Sql, plan: &HistoryPlan, columns: &Columns) {
    if let Some(since) = plan.since {
        sql.sql(" AND ").sql(columns.updated).sql(" >= ").big(since);
    }
    if let Some((_, high)) = plan.at {
        sql.sql(" AND ").sql(columns.updated).sql(" <= ").big(high);
    }
    if let Some(place) = &plan.after {
        write_behind(sql, place, columns);
    }
    write_end(sql, plan, columns);
}

fn write_end(sql: &mut Sql, plan: &HistoryPlan, columns: &Columns) {
    sql.sql(" ORDER BY ").sql(columns.updated).sql(" DESC, ");
    sql.sql(columns.resource_type).sql(", ").sql(columns.id);
    sql.sql(", ").sql(columns.version).sql(" DESC");
    write_limit(sql, plan.limit);
}

/// Newest first; ties by type, id, then version descending.
fn write_behind(sql: &mut Sql, place: &HistoryPosition, columns: &Columns) {
    let key = |sql: &mut Sql, operator: &'static str| {
        sql.sql("(").sql(columns.resource_type).sql(", ");
        sql.sql(columns.id).sql(")").sql(operator).sql("(");
        sql.text(place.key.resource_type.as_str()).sql(", ");
        sql.text(place.key.id.as_str()).sql(")");
    };
    let updated = columns.updated;
    sql.sql(" AND ").sql(updated).sql(" <= ").big(place.updated);
    sql.sql(" AND (").sql(updated).sql(" < ").big(place.updated);
    sql.sql(" OR ");
    key(sql, " > ");
    sql.sql(" OR (");
    key(sql, " = ");
    sql.sql(" AND ").sql(columns.version).sql(" < ");
    sql.big(place.version).sql("))");
}

/// Several types in the order of time.
fn write_types(sql: &mut Sql, of: &HistoryOf, column: &'static str) {
    match of {
        HistoryOf::Others(name) => {
            sql.sql(" AND ").sql(column).sql(" <> ");
            sql.text(name.as_str());
        }
        HistoryOf::Types(names) => {
            sql.sql(" AND (FALSE");
            for name in names {
                sql.sql(" OR ").sql(column).sql(" = ");
                sql.text(name.as_str());
            }
            sql.sql(")");
        }
        HistoryOf::System | HistoryOf::Type(_) | HistoryOf::Instance(_) => {}
    }
}

fn write_instance(sql: &mut Sql, key: &ResourceKey) {
    sql.sql(" AND r.type = ").text(key.resource_type.as_str());
    sql.sql(" AND r.id = ").text(key.id.as_str());
}

fn write_past_scope(dialect: &dyn Dialect, sql: &mut Sql, scope: &Scope) -> Result<(), StoreError> {
    if !is_unconditional(scope.filter()) {
        sql.sql(" AND h.body IS NOT NULL");
        write_scope(dialect, sql, scope)?;
    }
    Ok(())
}
