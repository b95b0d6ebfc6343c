//! A [`Comparison`] as a condition on the row `r`, or as the rows it leads to.

use super::dialect::{Dialect, Reach};
use super::statement::Sql;
use crate::store::{Ball, Bounds, Comparison, IndexKey, TextMatch};

/// Not `FALSE`: SQLite would drop the conditions beside it, and with them the
/// reason why it may use the index that [`Dialect::resource`] names.
pub const NEVER: &str = "1 = 0";

/// Appends the test on `r`.
pub fn write_comparison(
    dialect: &dyn Dialect,
    sql: &mut Sql,
    comparison: &Comparison,
    reach: Reach,
) {
    match comparison {
        Comparison::Type(types) => write_texts(dialect, sql, "r.type", types),
        Comparison::Id(ids) => write_texts(dialect, sql, "r.id", ids),
        Comparison::Updated(bounds) => write_bounds(sql, "r.updated", "r.updated", bounds),
        Comparison::Owner(owners) => write_numbers(dialect, sql, "r.owner", owners),
        Comparison::Key(keys) if keys.is_empty() => {
            sql.sql(NEVER);
        }
        Comparison::Key(keys) => dialect.has_key(sql, keys, reach),
        Comparison::Text { param, test } => {
            write_row_test(sql, "resource_text", *param, reach, |sql| {
                write_text(dialect, sql, test);
            });
        }
        Comparison::Moment(bounds) => {
            write_bounds(sql, "r.moment_low", "r.moment_high", bounds);
        }
        Comparison::Range { param, bounds } => {
            write_row_test(sql, "resource_range", *param, reach, |sql| {
                write_bounds(sql, "t.low", "t.high", bounds);
            });
        }
        Comparison::Within(ball) => write_within(sql, ball),
    }
}

/// The coordinates of one row, by the row: the ranges beside it find it.
fn write_within(sql: &mut Sql, ball: &Ball) {
    const ROWS: [[&str; 3]; 3] = [
        [
            "x.rid = r.rid AND +x.param = ",
            "(x.low - ",
            ") * (x.low - ",
        ],
        [
            " AND y.rid = r.rid AND +y.param = ",
            ") + (y.low - ",
            ") * (y.low - ",
        ],
        [
            " AND z.rid = r.rid AND +z.param = ",
            ") + (z.low - ",
            ") * (z.low - ",
        ],
    ];
    sql.sql("EXISTS (SELECT 1 FROM resource_range x, resource_range y, resource_range z WHERE ");
    for ([of, ..], param) in ROWS.into_iter().zip(ball.params) {
        sql.sql(of).big(param.0);
    }
    sql.sql(" AND ");
    for ([_, from, again], center) in ROWS.into_iter().zip(ball.center) {
        sql.sql(from).big(center).sql(again).big(center);
    }
    sql.sql(") <= ").big(ball.radius_squared).sql(")");
}

/// The texts or dates that a test is about.
fn write_row_test(
    sql: &mut Sql,
    table: &'static str,
    param: IndexKey,
    reach: Reach,
    test: impl FnOnce(&mut Sql),
) {
    sql.sql("EXISTS (SELECT 1 FROM ").sql(table);
    // The unary plus keeps the parameter's index closed.
    sql.sql(match reach {
        Reach::Open => " t WHERE t.rid = r.rid AND t.param = ",
        Reach::Row => " t WHERE t.rid = r.rid AND +t.param = ",
    });
    sql.big(param.0).sql(" AND ");
    test(sql);
    sql.sql(")");
}

/// At least one of several ranges, in one question: alternatives that stand in
/// questions of their own keep a planner from the index.
pub fn write_ranges(sql: &mut Sql, ranges: &[(IndexKey, Bounds)], reach: Reach) {
    sql.sql("EXISTS (SELECT 1 FROM resource_range t WHERE t.rid = r.rid AND (");
    let mut between = match reach {
        Reach::Open => "(t.param = ",
        Reach::Row => "(+t.param = ",
    };
    for (param, bounds) in ranges {
        sql.sql(between).big(param.0).sql(" AND ");
        write_bounds(sql, "t.low", "t.high", bounds);
        sql.sql(")");
        between = match reach {
            Reach::Open => " OR (t.param = ",
            Reach::Row => " OR (+t.param = ",
        };
    }
    sql.sql("))");
}

/// Appends a `SELECT` of the rids that have the fact, text or date, for a
/// store that lets one of them lead; where facts lead, they stand in a table.
pub fn write_rids(dialect: &dyn Dialect, sql: &mut Sql, comparison: &Comparison) {
    match comparison {
        Comparison::Key(keys) => {
            sql.sql("SELECT k.rid FROM resource_key k WHERE ");
            write_numbers(dialect, sql, "k.key", keys);
        }
        Comparison::Text { param, test } => {
            sql.sql("SELECT t.rid FROM resource_text t WHERE t.param = ");
            sql.big(param.0).sql(" AND ");
            write_text(dialect, sql, test);
        }
        Comparison::Range { param, bounds } => write_range_rids(sql, &[(*param, *bounds)]),
        Comparison::Type(_)
        | Comparison::Id(_)
        | Comparison::Updated(_)
        | Comparison::Owner(_)
        | Comparison::Moment(_)
        | Comparison::Within(_) => {
            sql.sql("SELECT r.rid FROM resource r WHERE ");
            write_comparison(dialect, sql, comparison, Reach::Open);
        }
    }
}

/// Appends a `SELECT` of the rids that have at least one of the ranges. Where
/// only the end is bounded from below, what begins behind the bound is found by
/// its beginning; what begins before it and still meets it is no point, and has
/// an index of its own.
pub fn write_range_rids(sql: &mut Sql, ranges: &[(IndexKey, Bounds)]) {
    let mut between = "SELECT t.rid FROM resource_range t WHERE t.param = ";
    for (param, bounds) in ranges {
        let mut write = |bounds: &Bounds, further: &'static str| {
            sql.sql(between).big(param.0).sql(" AND ").sql(further);
            write_bounds(sql, "t.low", "t.high", bounds);
            between = " UNION ALL SELECT t.rid FROM resource_range t WHERE t.param = ";
        };
        let (None, Some(end)) = (bounds.low_min, bounds.high_min) else {
            write(bounds, "");
            continue;
        };
        let behind = Bounds {
            low_min: Some(end),
            ..*bounds
        };
        let low_max = end.saturating_sub(1);
        let across = Bounds {
            low_max: Some(bounds.low_max.map_or(low_max, |max| max.min(low_max))),
            ..*bounds
        };
        write(&behind, "");
        write(&across, "t.low <> t.high AND ");
    }
}

/// `column` is one of the texts.
pub fn write_texts(dialect: &dyn Dialect, sql: &mut Sql, column: &'static str, values: &[String]) {
    match values {
        [] => {
            sql.sql(NEVER);
        }
        [value] => {
            sql.sql(column).sql(" = ").text(value.as_str());
        }
        values => dialect.one_of_texts(sql, column, values.to_vec()),
    }
}

/// `column` is one of the numbers.
pub fn write_numbers(
    dialect: &dyn Dialect,
    sql: &mut Sql,
    column: &'static str,
    values: &[IndexKey],
) {
    match values {
        [] => {
            sql.sql(NEVER);
        }
        [value] => {
            sql.sql(column).sql(" = ").big(value.0);
        }
        values => {
            let values = values.iter().map(|value| value.0).collect();
            dialect.one_of_numbers(sql, column, values);
        }
    }
}

fn write_text(dialect: &dyn Dialect, sql: &mut Sql, test: &TextMatch) {
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
        TextMatch::Contains(text) => dialect.contains(sql, "t.value", text),
    }
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
