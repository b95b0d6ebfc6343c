//! How severe a score is, by the bands of the knowledge base, where the sender
//! does not say it.

use serde_json::{Map, Value, json};

use super::scale::{self, Meaning};
use super::value;
use crate::clinical::CANONICAL;
use crate::clinical::interpretation::{say, withdraw};
use crate::clinical::knowledge::{Band, Entry, Knowledge};

/// The system of the ids of bands.
pub fn system() -> String {
    format!("{CANONICAL}/CodeSystem/score-band")
}

/// A band for a reader.
pub fn display(knowledge: &Knowledge, band: &Entry<Band>) -> String {
    let score = scale::score(knowledge, &band.fact.score);
    let name = score.map_or("", |score| score.fact.name.as_str());
    format!("{name} from {} to {}", band.fact.min, band.fact.max)
}

/// Says what holds of the values that are there now.
pub fn fill(knowledge: &Knowledge, content: &mut Map<String, Value>) {
    take_back(content);
    each(content, &|of| {
        if let Some(band) = reached(knowledge, of) {
            let display = display(knowledge, band);
            say(
                of,
                json!([{"system": system(), "code": band.id, "display": display}]),
            );
        }
    });
}

/// Without what the service says.
pub fn take_back(content: &mut Map<String, Value>) {
    let system = system();
    each(content, &|of| withdraw(of, &system));
}

/// Whether the service has said something of it.
pub fn is_said(content: &Map<String, Value>) -> bool {
    content.contains_key("interpretation") && {
        let mut bare = content.clone();
        take_back(&mut bare);
        bare != *content
    }
}

fn each(content: &mut Map<String, Value>, change: &dyn Fn(&mut Map<String, Value>)) {
    change(content);
    if let Some(Value::Array(components)) = content.get_mut("component") {
        let components = components.iter_mut().filter_map(Value::as_object_mut);
        components.for_each(change);
    }
}

fn reached<'k>(knowledge: &'k Knowledge, of: &Map<String, Value>) -> Option<&'k Entry<Band>> {
    let Meaning::Score(score) = scale::meaning(knowledge, of) else {
        return None;
    };
    let value = value::of_score(score, of).ok()??;
    scale::band(knowledge, &score.id, value)
}
