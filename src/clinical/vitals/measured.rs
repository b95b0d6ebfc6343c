//! Vital signs as they were measured, in every shape that is sent: one reading
//! for candidacy, readiness and the watch of a session. A blood pressure is a panel with
//! two components in any order, or two Observations of one time.

use serde_json::{Map, Value};

use super::spelling::in_ucum;
use crate::clinical::knowledge::Knowledge;
use crate::clinical::observation::{effective, is_usable, quantity, shown, sign_codes, sign_of};
use crate::fhir::operation::records::Version;
use crate::fhir::record::ResourceKey;
use crate::fhir::search::date::{self, Range};
use crate::fhir::search::path::{items, text};

pub const BLOOD_PRESSURE: &str = "blood-pressure";
const HALVES: [&str; 2] = ["systolic", "diastolic"];
const MINUTE: i64 = 60_000_000;

/// One measurement, of one Observation or of two that belong together.
#[derive(Clone, Debug)]
pub struct VitalReading {
    pub sources: Vec<ResourceKey>,
    /// The newest version of its sources, to tell readings of one time apart.
    pub version: i64,
    /// Microseconds since 1970; `None` where nobody says when.
    pub time: Option<Range>,
    /// By the id of the sign; more than one where the sender says more than one.
    pub values: Vec<(&'static str, Map<String, Value>)>,
    /// Signs without a value.
    pub lacks: Vec<&'static str>,
    /// Somebody says that it was not measured.
    pub absent: bool,
    /// Final, and nothing against it.
    pub usable: bool,
}

impl VitalReading {
    /// Whether it says all that it should.
    pub fn is_whole(&self) -> bool {
        self.usable && self.lacks.is_empty()
    }

    /// `122 mm[Hg] over 78 mm[Hg]`.
    pub fn shown(&self) -> String {
        let values: Vec<String> = self.values.iter().map(|(_, value)| shown(value)).collect();
        values.join(" over ")
    }
}

/// The ids of the signs that a sign is made of.
pub fn parts_of_sign(sign: &str) -> Vec<&'static str> {
    let known = [
        "heart-rate",
        "oxygen-saturation",
        "respiratory-rate",
        "temperature",
        "weight",
        "height",
        "bmi",
    ];
    if sign == BLOOD_PRESSURE {
        return HALVES.to_vec();
    }
    known.into_iter().filter(|one| *one == sign).collect()
}

/// What to ask `combo-code` of Observation for.
pub fn codes_of_reading(knowledge: &Knowledge, sign: &str) -> String {
    let mut wanted = parts_of_sign(sign);
    if sign == BLOOD_PRESSURE {
        wanted.push(BLOOD_PRESSURE);
    }
    sign_codes(knowledge, &wanted)
}

/// All readings of a sign among Observations, in no order. What was a mistake or never
/// done is none.
pub fn read_vital_signs(
    knowledge: &Knowledge,
    sign: &str,
    versions: &[Version],
) -> Vec<VitalReading> {
    let parts = parts_of_sign(sign);
    let standing = versions.iter().filter(|version| {
        let status = text(&version.resource.content, "status");
        !matches!(status, Some("entered-in-error" | "cancelled"))
    });
    let mut readings: Vec<VitalReading> = standing
        .filter(|version| !is_group(version, versions))
        .filter_map(|version| read_one(knowledge, sign, &parts, version))
        .collect();
    if sign == BLOOD_PRESSURE {
        readings = pair_halves(knowledge, readings);
    }
    readings
}

fn read_one(
    knowledge: &Knowledge,
    sign: &str,
    parts: &[&'static str],
    version: &Version,
) -> Option<VitalReading> {
    let content = &version.resource.content;
    let mut concerned = sign_of(knowledge, content).is_some_and(|known| known.id == sign);
    let components = items(content, "component")
        .iter()
        .filter_map(Value::as_object);
    let mut values = Vec::new();
    let mut absent = content.contains_key("dataAbsentReason");
    for holder in std::iter::once(content).chain(components) {
        let Some(known) = sign_of(knowledge, holder) else {
            continue;
        };
        let Some(part) = parts.iter().find(|part| **part == known.id) else {
            continue;
        };
        concerned = true;
        absent |= holder.contains_key("dataAbsentReason");
        let value = quantity(holder).filter(|quantity| quantity.contains_key("value"));
        values.extend(value.map(|value| (*part, in_ucum(knowledge, known, value))));
    }
    let lacks = parts
        .iter()
        .filter(|part| !values.iter().any(|(one, _)| one == *part));
    let lacks = lacks.copied().collect();
    // In the order in which they are read aloud.
    values.sort_by_key(|(part, _)| parts.iter().position(|one| one == part));
    concerned.then(|| VitalReading {
        sources: vec![version.key.clone()],
        version: version.version,
        time: measured_at(content),
        absent: absent && values.is_empty(),
        values,
        lacks,
        usable: is_usable(content),
    })
}

/// `effective[x]`, else `issued`.
fn measured_at(content: &Map<String, Value>) -> Option<Range> {
    effective(content).or_else(|| date::range(text(content, "issued")?))
}

/// A panel without values of its own whose members are all here: they count.
fn is_group(version: &Version, all: &[Version]) -> bool {
    let content = &version.resource.content;
    let members = items(content, "hasMember");
    let bare = !content.contains_key("component") && quantity(content).is_none();
    bare && !members.is_empty()
        && members.iter().all(|member| {
            let reference = member.get("reference").and_then(Value::as_str);
            reference.is_some_and(|one| {
                all.iter()
                    .any(|other| one.ends_with(&other.key.to_string()))
            })
        })
}

/// Joins a systolic and a diastolic value of one time; what finds no other half stays.
fn pair_halves(knowledge: &Knowledge, readings: Vec<VitalReading>) -> Vec<VitalReading> {
    let apart = knowledge
        .freshness
        .iter()
        .find(|one| one.id == "pressure-pair");
    let apart = apart.map_or(0, |one| one.fact.minutes * MINUTE);
    let is_half = |one: &VitalReading, sign: &str| {
        one.usable && one.lacks.len() == 1 && one.values.iter().all(|(part, _)| *part == sign)
    };
    let (uppers, others): (Vec<_>, Vec<_>) = readings
        .into_iter()
        .partition(|one| is_half(one, "systolic"));
    let (mut lowers, mut all): (Vec<_>, Vec<_>) = others
        .into_iter()
        .partition(|one| is_half(one, "diastolic"));
    for mut upper in uppers {
        let distance = |lower: &VitalReading| {
            let (Some((one, _)), Some((other, _))) = (upper.time, lower.time) else {
                return None;
            };
            Some((one - other).abs()).filter(|distance| *distance <= apart)
        };
        let near = lowers.iter().enumerate();
        let near = near.filter_map(|(place, lower)| Some((distance(lower)?, place)));
        if let Some((_, place)) = near.min() {
            let lower = lowers.swap_remove(place);
            upper.sources.extend(lower.sources);
            upper.values.extend(lower.values);
            upper.version = upper.version.max(lower.version);
            upper.time = upper
                .time
                .zip(lower.time)
                .map(|(one, other)| one.min(other));
            upper.lacks.clear();
        }
        all.push(upper);
    }
    all.append(&mut lowers);
    all
}
