//! What an Observation, or a component of one, says of a score.
//! <https://hl7.org/fhir/R4/observation.html>

use serde_json::{Map, Value};

use super::scale;
use crate::clinical::knowledge::{Entry, Score};
use crate::fhir::search::decimal::Decimal;
use crate::fhir::search::path::{items, text};

const UCUM: &str = "http://unitsofmeasure.org";

/// A whole number, nothing, or why it is no score.
pub type Stated = Result<Option<i64>, &'static str>;

const WHOLE: &str =
    "A score is a whole number. Send valueInteger, or valueQuantity with the UCUM code {score}.";

/// The value of this score, by its number or by its level.
pub fn of_score(score: &Entry<Score>, of: &Map<String, Value>) -> Stated {
    if score.fact.levels.is_empty() {
        return stated(of);
    }
    let own = scale::system();
    let concept = of.get("valueCodeableConcept").and_then(Value::as_object);
    let codings = concept
        .map(|concept| items(concept, "coding"))
        .unwrap_or_default();
    for coding in codings.iter().filter_map(Value::as_object) {
        if text(coding, "system") != Some(&own) {
            continue;
        }
        let mut levels = score.fact.levels.iter();
        let place = levels.position(|level| text(coding, "code") == Some(level));
        let rank = place.and_then(|place| i64::try_from(place).ok());
        return rank
            .map(|rank| Some(score.fact.min.saturating_add(rank)))
            .ok_or("The project's CodeSystem has no such level of this score.");
    }
    Ok(None)
}

fn stated(of: &Map<String, Value>) -> Stated {
    let mut values = of.iter().filter(|(name, _)| {
        let kind = name.strip_prefix("value").unwrap_or_default();
        kind.starts_with(|first: char| first.is_ascii_uppercase())
    });
    match values.next() {
        None => Ok(None),
        Some((name, value)) if name == "valueInteger" => whole(value).map(Some),
        Some((name, Value::Object(quantity))) if name == "valueQuantity" => {
            of_quantity(quantity).map(Some)
        }
        Some(_) => Err(WHOLE),
    }
}

fn of_quantity(quantity: &Map<String, Value>) -> Result<i64, &'static str> {
    if quantity.contains_key("comparator") {
        return Err("A score is exact. Send the number without a comparator.");
    }
    let code = text(quantity, "code");
    let is_count = code.is_none_or(|code| code == "1" || code.starts_with('{'));
    if !is_count && text(quantity, "system").is_none_or(|system| system == UCUM) {
        return Err("A score has no dimension. Send the UCUM code {score}.");
    }
    whole(quantity.get("value").ok_or(WHOLE)?)
}

/// A number without a fraction, however it is written.
pub fn whole(value: &Value) -> Result<i64, &'static str> {
    let number = Decimal::of(value).ok_or(WHOLE)?;
    let power = 10_i128.checked_pow(number.exponent.unsigned_abs());
    let power = power.ok_or(WHOLE)?;
    let scaled = if number.exponent < 0 {
        let exact = number.mantissa % power == 0;
        exact.then(|| number.mantissa / power)
    } else {
        number.mantissa.checked_mul(power)
    };
    scaled
        .and_then(|whole| i64::try_from(whole).ok())
        .ok_or(WHOLE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: &Value) -> Stated {
        stated(value.as_object().unwrap())
    }

    #[test]
    fn whole_numbers_are_scores() {
        for value in [
            json!({"valueInteger": 24}),
            json!({"valueQuantity": {"value": 24}}),
            json!({"valueQuantity": {"value": 24, "system": UCUM, "code": "{score}"}}),
            json!({"valueQuantity": {"value": 24, "system": UCUM, "code": "1"}}),
        ] {
            assert_eq!(of(&value), Ok(Some(24)), "{value}");
        }
        let exact = serde_json::from_str(r#"{"valueQuantity": {"value": 2.40e1}}"#).unwrap();
        assert_eq!(of(&exact), Ok(Some(24)));
        assert_eq!(of(&json!({"status": "final"})), Ok(None));
    }

    #[test]
    fn nothing_else_is() {
        for value in [
            json!({"valueQuantity": {"value": 24.5}}),
            json!({"valueQuantity": {"unit": "points"}}),
            json!({"valueQuantity": {"value": 24, "comparator": "<"}}),
            json!({"valueQuantity": {"value": 24, "system": UCUM, "code": "mg"}}),
            json!({"valueString": "24"}),
            json!({"valueCodeableConcept": {"text": "severe"}}),
        ] {
            assert!(of(&value).is_err(), "{value}");
        }
    }
}
