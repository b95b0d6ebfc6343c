//! Parameters that shape an answer or page it. They serve in addresses and in
//! the forms of `_search`. <https://hl7.org/fhir/R4/search.html#return>

use serde_json::{Value, json};

use crate::fhir::search::LIST;

pub struct ResultParameter {
    pub name: &'static str,
    pub text: &'static str,
    pub schema: Value,
}

/// Those of every search.
pub fn of_search() -> Vec<ResultParameter> {
    let mut all = vec![
        result(
            "_sort",
            "Search parameters to order by, most important first, separated by commas; `-` before one: descending.",
            json!({"type": "string", "pattern": "^-?[A-Za-z_-]+(,-?[A-Za-z_-]+)*$", "examples": ["-_lastUpdated"]}),
        ),
        result(
            "_total",
            "Whether `Bundle.total` is wanted.",
            json!({"type": "string", "enum": ["none", "estimate", "accurate"]}),
        ),
        result(
            "_summary",
            "How much of each resource is shown; `count`: only how many match. Not together with `_elements`.",
            json!({"type": "string", "enum": ["true", "text", "data", "count", "false"]}),
        ),
    ];
    all.push(result(
        "_contained",
        "Contained resources are not searched; other values are refused.",
        json!({"type": "string", "enum": ["false"]}),
    ));
    all.push(result(
        LIST,
        "Only what a List refers to, by its id.",
        json!({"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}(,[A-Za-z0-9\-.]{1,64})*$"}),
    ));
    all.extend(["_include", "_revinclude"].map(include));
    all.extend([count(), cursor(), elements()]);
    all.extend(layout());
    all
}

/// `_format` and `_pretty`.
pub fn layout() -> [ResultParameter; 2] {
    [
        result(
            "_format",
            "Outweighs `Accept`. Other formats: 406.",
            json!({"type": "string", "enum": ["json", "application/json", "application/fhir+json", "text/json"]}),
        ),
        result("_pretty", "With indentation.", json!({"type": "boolean"})),
    ]
}

/// For a search and a history of the system, and `$everything`.
pub fn types() -> ResultParameter {
    result(
        "_type",
        "Only these types, separated by commas.",
        json!({"type": "string", "pattern": "^[A-Za-z]+(,[A-Za-z]+)*$", "examples": ["Observation,Patient"]}),
    )
}

fn include(name: &'static str) -> ResultParameter {
    let text = match name {
        "_include" => {
            "Brings what the matches refer to: `Type:parameter` or `Type:parameter:Target`; `*` for all references. With `:iterate` also of what was brought."
        }
        _ => {
            "Brings what refers to the matches: `Type:parameter`. With `:iterate` also of what was brought."
        }
    };
    let item = json!({
        "type": "string",
        "pattern": r"^(\*|[A-Za-z]+:(\*|[A-Za-z-]+)(:[A-Za-z]+)?)$",
        "examples": ["Observation:subject"],
    });
    result(name, text, json!({"type": "array", "items": item}))
}

fn count() -> ResultParameter {
    result(
        "_count",
        "Matches on a page, up to the limit of the service (1000 unless configured). 0 in a search: only how many match.",
        json!({"type": "integer", "minimum": 0}),
    )
}

fn cursor() -> ResultParameter {
    result(
        "_cursor",
        "The place of a page. It comes in the links of a bundle and is not made by clients.",
        json!({"type": "string", "minLength": 1}),
    )
}

fn elements() -> ResultParameter {
    result(
        "_elements",
        "Only these elements, separated by commas, and the mandatory ones. Not together with `_summary`.",
        json!({"type": "string", "pattern": "^[A-Za-z]+(,[A-Za-z]+)*$", "examples": ["status,code"]}),
    )
}

fn result(name: &'static str, text: &'static str, schema: Value) -> ResultParameter {
    ResultParameter { name, text, schema }
}
