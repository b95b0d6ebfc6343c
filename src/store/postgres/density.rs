//! How many rows have their clinical time within a range, as it was counted lately.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::sql_types::BigInt;

use super::common::Facts;
use super::dialect::Postgres;
use super::lead::{FEW, fewest_fact};
use super::readers::{Readers, Width};
use crate::store::sql::filter::{self, own_scope};
use crate::store::sql::{Reach, Sql, Statement, compare};
use crate::store::{Bounds, Comparison, Filter, SearchPlan, StoreError};

/// A window may fill: a search that it leads then looks at all that is in it.
const FEW_KEPT_FOR: Duration = Duration::from_secs(60);
const FULL_KEPT_FOR: Duration = Duration::from_secs(600);

/// Beside a fact of so few rows no time is asked about.
const FEW_ENOUGH: i64 = 50;

/// So many windows are remembered.
const MOST_WINDOWS: usize = 10_000;

/// Windows begin at multiples of their length, two to the power of this in
/// microseconds: all times before or after 1970, 4.5 years, 102 days, 6 days, 10 hours.
const LENGTHS: [u32; 5] = [63, 47, 43, 39, 35];

#[derive(Clone, PartialEq, Eq, Hash)]
struct Window {
    resource_type: String,
    length: u32,
    number: i64,
}

#[derive(Default)]
pub(super) struct Density {
    /// Rows, or as many as are no longer few.
    rows: Mutex<HashMap<Window, (Instant, i64)>>,
}

impl Density {
    /// The conditions on clinical times, of the search and at the ends of its links,
    /// that few rows meet, with a number that they do not exceed.
    pub async fn few_moments<'p>(
        &self,
        readers: &Readers,
        facts: &Facts,
        plan: &'p SearchPlan,
    ) -> Result<Vec<(i64, &'p Filter)>, StoreError> {
        let mut moments = Vec::new();
        let search = Search {
            scope: plan.scope.filter(),
            facts,
        };
        search.gather(&plan.filter, &mut moments);
        let mut few = Vec::new();
        for moment in moments {
            if let Some(rows) = self.few(readers, &moment).await? {
                few.push((rows, moment.filter));
            }
        }
        Ok(few)
    }

    /// The widest windows are asked about first: they answer for the most ranges.
    async fn few(&self, readers: &Readers, moment: &Moment<'_>) -> Result<Option<i64>, StoreError> {
        for length in LENGTHS {
            let (first, last) = (moment.low >> length, moment.high >> length);
            if last.saturating_sub(first) > 1 {
                break;
            }
            let mut rows = 0;
            for number in first..=last {
                if rows < FEW {
                    let resource_type = moment.resource_type.to_owned();
                    let window = Window {
                        resource_type,
                        length,
                        number,
                    };
                    rows += self.rows(readers, window).await?;
                }
            }
            if rows < FEW {
                return Ok(Some(rows));
            }
        }
        Ok(None)
    }

    async fn rows(&self, readers: &Readers, window: Window) -> Result<i64, StoreError> {
        if let Some(rows) = self.known(&window) {
            return Ok(rows);
        }
        let counted: Vec<i64> = readers.rows(Width::Narrow, count(&window)).await?;
        let rows = counted.first().copied().unwrap_or(FEW);
        let mut known = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_WINDOWS {
            known.clear();
        }
        known.insert(window, (Instant::now(), rows));
        Ok(rows)
    }

    fn known(&self, window: &Window) -> Option<i64> {
        let known = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, rows) = known.get(window)?;
        let kept_for = if *rows < FEW {
            FEW_KEPT_FOR
        } else {
            FULL_KEPT_FOR
        };
        (at.elapsed() < kept_for).then_some(*rows)
    }
}

/// The first and the last time of a window.
fn limits(number: i64, length: u32) -> (i64, i64) {
    let low = number << length;
    (low, low | (i64::MAX >> (63 - length)))
}

fn count(window: &Window) -> Statement<BigInt> {
    let (low, high) = limits(window.number, window.length);
    let bounds = Bounds {
        low_min: Some(low),
        low_max: Some(high),
        ..Bounds::default()
    };
    let mut sql = Sql::new("SELECT count(*) FROM (SELECT 1 FROM resource r WHERE r.type = ");
    sql.text(window.resource_type.as_str()).sql(" AND ");
    let moment = Comparison::Moment(bounds);
    compare::write_comparison(&Postgres::default(), &mut sql, &moment, Reach::Row);
    // The order of the index, and a limit that the planner can see: it must not read
    // a whole window to count its first rows.
    sql.sql(format!(" ORDER BY r.moment_low LIMIT {FEW}) s"));
    sql.rows_of_client()
}

/// A clinical time of one type, bounded on both sides.
struct Moment<'p> {
    resource_type: &'p str,
    filter: &'p Filter,
    low: i64,
    high: i64,
}

struct Search<'s> {
    scope: &'s Filter,
    facts: &'s Facts,
}

impl Search<'_> {
    /// What must hold of the rows, and of those at the far ends of links.
    fn gather<'p>(&self, rows: &'p Filter, moments: &mut Vec<Moment<'p>>) {
        let of_type = match filter::types_of(rows) {
            Some([one]) if !self.is_led(rows) => Some(one.as_str()),
            _ => None,
        };
        self.gather_of(rows, of_type, moments);
    }

    /// Where an owner, an id or a very rare fact leads, nothing else needs to.
    fn is_led(&self, rows: &Filter) -> bool {
        filter::is_selective(rows)
            || filter::is_selective(&own_scope(self.scope, rows))
            || fewest_fact(self.facts, rows).is_some_and(|(rows, _)| rows <= FEW_ENOUGH)
    }

    fn gather_of<'p>(
        &self,
        filter: &'p Filter,
        of_type: Option<&'p str>,
        moments: &mut Vec<Moment<'p>>,
    ) {
        match filter {
            Filter::All(parts) => {
                for part in parts {
                    self.gather_of(part, of_type, moments);
                }
            }
            Filter::RefersTo { to: far, .. } | Filter::ReferredBy { from: far, .. } => {
                self.gather(far, moments);
            }
            Filter::Is(Comparison::Moment(bounds)) => {
                let low = bounds.low_min;
                let high = bounds.low_max.into_iter().chain(bounds.high_max).min();
                if let (Some(resource_type), Some(low), Some(high)) = (of_type, low, high) {
                    moments.push(Moment {
                        resource_type,
                        filter,
                        low,
                        high,
                    });
                }
            }
            Filter::Is(_) | Filter::Not(_) | Filter::Any(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{IndexKey, Link};

    fn moment(low: Option<i64>, high: Option<i64>) -> Filter {
        Filter::Is(Comparison::Moment(Bounds {
            low_min: low,
            high_max: high,
            ..Bounds::default()
        }))
    }

    fn rows_of(resource_type: &str, parts: impl IntoIterator<Item = Filter>) -> Filter {
        let of_type = Filter::Is(Comparison::Type(vec![resource_type.into()]));
        Filter::All([of_type].into_iter().chain(parts).collect())
    }

    fn gathered(filter: &Filter) -> Vec<(&str, i64, i64)> {
        let mut moments = Vec::new();
        let search = Search {
            scope: &Filter::All(Vec::new()),
            facts: &None,
        };
        search.gather(filter, &mut moments);
        let moments = moments.into_iter();
        moments
            .map(|moment| (moment.resource_type, moment.low, moment.high))
            .collect()
    }

    #[test]
    fn a_time_that_is_bounded_on_both_sides_is_asked_about_under_its_own_type() {
        let far = rows_of("Patient", [moment(Some(1), Some(2))]);
        let link = Filter::RefersTo {
            by: Link::Owner,
            to: Box::new(far),
        };
        let filter = rows_of("Appointment", [moment(Some(3), Some(4)), link]);
        assert_eq!(
            gathered(&filter),
            [("Appointment", 3, 4), ("Patient", 1, 2)]
        );
        let open = rows_of(
            "Appointment",
            [moment(Some(3), None), moment(None, Some(4))],
        );
        assert_eq!(gathered(&open), []);
        let typeless = Filter::All(vec![moment(Some(3), Some(4))]);
        assert_eq!(gathered(&typeless), []);
    }

    #[test]
    fn beside_an_owner_no_time_is_asked_about() {
        let owner = Filter::Is(Comparison::Owner(vec![IndexKey(1)]));
        let filter = rows_of("Appointment", [moment(Some(3), Some(4)), owner]);
        assert_eq!(gathered(&filter), []);
    }

    #[test]
    fn what_need_not_hold_is_not_asked_about() {
        let either = Filter::Any(vec![moment(Some(3), Some(4)), moment(Some(5), Some(6))]);
        let not = Filter::Not(Box::new(moment(Some(3), Some(4))));
        assert_eq!(gathered(&rows_of("Appointment", [either, not])), []);
    }

    #[test]
    fn windows_of_one_length_lie_side_by_side() {
        for length in LENGTHS {
            let bounds = [-1, 0].map(|number| limits(number, length));
            assert_eq!(bounds[0].1, -1);
            assert_eq!(bounds[1].0, 0);
            for (low, high) in bounds {
                assert_eq!(low >> length, high >> length);
            }
        }
    }
}
