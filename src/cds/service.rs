//! The services, as discovery shows them.
//! <https://cds-hooks.hl7.org/2.0/#discovery>

use serde_json::{Value, json};

pub const MEDICATION_CHECK: &str = "ketamine-medication-check";

/// A service of one id, with the hooks that it answers: one entry of the
/// discovery for each, as the specification has one hook for a service.
pub const HOOKS: [(&str, &str); 2] = [
    (MEDICATION_CHECK, "order-select"),
    ("ketamine-medication-check-sign", "order-sign"),
];

/// The hook that the service of this id answers.
pub fn hook_of(id: &str) -> Option<&'static str> {
    let mut hooks = HOOKS.iter();
    hooks.find(|(known, _)| *known == id).map(|(_, hook)| *hook)
}

pub fn discovery() -> Value {
    let services = HOOKS.map(|(id, hook)| {
        json!({
            "hook": hook,
            "id": id,
            "title": "Medicines with ketamine",
            "description": "Whether ordered medicines go with ketamine, and whether what the patient takes goes with ketamine that is ordered. Advice for a clinician, with rule, source and tier.",
            "prefetch": {"medications": "MedicationStatement?patient=Patient/{{context.patientId}}"},
        })
    });
    json!({"services": services})
}
