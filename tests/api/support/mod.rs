//! A real server on a free port with a database of its own.

mod backend;
mod call;
mod database;
pub mod example;
pub mod odd;
mod redact;
mod server;

pub use backend::Backend;
pub use call::{Call, Reply};
pub use database::{Database, StoreKind, chain_key};
pub use redact::redacted;
pub use server::{Server, deed};

/// Makes one test per store of each `async fn(Server)`. PostgreSQL needs
/// `UNLOOP_TEST_POSTGRES_URL`; `make test` sets it.
#[macro_export]
macro_rules! on_both_stores {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    let server = $crate::support::Server::start($crate::support::StoreKind::Sqlite).await;
                    super::$name(server.unwrap()).await;
                }
            )+
        }
        mod postgres {
            $(
                #[tokio::test]
                async fn $name() {
                    if let Some(server) = $crate::support::Server::start($crate::support::StoreKind::Postgres).await {
                        super::$name(server).await;
                    }
                }
            )+
        }
    };
}

/// A file of the shared data beside the repository, or of `UNLOOP_SHARED`. Where
/// it is missing a test is skipped, which CI does not accept.
pub fn shared(path: &str) -> Option<std::path::PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared");
    let folder = std::env::var("UNLOOP_SHARED").unwrap_or_else(|_| beside.to_owned());
    let file = std::path::Path::new(&folder).join(path);
    if file.exists() {
        return Some(file);
    }
    let in_ci = std::env::var("CI").as_deref() == Ok("true");
    assert!(!in_ci, "CI needs {}", file.display());
    eprintln!("skipped: there is no {}", file.display());
    None
}
