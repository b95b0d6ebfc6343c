//! Rules that commits pass, and how their findings become part of the commit.

use super::authority::Authority;
use super::engine::{Draft, Engine};
use super::judge::Verdict;
use super::outcome::{Failure, Issue};
use crate::store::{Change, Guard, Method, ResourceKey, Write};

/// What a rule found out.
#[derive(Debug, Default)]
pub struct Review {
    /// Warnings, for whoever wants to hear of them.
    pub issues: Vec<Issue>,
    /// What the judgement rests on: where one of these does not hold when the
    /// commit is judged, the rules look again.
    pub rests_on: Vec<(ResourceKey, Guard)>,
    /// The commit is refused because of the draft in this place.
    pub refused: Option<(usize, Failure)>,
}

/// A rule that commits pass. It may refuse, warn, change the drafts or add
/// some behind them that are written in the same commit. It sees only what
/// its writer may write.
#[async_trait::async_trait]
pub trait Rule: Send + Sync {
    /// Whether a commit with this draft has to pass.
    fn concerns(&self, draft: &Draft) -> bool;

    /// What is judged does not depend on the writer, what may be told of it does.
    async fn review(
        &self,
        engine: &Engine,
        writer: &dyn Authority,
        drafts: &mut Vec<Draft>,
    ) -> Result<Review, Failure>;
}

/// What the rules say that are concerned; `None` where none is.
pub async fn review(
    engine: &Engine,
    rules: &[Box<dyn Rule>],
    writer: &dyn Authority,
    drafts: &mut Vec<Draft>,
    verdicts: &mut [Verdict],
) -> Result<Option<Review>, Failure> {
    let mut all = None;
    for rule in rules {
        if !drafts.iter().any(|draft| rule.concerns(draft)) {
            continue;
        }
        let review = rule.review(engine, writer, drafts).await?;
        let all = all.get_or_insert_with(Review::default);
        if review.refused.is_some() {
            all.refused = review.refused;
            break;
        }
        all.issues.extend(review.issues);
        for (key, guard) in review.rests_on {
            match drafts.iter().position(|draft| draft.key == key) {
                Some(place) => tighten(drafts, verdicts, place, guard),
                None if all.rests_on.iter().any(|(other, _)| *other == key) => {}
                None => all.rests_on.push((key, guard)),
            }
        }
    }
    Ok(all)
}

/// A draft without a condition gets that of a rule, whose race may be run again.
fn tighten(drafts: &mut [Draft], verdicts: &mut [Verdict], place: usize, guard: Guard) {
    let Some(draft) = drafts.get_mut(place) else {
        return;
    };
    if draft.guard == Guard::None {
        draft.guard = guard;
        if let Some(verdict) = verdicts.get_mut(place) {
            verdict.again = true;
        }
    }
}

pub fn keep((key, guard): &(ResourceKey, Guard)) -> Change {
    Change {
        key: key.clone(),
        method: Method::Put,
        guard: guard.clone(),
        write: Write::Keep,
    }
}
