//! `UNLOOP_MAX_…`, `UNLOOP_DEFAULT_PAGE`: what one request may ask for.

use std::time::Duration;

use super::ConfigError;
use super::values::Values;

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `UNLOOP_MAX_BODY_BYTES`, after decompression.
    pub body: usize,
    /// `UNLOOP_MAX_URL_BYTES`: path and query together.
    pub url: usize,
    /// `UNLOOP_MAX_DEPTH`: nested objects and arrays.
    pub depth: usize,
    /// `UNLOOP_MAX_ENTRIES` of a batch or transaction.
    pub entries: usize,
    /// `UNLOOP_DEFAULT_PAGE`
    pub default_page: usize,
    /// `UNLOOP_MAX_PAGE`
    pub max_page: usize,
    /// `UNLOOP_BODY_SECONDS`: until the content of a request has arrived.
    pub body_time: Duration,
    /// `UNLOOP_REQUEST_SECONDS`: for the work on one request.
    pub request_time: Duration,
    /// `UNLOOP_STATEMENT_SECONDS`: for one question to the database.
    pub statement_time: Duration,
    /// `UNLOOP_MAX_NODES`: values in the JSON of one request.
    pub nodes: u64,
    /// `UNLOOP_MAX_RECORD_BYTES`: read from the store for one request.
    pub record_bytes: u64,
    /// `UNLOOP_MEMORY_BYTES`: what all requests may hold together.
    pub memory: u64,
    /// `UNLOOP_DISK_RESERVE_BYTES`: below this the disk counts as nearly full.
    pub disk_reserve: u64,
    /// `UNLOOP_RATE_ADDRESS`: requests a second; 0: any number.
    pub rate_address: u32,
    /// `UNLOOP_RATE_CALLER`: requests a second; 0: any number.
    pub rate_caller: u32,
    /// `UNLOOP_RATE_AUTH`: requests for tokens a second; 0: any number.
    pub rate_auth: u32,
}

impl Limits {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let limits = Self {
            body: values.count("UNLOOP_MAX_BODY_BYTES", 1024..=2_147_483_648)?,
            url: values.count("UNLOOP_MAX_URL_BYTES", 256..=65_536)?,
            // The reader of JSON gives up behind 127 levels.
            depth: values.count("UNLOOP_MAX_DEPTH", 16..=120)?,
            entries: values.count("UNLOOP_MAX_ENTRIES", 1..=1_000_000)?,
            default_page: values.count("UNLOOP_DEFAULT_PAGE", 1..=10_000)?,
            max_page: values.count("UNLOOP_MAX_PAGE", 1..=10_000)?,
            body_time: seconds(values.count("UNLOOP_BODY_SECONDS", 1..=3600)?),
            request_time: seconds(values.count("UNLOOP_REQUEST_SECONDS", 1..=3600)?),
            statement_time: seconds(values.count("UNLOOP_STATEMENT_SECONDS", 1..=3600)?),
            nodes: wide(values.count("UNLOOP_MAX_NODES", 1_000..=1_000_000_000)?),
            record_bytes: wide(values.count("UNLOOP_MAX_RECORD_BYTES", 65_536..=2_147_483_648)?),
            memory: wide(values.count("UNLOOP_MEMORY_BYTES", 16_777_216..=1_099_511_627_776)?),
            disk_reserve: wide(
                values.count("UNLOOP_DISK_RESERVE_BYTES", 0..=1_125_899_906_842_624)?,
            ),
            rate_address: rate(values, "UNLOOP_RATE_ADDRESS")?,
            rate_caller: rate(values, "UNLOOP_RATE_CALLER")?,
            rate_auth: rate(values, "UNLOOP_RATE_AUTH")?,
        };
        if limits.default_page > limits.max_page {
            return Err(values.refuse(
                "UNLOOP_DEFAULT_PAGE",
                "is larger than UNLOOP_MAX_PAGE; lower it, or raise UNLOOP_MAX_PAGE",
            ));
        }
        Ok(limits)
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn seconds(count: usize) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(u64::MAX))
}

fn rate(values: &Values, variable: &'static str) -> Result<u32, ConfigError> {
    let count = values.count(variable, 0..=1_000_000)?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}
