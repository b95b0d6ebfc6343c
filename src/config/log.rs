//! `UNLOOP_LOG`, `UNLOOP_LOG_FORMAT`.

use super::ConfigError;
use super::values::Values;

#[derive(Clone, Debug)]
pub struct Log {
    /// `UNLOOP_LOG`: <https://docs.rs/tracing-subscriber/latest/tracing_subscriber/filter/struct.EnvFilter.html>
    pub filter: String,
    /// `UNLOOP_LOG_FORMAT`
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl Log {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let format = match values.text("UNLOOP_LOG_FORMAT") {
            Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            _ => return Err(values.wrong("UNLOOP_LOG_FORMAT", "text or json")),
        };
        Ok(Self {
            filter: values.text("UNLOOP_LOG").unwrap_or_default().to_owned(),
            format,
        })
    }
}
