//! `UNLOOP_BIND`, `UNLOOP_BASE_URL`, `UNLOOP_WORKERS`, `UNLOOP_SHUTDOWN_SECONDS`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::ConfigError;
use super::values::Values;

#[derive(Clone, Debug)]
pub struct Server {
    /// `UNLOOP_BIND`: a loopback address.
    pub bind: SocketAddr,
    /// Whether the operator chose the address.
    pub bind_given: bool,
    /// `UNLOOP_BASE_URL`, without a slash at the end; `None`: from the bound address.
    pub base_url: Option<String>,
    /// `UNLOOP_WORKERS`; `None`: one for each processor.
    pub workers: Option<usize>,
    /// `UNLOOP_SHUTDOWN_SECONDS`
    pub shutdown: Duration,
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
    if !address.ip().is_loopback() {
        return Err(values.refuse(
            "UNLOOP_BIND",
            &format!(
                "is {address}, which others can reach, and Unloop has no access control yet; bind to 127.0.0.1:{}",
                address.port()
            ),
        ));
    }
    Ok(address)
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
