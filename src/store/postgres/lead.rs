//! Which conditions lead to few rows. Where one does, one plan serves all values;
//! otherwise the planner has to be asked, which takes longer than most searches.

use diesel::sql_types::{Array, BigInt};

use super::common::Common;
use super::dialect::Postgres;
use super::readers::{Readers, Width};
use crate::store::sql::filter::{is_selective, own_scope, ranges_of, types_of};
use crate::store::sql::{Sql, compare};
use crate::store::{Comparison, Filter, SearchPlan, StoreError, TextMatch};

/// What stands for more rows than this does not lead.
const MOST: i64 = 4_000;

/// The same where each row has to be fetched to be counted.
const MOST_MOMENTS: i64 = 500;

/// No more conditions than this are asked about, in one question.
const ASKED: usize = 4;

pub(super) async fn leaders<'p>(
    readers: &Readers,
    common: &Common,
    plan: &'p SearchPlan,
) -> Result<Vec<&'p Filter>, StoreError> {
    let mut survey = Survey {
        scope: plan.scope.filter(),
        common: common.keys(readers).await?,
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
    /// Facts of which few rows have any.
    rare: Option<&'p Filter>,
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
            (rows < most(filter)).then_some((rows, filter))
        };
        let counted = self.asked.into_iter().filter_map(few);
        let fewest = counted.min_by_key(|(rows, _)| *rows);
        let leader = self.rare.or(link).or(fewest.map(|(_, filter)| filter));
        leaders.extend(leader);
        leader.is_some()
    }
}

fn most(filter: &Filter) -> i64 {
    match filter {
        Filter::Is(Comparison::Moment(_)) => MOST_MOMENTS,
        _ => MOST,
    }
}

struct Survey<'p> {
    scope: &'p Filter,
    /// Facts that many rows have, where that is known.
    common: Option<std::sync::Arc<std::collections::HashSet<i64>>>,
    asked: Vec<Question<'p>>,
}

struct Question<'p> {
    filter: &'p Filter,
    types: &'p [String],
}

impl<'p> Survey<'p> {
    fn group(&mut self, filter: &'p Filter) -> Group<'p> {
        let mut group = Group {
            selective: is_selective(filter) || is_selective(&own_scope(self.scope, filter)),
            ..Group::default()
        };
        let types = types_of(filter).unwrap_or_default();
        self.gather(filter, types, true, &mut group);
        group
    }

    fn gather(
        &mut self,
        filter: &'p Filter,
        types: &'p [String],
        must: bool,
        group: &mut Group<'p>,
    ) {
        match filter {
            Filter::All(parts) => {
                for part in parts {
                    self.gather(part, types, must, group);
                }
            }
            Filter::Is(Comparison::Key(keys))
                if must && self.are_rare(keys.iter().map(|key| key.0)) =>
            {
                group.rare = group.rare.or(Some(filter));
            }
            filter if must && !group.selective && can_be_asked(filter, types) => {
                if self.asked.len() < ASKED {
                    group.asked.push((self.asked.len(), filter));
                    self.asked.push(Question { filter, types });
                }
            }
            Filter::Any(parts) => {
                for part in parts {
                    self.gather(part, types, false, group);
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

    fn are_rare(&self, mut keys: impl Iterator<Item = i64>) -> bool {
        let common = self.common.as_ref();
        common.is_some_and(|common| keys.all(|key| !common.contains(&key)))
    }
}

/// An index begins with what the filter compares.
fn can_be_asked(filter: &Filter, types: &[String]) -> bool {
    match filter {
        Filter::Is(Comparison::Text { test, .. }) => !matches!(test, TextMatch::Contains(_)),
        Filter::Is(Comparison::Moment(_)) => !types.is_empty(),
        filter => ranges_of(filter).is_some(),
    }
}

/// How many rows each question has, no further than it matters.
async fn count(readers: &Readers, asked: &[Question<'_>]) -> Result<Vec<i64>, StoreError> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::default();
    let mut between = "SELECT ARRAY[(SELECT count(*) FROM (";
    for question in asked {
        sql.sql(between);
        match question.filter {
            Filter::Is(comparison) if !matches!(comparison, Comparison::Range { .. }) => {
                compare::write_rids(&Postgres::default(), &mut sql, comparison, question.types);
            }
            filter => compare::write_range_rids(&mut sql, &ranges_of(filter).unwrap_or_default()),
        }
        sql.sql(" LIMIT ").big(most(question.filter)).sql(") s)");
        between = ", (SELECT count(*) FROM (";
    }
    sql.sql("]");
    let statement = sql.rows_of_client::<Array<BigInt>>();
    let rows: Vec<Vec<i64>> = readers.rows(Width::Narrow, statement).await?;
    Ok(rows.into_iter().flatten().collect())
}
