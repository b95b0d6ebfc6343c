//! Which conditions lead to few rows, so that one plan serves all values: rare
//! facts, clinical times that few rows have, ranges that are counted first (a wrong
//! guess of the planner costs a thousand times that), and links to what is led
//! itself. The planner knows texts, and to count them costs as much as to ask it.

use std::ptr;

use diesel::sql_types::{Array, BigInt};

use super::common::{Common, Facts};
use super::density::Density;
use super::readers::{Readers, Width};
use crate::store::sql::filter::{is_selective, own_scope, ranges_of};
use crate::store::sql::{Sql, compare};
use crate::store::{Comparison, Filter, IndexKey, SearchPlan, StoreError};

/// What is known to stand for fewer rows than this leads: to plan anew takes as long
/// as to look at so many.
pub(super) const FEW: i64 = 500;

/// A range that stands for more rows than this does not lead.
const MOST: i64 = 4_000;

/// No more conditions than this are asked about, in one question.
const ASKED: usize = 2;

/// What the database was asked before.
#[derive(Default)]
pub(super) struct Known {
    common: Common,
    density: Density,
}

pub(super) async fn leaders<'p>(
    readers: &Readers,
    known: &Known,
    plan: &'p SearchPlan,
) -> Result<Vec<&'p Filter>, StoreError> {
    let facts = known.common.facts(readers).await?;
    let mut survey = Survey {
        scope: plan.scope.filter(),
        moments: known.density.few_moments(readers, &facts, plan).await?,
        facts,
        asked: Vec::new(),
    };
    let group = survey.group(&plan.filter);
    let rows = count(readers, &survey.asked).await?;
    let mut leaders = Vec::new();
    group.choose(&rows, &mut leaders);
    Ok(leaders)
}

/// Conditions that must hold together, of the search or at the end of a link.
#[derive(Default)]
struct Group<'p> {
    /// An owner or an id leads.
    selective: bool,
    /// Facts or a clinical time that few rows have.
    known: Option<&'p Filter>,
    /// By their numbers in the question.
    asked: Vec<(usize, &'p Filter)>,
    links: Vec<FarGroup<'p>>,
}

struct FarGroup<'p> {
    link: &'p Filter,
    /// Only what must hold can lead.
    must: bool,
    group: Group<'p>,
}

impl<'p> Group<'p> {
    /// Whether anything leads here.
    fn choose(self, rows: &[i64], leaders: &mut Vec<&'p Filter>) -> bool {
        let mut link = None;
        for far in self.links {
            if far.group.choose(rows, leaders) && far.must {
                link = link.or(Some(far.link));
            }
        }
        if self.selective {
            return true;
        }
        let few = |(number, filter): (usize, &'p Filter)| {
            let rows = *rows.get(number)?;
            (rows < MOST).then_some((rows, filter))
        };
        let counted = self.asked.into_iter().filter_map(few);
        let fewest = counted.min_by_key(|(rows, _)| *rows);
        let leader = self.known.or(link).or(fewest.map(|(_, filter)| filter));
        leaders.extend(leader);
        leader.is_some()
    }
}

struct Survey<'p> {
    scope: &'p Filter,
    facts: Facts,
    /// Clinical times that few rows have, with how many.
    moments: Vec<(i64, &'p Filter)>,
    asked: Vec<&'p Filter>,
}

impl<'p> Survey<'p> {
    fn group(&mut self, filter: &'p Filter) -> Group<'p> {
        let mut group = Group {
            selective: is_selective(filter) || is_selective(&own_scope(self.scope, filter)),
            known: self.fewest(filter).map(|(_, leader)| leader),
            ..Group::default()
        };
        self.gather(filter, true, &mut group);
        group
    }

    fn gather(&mut self, filter: &'p Filter, must: bool, group: &mut Group<'p>) {
        match filter {
            Filter::All(parts) => {
                for part in parts {
                    self.gather(part, must, group);
                }
            }
            filter if must && ranges_of(filter).is_some() => {
                let known = group.selective || group.known.is_some();
                if !known && self.asked.len() < ASKED {
                    group.asked.push((self.asked.len(), filter));
                    self.asked.push(filter);
                }
            }
            Filter::Any(parts) => {
                for part in parts {
                    self.gather(part, false, group);
                }
            }
            Filter::RefersTo { to: far, .. } | Filter::ReferredBy { from: far, .. } => {
                let group_of_far = self.group(far);
                group.links.push(FarGroup {
                    link: filter,
                    must,
                    group: group_of_far,
                });
            }
            Filter::Not(_) | Filter::Is(_) => {}
        }
    }

    /// What few rows have, of what must hold.
    fn fewest(&self, filter: &'p Filter) -> Option<(i64, &'p Filter)> {
        let fact = fewest_fact(&self.facts, filter);
        let known = fact.into_iter().chain(self.fewest_moment(filter));
        known.min_by_key(|(rows, _)| *rows)
    }

    fn fewest_moment(&self, filter: &'p Filter) -> Option<(i64, &'p Filter)> {
        match filter {
            Filter::All(parts) => {
                let known = parts.iter().filter_map(|part| self.fewest_moment(part));
                known.min_by_key(|(rows, _)| *rows)
            }
            // The same, not one alike: it was counted for its own type.
            filter => {
                let mut moments = self.moments.iter().copied();
                moments.find(|(_, moment)| ptr::eq(*moment, filter))
            }
        }
    }
}

/// Of the facts that must hold, those that the fewest rows have, if they are few.
pub(super) fn fewest_fact<'p>(facts: &Facts, filter: &'p Filter) -> Option<(i64, &'p Filter)> {
    match filter {
        Filter::All(parts) => {
            let known = parts.iter().filter_map(|part| fewest_fact(facts, part));
            known.min_by_key(|(rows, _)| *rows)
        }
        Filter::Is(Comparison::Key(keys)) if !keys.is_empty() => {
            let listed = facts.as_ref()?;
            let counted = |key: &IndexKey| listed.rows.get(&key.0).copied();
            let rows: i64 = keys.iter().filter_map(counted).sum();
            if rows >= FEW {
                return None;
            }
            let all = keys.iter().all(|key| counted(key).is_some());
            let others = if all { 0 } else { listed.fewest.min(FEW - 1) };
            Some((rows.max(others), filter))
        }
        _ => None,
    }
}

/// How many rows each filter has, no further than it matters.
async fn count(readers: &Readers, asked: &[&Filter]) -> Result<Vec<i64>, StoreError> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::default();
    let mut between = "SELECT ARRAY[(SELECT count(*) FROM (";
    for ranges in asked.iter().filter_map(|filter| ranges_of(filter)) {
        sql.sql(between);
        compare::write_range_rids(&mut sql, &ranges);
        sql.sql(" LIMIT ").big(MOST).sql(") s)");
        between = ", (SELECT count(*) FROM (";
    }
    sql.sql("]");
    let statement = sql.rows_of_client::<Array<BigInt>>();
    let rows: Vec<Vec<i64>> = readers.rows(Width::Narrow, statement).await?;
    Ok(rows.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::{Bounds, Link};

    const COMMON: i64 = 1;
    const RARE: i64 = 2;
    const SEVERAL: i64 = 3;

    fn fact(key: i64) -> Filter {
        Filter::Is(Comparison::Key(vec![IndexKey(key)]))
    }

    fn range(param: i64) -> Filter {
        let param = IndexKey(param);
        let bounds = Bounds::default();
        Filter::Is(Comparison::Range { param, bounds })
    }

    fn patients(parts: impl IntoIterator<Item = Filter>) -> Filter {
        let of_type = Filter::Is(Comparison::Type(vec!["Patient".into()]));
        Filter::All([of_type].into_iter().chain(parts).collect())
    }

    fn survey(scope: &Filter) -> Survey<'_> {
        Survey {
            scope,
            facts: Some(Arc::new(
                [(COMMON, FEW), (SEVERAL, 20)].into_iter().collect(),
            )),
            moments: Vec::new(),
            asked: Vec::new(),
        }
    }

    /// What leads where each question has so many rows, in turn.
    fn led(filter: &Filter, rows: &[i64]) -> Vec<Filter> {
        let scope = Filter::All(Vec::new());
        let mut survey = survey(&scope);
        let group = survey.group(filter);
        assert_eq!(survey.asked.len(), rows.len());
        let mut leaders = Vec::new();
        group.choose(rows, &mut leaders);
        leaders.into_iter().cloned().collect()
    }

    #[test]
    fn the_range_with_the_fewest_rows_leads() {
        let filter = patients([range(1), range(2), fact(COMMON)]);
        assert_eq!(led(&filter, &[30, 20]), [range(2)]);
        assert_eq!(led(&filter, &[30, MOST]), [range(1)]);
        assert_eq!(led(&filter, &[MOST, MOST]), []);
    }

    #[test]
    fn a_rare_fact_leads_unasked() {
        assert_eq!(
            led(&patients([fact(COMMON), fact(RARE)]), &[]),
            [fact(RARE)]
        );
        let either = Filter::Is(Comparison::Key(vec![IndexKey(RARE), IndexKey(COMMON)]));
        assert_eq!(led(&patients([either]), &[]), []);
        let none = Filter::Is(Comparison::Key(Vec::new()));
        assert_eq!(led(&patients([none]), &[]), []);
        let beside_a_range = patients([range(1), fact(RARE)]);
        assert_eq!(led(&beside_a_range, &[]), [fact(RARE)]);
    }

    #[test]
    fn of_what_few_rows_have_the_fewest_lead() {
        let scope = Filter::All(Vec::new());
        let time = Filter::Is(Comparison::Moment(Bounds::default()));
        let fewest = |rows: i64, of: usize, parts: Vec<Filter>| {
            let filter = patients(parts);
            let Filter::All(parts) = &filter else {
                panic!("{filter:?}");
            };
            let survey = Survey {
                moments: vec![(rows, &parts[of])],
                ..survey(&scope)
            };
            survey.fewest(&filter).map(|(_, leader)| leader.clone())
        };
        let both = || vec![fact(SEVERAL), time.clone(), fact(COMMON)];
        assert_eq!(fewest(19, 2, both()), Some(time.clone()));
        assert_eq!(fewest(21, 2, both()), Some(fact(SEVERAL)));
        // What is not listed may have as many rows as the last that is.
        let rare = || vec![time.clone(), fact(RARE)];
        assert_eq!(fewest(19, 1, rare()), Some(time.clone()));
        assert_eq!(fewest(21, 1, rare()), Some(fact(RARE)));
    }

    #[test]
    fn a_time_that_few_rows_of_one_type_have_does_not_lead_another() {
        let scope = Filter::All(Vec::new());
        let time = Filter::Is(Comparison::Moment(Bounds::default()));
        let few = time.clone();
        let survey = Survey {
            moments: vec![(3, &few)],
            ..survey(&scope)
        };
        assert_eq!(survey.fewest(&patients([time.clone()])), None);
    }

    #[test]
    fn a_link_leads_where_something_leads_at_its_far_end() {
        let link = |far| Filter::RefersTo {
            by: Link::Owner,
            to: Box::new(patients([far])),
        };
        let rare = link(fact(RARE));
        assert_eq!(led(&patients([rare.clone()]), &[]), [fact(RARE), rare]);
        assert_eq!(led(&patients([link(fact(COMMON))]), &[]), []);
    }

    #[test]
    fn what_need_not_hold_does_not_lead() {
        let either = Filter::Any(vec![fact(RARE), range(1)]);
        assert_eq!(led(&patients([either]), &[]), []);
        let not = Filter::Not(Box::new(fact(RARE)));
        assert_eq!(led(&patients([not]), &[]), []);
    }
}
