//! JSON as FHIR wants it: no duplicate keys, bounded nesting, digits kept.
//!
//! <https://hl7.org/fhir/R4/json.html>

use std::fmt::Write as _;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::outcome::{Failure, Kind};
use crate::budget;

/// What the JSON parser can nest at most.
pub const MAX_DEPTH: usize = 120;

/// How serde_json hands over a number whose digits are to be kept.
const NUMBER_TOKEN: &str = "$serde_json::private::Number";

/// Values are charged to the request in steps of so many.
const NODES_AT_ONCE: u64 = 1_024;

/// Reads one JSON document, whose values the request's budget bounds. `depth` bounds the nesting of objects and arrays;
/// above [`MAX_DEPTH`] the parser refuses on its own.
///
/// ```
/// use unloop::fhir::json::parse;
/// assert_eq!(parse(br#"{"a":1.10}"#, 9).unwrap().to_string(), r#"{"a":1.10}"#);
/// assert!(parse(br#"{"a":1,"a":2}"#, 9).is_err());
/// ```
pub fn parse(bytes: &[u8], depth: usize) -> Result<Value, Failure> {
    // "MAY ignore the presence of a byte order mark". <https://www.rfc-editor.org/rfc/rfc8259#section-8.1>
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut place = Place {
        steps: Vec::new(),
        depth,
        uncharged: 0,
        refusal: None,
    };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Node(&mut place).deserialize(&mut reader);
    match value.and_then(|value| reader.end().map(|()| value)) {
        Ok(value) => {
            budget::charge_nodes(place.uncharged)?;
            Ok(value)
        }
        Err(error) => Err(place.refusal.take().unwrap_or_else(|| not_json(&error))),
    }
}

/// Like [`parse`], for a document that must be an object.
pub fn parse_object(bytes: &[u8], depth: usize) -> Result<Map<String, Value>, Failure> {
    match parse(bytes, depth)? {
        Value::Object(map) => Ok(map),
        _ => Err(Failure::new(
            Kind::Structure,
            "The content is JSON, but not an object. Send one FHIR resource: {\"resourceType\": …}.",
        )),
    }
}

fn not_json(error: &serde_json::Error) -> Failure {
    let what = if error.is_eof() {
        "ends too early"
    } else {
        "is not well formed"
    };
    Failure::new(
        Kind::Structure,
        format!(
            "The content is not JSON: it {what} at line {}, column {}.",
            error.line(),
            error.column()
        ),
    )
}

enum Step {
    Key(String),
    Index(usize),
}

struct Place {
    steps: Vec<Step>,
    depth: usize,
    /// Values that the budget has not heard of yet.
    uncharged: u64,
    refusal: Option<Failure>,
}

impl Place {
    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.steps {
            let _infallible = match step {
                Step::Key(key) if path.is_empty() => write!(path, "{key}"),
                Step::Key(key) => write!(path, ".{key}"),
                Step::Index(index) => write!(path, "[{index}]"),
            };
        }
        path
    }

    fn refuse<E: serde::de::Error>(&mut self, kind: Kind, text: String) -> E {
        let issue = Failure::at(kind, self.path(), text);
        self.refusal.get_or_insert(issue);
        E::custom("refused")
    }

    /// One more value: content that has too many is given up at once.
    fn count_node<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.uncharged += 1;
        if self.uncharged < NODES_AT_ONCE {
            return Ok(());
        }
        let nodes = std::mem::take(&mut self.uncharged);
        budget::charge_nodes(nodes).map_err(|exceeded| {
            self.refusal.get_or_insert_with(|| exceeded.into());
            E::custom("refused")
        })
    }

    fn enter<E: serde::de::Error>(&mut self) -> Result<(), E> {
        if self.steps.len() >= self.depth {
            let text = format!("The content is nested deeper than {} levels.", self.depth);
            return Err(self.refuse(Kind::TooLarge, text));
        }
        Ok(())
    }
}

struct Node<'p>(&'p mut Place);

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.0.count_node()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    /// Whole numbers come as such; all others as their digits, by `visit_map`.
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        if value.contains('\0') {
            let text = "A string contains the character U+0000, which FHIR forbids.".to_owned();
            return Err(self.0.refuse(Kind::Value, text));
        }
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.0.enter()?;
        let mut array = Vec::new();
        loop {
            self.0.steps.push(Step::Index(array.len()));
            let item = items.next_element_seed(Node(self.0))?;
            self.0.steps.pop();
            match item {
                Some(item) => array.push(item),
                None => return Ok(Value::Array(array)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if key == NUMBER_TOKEN && object.is_empty() {
                let digits: String = members.next_value()?;
                return digits
                    .parse::<Number>()
                    .map(Value::Number)
                    .map_err(|_| A::Error::custom("not a number"));
            }
            if object.is_empty() {
                self.0.enter()?;
            }
            if object.contains_key(&key) {
                let text =
                    format!("The member \"{key}\" stands twice in one object. Send it once.");
                return Err(self.0.refuse(Kind::Structure, text));
            }
            self.0.steps.push(Step::Key(key.clone()));
            let value = members.next_value_seed(Node(self.0))?;
            self.0.steps.pop();
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Failure {
        parse(text.as_bytes(), 4).unwrap_err()
    }

    #[test]
    fn digits_and_order_are_kept() {
        let text = r#"{"z":1.10,"a":[0.0,-0.00,1e-7,100000000000000000000.5,7,-7,-0,18446744073709551616],"m":true,"n":null}"#;
        assert_eq!(parse(text.as_bytes(), 9).unwrap().to_string(), text);
    }

    #[test]
    fn a_duplicate_key_is_refused_with_its_place() {
        let failure = refusal(r#"{"name":[{"family":"A","family":"B"}]}"#);
        assert_eq!(failure.issues[0].expression.as_deref(), Some("name[0]"));
        assert!(failure.issues[0].text.contains("\"family\""));
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(parse(b"[[[[1]]]]", 4).is_ok());
        assert_eq!(refusal("[[[[[1]]]]]").kind, Kind::TooLarge);
        assert_eq!(
            refusal(r#"{"a":{"a":{"a":{"a":{"a":1}}}}}"#).kind,
            Kind::TooLarge
        );
    }

    #[test]
    fn what_is_not_json_is_refused_with_line_and_column() {
        for text in [
            "",
            "{",
            "{]",
            "nul",
            "{} {}",
            "{\"a\":01}",
            "{}\u{feff}",
            "{'a':1}",
            "NaN",
        ] {
            let failure = refusal(text);
            assert_eq!(failure.kind, Kind::Structure, "{text}");
            assert!(failure.issues[0].text.contains("line"), "{text}");
        }
        assert_eq!(refusal(r#"{"a":"\u0000"}"#).kind, Kind::Value);
    }
}
