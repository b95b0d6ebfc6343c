//! [`Store`] on PostgreSQL.

use std::sync::Arc;

use diesel::sql_types::{BigInt, Nullable};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::connect::Opener;
use super::dialect::Postgres;
use super::fault::unavailable;
use super::lead::{Known, leaders};
use super::migration;
use super::readers::{Readers, Width};
use super::reindex::Rebuilder;
use super::settings::PostgresSettings;
use super::writer::Writer;
use crate::store::gather::{Clock, Gather};
use crate::store::page::PageFill;
use crate::store::sql::{Sql, audit, history, registry, reindex, row, select};
use crate::store::together::Together;
use crate::store::{
    AuditEntry, AuditRow, AuditTrail, Chain, Claim, ClockJump, Commit, Found, HistoryOf,
    HistoryPlan, IndexForm, IndexState, Outdated, Rebuilt, Registry, RegistryChange, RegistryEntry,
    RegistryKey, Reindex, ResourceKey, Scope, SearchPlan, Store, StoreError, Stored, Version,
};

pub struct PostgresStore {
    readers: Arc<Readers>,
    together: Together,
    known: Known,
    gather: Gather,
    clock: Clock,
    form: IndexForm,
    rebuilder: Rebuilder,
}

impl PostgresStore {
    /// Connects, and does not touch the schema.
    pub async fn connect(url: &str, settings: PostgresSettings) -> Result<Self, StoreError> {
        let opener = Opener::new(url, &settings)?;
        let readers = Arc::new(Readers::new(&opener, &settings)?);
        let mut connection = opener.open("").await?;
        migration::refuse_newer(&mut connection).await?;
        let last = newest(connection).await?;
        let rebuilder = Rebuilder::new(opener.clone(), settings.form);
        let writer = Writer::new(opener, &settings);
        let (clock, form) = (settings.clock, settings.form);
        let (gather, worker) = Gather::new(writer, last, clock.clone());
        // A task of its own: a request that is given up does not take its commit along.
        tokio::spawn(worker);
        Ok(Self {
            together: together(readers.clone()),
            known: Known::default(),
            readers,
            gather,
            clock,
            form,
            rebuilder,
        })
    }

    /// Brings the schema up to date and names what was applied. Instances
    /// that start together do it one after the other.
    pub async fn migrate(
        url: &str,
        settings: &PostgresSettings,
    ) -> Result<Vec<String>, StoreError> {
        migration::run(Opener::new(url, settings)?.open("").await?).await
    }

    /// The migrations that the database lacks.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        migration::pending(&mut *self.readers.connection(Width::Narrow).await?).await
    }
}

/// The newest time that is stored, from which time goes on.
async fn newest(mut connection: AsyncPgConnection) -> Result<i64, StoreError> {
    if !migration::has_table(&mut connection, "resource").await? {
        return Ok(0);
    }
    let newest = Sql::new("SELECT max(updated) FROM resource").rows::<Nullable<BigInt>>();
    let newest: Option<i64> = RunQueryDsl::get_result(newest, &mut connection)
        .await
        .map_err(unavailable)?;
    Ok(newest.unwrap_or(0))
}

fn together(readers: Arc<Readers>) -> Together {
    Together::new(move |scope, keys| {
        let readers = readers.clone();
        async move {
            let statement = select::read(&Postgres::default(), &scope, &keys)?;
            let rows = readers.records_of(statement, PageFill::for_whole()).await?;
            row::keyed(rows.0, keys.len())
        }
    })
}

#[async_trait::async_trait]
impl Store for PostgresStore {
    async fn read(
        &self,
        scope: &Scope,
        keys: &[ResourceKey],
    ) -> Result<Vec<Option<Stored>>, StoreError> {
        self.together.read(scope, keys).await
    }

    async fn vread(
        &self,
        scope: &Scope,
        key: &ResourceKey,
        version: i64,
    ) -> Result<Option<Stored>, StoreError> {
        let statement = history::vread(&Postgres::default(), scope, key, version)?;
        let rows = self.readers.rows(Width::Narrow, statement).await?;
        rows.into_iter().next().map(row::stored).transpose()
    }

    async fn search(&self, plan: &SearchPlan) -> Result<Found, StoreError> {
        let leaders = leaders(&self.readers, &self.known, plan).await?;
        let statement = select::search(&Postgres::led_by_any(leaders), plan)?;
        let rows = self.readers.records_of(statement, PageFill::for_page());
        row::found(rows.await?, plan)
    }

    async fn count(&self, plan: &SearchPlan) -> Result<u64, StoreError> {
        let leaders = leaders(&self.readers, &self.known, plan).await?;
        let statement = select::count(&Postgres::led_by_any(leaders), plan)?;
        let rows: Vec<i64> = self.readers.rows_of(statement).await?;
        row::counted(&rows)
    }

    async fn history(&self, plan: &HistoryPlan) -> Result<(Vec<Stored>, bool), StoreError> {
        let width = Width::of(matches!(plan.of, HistoryOf::Instance(_)));
        let statement = history::history(&Postgres::default(), plan)?;
        let rows = self.readers.records(width, statement, PageFill::for_page());
        row::page(rows.await?, plan.limit)
    }

    async fn commit(&self, commit: Commit) -> Result<Vec<Version>, StoreError> {
        self.gather.commit(commit).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let pending = self.pending_migrations().await?;
        if !pending.is_empty() {
            let text = format!("migrations are missing: {}", pending.join(", "));
            return Err(StoreError::Unavailable(text));
        }
        // Something of each table that matters: it is there and can be read.
        let readable = Sql::new(
            "SELECT count(*) FROM (SELECT 1 FROM resource LIMIT 1) r, \
             (SELECT 1 FROM history LIMIT 1) h, (SELECT 1 FROM audit LIMIT 1) a, \
             (SELECT 1 FROM audit_writer LIMIT 1) w, (SELECT 1 FROM access_epoch) e, \
             (SELECT 1 FROM commit_clock) c, (SELECT 1 FROM resource_text LIMIT 1) t, \
             (SELECT 1 FROM resource_range LIMIT 1) g",
        );
        let readable = readable.rows::<BigInt>();
        let _count: Vec<i64> = self.readers.rows(Width::Narrow, readable).await?;
        self.gather.probe().await
    }

    fn take_clock_jumps(&self) -> Vec<ClockJump> {
        self.gather.take_clock_jumps()
    }
}

#[async_trait::async_trait]
impl Registry for PostgresStore {
    async fn get(&self, kind: &str, id: &str) -> Result<Option<RegistryEntry>, StoreError> {
        let statement = registry::get(kind, id, (self.clock)());
        let rows = self.readers.rows(Width::Narrow, statement).await?;
        Ok(rows.into_iter().next().map(registry::entry))
    }

    async fn list(&self, kind: &str) -> Result<Vec<RegistryEntry>, StoreError> {
        let statement = registry::list(kind, (self.clock)());
        let rows = self.readers.rows(Width::Narrow, statement).await?;
        Ok(rows.into_iter().map(registry::entry).collect())
    }

    async fn change_told(
        &self,
        changes: Vec<RegistryChange>,
        told: Vec<AuditRow>,
    ) -> Result<(), StoreError> {
        let commit = Commit::of_registry(changes, told);
        self.gather.commit(commit).await?;
        Ok(())
    }

    async fn epoch(&self) -> Result<i64, StoreError> {
        registry::one_epoch(&self.readers.rows(Width::Narrow, registry::epoch()).await?)
    }

    async fn expired(&self, limit: usize) -> Result<Vec<RegistryKey>, StoreError> {
        let statement = registry::expired((self.clock)(), limit);
        let rows = self.readers.rows(Width::Narrow, statement).await?;
        Ok(rows.into_iter().map(registry::key).collect())
    }
}

#[async_trait::async_trait]
impl AuditTrail for PostgresStore {
    async fn chains(&self) -> Result<Vec<Chain>, StoreError> {
        let rows = self.readers.rows(Width::Narrow, audit::chains()).await?;
        Ok(rows.into_iter().map(audit::chain).collect())
    }

    async fn chain(
        &self,
        writer: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let statement = audit::entries(writer, after, limit);
        let rows = self.readers.rows(Width::Narrow, statement).await?;
        Ok(rows.into_iter().map(audit::entry).collect())
    }
}

#[async_trait::async_trait]
impl Reindex for PostgresStore {
    async fn index_state(&self) -> Result<IndexState, StoreError> {
        let rows = self.readers.rows(Width::Narrow, reindex::state()).await?;
        reindex::one_state(&rows, self.form)
    }

    async fn claim_index(&self, claim: Claim) -> Result<(), StoreError> {
        // The claim itself holds up all writers for a moment.
        if claim == Claim::Anew || self.index_state().await? == IndexState::Foreign {
            self.rebuilder.claim(claim).await?;
        }
        Ok(())
    }

    async fn outdated(&self, limit: usize) -> Result<Outdated, StoreError> {
        let place = reindex::place(self.index_state().await?)?;
        let rows = reindex::outdated(place, limit);
        reindex::page(place, self.readers.rows(Width::Narrow, rows).await?)
    }

    async fn rebuild(&self, rebuilt: Rebuilt) -> Result<(), StoreError> {
        self.rebuilder.rebuild(&rebuilt).await
    }
}
