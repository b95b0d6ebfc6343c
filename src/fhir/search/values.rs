//! Reads the values of one search parameter, or says what is wrong with them.
//! <https://hl7.org/fhir/R4/search.html#ptypes>

use super::catalogue::{Catalogue, Param};
use super::parameter::{ReferenceTest, TokenTest};
use super::prefix::DateTest;
use super::value::{split, unescape};
use super::{reference, string};
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::validate::id;

/// Enough for any page of ids, and short enough for one statement.
const MAX_VALUES: usize = 500;

/// The values of one occurrence, and the name to say in a refusal.
pub(super) struct Values<'a> {
    pub name: &'a str,
    pub value: &'a str,
}

impl Values<'_> {
    /// Reads each value that a comma separates.
    pub(super) fn each<T>(
        &self,
        read: impl Fn(&str) -> Result<T, Failure>,
    ) -> Result<Vec<T>, Failure> {
        let values = split(self.value, ',');
        if values.len() > MAX_VALUES {
            return Err(self.invalid(&format!("has more than {MAX_VALUES} values")));
        }
        values
            .into_iter()
            .map(|value| {
                if value.is_empty() {
                    Err(self.invalid("has an empty value; give one or leave the parameter out"))
                } else {
                    read(value)
                }
            })
            .collect()
    }

    pub(super) fn id(&self, value: &str) -> Result<String, Failure> {
        if id::is_legal(value) {
            Ok(value.to_owned())
        } else {
            Err(self.invalid("is no id: letters, digits, `-` and `.`, 64 at most"))
        }
    }

    pub(super) fn flag(&self) -> Result<bool, Failure> {
        match self.value {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.invalid("must be `true` or `false`")),
        }
    }

    pub(super) fn texts(&self) -> Result<Vec<String>, Failure> {
        self.each(|value| {
            let folded = string::fold(&unescape(value));
            if folded.is_empty() {
                Err(self.invalid("has no letter or digit to search for"))
            } else if value.chars().count() > string::LIMIT {
                Err(self.invalid(&format!("is longer than {} characters", string::LIMIT)))
            } else {
                Ok(folded)
            }
        })
    }

    pub(super) fn dates(&self) -> Result<Vec<DateTest>, Failure> {
        self.each(|value| {
            DateTest::parse(value).ok_or_else(|| {
                self.invalid(&format!(
                    "is not a date: `{value}`; write YYYY, YYYY-MM, YYYY-MM-DD or \
                     YYYY-MM-DDThh:mm:ss with a time zone, after at most one of the prefixes \
                     eq ne gt lt ge le sa eb ap"
                ))
            })
        })
    }

    pub(super) fn tokens(&self, param: &Param) -> Result<Vec<TokenTest>, Failure> {
        let implicit_system = !param.expression.existence
            && param
                .expression
                .paths
                .iter()
                .all(|path| path.leaf == "code");
        self.each(|value| {
            let token = self.token(value)?;
            if implicit_system && token.system.as_ref().is_some_and(|s| !s.is_empty()) {
                // Answering "nothing" would be wrong: the system is implied.
                return Err(self.unsupported("takes a code without a system"));
            }
            Ok(token)
        })
    }

    pub(super) fn token(&self, value: &str) -> Result<TokenTest, Failure> {
        let parts: Vec<String> = split(value, '|').into_iter().map(unescape).collect();
        let (system, code) = match parts.as_slice() {
            [code] => (None, Some(code.clone())),
            [system, code] => (Some(system.clone()), Some(code.clone())),
            _ => return Err(self.invalid("has more than one `|`; write `\\|` for one in a code")),
        };
        let code = code.filter(|code| !code.is_empty());
        if code.is_none() && system.as_ref().is_none_or(String::is_empty) {
            return Err(self.invalid("has neither a system nor a code"));
        }
        Ok(TokenTest { system, code })
    }

    pub(super) fn target<'m>(
        &self,
        catalogue: &Catalogue,
        modifier: Option<&'m str>,
    ) -> Result<Option<&'m str>, Failure> {
        match modifier {
            Some(name) if !catalogue.definitions.is_resource_type(name) => {
                Err(self.unsupported_modifier())
            }
            modifier => Ok(modifier),
        }
    }

    pub(super) fn references(
        &self,
        catalogue: &Catalogue,
        target: Option<&str>,
    ) -> Result<Vec<ReferenceTest>, Failure> {
        self.each(|value| {
            let text = unescape(value);
            let bare = id::is_legal(&text);
            let text = match target {
                Some(resource_type) if bare => format!("{resource_type}/{text}"),
                _ => text,
            };
            if bare && target.is_none() {
                return Ok(ReferenceTest::Id(text));
            }
            let literal = catalogue.base.normalise(&text).unwrap_or_default();
            let (unversioned, _version) = literal.split_once('|').unwrap_or((literal, ""));
            let here = reference::local(unversioned);
            let known = here
                .as_ref()
                .is_some_and(|key| catalogue.definitions.is_resource_type(&key.resource_type));
            let of_target = target.is_none_or(|t| reference::literal_type(literal) == Some(t));
            if of_target && (known || literal.contains(':')) {
                Ok(ReferenceTest::Literal(literal.to_owned()))
            } else {
                Err(self.invalid("is no reference: write an id, `Type/id` or an absolute URL"))
            }
        })
    }

    fn invalid(&self, problem: &str) -> Failure {
        Failure::new(
            Kind::Value,
            format!("Search parameter `{}` {problem}", self.name),
        )
    }

    fn unsupported(&self, problem: &str) -> Failure {
        Failure::new(
            Kind::NotSupported,
            format!("Search parameter `{}` {problem}", self.name),
        )
    }

    pub(super) fn unsupported_modifier(&self) -> Failure {
        self.unsupported("has a modifier that is not supported for its type")
    }
}
