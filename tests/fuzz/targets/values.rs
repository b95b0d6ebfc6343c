//! The parsers of addresses and of search values.

use std::hint::black_box;
use std::sync::OnceLock;

use serde_json::{Value, json};
use unloop::fhir::definitions::r4;
use unloop::fhir::request::{Request, Verb};
use unloop::fhir::search::date;
use unloop::fhir::search::decimal::Decimal;
use unloop::fhir::search::prefix::Prefix;
use unloop::fhir::search::quantity;
use unloop::fhir::search::reference::{self, Base};
use unloop::fhir::search::ucum;
use unloop::fhir::search::{Catalogue, Query, Settings, compile};
use unloop::store::Scope;

/// Microseconds since 1970, some day in 2023.
const NOW: i64 = 1_700_000_000_000_000;

const BASE: &str = "http://127.0.0.1:8080/fhir";

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| Catalogue::new(r4(), BASE))
}

/// An address below the base, such as `Patient?name=x`.
pub fn query(data: &[u8]) {
    let url = String::from_utf8_lossy(data);
    let Ok(request) = Request::parse_url(Verb::Get, &url) else {
        return;
    };
    let name = request.path.first().map(String::as_str);
    let name = name.filter(|name| r4().is_resource_type(name));
    for lenient in [false, true] {
        let settings = Settings {
            default_count: 20,
            max_count: 1000,
            lenient,
        };
        if let Ok(query) = Query::parse(catalogue(), name, &request.query, &settings) {
            black_box(compile(catalogue(), &query, None, Scope::everything(), NOW)).ok();
        }
    }
}

/// As the value of a search, and as an element of a resource.
pub fn date(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let value = Prefix::split(&text).map_or(text.as_ref(), |(_, value)| value);
    for range in [date::range(value), date::range(&text)]
        .into_iter()
        .flatten()
    {
        assert!(range.0 <= range.1, "{text:?} ends before it begins");
    }
    for value in [
        json!(text),
        json!({"start": text}),
        json!({"start": "2020", "end": text}),
    ] {
        black_box(date::range_of(&value));
    }
    search("Observation", "date", &text);
    index(json!({"resourceType": "Observation", "effectiveDateTime": text, "issued": text}));
    index(json!({"resourceType": "Patient", "birthDate": text, "deceasedDateTime": text}));
}

pub fn reference(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let base = Base::new(BASE);
    for text in [text.as_ref(), &format!("{BASE}/{text}")] {
        if let Some(normalised) = base.normalise(text) {
            black_box(reference::local(normalised));
        }
        reference::literal_type(text);
        for value in [
            json!({"reference": text}),
            json!({"identifier": {"value": text}}),
        ] {
            black_box(reference::targets(&base, "Reference", &value));
        }
        black_box(reference::targets(&base, "canonical", &json!(text)));
        for name in [
            "subject",
            "subject:Patient",
            "patient:identifier",
            "subject:Patient.name",
        ] {
            search("Observation", name, text);
        }
        index(json!({"resourceType": "Observation", "subject": {"reference": text}}));
    }
}

/// `number|system|code`, and its parts alone.
pub fn quantity(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.splitn(3, '|');
    let number = parts.next().unwrap_or_default();
    let system = parts.next().unwrap_or("http://unitsofmeasure.org");
    let code = parts.next().unwrap_or("mg");
    black_box(quantity::number_test(&text));
    if let (Some(unit), Some(value)) = (ucum::unit(code), Decimal::parse(number)) {
        black_box(unit.kind());
        unit.ordered(value);
    }
    search("Observation", "value-quantity", &text);
    search("RiskAssessment", "probability", &text);
    search(
        "Observation",
        "code-value-quantity",
        &format!("http://loinc.org|1-2${text}"),
    );
    let Ok(value) = serde_json::from_str::<Value>(number) else {
        return;
    };
    black_box(quantity::of_number(&value));
    let value = json!({"value": value, "system": system, "code": code, "comparator": "<"});
    black_box(quantity::of_quantity("Quantity", &value));
    index(json!({"resourceType": "Observation", "valueQuantity": value}));
}

fn search(resource_type: &str, name: &str, value: &str) {
    let settings = Settings {
        default_count: 20,
        max_count: 1000,
        lenient: false,
    };
    let pairs = [(name.to_owned(), value.to_owned())];
    if let Ok(query) = Query::parse(catalogue(), Some(resource_type), &pairs, &settings) {
        black_box(compile(catalogue(), &query, None, Scope::everything(), NOW)).ok();
    }
}

fn index(resource: Value) {
    if let (Some(name), Some(content)) = (resource["resourceType"].as_str(), resource.as_object()) {
        black_box(catalogue().extract(name, content));
    }
}
