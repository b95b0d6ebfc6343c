//! Reads the values of one search parameter, or says what is wrong with them.
//! <https://hl7.org/fhir/R4/search.html#ptypes>

use super::catalogue::{Catalogue, Param};
use super::near::{Near, UNSAID_KILOMETRES};
use super::parameter::{self, ReferenceTest, Test, TokenTest};
use super::prefix::{DateTest, NumberTest};
use super::quantity::{self, QuantityTest};
use super::value::{split, unescape};
use super::{reference, sound, string};
use crate::fhir::literal_reference::LiteralReference;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::validate::id;

/// Enough for any page of ids, and short enough for one statement.
const MAX_VALUES: usize = 500;

/// Each is a condition of its own.
const MAX_WORDS: usize = 8;

const NUMBER_HINT: &str =
    "; write digits, after at most one of the prefixes eq ne gt lt ge le sa eb ap";

/// The system that R4 says all flags are of.
/// <https://hl7.org/fhir/R4/codesystem-special-values.html>
const FLAGS: &str = "http://terminology.hl7.org/CodeSystem/special-values";

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
            } else {
                Ok(folded)
            }
        })
    }

    /// The words of each name, by the codes that they sound like.
    pub(super) fn sounds(&self) -> Result<Vec<Vec<Vec<String>>>, Failure> {
        self.each(|value| {
            let words = sound::words(&unescape(value));
            match words.len() {
                0 => Err(self.invalid("has no letter or digit to search for")),
                count if count > MAX_WORDS => {
                    Err(self.invalid(&format!("has more than {MAX_WORDS} words")))
                }
                _ => Ok(words),
            }
        })
    }

    pub(super) fn places(&self) -> Result<Vec<Near>, Failure> {
        self.each(|value| {
            Near::parse(value).ok_or_else(|| {
                self.invalid(&format!(
                    "is written `latitude|longitude|distance|unit`, in degrees up to 90 and 180 and \
                     a UCUM unit of length: `52.37|4.89|5|km`; without a unit it is km, without a \
                     distance {UNSAID_KILOMETRES} km"
                ))
            })
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

    pub(super) fn numbers(&self) -> Result<Vec<NumberTest>, Failure> {
        self.each(|value| {
            quantity::number_test(value)
                .ok_or_else(|| self.invalid(&format!("is not a number: `{value}`{NUMBER_HINT}")))
        })
    }

    pub(super) fn quantities(&self) -> Result<Vec<QuantityTest>, Failure> {
        self.each(|value| {
            let parts: Vec<String> = split(value, '|').into_iter().map(unescape).collect();
            let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
            let (number, system, code) = match parts.as_slice() {
                [number] => (number, None, None),
                [number, system, code] => (number, given(system), given(code)),
                _ => return Err(self.invalid("is written `number` or `number|system|code`")),
            };
            if system.is_some() && code.is_none() {
                return Err(self.invalid("has a system of units and no unit"));
            }
            QuantityTest::new(number, system.as_deref(), code.as_deref())
                .ok_or_else(|| self.invalid(&format!("is not a number: `{number}`{NUMBER_HINT}")))
        })
    }

    /// `first$second`, each read as the parameter of its kind.
    pub(super) fn composites(
        &self,
        catalogue: &Catalogue,
        param: &Param,
    ) -> Result<Vec<(Test, Test)>, Failure> {
        let Some(composite) = param.composites.first() else {
            return Err(self.unsupported("is not supported"));
        };
        let component = |param: &Param, value: &str| {
            let name = self.name;
            parameter::test(catalogue, param, &Values { name, value }, None)
        };
        self.each(|value| {
            let parts = split(value, '$');
            let [first, second] = parts.as_slice() else {
                return Err(self.invalid("must have two parts: `first$second`"));
            };
            let first = component(&composite.first, first)?;
            Ok((first, component(&composite.second, second)?))
        })
    }

    /// `system|code|value` of `:of-type`.
    pub(super) fn typed(&self) -> Result<Vec<[String; 3]>, Failure> {
        self.each(|value| {
            let parts: Vec<String> = split(value, '|').into_iter().map(unescape).collect();
            <[String; 3]>::try_from(parts)
                .ok()
                .filter(|[_, code, value]| !code.is_empty() && !value.is_empty())
                .ok_or_else(|| self.invalid("must be written `system|code|value`"))
        })
    }

    pub(super) fn uris_below(&self) -> Result<Vec<String>, Failure> {
        self.each(|value| {
            let uri = unescape(value);
            if uri.chars().count() >= string::LIMIT {
                return Err(self.invalid(&format!("is longer than {} characters", string::LIMIT)));
            }
            Ok(uri)
        })
    }

    pub(super) fn tokens(&self, param: &Param) -> Result<Vec<TokenTest>, Failure> {
        let is_flag = param.expression.existence
            || param
                .expression
                .paths
                .iter()
                .all(|path| path.leaf == "boolean");
        let implicit_system = !param.expression.existence
            && param
                .expression
                .paths
                .iter()
                .all(|path| path.leaf == "code");
        self.each(|value| {
            let mut token = self.token(value)?;
            if is_flag && token.system.as_deref() == Some(FLAGS) {
                token.system = None;
            }
            if !implicit_system {
                return Ok(token);
            }
            match token.system.as_deref() {
                None | Some("") => {}
                Some(system) if token.code.is_some() && param.has_implicit_system(system) => {
                    token.system = None;
                }
                // Answering "nothing" would be wrong: the system is implied.
                Some(_) => return Err(self.unsupported("takes a code without a system")),
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
            let (address, version) = match text.split_once('|') {
                Some((address, version)) => (address, Some(version)),
                None => (text.as_str(), None),
            };
            let literal = match catalogue.base.read(address) {
                LiteralReference::Local(key, _)
                    if catalogue.definitions.is_resource_type(&key.resource_type) =>
                {
                    Some(key.to_string())
                }
                LiteralReference::Elsewhere(_) => catalogue.base.target(address),
                _ => None,
            };
            let of_target = |literal: &String| {
                target.is_none_or(|t| reference::literal_type(literal) == Some(t))
            };
            match (literal.filter(of_target), version) {
                (Some(literal), None) => Ok(ReferenceTest::Literal(literal)),
                (Some(literal), Some(version)) => {
                    Ok(ReferenceTest::Literal(format!("{literal}|{version}")))
                }
                (None, _) => {
                    Err(self.invalid("is no reference: write an id, `Type/id` or an absolute URL"))
                }
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
