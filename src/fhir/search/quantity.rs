//! Numbers and quantities as ranges, and what they are measured in.
//! <https://hl7.org/fhir/R4/search.html#quantity>, <https://hl7.org/fhir/R4/datatypes.html#quantity>

use serde_json::{Map, Value};

use super::date::Range;
use super::decimal::Decimal;
use super::path::text;
use super::prefix::{NumberTest, Prefix};
use super::ucum;

/// <https://hl7.org/fhir/R4/datatypes.html#Money>
const CURRENCIES: &str = "urn:iso:std:iso:4217";

/// What the unit of a quantity is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitName {
    /// Whatever the unit.
    Any,
    /// The code, or the unit as a person reads it.
    Code(String),
    SystemCode(String, String),
    /// All UCUM units that measure the same; the value is then in base units.
    Kind(String),
}

impl UnitName {
    /// The unit by a name; the value is the number as it was written.
    pub fn names_plain_numbers(&self) -> bool {
        matches!(self, Self::Code(_) | Self::SystemCode(..))
    }
}

/// `5.4|http://unitsofmeasure.org|mg`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantityTest {
    pub number: NumberTest,
    pub unit: UnitName,
}

pub fn number_test(value: &str) -> Option<NumberTest> {
    let (prefix, number) = Prefix::split(value)?;
    NumberTest::new(prefix, Decimal::parse(number)?, |value| {
        Some(value.ordered())
    })
}

impl QuantityTest {
    /// `None` where the number is none. System and code are as unescaped.
    pub fn new(number: &str, system: Option<&str>, code: Option<&str>) -> Option<Self> {
        let (prefix, digits) = Prefix::split(number)?;
        let value = Decimal::parse(digits)?;
        let plain = |unit: UnitName| {
            let number = NumberTest::new(prefix, value, |value| Some(value.ordered()))?;
            Some(Self { number, unit })
        };
        match (system, code) {
            (None, None) => plain(UnitName::Any),
            (None, Some(code)) => plain(UnitName::Code(code.to_owned())),
            (Some(ucum::SYSTEM), Some(code)) if ucum::unit(code).is_some() => {
                let unit = ucum::unit(code)?;
                let number = NumberTest::new(prefix, value, |value| unit.ordered(value))?;
                let unit = UnitName::Kind(unit.kind().to_owned());
                Some(Self { number, unit })
            }
            (Some(system), code) => plain(UnitName::SystemCode(
                system.to_owned(),
                code.unwrap_or_default().to_owned(),
            )),
        }
    }
}

/// The range of a number.
pub fn of_number(value: &Value) -> Option<Range> {
    let value = Decimal::of(value)?.ordered();
    Some((value, value))
}

/// A quantity in each way in which it can be asked for, and at the end the one
/// to sort by.
pub fn of_quantity(leaf: &str, value: &Value) -> Vec<(UnitName, Range)> {
    let Value::Object(object) = value else {
        return Vec::new();
    };
    match leaf {
        "Money" => in_units(
            Some(CURRENCIES),
            text(object, "currency"),
            None,
            &Ends::exactly(object),
        ),
        "Range" => {
            let [low, high] = ["low", "high"].map(|end| object.get(end).and_then(Value::as_object));
            let Some(one) = low.or(high) else {
                return Vec::new();
            };
            let value = |end: Option<&Map<String, Value>>| Decimal::of(end?.get("value")?);
            let ends = Ends {
                low: value(low),
                high: value(high),
                ..Ends::default()
            };
            let [system, code, unit] = ["system", "code", "unit"].map(|name| text(one, name));
            in_units(system, code, unit, &ends)
        }
        _ => {
            let [system, code, unit] = ["system", "code", "unit"].map(|name| text(object, name));
            in_units(system, code, unit, &Ends::of(object))
        }
    }
}

/// The ends of a range before they are in any unit; `None` is open.
#[derive(Default)]
struct Ends {
    low: Option<Decimal>,
    high: Option<Decimal>,
    /// The end itself does not belong to the range.
    outside: bool,
}

impl Ends {
    fn exactly(quantity: &Map<String, Value>) -> Self {
        let value = quantity.get("value").and_then(Decimal::of);
        Self {
            low: value,
            high: value,
            outside: false,
        }
    }

    fn of(quantity: &Map<String, Value>) -> Self {
        let exactly = Self::exactly(quantity);
        let comparator = text(quantity, "comparator").unwrap_or_default();
        let outside = matches!(comparator, "<" | ">");
        match comparator {
            "<" | "<=" => Self {
                low: None,
                outside,
                ..exactly
            },
            ">" | ">=" => Self {
                high: None,
                outside,
                ..exactly
            },
            _ => exactly,
        }
    }

    fn range(&self, ordered: impl Fn(Decimal) -> Option<i64>) -> Option<Range> {
        let step = i64::from(self.outside);
        let end = |value: Option<Decimal>, open: i64, step: i64| match value {
            Some(value) => ordered(value).map(|end| end.saturating_add(step)),
            None => Some(open),
        };
        if self.low.is_none() && self.high.is_none() {
            return None;
        }
        let low = end(self.low, i64::MIN, step)?;
        let high = end(self.high, i64::MAX, -step)?;
        (low <= high).then_some((low, high))
    }
}

fn in_units(
    system: Option<&str>,
    code: Option<&str>,
    unit: Option<&str>,
    ends: &Ends,
) -> Vec<(UnitName, Range)> {
    let Some(plain) = ends.range(|value| Some(value.ordered())) else {
        return Vec::new();
    };
    let mut names = vec![(UnitName::Any, plain)];
    if let Some(code) = code {
        names.push((UnitName::Code(code.to_owned()), plain));
    }
    if let Some(unit) = unit.filter(|unit| Some(*unit) != code) {
        names.push((UnitName::Code(unit.to_owned()), plain));
    }
    let Some((system, code)) = system.zip(code) else {
        return names;
    };
    let measured = (system == ucum::SYSTEM).then(|| ucum::unit(code)).flatten();
    let kind = measured.and_then(|unit| {
        let range = ends.range(|value| unit.ordered(value))?;
        Some((UnitName::Kind(unit.kind().to_owned()), range))
    });
    names.push(kind.unwrap_or_else(|| {
        (
            UnitName::SystemCode(system.to_owned(), code.to_owned()),
            plain,
        )
    }));
    names
}
