//! What seals the signing keys and the audit trail: `UNLOOP_SECRET`, or a file
//! beside the embedded database that nobody else may read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::StartError;
use crate::access::issuer::{MIN_SECRET, Secret, derived};
use crate::config::{Address, Config, ConfigError};
use crate::fhir::cursor::CursorKey;
use crate::store::ChainKey;
use crate::store::sqlite::{SqliteSettings, SqliteStore};

/// What keys of the audit trail are derived for.
const TRAIL: &[u8] = b"unloop audit trail 1";

/// `None`: there is none, and none may be made.
pub fn secret(config: &Config) -> Result<Option<Secret>, StartError> {
    let Some(text) = text(config)? else {
        return Ok(None);
    };
    Ok(Some(Secret::new(text.as_bytes()).ok_or_else(short)?))
}

/// The key of the audit trail that is being written.
pub fn trail(config: &Config) -> Result<Option<ChainKey>, ConfigError> {
    text(config)?.map(|text| chain_key(&text)).transpose()
}

/// The keys under which the audit trail was ever written.
pub fn trails(config: &Config) -> Result<Vec<ChainKey>, ConfigError> {
    let earlier = config.access.earlier_secrets.iter();
    let earlier = earlier.map(|given| chain_key(&given.0));
    trail(config)?.map(Ok).into_iter().chain(earlier).collect()
}

fn chain_key(secret: &str) -> Result<ChainKey, ConfigError> {
    let secret = Some(secret.as_bytes()).filter(|secret| secret.len() >= MIN_SECRET);
    let key = secret.and_then(|secret| derived(secret, TRAIL));
    key.map(|key| ChainKey::new(&key)).ok_or_else(short)
}

fn short() -> ConfigError {
    ConfigError::new("the secret for signing keys has fewer than 32 bytes")
}

/// All instances know each other's cursors: by the secret, or else by the
/// address of the database, which has a password.
pub fn cursors(config: &Config) -> CursorKey {
    let known = text(config).ok().flatten();
    let common = known.unwrap_or_else(|| match &config.database.address {
        Address::Sqlite(address) | Address::Postgres(address) => address.clone(),
    });
    CursorKey::new(format!("unloop cursors 1 {common}").as_bytes())
}

fn text(config: &Config) -> Result<Option<String>, ConfigError> {
    match (&config.access.secret, &config.database.address) {
        (Some(given), _) => Ok(Some(given.0.clone())),
        (None, Address::Postgres(_)) => Ok(None),
        (None, Address::Sqlite(database)) => {
            let path = format!("{database}.secret");
            refuse_lost(database, Path::new(&path))?;
            let text = beside(Path::new(&path)).map_err(|error| {
                ConfigError::new(format!(
                    "the secret for signing keys cannot be kept in {path}: {error}; set UNLOOP_SECRET"
                ))
            })?;
            Ok(Some(text))
        }
    }
}

/// A database that was restored without its secret: under a new one no token would be
/// good, and nobody could tell whether the audit trail is whole.
fn refuse_lost(database: &str, path: &Path) -> Result<(), ConfigError> {
    if path.exists() {
        return Ok(());
    }
    let sealed = SqliteStore::is_sealed(database, &SqliteSettings::default());
    match sealed {
        Ok(false) => Ok(()),
        Ok(true) => Err(ConfigError::new(format!(
            "{database} was kept under a secret, and {} is missing: put the file back that belongs to it, or set UNLOOP_SECRET to what it says. Is it lost for good, set UNLOOP_SECRET to a new one and run `unloop key rotate --at-once`: every token ends, and the audit trail of before can no longer be verified",
            path.display()
        ))),
        Err(error) => Err(ConfigError::new(format!(
            "{database}: whether it needs a secret cannot be seen: {error}"
        ))),
    }
}

/// Made whole under another name first, so that nobody who starts at the same
/// time reads half of it.
fn beside(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Ok(text) => {
            if fs::metadata(path)?.permissions().mode() & 0o077 != 0
                && let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(0o600))
            {
                tracing::warn!(
                    %error,
                    "the file with the secret can be read by others; its mode should be 600"
                );
            }
            return Ok(text.trim().to_owned());
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| io::Error::other("no random bytes"))?;
    let draft = path.with_extension(uuid::Uuid::now_v7().simple().to_string());
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    writeln!(file, "{}", URL_SAFE_NO_PAD.encode(bytes))?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    fs::read_to_string(path).map(|text| text.trim().to_owned())
}
