//! What `$stats` is asked for, and the Observations that it is about.

use serde_json::{Map, Value};

use super::super::super::engine::now;
use super::super::super::outcome::{Failure, Kind};
use super::super::super::resource::instant;
use super::super::super::search::date;
use super::super::super::search::decimal::Decimal;
use super::super::super::search::path::{items, text};
use super::super::super::search::reference::{Base, local};
use super::super::records::{Records, Seen};
use super::super::{Call, LIMITED_VIEW};
use super::{counts, figures};

/// What is asked for.
pub struct Asked {
    pub subject: String,
    /// `system|code`
    pub codes: Vec<(String, String)>,
    pub period: Option<(i64, i64)>,
}

impl Asked {
    pub fn of(call: &Call<'_>) -> Result<Self, Failure> {
        let arguments = &call.arguments;
        let base = Base::new(&call.engine.settings.base_url);
        let subject = arguments
            .text("subject")
            .and_then(|subject| base.normalise(subject));
        let subject = subject.and_then(local).ok_or_else(|| {
            Failure::new(
                Kind::Value,
                "subject is the reference of a resource here, such as Patient/1.",
            )
        })?;
        let mut codes = Vec::new();
        let system = arguments.text("system");
        for code in arguments.texts("code") {
            let system = system.ok_or_else(|| {
                Failure::new(
                    Kind::Required,
                    "A code needs its system, or send it as coding.",
                )
            })?;
            codes.push((system.to_owned(), code.to_owned()));
        }
        for coding in arguments.texts("coding") {
            let (system, code) = coding.split_once('|').ok_or_else(|| {
                Failure::new(Kind::Value, "coding has a system and a code, system|code.")
            })?;
            codes.push((system.to_owned(), code.to_owned()));
        }
        if codes.is_empty() {
            let text = "$stats needs a code with its system, or a coding.";
            return Err(Failure::new(Kind::Required, text));
        }
        Ok(Self {
            subject: subject.to_string(),
            codes,
            period: period(call)?,
        })
    }

    pub async fn search(&self, records: &Records<'_>) -> Result<Seen, Failure> {
        let escaped = |text: &str| {
            text.replace('\\', "\\\\")
                .replace(',', "\\,")
                .replace('$', "\\$")
                .replace('|', "\\|")
        };
        let codes = self.codes.iter();
        let codes: Vec<String> = codes
            .map(|(system, code)| format!("{}|{}", escaped(system), escaped(code)))
            .collect();
        let codes = codes.join(",");
        let times = self.period.map(|(low, high)| {
            (
                format!("ge{}", instant(low)),
                format!("le{}", instant(high)),
            )
        });
        let mut criteria = vec![("subject", self.subject.as_str()), ("combo-code", &codes)];
        if let Some((low, high)) = &times {
            criteria.extend([("date", low.as_str()), ("date", high)]);
        }
        let mut seen = records.search("Observation", &criteria).await?;
        if seen.hidden {
            let text = format!("{LIMITED_VIEW} Figures that leave values out would be wrong.");
            return Err(Failure::new(Kind::Forbidden, text));
        }
        seen.resources.retain(|one| counts(&one.resource.content));
        Ok(seen)
    }

    /// The code asked for that a concept has.
    pub fn names(&self, of: &Map<String, Value>) -> Option<(String, String)> {
        let codes = codings(of);
        codes.into_iter().find(|coding| self.codes.contains(coding))
    }
}

fn period(call: &Call<'_>) -> Result<Option<(i64, i64)>, Failure> {
    let wrong = |text: &str| Failure::new(Kind::Value, text);
    if let Some(hours) = call.arguments.text("duration") {
        let hour = Decimal::parse(hours).filter(|hours| hours.mantissa >= 0);
        let length = hour.and_then(|hours| figures::whole(hours, 3_600_000_000));
        let length = length.ok_or_else(|| wrong("duration is a number of hours."))?;
        let until = now();
        return Ok(Some((until.saturating_sub(length), until)));
    }
    let Some(period) = call.arguments.text("period") else {
        return Ok(None);
    };
    let bounds = period.split_once('/').and_then(|(start, end)| {
        let low = if start.is_empty() {
            Some(0)
        } else {
            date::range(start).map(|(low, _)| low)
        };
        let high = if end.is_empty() {
            Some(now())
        } else {
            date::range(end).map(|(_, high)| high)
        };
        low.zip(high)
    });
    let bounds = bounds.filter(|(low, high)| low <= high);
    bounds
        .map(Some)
        .ok_or_else(|| wrong("period has a start and an end, start/end."))
}

pub fn codings(of: &Map<String, Value>) -> Vec<(String, String)> {
    let concept = of.get("code").and_then(Value::as_object);
    let codings = concept
        .map(|concept| items(concept, "coding"))
        .unwrap_or_default();
    let codings = codings.iter().filter_map(Value::as_object);
    codings
        .filter_map(|coding| {
            let system = text(coding, "system").unwrap_or_default();
            Some((system.to_owned(), text(coding, "code")?.to_owned()))
        })
        .collect()
}
