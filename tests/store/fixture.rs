//! What the cases share: a bench with a store, and short ways to say things.

use std::sync::Arc;

use unloop::store::{
    ChainKey, Change, Commit, Comparison, Filter, Guard, IndexForm, IndexKey, IndexRows, Method,
    OrderBy, OrderTerm, ResourceKey, Scope, SearchPlan, Store, StoreError, Stored, Version, Write,
};

/// The benches' clock stands still: time must grow all the same.
pub const STOPPED_CLOCK: i64 = 1_700_000_000_000_000;

/// An empty store of an adapter.
#[async_trait::async_trait]
pub trait Bench: Send + Sync {
    fn store(&self) -> Arc<dyn Store>;

    /// Another store on the same database.
    async fn beside(&self, form: IndexForm) -> Arc<dyn Store>;

    /// Closes the store and opens the same database again.
    async fn reopen(&mut self);

    /// The same with another key, or none, for the chains that begin from now on.
    async fn reopen_under(&mut self, key: Option<ChainKey>);

    /// Runs SQL behind the store's back.
    async fn execute(&self, sql: &str);

    /// Lets the database count its rows, where its planner goes by that.
    async fn analyze(&self) {}

    /// `(topic, payload)` of every message, oldest first.
    async fn outbox(&self) -> Vec<(String, String)>;
}

/// A key of the audit trail.
pub fn chain_key(number: u8) -> ChainKey {
    ChainKey::new(&[number; 32])
}

pub fn key(resource_type: &str, id: &str) -> ResourceKey {
    ResourceKey::new(resource_type, id)
}

pub fn put(resource_type: &str, id: &str, body: &str) -> Change {
    put_indexed(resource_type, id, body, IndexRows::default())
}

pub fn put_indexed(resource_type: &str, id: &str, body: &str, index: IndexRows) -> Change {
    Change {
        key: key(resource_type, id),
        method: Method::Put,
        guard: Guard::None,
        write: Write::Put {
            body: body.into(),
            index,
        },
    }
}

pub fn delete(resource_type: &str, id: &str) -> Change {
    Change {
        key: key(resource_type, id),
        method: Method::Delete,
        guard: Guard::None,
        write: Write::Delete,
    }
}

pub fn guarded(change: Change, guard: Guard) -> Change {
    Change { guard, ..change }
}

pub fn commit_of(changes: Vec<Change>) -> Commit {
    Commit {
        changes,
        ..Commit::default()
    }
}

pub async fn commit(
    store: &Arc<dyn Store>,
    changes: Vec<Change>,
) -> Result<Vec<Version>, StoreError> {
    store.commit(commit_of(changes)).await
}

/// One change that must succeed.
pub async fn done(store: &Arc<dyn Store>, change: Change) -> Version {
    commit(store, vec![change]).await.unwrap()[0]
}

pub async fn read(store: &Arc<dyn Store>, resource_type: &str, id: &str) -> Option<Stored> {
    let keys = [key(resource_type, id)];
    store
        .read(&Scope::everything(), &keys)
        .await
        .unwrap()
        .remove(0)
}

pub fn term(by: OrderBy, descending: bool) -> OrderTerm {
    OrderTerm { by, descending }
}

/// Everything that matches, by type and id.
pub fn plan(filter: Filter) -> SearchPlan {
    SearchPlan {
        scope: Scope::everything(),
        filter,
        order: vec![term(OrderBy::Type, false), term(OrderBy::Id, false)],
        after: None,
        backwards: false,
        limit: 10_000,
    }
}

pub fn all() -> Filter {
    Filter::All(Vec::new())
}

pub fn has(fact: i64) -> Filter {
    Filter::Is(Comparison::Key(vec![IndexKey(fact)]))
}

pub fn owned(owner: i64) -> Filter {
    Filter::Is(Comparison::Owner(vec![IndexKey(owner)]))
}

pub fn of_type(resource_type: &str) -> Filter {
    Filter::Is(Comparison::Type(vec![resource_type.into()]))
}

pub async fn ids(store: &Arc<dyn Store>, plan: &SearchPlan) -> Vec<String> {
    let found = store.search(plan).await.unwrap();
    found.rows.into_iter().map(|row| row.key.id).collect()
}

/// Numbers that look random and are the same in every run (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    pub fn signed(&mut self, sides: u64) -> i64 {
        i64::try_from(self.below(sides)).unwrap()
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let sides = u64::try_from(from.len()).unwrap();
        &from[usize::try_from(self.below(sides)).unwrap()]
    }
}
