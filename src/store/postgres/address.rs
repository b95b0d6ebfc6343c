//! The parameters of a connection URL that concern TLS, and the rest of it.
//! <https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION>

use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::fault::unavailable;
use crate::store::StoreError;

/// Silence after which the server is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Address {
    pub config: Config,
    pub tls: Option<Tls>,
}

/// Encrypted, the server's certificate checked against its name. What others
/// take for less (`require`, `verify-ca`) gets the same.
#[derive(Debug, PartialEq)]
pub(super) struct Tls {
    /// A file of certificates to trust instead of the machine's.
    pub roots: Option<PathBuf>,
}

pub(super) fn parse(url: &str, timeout: Duration) -> Result<Address, StoreError> {
    let (server, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut encrypt, mut roots) = (false, None);
    let mut rest = Vec::new();
    for pair in query.split('&') {
        match form_urlencoded::parse(pair.as_bytes()).next() {
            Some((name, mode)) if name == "sslmode" => encrypt = is_encrypted(&mode)?,
            Some((name, path)) if name == "sslrootcert" => roots = Some(path.as_ref().into()),
            _ => rest.push(pair),
        }
    }
    let mut config: Config = format!("{server}?{}", rest.join("&"))
        .parse()
        .map_err(|_| unavailable("the database URL cannot be read"))?;
    config
        .connect_timeout(timeout)
        .keepalives_idle(KEEPALIVE)
        .tcp_user_timeout(KEEPALIVE)
        .ssl_mode(if encrypt {
            SslMode::Require
        } else {
            SslMode::Disable
        });
    let tls = encrypt.then_some(Tls { roots });
    Ok(Address { config, tls })
}

fn is_encrypted(mode: &str) -> Result<bool, StoreError> {
    match mode {
        "disable" | "allow" | "prefer" => Ok(false),
        "require" | "verify-ca" | "verify-full" => Ok(true),
        other => Err(unavailable(format!("sslmode={other} is unknown"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(url: &str) -> Option<Tls> {
        parse(url, KEEPALIVE).unwrap().tls
    }

    #[test]
    fn a_url_says_whether_the_connection_is_encrypted() {
        assert_eq!(tls("postgres://u@h/d"), None);
        assert_eq!(tls("postgres://u@h/d?sslmode=prefer"), None);
        let strict = Some(Tls { roots: None });
        assert_eq!(tls("postgres://u@h/d?sslmode=require"), strict);
        assert_eq!(tls("postgres://u@h/d?sslmode=verify-full"), strict);
        let roots = Some("/a b.pem".into());
        let url = "postgres://u@h/d?sslrootcert=/a%20b.pem&sslmode=verify-ca";
        assert_eq!(tls(url), Some(Tls { roots }));
        assert!(parse("postgres://u@h/d?sslmode=maybe", KEEPALIVE).is_err());
    }

    #[test]
    fn the_other_parameters_stay_as_they_are() {
        let url =
            "postgres://u@h:1/d?options=-c%20geqo%3Doff&sslmode=disable&target_session_attrs=any";
        let config = parse(url, KEEPALIVE).unwrap().config;
        assert_eq!(config.get_options(), Some("-c geqo=off"));
        assert_eq!(config.get_dbname(), Some("d"));
    }

    #[test]
    fn an_error_does_not_repeat_the_password() {
        let error = parse("postgres://u:secret@h:port/d", KEEPALIVE).unwrap_err();
        assert!(!error.to_string().contains("secret"));
    }
}
