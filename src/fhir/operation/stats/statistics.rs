//! The answer: an Observation with a component for each figure.
//! <https://hl7.org/fhir/R4/observation-operation-stats.html>

use serde_json::{Map, Value, json};

use super::super::super::outcome::{Failure, Kind};
use super::super::super::resource::instant;
use super::super::super::search::path::text;
use super::super::super::search::ucum;
use super::asked::Asked;
use super::figures::{Sample, figure};
use super::group::Group;
use super::shape;

const SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/observation-statistics";

/// R4 has one code for both ends of a regression; these tell them apart.
pub const LINE: &str = "https://unloop.dev/fhir/CodeSystem/regression";

pub const LINE_CODES: [(&str, &str); 2] = [
    (GRADIENT, "What a day adds to the value of the line."),
    (
        INTERCEPT,
        "The value of the line at the time of the first measurement.",
    ),
];
const GRADIENT: &str = "gradient";
const INTERCEPT: &str = "intercept";

/// Values in one unit, and the unit.
struct Measures {
    sample: Sample,
    unit: Map<String, Value>,
}

pub fn observation(
    asked: &Asked,
    coding: &(String, String),
    group: &Group,
    statistics: &[&str],
) -> Result<Value, Failure> {
    let (sample, unit) = group.sample()?;
    let measures = Measures { sample, unit };
    let mut components = Vec::new();
    for statistic in statistics {
        components.extend(measures.components(statistic)?);
    }
    let mut one = json!({
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": coding.0, "code": coding.1}]},
        "subject": {"reference": asked.subject},
        "component": components,
    });
    if let (Some((low, high)), Some(members)) = (asked.period, one.as_object_mut()) {
        let period = json!({"start": instant(low), "end": instant(high)});
        members.insert("effectivePeriod".to_owned(), period);
    }
    Ok(one)
}

impl Measures {
    fn components(&self, statistic: &str) -> Result<Vec<Value>, Failure> {
        let code = json!({"coding": [{"system": SYSTEM, "code": statistic}]});
        if let Some(count) = self.sample.count(statistic) {
            return Ok(vec![
                json!({"code": code, "valueQuantity": {"value": count}}),
            ]);
        }
        if !self.sample.has(statistic) {
            let system = "http://terminology.hl7.org/CodeSystem/data-absent-reason";
            let absent = json!({"coding": [{"system": system, "code": "not-applicable"}]});
            return Ok(vec![json!({"code": code, "dataAbsentReason": absent})]);
        }
        if statistic == "regression" {
            return self.regression();
        }
        let figure = figure(&self.sample, statistic).ok_or_else(out_of_reach)?;
        let unit = match statistic {
            "skew" | "kurtosis" => Map::new(),
            "variance" => self.made_of(|unit| format!("({unit}).({unit})")),
            _ => self.unit.clone(),
        };
        Ok(vec![
            json!({"code": code, "valueQuantity": valued(unit, figure)}),
        ])
    }

    fn regression(&self) -> Result<Vec<Value>, Failure> {
        let line = shape::line(&self.sample).ok_or_else(out_of_reach)?;
        let code = |part: &str, text: &str| {
            let codings = json!([
                {"system": SYSTEM, "code": "regression"},
                {"system": LINE, "code": part},
            ]);
            json!({"coding": codings, "text": text})
        };
        let gradient = valued(self.made_of(|unit| format!("({unit})/d")), line.gradient);
        let intercept = valued(self.unit.clone(), line.intercept);
        let at = format!("Value of the line at {}", instant(line.from));
        Ok(vec![
            json!({"code": code(GRADIENT, "What a day adds"), "valueQuantity": gradient}),
            json!({"code": code(INTERCEPT, &at), "valueQuantity": intercept}),
        ])
    }

    /// Another unit, where one can be made of this: of degrees none can.
    fn made_of(&self, of: impl Fn(&str) -> String) -> Map<String, Value> {
        let unit = text(&self.unit, "code").unwrap_or_default();
        let code = of(unit);
        let mut made = Map::new();
        made.insert("unit".to_owned(), code.as_str().into());
        let known = ucum::unit(unit).is_some_and(|unit| unit.is_ratio());
        if known && ucum::unit(&code).is_some() {
            made.insert("system".to_owned(), ucum::SYSTEM.into());
            made.insert("code".to_owned(), code.into());
        }
        made
    }
}

fn valued(mut unit: Map<String, Value>, value: Value) -> Value {
    unit.insert("value".to_owned(), value);
    unit.into()
}

fn out_of_reach() -> Failure {
    Failure::new(
        Kind::BusinessRule,
        "The values have too many digits to compute with.",
    )
}
