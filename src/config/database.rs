//! `DATABASE_URL`, `UNLOOP_DB_POOL`, `UNLOOP_MIGRATE`, `UNLOOP_REINDEX`.

use super::ConfigError;
use super::values::Values;

#[derive(Clone, Debug)]
pub struct Database {
    /// `DATABASE_URL`
    pub address: Address,
    /// `UNLOOP_DB_POOL`: connections for reading; `None`: what suits the store.
    pub pool: Option<usize>,
    /// `UNLOOP_MIGRATE`: bring the schema up to date at the start.
    pub migrate: bool,
    /// `UNLOOP_REINDEX`: rebuild an outdated search index while serving.
    pub reindex: bool,
}

/// Which store, and where it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// A path.
    Sqlite(String),
    /// A whole URL, which may hold a password.
    Postgres(String),
}

/// Without what may be secret.
impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{path}"),
            Self::Postgres(_) => f.write_str("postgres://…"),
        }
    }
}

const VARIABLE: &str = "DATABASE_URL";

impl Database {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            address: address(values)?,
            pool: values.number("UNLOOP_DB_POOL", 1..=1000)?,
            migrate: values.flag("UNLOOP_MIGRATE")?,
            reindex: values.flag("UNLOOP_REINDEX")?,
        })
    }
}

/// No refusal shows the value: it may hold a password.
fn address(values: &Values) -> Result<Address, ConfigError> {
    let text = values.text(VARIABLE).unwrap_or_default();
    let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
    match scheme {
        "sqlite" => match rest.strip_prefix("//").unwrap_or(rest) {
            "" | ":memory:" => Err(values.refuse(
                VARIABLE,
                "names no file; write sqlite:PATH, such as sqlite:unloop.db",
            )),
            path => Ok(Address::Sqlite(path.to_owned())),
        },
        "postgres" | "postgresql" => {
            let rest = rest.strip_prefix("//").ok_or_else(|| {
                values.refuse(
                    VARIABLE,
                    "is not complete; write postgres://USER:PASSWORD@HOST/NAME",
                )
            })?;
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            // Else a part of the password would be taken for a name and might be shown.
            if rest.rfind('@').is_some_and(|at| at > end) {
                return Err(values.refuse(
                    VARIABLE,
                    "has a / ? # or @ in its user or password; write them as %2F %3F %23 %40",
                ));
            }
            Ok(Address::Postgres(text.to_owned()))
        }
        _ => Err(values.refuse(VARIABLE, "starts with neither sqlite: nor postgres://")),
    }
}
