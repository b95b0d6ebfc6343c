//! The parameters of a request. None may stand twice.
//! <https://www.rfc-editor.org/rfc/rfc6749#section-3.2>

use std::collections::HashMap;

use super::OAuthError;

#[derive(Debug, Default)]
pub struct Form(HashMap<String, String>);

impl Form {
    pub fn parse(content: &[u8]) -> Result<Self, OAuthError> {
        let mut members = HashMap::new();
        for (name, value) in form_urlencoded::parse(content) {
            if value.is_empty() {
                // As if it were not there, the standard says.
                continue;
            }
            if members
                .insert(name.to_string(), value.to_string())
                .is_some()
            {
                return Err(OAuthError::request("A parameter stands twice."));
            }
        }
        Ok(Self(members))
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn required(&self, name: &'static str) -> Result<&str, OAuthError> {
        let missing = || OAuthError::request(format!("The parameter {name} is missing."));
        self.get(name).ok_or_else(missing)
    }
}
