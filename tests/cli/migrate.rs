//! The schema, brought up to date by one or by several at a time.

use crate::support::{Database, Running, describe, succeed, unloop};

fn several_together(url: &str) {
    let started: Vec<_> = (0..4)
        .map(|_| {
            let mut command = unloop(&["migrate"]);
            command.env("DATABASE_URL", url);
            std::thread::spawn(move || command.output().unwrap())
        })
        .collect();
    for migration in started {
        let output = migration.join().unwrap();
        assert!(output.status.success(), "{}", describe(&output));
    }
    // Once more finds nothing to do.
    succeed(unloop(&["migrate"]).env("DATABASE_URL", url));
}

fn then_it_is_ready(url: &str) {
    let server = Running::start(
        unloop(&["serve", "--no-migrate"])
            .env("DATABASE_URL", url)
            .env("UNLOOP_BIND", "127.0.0.1:0"),
    );
    succeed(unloop(&["health"]).env("UNLOOP_BIND", server.address()));
    server.stop();
}

#[test]
fn on_sqlite() {
    let database = Database::sqlite();
    several_together(&database.url());
    then_it_is_ready(&database.url());
}

#[tokio::test]
async fn on_postgres() {
    if let Some(database) = Database::postgres().await {
        several_together(&database.url());
        then_it_is_ready(&database.url());
    }
}

#[test]
fn without_migrations_sqlite_is_not_ready() {
    let database = Database::sqlite();
    let server = Running::start(
        unloop(&["serve"])
            .env("DATABASE_URL", database.url())
            .env("UNLOOP_BIND", "127.0.0.1:0")
            .env("UNLOOP_MIGRATE", "false"),
    );
    let health = unloop(&["health"])
        .env("UNLOOP_BIND", server.address())
        .output();
    let health = health.unwrap();
    assert_eq!(health.status.code(), Some(1), "{}", describe(&health));
    assert!(describe(&health).contains("503"));
    server.stop();
}
