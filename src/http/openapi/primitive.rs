//! The primitive datatypes. <https://hl7.org/fhir/R4/datatypes.html#primitive>

use serde_json::{Value, json};

const DATE: &str = r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?";
const DAY: &str = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])";
const TIME: &str = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?";
const ZONE: &str = r"(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)";

/// The schema of a primitive type; of an unknown one, any text.
pub fn schema(name: &str) -> Value {
    match name {
        "boolean" => json!({"type": "boolean"}),
        "decimal" => {
            json!({"type": "number", "description": "The digits are kept: 1.10 is not 1.1."})
        }
        "integer" => whole(i32::MIN),
        "unsignedInt" => whole(0),
        "positiveInt" => whole(1),
        "string" | "markdown" => json!({"type": "string", "minLength": 1, "maxLength": 1_048_576}),
        "base64Binary" => json!({
            "type": "string",
            "contentEncoding": "base64",
            "pattern": r"^[0-9A-Za-z+/=\s]+$",
        }),
        "instant" => json!({
            "type": "string",
            "format": "date-time",
            "pattern": format!("^{DAY}T{TIME}{ZONE}$"),
        }),
        "date" => text(&format!("^{DATE}$")),
        "dateTime" => text(&format!("^({DATE}|{DAY}T{TIME}{ZONE})$")),
        "time" => text(&format!("^{TIME}$")),
        "code" => text(r"^\S+(\s\S+)*$"),
        "id" => text(r"^[A-Za-z0-9.-]{1,64}$"),
        "oid" => text(r"^urn:oid:[0-2](\.(0|[1-9][0-9]*))+$"),
        "uuid" => text("^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"),
        "uri" | "url" | "canonical" => text(r"^\S+$"),
        "xhtml" => json!({"type": "string", "contentMediaType": "application/xhtml+xml"}),
        _ => json!({"type": "string"}),
    }
}

/// Values of a date parameter: a prefix and a date, commas between them.
pub fn search_date() -> Value {
    // The seconds may be left out in a search, the zone everywhere.
    let minute = r"([01][0-9]|2[0-3]):[0-5][0-9](:([0-5][0-9]|60)(\.[0-9]+)?)?";
    let one = format!("(eq|ne|gt|lt|ge|le|sa|eb|ap)?({DATE}|{DAY}T{minute}{ZONE}?)");
    json!({
        "type": "string",
        "pattern": format!("^{one}(,{one})*$"),
        "examples": ["2026", "ge2026-01-01", "lt2026-11-21T08:00:00Z"],
    })
}

fn whole(minimum: i32) -> Value {
    json!({"type": "integer", "format": "int32", "minimum": minimum, "maximum": i32::MAX})
}

fn text(pattern: &str) -> Value {
    json!({"type": "string", "pattern": pattern})
}
