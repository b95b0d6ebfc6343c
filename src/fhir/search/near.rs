//! Places by their distance: `near=latitude|longitude|distance|unit`. A place
//! is a point on a sphere, and a distance along it is one through it.
//! <https://hl7.org/fhir/R4/location.html#positional>

use serde_json::{Map, Value};

use super::decimal::Decimal;
use super::key::param_key;
use super::param::Param;
use super::ucum;
use super::value::split;
use crate::store::{Ball, Bounds, Comparison, Filter, IndexKey};

/// Metres: the mean radius of the Earth.
const EARTH: f64 = 6_371_008.8;

/// The radius in the units of the index, each of which is six millimetres.
const RADIUS: f64 = 1e9;

/// What rounding may have moved two points apart.
const ROUNDING: f64 = 2.0;

/// "If the distance is omitted, then the server can use its own discretion."
pub const UNSAID_KILOMETRES: &str = "50";

const AXES: [&str; 3] = ["x", "y", "z"];

/// Points not further from one than so many units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    center: [i64; 3],
    reach: i64,
}

impl Near {
    /// `None` where it is no place on Earth, or no length.
    pub fn parse(value: &str) -> Option<Self> {
        let parts = split(value, '|');
        let (latitude, longitude, rest) = match parts.as_slice() {
            [latitude, longitude, rest @ ..] if rest.len() <= 2 => (latitude, longitude, rest),
            _ => return None,
        };
        let degrees = |text: &str| Decimal::parse(text).and(text.parse().ok());
        let given = |at: usize| rest.get(at).copied().filter(|text| !text.is_empty());
        let metres = match given(0) {
            Some(distance) => in_metres(distance, given(1).unwrap_or("km"))?,
            // "... (and units are irrelevant)"
            None => in_metres(UNSAID_KILOMETRES, "km")?,
        };
        Some(Self {
            center: point(degrees(latitude)?, degrees(longitude)?)?,
            reach: chord(metres),
        })
    }

    /// Each coordinate alone, which an index finds, and all of them together.
    pub(super) fn filter(&self, param: &Param) -> Filter {
        let params = keys(&param.scope, &param.code);
        let range = |(param, center): (IndexKey, i64)| {
            let (low, high) = (Some(center - self.reach), Some(center + self.reach));
            let bounds = Bounds {
                low_min: low,
                low_max: high,
                high_min: low,
                high_max: high,
            };
            Filter::Is(Comparison::Range { param, bounds })
        };
        let mut parts: Vec<Filter> = params.into_iter().zip(self.center).map(range).collect();
        parts.push(Filter::Is(Comparison::Within(Ball {
            params,
            center: self.center,
            radius_squared: self.reach * self.reach,
        })));
        Filter::All(parts)
    }
}

/// The rows of a position.
pub(super) fn rows(scope: &str, code: &str, position: &Value) -> Option<[(IndexKey, i64); 3]> {
    let position: &Map<String, Value> = position.as_object()?;
    let degrees = |name: &str| match position.get(name)? {
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    };
    let [x, y, z] = point(degrees("latitude")?, degrees("longitude")?)?;
    let [to_x, to_y, to_z] = keys(scope, code);
    Some([(to_x, x), (to_y, y), (to_z, z)])
}

fn keys(scope: &str, code: &str) -> [IndexKey; 3] {
    AXES.map(|axis| param_key(scope, &format!("{code}.{axis}")))
}

fn point(latitude: f64, longitude: f64) -> Option<[i64; 3]> {
    if latitude.abs() > 90.0 || longitude.abs() > 180.0 {
        return None;
    }
    let (latitude, longitude) = (latitude.to_radians(), longitude.to_radians());
    let point = [
        latitude.cos() * longitude.cos(),
        latitude.cos() * longitude.sin(),
        latitude.sin(),
    ];
    Some(point.map(|one| whole(one * RADIUS)))
}

/// How far apart the ends of a way along the sphere are.
fn chord(metres: f64) -> i64 {
    let angle = (metres / EARTH).min(std::f64::consts::PI);
    whole((2.0 * (angle / 2.0).sin() * RADIUS).ceil() + ROUNDING)
}

/// Nothing here is beyond a few times the radius.
#[expect(clippy::cast_possible_truncation, reason = "far below 2^53")]
fn whole(number: f64) -> i64 {
    number.round() as i64
}

fn in_metres(distance: &str, unit: &str) -> Option<f64> {
    let (unit, metre) = (ucum::unit(unit)?, ucum::unit("m")?);
    let length = unit.ordered(Decimal::parse(distance)?)?;
    // The order of numbers that are not negative is that of their bits.
    (length >= 0 && unit.kind() == metre.kind()).then(|| f64::from_bits(length.cast_unsigned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How far a place is from another, as the index sees it.
    fn is_near(near: &str, latitude: f64, longitude: f64) -> bool {
        let near = Near::parse(near).unwrap();
        let place = point(latitude, longitude).unwrap();
        let apart = near
            .center
            .iter()
            .zip(place)
            .map(|(a, b)| (a - b) * (a - b));
        apart.sum::<i64>() <= near.reach * near.reach
    }

    /// A degree of a great circle is 2 pi r / 360 = 111.195 km.
    #[test]
    fn a_degree_of_a_great_circle_has_111_kilometres() {
        for (from, to) in [
            ("0|0", (0.0, 1.0)),
            ("0|0", (-1.0, 0.0)),
            ("89.5|0", (89.5, 180.0)),
            ("0|179.5", (0.0, -179.5)),
            ("-90|17", (-89.0, -120.0)),
        ] {
            assert!(!is_near(&format!("{from}|111.19|km"), to.0, to.1), "{from}");
            assert!(is_near(&format!("{from}|111.20|km"), to.0, to.1), "{from}");
        }
        assert!(is_near("0|0|20016|km", 0.0, 180.0), "half way round");
        assert!(!is_near("0|0|20000|km", 0.0, 180.0));
    }

    #[test]
    fn units_are_lengths_of_ucum_and_kilometres_if_there_is_none() {
        for near in [
            "1|1|1.0",
            "1|1|1|km",
            "1|1|1000|m",
            "1|1|0.62138|[mi_i]",
            "1|1|1|",
        ] {
            assert!(is_near(near, 1.0, 1.00899), "{near}");
            assert!(!is_near(near, 1.0, 1.00912), "{near}");
        }
        for near in ["1|1", "1|1|", "1|1||m"] {
            assert!(is_near(near, 1.0, 1.4), "{near}");
            assert!(!is_near(near, 1.0, 1.5), "{near}");
        }
        assert!(is_near("52.37|4.89|0|m", 52.37, 4.89), "the place itself");
    }

    #[test]
    fn what_is_no_place_or_no_length_is_refused() {
        for near in [
            "",
            "1",
            "|",
            "1|",
            "x|1",
            "91|0",
            "0|181",
            "1|1|-1",
            "1|1|x",
            "1|1|1|kg",
            "1|1|1|miles",
            "1|1|1|km|x",
            "NaN|1",
            "inf|0",
            "1|1|1e999",
        ] {
            assert_eq!(Near::parse(near), None, "{near}");
        }
        let farther = Near::parse("0|0|1e30|km").expect("everything");
        assert!(farther.reach < 2_000_000_010);
    }
}
