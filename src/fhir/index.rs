//! What searches are worth now: the state of the index as this instance last
//! saw it, what callers are told and refused meanwhile, and the rebuild.

use std::sync::{Mutex, PoisonError};

use super::audit::Actor;
use super::authority::{Authority, Permission, Sight};
use super::engine::Engine;
use super::outcome::{Failure, Kind};
use super::resource::parse_stored;
use crate::store::{IndexState, OrderBy, Rebuilt, Scope, SearchPlan, StoreError};

/// Resources whose index rows are made anew in one piece.
const PIECE: usize = 100;

/// The state that was seen last; `None` where the store did not tell. An
/// engine that nobody set right trusts its index.
pub struct Index(Mutex<Option<IndexState>>);

impl Default for Index {
    fn default() -> Self {
        Self(Mutex::new(Some(IndexState::Complete)))
    }
}

impl Index {
    fn set(&self, state: Option<IndexState>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn is_rebuilt(&self) -> bool {
        let state = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(state, Some(IndexState::Rebuilding { .. }))
    }

    /// Why the index cannot be trusted, for people; `None` where it can.
    pub fn gap(&self) -> Option<String> {
        let state = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state {
            Some(IndexState::Complete) => None,
            Some(state @ IndexState::Rebuilding { .. }) => Some(format!(
                "The search index is being rebuilt; {} % of it is done.",
                percent(state)
            )),
            Some(IndexState::Foreign) => {
                Some("The search index is kept by another version of this service.".to_owned())
            }
            None => Some("The state of the search index is not known.".to_owned()),
        }
    }

    /// The same for what a plan asks.
    pub fn gap_of(&self, plan: &SearchPlan) -> Option<String> {
        let by_rows = |by: &OrderBy| {
            matches!(
                by,
                OrderBy::MomentLow | OrderBy::MomentHigh | OrderBy::Value(_)
            )
        };
        let asks = plan.filter.asks_index_rows()
            || plan.scope.filter().asks_index_rows()
            || plan.order.iter().any(|term| by_rows(&term.by));
        if asks { self.gap() } else { None }
    }
}

/// How much of a rebuild is done; below 100 as long as it is not complete.
pub fn percent(state: IndexState) -> i64 {
    match state {
        IndexState::Complete => 100,
        IndexState::Foreign => 0,
        IndexState::Rebuilding { place, last } => {
            let done = i128::from(place) * 100 / i128::from(last.max(1));
            i64::try_from(done.clamp(0, 99)).unwrap_or(0)
        }
    }
}

/// What a bundle says beside results that may not be all.
pub fn warning(gap: &str) -> String {
    format!(
        "{gap} Until then resources may be missing here, or be here wrongly. Ask again later; reads by id are complete."
    )
}

/// What cannot be answered with a warning beside it.
pub fn refusal(gap: &str, what: &str) -> Failure {
    let text =
        format!("{gap} Until then {what}. Nothing was written; send the request again later.");
    Failure::new(Kind::Unavailable, text)
}

/// Rights that index rows decide are none while the rows may be wrong: an old
/// row could show what a new one hides.
pub struct Guarded<'a> {
    pub index: &'a Index,
    pub authority: &'a dyn Authority,
}

impl Authority for Guarded<'_> {
    fn scope(&self, permission: Permission, resource_type: Option<&str>) -> Result<Scope, Failure> {
        self.sure(self.authority.scope(permission, resource_type)?)
    }

    /// A rebuild makes the rows of what a resource says, by the rules of this
    /// very program: so it can be asked itself. Rows of another program may
    /// mean something that this one does not know.
    fn sight(&self, permission: Permission, resource_type: &str) -> Result<Sight, Failure> {
        let scope = self.authority.scope(permission, Some(resource_type))?;
        let asked = scope.within(&[resource_type]);
        if !asked.filter().asks_index_rows() {
            return Ok(Sight::ByRows(scope));
        }
        if self.index.is_rebuilt() && asked.filter().is_told_by_content() {
            return Ok(Sight::ByContent(scope));
        }
        self.sure(scope).map(Sight::ByRows)
    }

    fn trail(&self, patient: &str) -> Result<Scope, Failure> {
        self.sure(self.authority.trail(patient)?)
    }

    fn identity(&self) -> &str {
        self.authority.identity()
    }

    fn actor(&self) -> Actor {
        self.authority.actor()
    }
}

impl Guarded<'_> {
    fn sure(&self, scope: Scope) -> Result<Scope, Failure> {
        match self.index.gap() {
            Some(gap) if scope.filter().asks_index_rows() => Err(refusal(
                &gap,
                "it cannot be said which records this token may see, and none are shown",
            )),
            _ => Ok(scope),
        }
    }
}

impl Engine {
    /// Asks the store how things stand, and remembers it.
    pub async fn look_at_index(&self) -> Result<IndexState, StoreError> {
        let state = self.store.index_state().await;
        self.index.set(state.as_ref().ok().copied());
        state
    }

    /// Makes the index rows of the next resources of a rebuild anew, and says
    /// how many there were: none at its end.
    pub async fn rebuild_piece(&self) -> Result<usize, StoreError> {
        let outdated = self.store.outdated(PIECE).await?;
        let count = outdated.rows.len();
        let mut rows = Vec::with_capacity(count);
        for stored in outdated.rows {
            match parse_stored(&stored) {
                Ok(Some(resource)) => {
                    let name = &stored.key.resource_type;
                    let index = self.catalogue.extract(name, &resource.content);
                    rows.push((stored.key, stored.version, index));
                }
                Ok(None) => {}
                Err(_) => tracing::error!("a stored resource is unreadable and is not indexed"),
            }
            tokio::task::yield_now().await;
        }
        let rebuilt = Rebuilt {
            from: outdated.from,
            through: outdated.through,
            rows,
        };
        self.store.rebuild(rebuilt).await?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Comparison, Filter, IndexKey};

    struct Only(Filter);

    impl Authority for Only {
        fn scope(&self, _: Permission, _: Option<&str>) -> Result<Scope, Failure> {
            Ok(Scope::only(self.0.clone()))
        }

        fn identity(&self) -> &str {
            "only"
        }

        fn actor(&self) -> Actor {
            Actor::default()
        }
    }

    #[test]
    fn rights_by_index_rows_are_none_while_the_index_is_incomplete() {
        let index = Index::default();
        let by_rows = Filter::Not(Box::new(Filter::Is(Comparison::Key(vec![IndexKey(1)]))));
        let by_type = Filter::Is(Comparison::Type(vec!["Patient".to_owned()]));
        let scope = |filter: &Filter, index: &Index| {
            let authority = &Only(filter.clone());
            Guarded { index, authority }.scope(Permission::Read, Some("Patient"))
        };
        assert!(scope(&by_rows, &index).is_ok());
        let rebuilding = IndexState::Rebuilding { place: 5, last: 10 };
        for state in [Some(rebuilding), Some(IndexState::Foreign), None] {
            index.set(state);
            assert_eq!(scope(&by_rows, &index).map_err(|f| f.status()), Err(503));
            assert!(scope(&by_type, &index).is_ok());
        }
    }

    #[test]
    fn a_rebuild_is_not_said_to_be_done_before_it_is() {
        let at = |place, last| percent(IndexState::Rebuilding { place, last });
        assert_eq!((at(0, 0), at(5, 10), at(10, 10)), (0, 50, 99));
        assert_eq!(at(i64::MAX, i64::MAX), 99);
    }
}
