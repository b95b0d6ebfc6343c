//! The environment and the file become one table of texts; whatever is not a
//! setting is refused by name.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::ConfigError;
use super::settings::{FILE_VARIABLE, OF_THE_TESTS, SETTINGS, Setting};
use super::values::{Given, Values, nearest};

pub fn gather(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    file: Option<&Path>,
) -> Result<Values, ConfigError> {
    let mut from_environment = HashMap::new();
    let mut named_file = None;
    for (name, value) in environment {
        let Some(name) = name.to_str().filter(|name| is_ours(name)) else {
            continue;
        };
        if name == FILE_VARIABLE {
            named_file = Some(PathBuf::from(value));
            continue;
        }
        let setting = known_variable(name)?;
        let text = value
            .into_string()
            .map_err(|_| ConfigError::new(format!("{name} is not UTF-8 text")))?;
        // A variable that is set to nothing counts as not set, as containers do it.
        if !text.trim().is_empty() {
            from_environment.insert(setting.variable, given(setting.variable, &text));
        }
    }
    let mut values = match file.map(Path::to_path_buf).or(named_file) {
        Some(path) => from_file(&path)?,
        None => HashMap::new(),
    };
    values.extend(from_environment);
    Ok(Values::new(values))
}

fn is_ours(name: &str) -> bool {
    let of_the_tests = OF_THE_TESTS.iter().any(|prefix| name.starts_with(prefix));
    name == "DATABASE_URL" || (name.starts_with("UNLOOP_") && !of_the_tests)
}

fn known_variable(name: &str) -> Result<&'static Setting, ConfigError> {
    let known = SETTINGS.iter().find(|setting| setting.variable == name);
    known.ok_or_else(|| {
        let names = SETTINGS.iter().map(|setting| setting.variable);
        unknown(name, names.chain([FILE_VARIABLE]))
    })
}

fn unknown<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> ConfigError {
    let remedy = match nearest(name, known) {
        Some(near) => format!("did you mean {near}?"),
        None => "`unloop --help` lists all settings".to_owned(),
    };
    ConfigError::new(format!("{name} is not a setting of Unloop; {remedy}"))
}

fn given(name: &str, text: &str) -> Given {
    Given {
        name: name.to_owned(),
        text: text.trim().to_owned(),
    }
}

fn from_file(path: &Path) -> Result<HashMap<&'static str, Given>, ConfigError> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        ConfigError::new(format!(
            "the configuration file {shown} cannot be read: {error}"
        ))
    })?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        // The message alone: the whole text quotes the line, which may be the password's.
        ConfigError::new(format!("{shown} is not TOML: {}", error.message()))
    })?;
    let mut values = HashMap::new();
    for (topic, members) in table {
        let toml::Value::Table(members) = members else {
            return Err(unknown_key(&topic, path));
        };
        for (member, value) in members {
            let key = format!("{topic}.{member}");
            let setting = SETTINGS
                .iter()
                .find(|setting| setting.key == key)
                .ok_or_else(|| unknown_key(&key, path))?;
            let text = text_of(&value).ok_or_else(|| {
                ConfigError::new(format!(
                    "{key} in {shown} must be a text, a number, true, false or a list of texts"
                ))
            })?;
            let name = format!("{key} in {shown}");
            values.insert(setting.variable, given(&name, &text));
        }
    }
    Ok(values)
}

fn unknown_key(key: &str, path: &Path) -> ConfigError {
    let error = unknown(key, SETTINGS.iter().map(|setting| setting.key));
    ConfigError::new(format!("{}: {error}", path.display()))
}

fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        toml::Value::Array(items) => {
            let texts: Option<Vec<&str>> = items.iter().map(toml::Value::as_str).collect();
            texts.map(|texts| texts.join(","))
        }
        _ => None,
    }
}
