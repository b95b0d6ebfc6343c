//! One random question about one parameter, and its answer by the book.

use unloop::fhir::definitions::ParamKind;

use super::naive::{Node, amount, compares, plain, texts, times, tokens};
use super::values::{
    approximately, asked_range, descriptions, escaped, forms, is_below, is_present, normal, text,
};

#[derive(Clone, Debug)]
pub enum Ask {
    /// System, code, `:not`
    Token(Option<String>, Option<String>, bool),
    StartsWith(String),
    Contains(String),
    Exact(String),
    /// Prefix and date
    Date(&'static str, String),
    /// Prefix, digits, system and code
    Quantity(&'static str, String, Option<(String, String)>),
    Reference(String),
    Uri(String),
    Below(String),
    Above(String),
    /// `:missing`, with the kind of the parameter
    Missing(ParamKind, bool),
    /// `:text`
    Text(String),
    /// `:of-type`: system and code of the type, and the value
    OfType(String, String, String),
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).expect("below the sides")
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        (!from.is_empty()).then(|| &from[self.below(from.len())])
    }
}

const PREFIXES: [&str; 9] = ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];

impl Ask {
    /// A question that has something to do with the values.
    pub fn random(dice: &mut Dice, kind: ParamKind, nodes: &[Node]) -> Option<Self> {
        if dice.below(20) == 0 && kind != ParamKind::Composite {
            return Some(Self::Missing(kind, dice.below(2) == 0));
        }
        let node = dice.pick(nodes)?.clone();
        let value = &node.value;
        if kind == ParamKind::Token && dice.below(6) == 0 {
            return Self::random_described(dice, value);
        }
        match kind {
            ParamKind::Token => {
                let (system, code, _) = dice.pick(&tokens(value))?.clone();
                let not = dice.below(5) == 0;
                match dice.below(4) {
                    0 => Some(Self::Token(None, Some(code?), not)),
                    1 => Some(Self::Token(Some(system?), None, not)),
                    _ => Some(Self::Token(
                        Some(system.unwrap_or_default()),
                        Some(code?),
                        not,
                    )),
                }
            }
            ParamKind::String => {
                let text = dice.pick(&texts(value))?.clone();
                let length = text.chars().count();
                let (from, count) = (dice.below(length.max(1)), 1 + dice.below(length.max(1)));
                let part = |from| text.chars().skip(from).take(count).collect::<String>();
                let ask = match dice.below(3) {
                    0 => Self::StartsWith(part(0)),
                    1 => Self::Contains(part(from)),
                    _ => Self::Exact(text.clone()),
                };
                (length < 200 && !plain(&part(0)).is_empty() && !plain(&part(from)).is_empty())
                    .then_some(ask)
            }
            ParamKind::Date => {
                let text = [value, &value["start"], &value["end"]]
                    .into_iter()
                    .find_map(|v| v.as_str())?;
                let lengths = [4, 7, 10, text.len()];
                let text = text.get(..*dice.pick(&lengths)?)?;
                times(&text.into())?;
                Some(Self::Date(dice.pick(&PREFIXES)?, text.to_owned()))
            }
            ParamKind::Number | ParamKind::Quantity => Self::random_quantity(dice, value),
            ParamKind::Reference => {
                let reference = normal(value["reference"].as_str()?)?;
                let asked = reference.contains('/').then_some(reference)?;
                (asked.contains(':') || asked.starts_with(char::is_uppercase))
                    .then(|| Self::Reference(asked.to_owned()))
            }
            ParamKind::Uri => {
                let uri = value.as_str()?.to_owned();
                let slash = dice.below(uri.len().max(1));
                Some(match dice.below(3) {
                    0 if uri.len() < 200 => {
                        let end = uri[slash..].find('/').map_or(uri.len(), |at| slash + at);
                        Self::Below(uri[..end].to_owned()).checked()?
                    }
                    1 => Self::Above(format!("{uri}/more/of-it")),
                    _ => Self::Uri(uri),
                })
            }
            ParamKind::Composite | ParamKind::Special => None,
        }
    }

    /// About a code by its words, or about an identifier by its type.
    fn random_described(dice: &mut Dice, value: &serde_json::Value) -> Option<Self> {
        if let (Some(coding), Some(text)) = (
            dice.pick(value["type"]["coding"].as_array().map_or(&[][..], |c| c)),
            value["value"].as_str(),
        ) {
            let part = |name: &str| coding[name].as_str().map(str::to_owned);
            return Some(Self::OfType(
                part("system")?,
                part("code")?,
                text.to_owned(),
            ));
        }
        let text = dice.pick(&descriptions(value))?.clone();
        let count = 1 + dice.below(text.chars().count().max(1));
        let part: String = text.chars().take(count).collect();
        (!plain(&part).is_empty() && text.len() < 200).then_some(Self::Text(part))
    }

    fn random_quantity(dice: &mut Dice, value: &serde_json::Value) -> Option<Self> {
        let number = if value.is_number() {
            value
        } else {
            &value["value"]
        };
        let digits = number.is_number().then(|| number.to_string())?;
        let cut = dice.below(3);
        let digits = match digits.rsplit_once('.') {
            Some((whole, _)) if cut == 0 => whole.to_owned(),
            Some(_) if cut == 1 => digits[..digits.len() - 1].trim_end_matches('.').to_owned(),
            _ => digits,
        };
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        let unit = match dice.below(4) {
            0 => text("code").map(|code| (String::new(), code)),
            1 => text("unit").map(|unit| (String::new(), unit)),
            2 => text("system").zip(text("code")),
            _ => None,
        };
        Some(Self::Quantity(dice.pick(&PREFIXES)?, digits, unit))
    }

    fn checked(self) -> Option<Self> {
        let Self::Below(uri) = &self else {
            return Some(self);
        };
        (!uri.is_empty()).then_some(self)
    }

    pub fn modifier(&self) -> &'static str {
        match self {
            Self::Token(_, _, true) => ":not",
            Self::Contains(_) => ":contains",
            Self::Exact(_) => ":exact",
            Self::Below(_) => ":below",
            Self::Above(_) => ":above",
            Self::Missing(..) => ":missing",
            Self::Text(_) => ":text",
            Self::OfType(..) => ":of-type",
            _ => "",
        }
    }

    pub fn value(&self) -> String {
        match self {
            Self::Token(None, code, _) => escaped(code.as_deref().unwrap_or_default()),
            Self::Token(Some(system), code, _) => {
                format!(
                    "{}|{}",
                    escaped(system),
                    escaped(code.as_deref().unwrap_or_default())
                )
            }
            Self::StartsWith(text)
            | Self::Contains(text)
            | Self::Exact(text)
            | Self::Text(text) => escaped(text),
            Self::Missing(_, missing) => missing.to_string(),
            Self::OfType(system, code, value) => {
                [system, code, value].map(|part| escaped(part)).join("|")
            }
            Self::Reference(text) | Self::Uri(text) | Self::Below(text) | Self::Above(text) => {
                escaped(text)
            }
            Self::Date(prefix, text) => format!("{prefix}{text}"),
            Self::Quantity(prefix, digits, None) => format!("{prefix}{digits}"),
            Self::Quantity(prefix, digits, Some((system, code))) => {
                format!("{prefix}{digits}|{}|{}", escaped(system), escaped(code))
            }
        }
    }

    /// The resource that has these values is found.
    pub fn meets(&self, nodes: &[Node]) -> bool {
        match self {
            Self::Token(system, code, true) => {
                !Self::Token(system.clone(), code.clone(), false).meets(nodes)
            }
            Self::Missing(kind, missing) => {
                nodes.iter().any(|node| is_present(*kind, node)) != *missing
            }
            ask => nodes.iter().any(|node| ask.meets_one(node)),
        }
    }

    fn meets_one(&self, node: &Node) -> bool {
        let value = &node.value;
        match self {
            Self::Token(system, code, _) => tokens(value).iter().any(|(has_system, has, exact)| {
                let alike = |asked: &String| {
                    has.as_ref().is_some_and(|has| match exact {
                        true => has == asked,
                        false => has.to_lowercase() == asked.to_lowercase(),
                    })
                };
                let of_system = |asked: &String| match asked.is_empty() {
                    true => has_system.is_none(),
                    false => has_system.as_ref() == Some(asked),
                };
                code.as_ref().is_none_or(alike) && system.as_ref().is_none_or(of_system)
            }),
            Self::Missing(..) => false,
            Self::Text(part) => descriptions(value)
                .iter()
                .any(|text| plain(text).starts_with(&plain(part))),
            Self::OfType(system, code, asked) => {
                let codings = value["type"]["coding"].as_array();
                value["value"].as_str() == Some(asked)
                    && codings.into_iter().flatten().any(|coding| {
                        text(coding, "system") == system && text(coding, "code") == code
                    })
            }
            Self::StartsWith(part) => texts(value)
                .iter()
                .any(|t| plain(t).starts_with(&plain(part))),
            // "Longer texts are searched by their beginning."
            Self::Contains(part) => texts(value).iter().any(|t| {
                let beginning: String = plain(t).chars().take(256).collect();
                beginning.contains(&plain(part))
            }),
            Self::Exact(text) => texts(value).contains(text),
            // `scheduledString` is no date, whatever it says.
            Self::Date(..) if node.of_type.as_deref() == Some("String") => false,
            Self::Date(prefix, text) => {
                let asked = times(&text.as_str().into()).expect("asked for a date");
                let asked = match *prefix {
                    "ap" => approximately(asked),
                    _ => asked,
                };
                times(value).is_some_and(|has| compares(prefix, asked, has))
            }
            Self::Quantity(prefix, digits, unit) => {
                let unit = unit
                    .as_ref()
                    .map(|(system, code)| (system.as_str(), code.as_str()));
                let plain = serde_json::json!({"value": value});
                let measured = if value.is_number() { &plain } else { value };
                amount(measured, unit)
                    .is_some_and(|has| compares(prefix, asked_range(prefix, digits, unit), has))
            }
            Self::Reference(asked) => match value["reference"].as_str() {
                Some(reference) => normal(reference) == Some(asked),
                None => format!("{}/{}", text(value, "resourceType"), text(value, "id")) == *asked,
            },
            Self::Uri(asked) => forms(value).iter().any(|uri| uri == asked),
            Self::Below(asked) => value.as_str().is_some_and(|uri| {
                forms(value).contains(asked) || (asked.contains("://") && is_below(uri, asked))
            }),
            Self::Above(asked) => forms(value)
                .iter()
                .any(|uri| uri == asked || (asked.contains("://") && is_below(asked, uri))),
        }
    }
}
