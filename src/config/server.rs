//! `UNLOOP_BIND`, `UNLOOP_BASE_URL`, `UNLOOP_WORKERS`, `UNLOOP_SHUTDOWN_SECONDS`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::ConfigError;
use super::values::Values;

#[derive(Clone, Debug)]
pub struct Server {
    /// `UNLOOP_BIND`
    pub bind: SocketAddr,
    /// Whether the operator chose the address.
    pub bind_given: bool,
    /// `UNLOOP_BASE_URL`, without a slash at the end; `None`: from the bound address.
    pub base_url: Option<String>,
    /// `UNLOOP_WORKERS`; `None`: one for each processor.
    pub workers: Option<usize>,
    /// `UNLOOP_SHUTDOWN_SECONDS`
    pub shutdown: Duration,
    pub tls: Option<Tls>,
    /// `UNLOOP_CORS_ORIGINS`
    pub cors_origins: Vec<String>,
}

/// `UNLOOP_TLS_CERT` and `UNLOOP_TLS_KEY`: PEM files.
#[derive(Clone, Debug)]
pub struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Server {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let seconds = values.count("UNLOOP_SHUTDOWN_SECONDS", 1..=3600)?;
        Ok(Self {
            bind: bind(values)?,
            bind_given: values.is_given("UNLOOP_BIND"),
            base_url: base_url(values)?,
            workers: values.number("UNLOOP_WORKERS", 1..=1024)?,
            shutdown: Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX)),
            tls: tls(values)?,
            cors_origins: cors_origins(values)?,
        })
    }
}

fn bind(values: &Values) -> Result<SocketAddr, ConfigError> {
    let text = values.text("UNLOOP_BIND").unwrap_or_default();
    let address = match text.strip_prefix("localhost:") {
        Some(port) => port
            .parse()
            .ok()
            .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        None => text.parse().ok(),
    };
    let address = address
        .ok_or_else(|| values.wrong("UNLOOP_BIND", "ADDRESS:PORT, such as 127.0.0.1:8080"))?;
    Ok(address)
}

fn tls(values: &Values) -> Result<Option<Tls>, ConfigError> {
    match (
        values.text("UNLOOP_TLS_CERT"),
        values.text("UNLOOP_TLS_KEY"),
    ) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(Tls {
            certificate: certificate.into(),
            key: key.into(),
        })),
        (Some(_), None) => Err(values.refuse("UNLOOP_TLS_CERT", "needs UNLOOP_TLS_KEY beside it")),
        (None, Some(_)) => Err(values.refuse("UNLOOP_TLS_KEY", "needs UNLOOP_TLS_CERT beside it")),
    }
}

fn cors_origins(values: &Values) -> Result<Vec<String>, ConfigError> {
    let text = values.text("UNLOOP_CORS_ORIGINS").unwrap_or_default();
    let origins = text.split(',').map(str::trim).filter(|o| !o.is_empty());
    let origins: Vec<String> = origins.map(str::to_owned).collect();
    let is_origin = |origin: &String| {
        let host = origin.split_once("://");
        host.is_some_and(|(scheme, host)| {
            matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains(['/', '*'])
        })
    };
    if origins.iter().all(is_origin) {
        return Ok(origins);
    }
    Err(values.wrong(
        "UNLOOP_CORS_ORIGINS",
        "origins with commas between them, such as https://app.example.org (no path, no *)",
    ))
}

fn base_url(values: &Values) -> Result<Option<String>, ConfigError> {
    let Some(text) = values.text("UNLOOP_BASE_URL") else {
        return Ok(None);
    };
    let host = ["http://", "https://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '"' | '<' | '>' | '\\');
    match host {
        Some(host) if !host.is_empty() && !host.starts_with('/') && text.chars().all(plain) => {
            Ok(Some(text.trim_end_matches('/').to_owned()))
        }
        _ => Err(values.wrong(
            "UNLOOP_BASE_URL",
            "an http or https URL without query, such as https://records.example.org/fhir",
        )),
    }
}
