//! Many resources in both stores, searched as the service does.

use std::sync::Arc;

use serde_json::{Map, Value};
use unloop::fhir::search::{Catalogue, Include, compile};
use unloop::store::postgres::{PostgresSettings, PostgresStore};
use unloop::store::sqlite::{SqliteSettings, SqliteStore};
use unloop::store::{
    Change, Commit, Found, Guard, Method, ResourceKey, Scope, SearchPlan, Store, Write,
};

use super::judge::{NOW, catalogue, query};

pub struct World {
    pub catalogue: Catalogue,
    stores: Vec<(&'static str, Arc<dyn Store>)>,
    _folder: tempfile::TempDir,
}

impl World {
    pub async fn new(resources: &[Map<String, Value>]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        SqliteStore::migrate(&url, &SqliteSettings::default()).expect("a fresh file");
        let sqlite = SqliteStore::open(&url, SqliteSettings::default()).expect("a fresh file");
        let mut stores: Vec<(&'static str, Arc<dyn Store>)> = vec![("SQLite", Arc::new(sqlite))];
        let database = postgres().await;
        if let Some(url) = &database {
            let settings = PostgresSettings::default;
            PostgresStore::migrate(url, &settings())
                .await
                .expect("a fresh database");
            let store = PostgresStore::connect(url, settings())
                .await
                .expect("a fresh database");
            stores.push(("PostgreSQL", Arc::new(store)));
        }
        let world = Self {
            catalogue: catalogue(),
            stores,
            _folder: folder,
        };
        for chunk in resources.chunks(200) {
            world.put(chunk).await;
        }
        // What the planner knows decides what leads a search.
        if let Some(url) = &database {
            execute(url, "ANALYZE").await;
        }
        world
    }

    async fn put(&self, resources: &[Map<String, Value>]) {
        let change = |resource: &Map<String, Value>| {
            let key = key_of(resource);
            Change {
                method: Method::Put,
                guard: Guard::None,
                write: Write::Put {
                    body: "{}".to_owned(),
                    index: self.catalogue.extract(&key.resource_type, resource),
                },
                key,
            }
        };
        let changes: Vec<Change> = resources.iter().map(change).collect();
        for (name, store) in &self.stores {
            let commit = Commit {
                changes: changes.clone(),
                ..Commit::default()
            };
            store
                .commit(commit)
                .await
                .unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }

    fn plan(&self, url: &str) -> SearchPlan {
        let (path, parameters) = url.split_once('?').unwrap_or((url, ""));
        let query = query(Some(path), parameters).unwrap_or_else(|e| panic!("{url}: {e:?}"));
        compile(&self.catalogue, &query, None, Scope::everything(), NOW)
            .unwrap_or_else(|e| panic!("{url}: {e:?}"))
    }

    /// The ids that each store answers, in its order.
    pub async fn search(&self, url: &str) -> Vec<(&'static str, Vec<String>)> {
        let plan = SearchPlan {
            limit: 100_000,
            ..self.plan(url)
        };
        let mut answers = Vec::new();
        for (name, store) in &self.stores {
            let found = store.search(&plan).await;
            let found = found.unwrap_or_else(|e| panic!("{url} on {name}: {e}"));
            answers.push((*name, ids(found)));
        }
        answers
    }

    /// All pages of each store, from the first to the last or the other way
    /// round, and the number of all.
    pub async fn walk(&self, url: &str, backwards: bool) -> Vec<(&'static str, Vec<String>, u64)> {
        let mut answers = Vec::new();
        for (name, store) in &self.stores {
            let mut plan = SearchPlan {
                backwards,
                ..self.plan(url)
            };
            let mut all = Vec::new();
            loop {
                let found = store.search(&plan).await;
                let found = found.unwrap_or_else(|e| panic!("{url} on {name}: {e}"));
                assert!(
                    found.rows.len() <= plan.limit,
                    "{url} on {name}: the page is too long"
                );
                let (more, last) = (found.more, found.positions.last().cloned());
                all.extend(ids(found));
                if !more {
                    break;
                }
                plan.after = last;
            }
            if backwards {
                all.reverse();
            }
            let total = store.count(&plan).await;
            let total = total.unwrap_or_else(|e| panic!("{url} on {name}: {e}"));
            answers.push((*name, all, total));
        }
        answers
    }

    /// What `_include` or `_revinclude` brings, as `Type/id`, sorted.
    pub async fn brought(
        &self,
        name: &str,
        value: &str,
        matches: &[&Map<String, Value>],
    ) -> Vec<(&'static str, Vec<String>)> {
        let include = Include::parse(&self.catalogue, name, value);
        let includes = [include.unwrap_or_else(|e| panic!("{name}={value}: {e:?}"))];
        let scope = Scope::everything();
        let keys: Vec<ResourceKey> = matches.iter().map(|resource| key_of(resource)).collect();
        let mut answers = Vec::new();
        for (store_name, store) in &self.stores {
            let mut brought = Vec::new();
            if name == "_include" {
                let typed = keys.iter().map(|key| key.resource_type.as_str());
                let documents: Vec<_> = typed.zip(matches.iter().copied()).collect();
                let targets = self.catalogue.included(&documents, &includes);
                let found = store.read(&scope, &targets).await.expect("the store");
                brought.extend(found.into_iter().flatten().map(|row| row.key));
            } else {
                for plan in self
                    .catalogue
                    .revincluded(&keys, &includes, &scope, 100_000)
                {
                    let found = store.search(&plan).await.expect("the store");
                    brought.extend(found.rows.into_iter().map(|row| row.key));
                }
            }
            let mut names: Vec<String> = brought.iter().map(ToString::to_string).collect();
            names.sort();
            answers.push((*store_name, names));
        }
        answers
    }
}

fn ids(found: Found) -> Vec<String> {
    found.rows.into_iter().map(|row| row.key.id).collect()
}

pub fn key_of(resource: &Map<String, Value>) -> ResourceKey {
    let text = |name: &str| resource[name].as_str().expect("a resource of the test");
    ResourceKey::new(text("resourceType"), text("id"))
}

/// A fresh database where there is a server, which CI does not go without.
async fn postgres() -> Option<String> {
    let Ok(server) = std::env::var("UNLOOP_TEST_POSTGRES_URL") else {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "CI tests PostgreSQL too"
        );
        eprintln!("skipped on PostgreSQL: UNLOOP_TEST_POSTGRES_URL is not set (make test sets it)");
        return None;
    };
    let name = format!("search_{}", uuid::Uuid::now_v7().simple());
    execute(&server, &format!("CREATE DATABASE {name}")).await;
    let (base, _) = server.rsplit_once('/').expect("a database in the URL");
    Some(format!("{base}/{name}"))
}

async fn execute(url: &str, sql: &str) {
    use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
    let mut connection = AsyncPgConnection::establish(url).await.expect("a server");
    connection.batch_execute(sql).await.expect(sql);
}
