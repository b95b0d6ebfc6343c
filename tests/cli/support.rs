//! Runs the built program, each time with an environment of its own.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use unloop::store::sql::Sql;

/// Far beyond what anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// For tests of what needs tokens and is not about them.
pub const SECRET: &str = "known to the tests alone: 0123456789";

/// The program with none of the caller's settings.
pub fn unloop(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unloop"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name == "DATABASE_URL" || name.starts_with("UNLOOP_") || name.starts_with("OTEL_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs to the end, which must be a success.
pub fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", describe(&output));
    text(&output.stdout)
}

pub fn describe(output: &Output) -> String {
    format!(
        "{}\n{}\n{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    )
}

/// A server that was started, killed with the value.
pub struct Running {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    /// `http://127.0.0.1:NNNN/fhir`
    pub base: String,
    settings: Vec<(OsString, OsString)>,
}

impl Running {
    /// The first line has the address.
    pub fn start(command: &mut Command) -> Self {
        let set = command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?)));
        let settings = set
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawned.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let Some(base) = line.trim_end().strip_prefix("Unloop listens on ") else {
            let output = child.wait_with_output().unwrap();
            panic!("{line:?} {}", describe(&output));
        };
        Self {
            base: base.to_owned(),
            child,
            stdout,
            settings,
        }
    }

    /// A token that may do everything.
    pub fn token(&self) -> String {
        let mut command = unloop(&["token", "issue", "--scope", "system/*.cruds"]);
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        succeed(command.env("UNLOOP_BIND", self.address()))
            .trim_end()
            .to_owned()
    }

    /// Sends that token.
    pub fn client(&self) -> reqwest::Client {
        let mut headers = reqwest::header::HeaderMap::new();
        let token = format!("Bearer {}", self.token());
        headers.insert("Authorization", token.parse().unwrap());
        let client = reqwest::Client::builder().default_headers(headers);
        client.build().unwrap()
    }

    pub fn serve(database_url: &str) -> Self {
        Self::start(
            unloop(&["serve"])
                .env("DATABASE_URL", database_url)
                .env("UNLOOP_BIND", "127.0.0.1:0"),
        )
    }

    /// Issues tokens on PostgreSQL too.
    pub fn serve_with_secret(database_url: &str) -> Self {
        Self::start(
            unloop(&["serve"])
                .env("DATABASE_URL", database_url)
                .env("UNLOOP_BIND", "127.0.0.1:0")
                .env("UNLOOP_SECRET", SECRET),
        )
    }

    /// `127.0.0.1:NNNN`
    pub fn address(&self) -> &str {
        self.base.split('/').nth(2).unwrap()
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the end; status and stderr.
    pub fn end(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "the server did not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut stderr = String::new();
        let mut pipe = self.child.stderr.take().unwrap();
        pipe.read_to_string(&mut stderr).unwrap();
        (status.code(), stderr)
    }

    /// SIGTERM, and everything is as it should be at the end.
    pub fn stop(self) {
        self.signal("TERM");
        let (status, stderr) = self.end();
        assert_eq!(status, Some(0), "{stderr}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Repeats until it is so.
pub async fn until<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = attempt().await {
            return value;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A fresh database for each test and store, removed with the value.
pub enum Database {
    Sqlite(tempfile::TempDir),
    Postgres { server: String, name: String },
}

impl Database {
    pub fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// `None` where there is none to test with, which CI does not accept.
    pub async fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var("UNLOOP_TEST_POSTGRES_URL") else {
            refuse_in_ci("PostgreSQL: UNLOOP_TEST_POSTGRES_URL is not set (make test sets it)");
            return None;
        };
        let name = format!("cli_{}", uuid::Uuid::now_v7().simple());
        execute(&server, &format!("CREATE DATABASE {name}")).await;
        Some(Self::Postgres { server, name })
    }

    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", folder.path().join("test.db").display()),
            Self::Postgres { server, name } => {
                format!("{}/{name}", server.rsplit_once('/').unwrap().0)
            }
        }
    }
}

/// Past the program, on the database itself.
impl Database {
    pub async fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(_) => self.sqlite_connection().batch_execute(sql).unwrap(),
            Self::Postgres { .. } => execute(&self.url(), sql).await,
        }
    }

    /// The one number that is asked for, if there is one.
    pub async fn number(&self, sql: &str) -> Option<i64> {
        let sql = Sql::new(sql.to_owned()).rows::<BigInt>();
        let numbers: Vec<i64> = match self {
            Self::Sqlite(_) => {
                diesel::RunQueryDsl::load(sql, &mut self.sqlite_connection()).unwrap()
            }
            Self::Postgres { .. } => {
                let connection = AsyncPgConnection::establish(&self.url()).await;
                let load = diesel_async::RunQueryDsl::load(sql, &mut connection.unwrap()).await;
                load.unwrap()
            }
        };
        numbers.first().copied()
    }

    fn sqlite_connection(&self) -> diesel::SqliteConnection {
        let url = self.url();
        let path = url.strip_prefix("sqlite:").unwrap();
        let mut connection = diesel::SqliteConnection::establish(path).unwrap();
        connection
            .batch_execute("PRAGMA busy_timeout = 10000")
            .unwrap();
        connection
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Self::Postgres { server, name } = self else {
            return;
        };
        let (server, sql) = (server.clone(), format!("DROP DATABASE {name} WITH (FORCE)"));
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(execute(&server, &sql));
        });
        dropping.join().unwrap();
    }
}

async fn execute(server: &str, sql: &str) {
    let mut connection = AsyncPgConnection::establish(server).await.unwrap();
    connection.batch_execute(sql).await.unwrap();
}

/// The data beside the repository; `None` where it is missing.
pub fn shared(below: &str) -> Option<PathBuf> {
    let root = match std::env::var_os("UNLOOP_SHARED") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"),
    };
    let path = root.join(below);
    if path.exists() {
        return Some(path);
    }
    refuse_in_ci(&format!(
        "{below}: not found beside the repository (UNLOOP_SHARED)"
    ));
    None
}

fn refuse_in_ci(missing: &str) {
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{missing}");
    eprintln!("skipped, {missing}");
}
