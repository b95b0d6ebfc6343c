//! `unloop health`: asks a running server, for container health checks.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use clap::Args;

use super::error::CliError;
use super::output::say;
use crate::config::Config;

const PATIENCE: Duration = Duration::from_secs(3);

/// Ask the server at UNLOOP_BIND whether it is ready
///
/// Exit status 0: ready. 1: it does not answer, its database does not, or the
/// schema is not current.
#[derive(Debug, Args)]
#[command(after_long_help = "Example:
  UNLOOP_BIND=127.0.0.1:8080 unloop health")]
pub struct Health;

impl Health {
    pub fn run(&self, config: &Config) -> Result<(), CliError> {
        let address = config.server.bind;
        let asked = match config.server.tls {
            Some(_) => ask_by_tls(address),
            None => ask(address),
        };
        let status =
            asked.map_err(|error| CliError::Failed(format!("not ready: {address}: {error}")))?;
        if status.split(' ').nth(1) == Some("200") {
            return say("ready");
        }
        Err(CliError::Failed(format!(
            "not ready: {address} answers {status:?}"
        )))
    }
}

/// The status line. A client library would be most of this command's start.
fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

/// Whose certificate it is does not matter on the own machine.
fn ask_by_tls(address: SocketAddr) -> std::io::Result<String> {
    let failed = std::io::Error::other::<reqwest::Error>;
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .timeout(PATIENCE)
        .build()
        .map_err(failed)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let request = client.get(format!("https://{address}/health/ready"));
    let answer = runtime.block_on(async { request.send().await });
    let answer = answer.map_err(failed)?;
    Ok(format!("HTTP {}", answer.status()))
}
