//! Random tokens for random worlds.

use unloop::access::Holder;

use crate::support::{granted, holder};
use crate::worlds::{CATEGORIES, CODES, Dice, LINKS, TYPES};

/// Restrictions that types have, with the path that they mean.
pub const RESTRICTIONS: [(&str, &str, &str); 22] = [
    ("Observation", "category", "category.coding.code"),
    ("Condition", "category", "category.coding.code"),
    ("Observation", "code", "code.coding.code"),
    ("Condition", "code", "code.coding.code"),
    ("Medication", "code", "code.coding.code"),
    ("List", "code", "code.coding.code"),
    ("Group", "code", "code.coding.code"),
    ("Task", "code", "code.coding.code"),
    (
        "MedicationRequest",
        "code",
        "medicationCodeableConcept.coding.code",
    ),
    ("Observation", "status", "status"),
    ("Appointment", "status", "status"),
    ("Encounter", "status", "status"),
    ("List", "status", "status"),
    ("MedicationRequest", "status", "status"),
    ("QuestionnaireResponse", "status", "status"),
    ("Task", "status", "status"),
    ("Device", "status", "status"),
    ("Location", "status", "status"),
    ("Medication", "status", "status"),
    ("Observation", "date", "effectiveDateTime"),
    ("Appointment", "date", "start"),
    ("", "_tag", "meta.tag.code"),
];

/// `name=value` of a restriction on the type, or nothing.
fn restriction(dice: &mut Dice, of_type: &str) -> String {
    let wide = of_type == "*";
    let tag = || "_tag=blue".to_owned();
    match dice.roll(9) {
        0 if wide => "?code=one".to_owned(),
        0 | 1 => format!("?{}", tag()),
        2 if wide => "?status=active,final".to_owned(),
        2 | 3 if ["Observation", "Condition"].contains(&of_type) => {
            format!("?category={}", dice.pick(&CATEGORIES))
        }
        4 if of_type == "Observation" => format!("?date=ge2025&code={},two", dice.pick(&CODES)),
        4 if of_type == "Appointment" => "?date=lt2026".to_owned(),
        5 if wide
            || LINKS
                .iter()
                .any(|(t, code, ..)| *t == of_type && *code == "patient") =>
        {
            format!("?patient=Patient/pat{}", dice.roll(3))
        }
        6 if of_type == "Observation" => {
            format!("?performer=Practitioner/pra{}&{}", dice.roll(2), tag())
        }
        7 if of_type == "Observation" => "?status:not=final".to_owned(),
        _ => String::new(),
    }
}

fn scopes(dice: &mut Dice, contexts: &[&str]) -> String {
    let count = 1 + dice.roll(4);
    let mut scopes = Vec::new();
    for _ in 0..count {
        let context = dice.pick(contexts);
        let of_type = if dice.roll(3) == 0 {
            "*"
        } else {
            dice.pick(&TYPES)
        };
        let letters = dice.pick(&[
            "rs", "rs", "rs", "cruds", "r", "s", "crus", "cud", "rus", "u", "ds", "read", "*",
        ]);
        scopes.push(format!(
            "{context}/{of_type}.{letters}{}",
            restriction(dice, of_type)
        ));
    }
    scopes.join(" ")
}

pub fn caller(dice: &mut Dice) -> Holder {
    let patient = format!("pat{}", dice.roll(3));
    match dice.roll(5) {
        0 => holder(
            &scopes(dice, &["system", "user", "patient"]),
            Some(&patient),
            Some("Practitioner/pra0"),
        ),
        1 => holder(
            &scopes(dice, &["user", "patient"]),
            Some(&patient),
            Some(&format!("Patient/pat{}", dice.roll(3))),
        ),
        2 => holder(&scopes(dice, &["patient"]), Some(&patient), None),
        _ => {
            let contexts = ["patient", "user", "patient", "user", "system"];
            let patients = [&["pat0"][..], &["pat0", "pat1"], &["pat2", "pat1"]];
            let labels = [&[][..], &["R"], &["ETH", "PSY"]];
            let mut holder = granted(
                &scopes(dice, &contexts),
                dice.pick(&patients),
                dice.pick(&labels),
            );
            holder.scope = scopes(dice, &contexts);
            if dice.roll(3) == 0 {
                holder.patient = Some(patient);
            }
            holder
        }
    }
}
