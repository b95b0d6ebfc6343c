//! A [`Filter`] as a condition on the row `r`.

use super::dialect::{Dialect, Reach};
use super::statement::Sql;
use crate::store::{Bounds, Comparison, Filter, IndexKey, TextMatch};

/// Appends `scope AND filter`, each true or not true but never unknown.
pub fn write_where(dialect: &dyn Dialect, sql: &mut Sql, scope: &Filter, filter: &Filter) {
    let narrow = is_narrow(scope, filter);
    let rest = if narrow { Reach::Row } else { Reach::Open };
    let mut parts = Vec::new();
    flatten(scope, &mut parts);
    flatten(filter, &mut parts);
    let writer = Writer { dialect, rest };
    writer.write_all(sql, &parts, !narrow);
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

/// Whether an owner or an id leads to the rows, whatever else is asked.
pub fn is_narrow(scope: &Filter, filter: &Filter) -> bool {
    is_selective(scope) || is_selective(filter)
}

/// An owner or an id leads to few rows, and the index of all facts must then
/// stay closed: the planner would read every row of a common fact.
fn is_selective(filter: &Filter) -> bool {
    match filter {
        Filter::Is(Comparison::Owner(_) | Comparison::Id(_)) => true,
        Filter::Is(_) | Filter::Not(_) => false,
        Filter::All(parts) => parts.iter().any(is_selective),
        Filter::Any(parts) => !parts.is_empty() && parts.iter().all(is_selective),
    }
}

/// How well the filter can lead to the rows: 0 is not at all.
fn lead(filter: &Filter) -> u8 {
    match filter {
        Filter::Is(Comparison::Text { test, .. }) => match test {
            TextMatch::Equals(_) => 4,
            TextMatch::StartsWith(text) if text.chars().count() > 1 => 3,
            TextMatch::StartsWith(_) | TextMatch::Contains(_) => 0,
        },
        Filter::Is(Comparison::Key(_)) => 2,
        Filter::Is(Comparison::Date { .. }) => 1,
        Filter::Is(_) | Filter::Not(_) => 0,
        Filter::All(parts) => parts.iter().map(lead).max().unwrap_or(0),
        Filter::Any(parts) => parts.iter().map(lead).min().unwrap_or(0),
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
    fn write(&self, sql: &mut Sql, filter: &Filter, drive: bool) {
        match filter {
            Filter::Is(comparison) => self.write_comparison(sql, comparison, drive),
            Filter::All(parts) => self.write_all(sql, &parts.iter().collect::<Vec<_>>(), drive),
            Filter::Any(parts) => self.write_any(sql, parts, drive),
            Filter::Not(inner) => {
                sql.sql("(");
                self.write(sql, inner, false);
                sql.sql(") IS NOT TRUE");
            }
        }
    }

    /// Of several tests the best one drives.
    fn write_all(&self, sql: &mut Sql, parts: &[&Filter], drive: bool) {
        let best = parts.iter().map(|part| lead(part)).max().unwrap_or(0);
        let mut may_drive = drive && best > 0;
        sql.sql("(TRUE");
        for part in parts {
            let drives = may_drive && lead(part) == best;
            may_drive &= !drives;
            sql.sql(" AND ");
            self.write(sql, part, drives);
        }
        sql.sql(")");
    }

    fn write_any(&self, sql: &mut Sql, parts: &[Filter], drive: bool) {
        let mut between = "(";
        for part in parts {
            sql.sql(between);
            self.write(sql, part, drive);
            between = " OR ";
        }
        sql.sql(if parts.is_empty() { "FALSE" } else { ")" });
    }

    fn write_comparison(&self, sql: &mut Sql, comparison: &Comparison, drive: bool) {
        let reach = if drive { Reach::Drive } else { self.rest };
        match comparison {
            Comparison::Type(types) => self.write_texts(sql, "r.type", types),
            Comparison::Id(ids) => self.write_texts(sql, "r.id", ids),
            Comparison::Updated(bounds) => write_bounds(sql, "r.updated", "r.updated", bounds),
            Comparison::Owner(owners) => self.write_owners(sql, owners),
            Comparison::Key(keys) if keys.is_empty() => {
                sql.sql("FALSE");
            }
            Comparison::Key(keys) => self.dialect.has_key(sql, keys, reach),
            Comparison::Text { param, test } => {
                write_row_test(sql, "resource_text", *param, reach, |sql| {
                    self.write_text(sql, test);
                });
            }
            Comparison::Moment(bounds) => {
                write_bounds(sql, "r.moment_low", "r.moment_high", bounds);
            }
            Comparison::Date { param, bounds } => {
                write_row_test(sql, "resource_date", *param, reach, |sql| {
                    write_bounds(sql, "t.low", "t.high", bounds);
                });
            }
        }
    }

    fn write_texts(&self, sql: &mut Sql, column: &'static str, values: &[String]) {
        match values {
            [] => {
                sql.sql("FALSE");
            }
            [value] => {
                sql.sql(column).sql(" = ").text(value.as_str());
            }
            values => self.dialect.one_of_texts(sql, column, values.to_vec()),
        }
    }

    fn write_owners(&self, sql: &mut Sql, owners: &[IndexKey]) {
        match owners {
            [] => {
                sql.sql("FALSE");
            }
            [owner] => {
                sql.sql("r.owner = ").big(owner.0);
            }
            owners => {
                let values = owners.iter().map(|owner| owner.0).collect();
                self.dialect.one_of_numbers(sql, "r.owner", values);
            }
        }
    }

    fn write_text(&self, sql: &mut Sql, test: &TextMatch) {
        match test {
            TextMatch::Equals(text) => {
                sql.sql("t.value = ").text(text.as_str());
            }
            TextMatch::StartsWith(text) => {
                sql.sql("t.value >= ").text(text.as_str());
                if let Some(end) = first_text_behind(text) {
                    sql.sql(" AND t.value < ").text(end);
                }
            }
            TextMatch::Contains(text) => self.dialect.contains(sql, "t.value", text),
        }
    }
}

/// `r` has a row of the parameter that meets the test. The unary plus keeps
/// the parameter's index closed where the row is at hand.
fn write_row_test(
    sql: &mut Sql,
    table: &'static str,
    param: IndexKey,
    reach: Reach,
    test: impl FnOnce(&mut Sql),
) {
    match reach {
        Reach::Drive => sql.sql("r.rid IN (SELECT t.rid FROM ").sql(table),
        Reach::Row | Reach::Open => sql.sql("EXISTS (SELECT 1 FROM ").sql(table),
    };
    match reach {
        Reach::Drive => sql.sql(" t WHERE t.param = "),
        Reach::Open => sql.sql(" t WHERE t.rid = r.rid AND t.param = "),
        Reach::Row => sql.sql(" t WHERE t.rid = r.rid AND +t.param = "),
    };
    sql.big(param.0).sql(" AND ");
    test(sql);
    sql.sql(")");
}

/// As no range ends before it begins, what bounds the end from above bounds
/// the beginning too, and an index on the beginning can use it.
fn write_bounds(sql: &mut Sql, low: &'static str, high: &'static str, bounds: &Bounds) {
    let low_max = match (bounds.low_max, bounds.high_max) {
        (Some(low_max), Some(high_max)) => Some(low_max.min(high_max)),
        (low_max, high_max) => low_max.or(high_max),
    };
    let tests = [
        (low, " >= ", bounds.low_min),
        (low, " <= ", low_max),
        (high, " >= ", bounds.high_min),
        (high, " <= ", bounds.high_max),
    ];
    sql.sql(low).sql(" IS NOT NULL");
    for (column, operator, bound) in tests {
        if let Some(bound) = bound {
            sql.sql(" AND ").sql(column).sql(operator).big(bound);
        }
    }
}

/// The first text, bytewise, that is behind every text with this beginning.
fn first_text_behind(beginning: &str) -> Option<String> {
    let mut chars: Vec<char> = beginning.chars().collect();
    while let Some(last) = chars.pop() {
        // Stepping over the surrogates keeps the order of UTF-8.
        if let Some(next) = (last..=char::MAX).nth(1) {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::first_text_behind;

    #[test]
    fn the_end_of_a_beginning_is_the_next_text_in_byte_order() {
        assert_eq!(first_text_behind("ab").as_deref(), Some("ac"));
        assert_eq!(first_text_behind("a\u{7f}").as_deref(), Some("a\u{80}"));
        assert_eq!(first_text_behind("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(first_text_behind("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(first_text_behind("\u{10ffff}"), None);
        assert_eq!(first_text_behind(""), None);
    }
}
