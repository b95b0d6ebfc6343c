//! [`Store`] on SQLite.

use std::sync::Arc;
use std::thread::JoinHandle;

use diesel::query_dsl::methods::LoadQuery;
use diesel::{RunQueryDsl, SqliteConnection};

use super::commit::Writer;
use super::connection;
use super::dialect::SqliteDialect;
use super::error::store_error;
use super::file::{FileIdentity, protect_files};
use super::integrity::IntegrityWatch;
use super::migration;
use super::newest::newest_time;
use super::readers::{ReadLane, Readers};
use super::reindex;
use super::settings::SqliteSettings;
use crate::store::gather::Gather;
use crate::store::page::{PageFill, RecordRow};
use crate::store::sql::registry::EntryRow;
use crate::store::sql::{self, Statement, audit, history, registry, row, select};
use crate::store::together::Together;
use crate::store::{
    AuditEntry, AuditRow, AuditTrail, Chain, Claim, ClockJump, Commit, Found, HistoryPlan,
    IndexState, Outdated, Rebuilt, Registry, RegistryChange, RegistryEntry, RegistryKey, Reindex,
    ResourceKey, Scope, SearchPlan, Store, StoreError, Stored, Version,
};

/// Keys that are read in the lane of those that look at few rows.
const FEW_KEYS: usize = 64;

/// Dropping it waits until what was queued is written.
pub struct SqliteStore {
    readers: Arc<Readers>,
    together: Together,
    // Before the thread: the thread ends when the queue is closed.
    gather: Gather,
    file: FileIdentity,
    integrity: IntegrityWatch,
    path: String,
    settings: SqliteSettings,
    _writer: WriterThread,
}

impl SqliteStore {
    /// Opens the file, which is made where it is missing, and does not touch
    /// its schema. `url` is `sqlite:PATH` or a path. Blocks for a moment.
    pub fn open(url: &str, settings: SqliteSettings) -> Result<Self, StoreError> {
        let path = connection::path_of(url);
        protect_files(path)?;
        let mut writer = connection::writer(path, &settings)?;
        migration::refuse_newer(&mut writer)?;
        let last = match migration::has_table(&mut writer, "resource")? {
            true => newest_time(&mut writer)?,
            false => 0,
        };
        let file = FileIdentity::load(path)?;
        let writer = Writer::new(writer, file.clone(), &settings);
        let (gather, worker) = Gather::new(writer, last, settings.clock.clone());
        let readers = Readers::new(path, &settings);
        Ok(Self {
            together: together(readers.clone()),
            readers,
            gather,
            file,
            integrity: IntegrityWatch::new(path, &settings),
            path: path.to_owned(),
            settings,
            _writer: WriterThread::start(worker)?,
        })
    }

    /// Brings the file's schema up to date and names what was applied. Safe
    /// when two programs start together. Blocks.
    pub fn migrate(url: &str, settings: &SqliteSettings) -> Result<Vec<String>, StoreError> {
        let path = connection::path_of(url);
        protect_files(path)?;
        let mut connection = connection::writer(path, settings)?;
        migration::refuse_newer(&mut connection)?;
        migration::run(&mut connection)
    }

    /// Whether something in the file rests on a secret: a signing key, or a chain of the
    /// audit trail. Touches nothing; there may be no file. Blocks.
    pub fn is_sealed(url: &str, settings: &SqliteSettings) -> Result<bool, StoreError> {
        let path = connection::path_of(url);
        match std::fs::metadata(path) {
            Ok(found) if found.len() > 0 => {}
            // Nothing is in it yet. Opening it tells what is wrong.
            _ => return Ok(false),
        }
        let mut connection = connection::reader(path, settings)?;
        if !migration::has_table(&mut connection, "audit_writer")? {
            return Ok(false);
        }
        let chains = load(&mut connection, audit::chains())?;
        let is_chained = |row| audit::chain(row).key_name().is_some();
        let keys: Vec<EntryRow> = load(&mut connection, registry::list("key", 0))?;
        Ok(!keys.is_empty() || chains.into_iter().any(is_chained))
    }

    /// The migrations that the file lacks.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        self.readers.run(ReadLane::Narrow, migration::pending).await
    }

    async fn load<ST, Row>(&self, statement: Statement<ST>) -> Result<Vec<Row>, StoreError>
    where
        ST: 'static,
        Row: Send + 'static,
        Statement<ST>: for<'q> LoadQuery<'q, SqliteConnection, Row>,
    {
        self.readers
            .run(ReadLane::Narrow, move |connection| {
                load(connection, statement.clone())
            })
            .await
    }

    /// Writes past the queue of commits, on a connection that ends with it.
    async fn aside(
        &self,
        job: impl FnOnce(&mut SqliteConnection) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let (path, settings) = (self.path.clone(), self.settings.clone());
        let done =
            tokio::task::spawn_blocking(move || job(&mut connection::writer(&path, &settings)?));
        done.await
            .map_err(|error| StoreError::Unavailable(error.to_string()))?
    }

    fn now(&self) -> i64 {
        (self.settings.clock)()
    }
}

fn together(readers: Arc<Readers>) -> Together {
    Together::new(move |scope, keys| {
        let readers = readers.clone();
        let lane = match keys.len() <= FEW_KEYS {
            true => ReadLane::Narrow,
            false => ReadLane::Quick,
        };
        let read = move |connection: &mut SqliteConnection, fill: PageFill| {
            let statement = select::read(&SqliteDialect::default(), &scope, &keys)?;
            let (rows, _) = load_within(connection, statement, fill)?;
            row::keyed(rows, keys.len())
        };
        async move {
            let fill = PageFill::for_whole();
            let job = move |connection: &mut SqliteConnection| read(connection, fill.clone());
            readers.run(lane, job).await
        }
    })
}

fn load<ST, Row>(
    connection: &mut SqliteConnection,
    statement: Statement<ST>,
) -> Result<Vec<Row>, StoreError>
where
    Statement<ST>: for<'q> LoadQuery<'q, SqliteConnection, Row>,
{
    statement.load(connection).map_err(store_error)
}

/// The rows that fit, and whether there are more.
fn load_within<ST, Row>(
    connection: &mut SqliteConnection,
    statement: Statement<ST>,
    mut fill: PageFill,
) -> Result<(Vec<Row>, bool), StoreError>
where
    Row: RecordRow,
    Statement<ST>: for<'q> LoadQuery<'q, SqliteConnection, Row>,
{
    let mut rows = Vec::new();
    for row in statement
        .load_iter::<Row, _>(connection)
        .map_err(store_error)?
    {
        let row = row.map_err(store_error)?;
        if !fill.add_row(&row)? {
            return Ok((rows, true));
        }
        rows.push(row);
    }
    Ok((rows, false))
}

#[async_trait::async_trait]
impl Store for SqliteStore {
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
        let statement = history::vread(&SqliteDialect::default(), scope, key, version)?;
        let rows = self.load(statement).await?;
        rows.into_iter().next().map(row::stored).transpose()
    }

    async fn search(&self, plan: &SearchPlan) -> Result<Found, StoreError> {
        let (plan, fill) = (plan.clone(), PageFill::for_page());
        let search = move |connection: &mut SqliteConnection| {
            let statement = select::search(&SqliteDialect::probing(connection), &plan)?;
            row::found(load_within(connection, statement, fill.clone())?, &plan)
        };
        self.readers.run_at_once(search).await
    }

    async fn count(&self, plan: &SearchPlan) -> Result<u64, StoreError> {
        let plan = plan.clone();
        let count = move |connection: &mut SqliteConnection| {
            let statement = select::count(&SqliteDialect::probing(connection), &plan)?;
            row::counted(&load(connection, statement)?)
        };
        self.readers.run_at_once(count).await
    }

    async fn history(&self, plan: &HistoryPlan) -> Result<(Vec<Stored>, bool), StoreError> {
        let (plan, fill) = (plan.clone(), PageFill::for_page());
        let history = move |connection: &mut SqliteConnection| {
            let statement = history::history(&SqliteDialect::probing(connection), &plan)?;
            row::page(
                load_within(connection, statement, fill.clone())?,
                plan.limit,
            )
        };
        self.readers.run(ReadLane::Quick, history).await
    }

    async fn commit(&self, commit: Commit) -> Result<Vec<Version>, StoreError> {
        self.gather.commit(commit).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.file.refuse_replaced()?;
        self.file.refuse_full_disk()?;
        let pending = self.pending_migrations().await?;
        if !pending.is_empty() {
            let text = format!("migrations are missing: {}", pending.join(", "));
            return Err(StoreError::Unavailable(text));
        }
        self.integrity.refuse_corrupt().await?;
        self.gather.probe().await
    }

    fn take_clock_jumps(&self) -> Vec<ClockJump> {
        self.gather.take_clock_jumps()
    }
}

#[async_trait::async_trait]
impl Registry for SqliteStore {
    async fn get(&self, kind: &str, id: &str) -> Result<Option<RegistryEntry>, StoreError> {
        let rows = self.load(registry::get(kind, id, self.now())).await?;
        Ok(rows.into_iter().next().map(registry::entry))
    }

    async fn list(&self, kind: &str) -> Result<Vec<RegistryEntry>, StoreError> {
        let rows = self.load(registry::list(kind, self.now())).await?;
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
        registry::one_epoch(&self.load(registry::epoch()).await?)
    }

    async fn expired(&self, limit: usize) -> Result<Vec<RegistryKey>, StoreError> {
        let rows = self.load(registry::expired(self.now(), limit)).await?;
        Ok(rows.into_iter().map(registry::key).collect())
    }
}

#[async_trait::async_trait]
impl AuditTrail for SqliteStore {
    async fn chains(&self) -> Result<Vec<Chain>, StoreError> {
        let rows = self.load(audit::chains()).await?;
        Ok(rows.into_iter().map(audit::chain).collect())
    }

    async fn chain(
        &self,
        writer: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let rows = self.load(audit::entries(writer, after, limit)).await?;
        Ok(rows.into_iter().map(audit::entry).collect())
    }
}

#[async_trait::async_trait]
impl Reindex for SqliteStore {
    async fn index_state(&self) -> Result<IndexState, StoreError> {
        sql::reindex::one_state(&self.load(sql::reindex::state()).await?, self.settings.form)
    }

    async fn claim_index(&self, claim: Claim) -> Result<(), StoreError> {
        let form = self.settings.form;
        self.aside(move |connection| reindex::claim(connection, form, claim))
            .await
    }

    async fn outdated(&self, limit: usize) -> Result<Outdated, StoreError> {
        let state = self.index_state().await?;
        let place = sql::reindex::place(state)?;
        let rows = self.load(sql::reindex::outdated(place, limit)).await?;
        sql::reindex::page(place, rows)
    }

    async fn rebuild(&self, rebuilt: Rebuilt) -> Result<(), StoreError> {
        let form = self.settings.form;
        self.aside(move |connection| reindex::rebuild(connection, form, &rebuilt))
            .await
    }
}

/// Runs the worker to its end; dropping it waits for that.
struct WriterThread(Option<JoinHandle<()>>);

impl WriterThread {
    fn start(worker: impl Future<Output = ()> + Send + 'static) -> Result<Self, StoreError> {
        let failed = |error: std::io::Error| StoreError::Unavailable(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(failed)?;
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || runtime.block_on(worker))
            .map_err(failed)?;
        Ok(Self(Some(thread)))
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer's thread has failed");
        }
    }
}
