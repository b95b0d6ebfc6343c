//! Texts become values, or the start stops with a line that names the setting.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::ConfigError;
use super::settings::SETTINGS;

/// A text and where it came from: `UNLOOP_BIND`, or `server.bind in unloop.toml`.
pub struct Given {
    pub name: String,
    pub text: String,
}

pub struct Values(HashMap<&'static str, Given>);

impl Values {
    pub fn new(given: HashMap<&'static str, Given>) -> Self {
        Self(given)
    }

    /// What was set, or the default; `None` where there is neither.
    pub fn text(&self, variable: &str) -> Option<&str> {
        let given = self.0.get(variable).map(|given| given.text.as_str());
        given.or_else(|| {
            let setting = SETTINGS.iter().find(|s| s.variable == variable)?;
            (!setting.default.is_empty()).then_some(setting.default)
        })
    }

    pub fn is_given(&self, variable: &str) -> bool {
        self.0.contains_key(variable)
    }

    /// `None` where the default is derived by others.
    pub fn number(
        &self,
        variable: &str,
        range: RangeInclusive<usize>,
    ) -> Result<Option<usize>, ConfigError> {
        let Some(text) = self.text(variable) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => Err(self.wrong(
                variable,
                &format!("a whole number from {} to {}", range.start(), range.end()),
            )),
        }
    }

    /// A number whose default stands in the table.
    pub fn count(
        &self,
        variable: &str,
        range: RangeInclusive<usize>,
    ) -> Result<usize, ConfigError> {
        let number = self.number(variable, range)?;
        number.ok_or_else(|| self.refuse(variable, "is missing"))
    }

    pub fn flag(&self, variable: &str) -> Result<bool, ConfigError> {
        match self.text(variable) {
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            _ => Err(self.wrong(variable, "true or false")),
        }
    }

    pub fn list(&self, variable: &str) -> Vec<String> {
        let items = self.text(variable).unwrap_or_default().split(',');
        items
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Says what the setting is and what it must be.
    pub fn wrong(&self, variable: &str, expected: &str) -> ConfigError {
        let text = self.text(variable).unwrap_or_default();
        self.refuse(variable, &format!("is {text:?}; it must be {expected}"))
    }

    /// For settings whose value may not be shown.
    pub fn refuse(&self, variable: &str, problem: &str) -> ConfigError {
        let name = match self.0.get(variable) {
            Some(given) => given.name.as_str(),
            None => variable,
        };
        ConfigError::new(format!("{name} {problem}"))
    }
}

/// The known name that was probably meant.
pub fn nearest<'n>(wanted: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let wanted = wanted.to_lowercase();
    let distance = |name: &str| match name.to_lowercase() {
        // The beginning of a name is more than a likeness.
        longer if longer.starts_with(&wanted) => 1,
        other => strsim::damerau_levenshtein(&wanted, &other),
    };
    known
        .map(|name| (distance(name), name))
        .filter(|(distance, name)| *distance <= 3.max(name.len() / 3))
        .min()
        .map(|(_, name)| name)
}
