//! `UNLOOP_TIME_ZONE`, `UNLOOP_KNOWLEDGE_DIR`, `UNLOOP_STRICT_APPOINTMENTS`, `UNLOOP_VITALS`.

use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::ConfigError;
use super::values::Values;

#[derive(Clone, Debug)]
pub struct Clinical {
    /// `UNLOOP_KNOWLEDGE_DIR`: files that replace those of the knowledge base
    /// that the program brings.
    pub knowledge: Option<PathBuf>,
    /// `UNLOOP_STRICT_APPOINTMENTS`
    pub strict_appointments: bool,
    /// `UNLOOP_VITALS`
    pub vitals: Vitals,
    /// `UNLOOP_TIME_ZONE`: what dates without an offset are read in.
    pub time_zone: TimeZone,
}

/// How much of the profiles of vital signs a write is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vitals {
    History,
    Standard,
    Strict,
}

impl Clinical {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let vitals = match values.text("UNLOOP_VITALS") {
            Some("history") => Vitals::History,
            Some("standard") => Vitals::Standard,
            Some("strict") => Vitals::Strict,
            _ => return Err(values.wrong("UNLOOP_VITALS", "history, standard or strict")),
        };
        let time_zone = values.text("UNLOOP_TIME_ZONE").unwrap_or("UTC");
        let time_zone = TimeZone::get(time_zone).map_err(|_| {
            let remedy =
                "a time zone of the IANA database, such as Europe/Berlin or America/New_York";
            values.wrong("UNLOOP_TIME_ZONE", remedy)
        })?;
        Ok(Self {
            time_zone,
            knowledge: values.text("UNLOOP_KNOWLEDGE_DIR").map(PathBuf::from),
            strict_appointments: values.flag("UNLOOP_STRICT_APPOINTMENTS")?,
            vitals,
        })
    }
}
