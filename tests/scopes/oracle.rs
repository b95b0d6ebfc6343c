//! What a token may see, in as few lines as the rules have.

use serde_json::Value;
use unloop::access::Holder;

use crate::support::BASE;
use crate::tokens::RESTRICTIONS;
use crate::worlds::LINKS;

/// Parameters by which a type is a patient's, of the official definition.
const MEMBERS: [(&str, &[&str]); 9] = [
    ("Appointment", &["actor"]),
    ("Condition", &["patient", "asserter"]),
    ("Encounter", &["patient"]),
    ("List", &["subject", "source"]),
    ("MedicationRequest", &["subject"]),
    ("Observation", &["subject", "performer"]),
    ("Patient", &["link"]),
    ("Provenance", &["patient"]),
    ("QuestionnaireResponse", &["subject", "author"]),
];

const OF_NOBODY: [&str; 4] = ["Location", "Medication", "Organization", "Practitioner"];

/// The one rule: some scope opens it, and some scope of the grant does too.
pub fn allows(holder: &Holder, letter: char, document: &Value) -> bool {
    let some = |scopes: &str| {
        scopes
            .split(' ')
            .any(|scope| opens(holder, scope, letter, document))
    };
    match &holder.grant {
        None => some(&holder.scope),
        Some(grant) => {
            let mut labels = values(document, "meta.security.code").into_iter();
            let hidden = labels.any(|label| label != "N" && !grant.labels.contains(&label));
            some(&holder.scope) && some(&grant.scope) && !hidden
        }
    }
}

fn opens(holder: &Holder, scope: &str, letter: char, document: &Value) -> bool {
    let (context, rest) = scope.split_once('/').unwrap();
    let (of, restriction) = rest.split_once('?').unwrap_or((rest, ""));
    let (wanted, letters) = of.split_once('.').unwrap();
    let letters = match letters {
        "read" => "rs",
        "*" => "cruds",
        letters => letters,
    };
    let own = document["resourceType"].as_str().unwrap();
    letters.contains(letter)
        && (wanted == "*" || wanted == own)
        && reaches(holder, context, letter, document)
        && restriction
            .split('&')
            .all(|pair| pair.is_empty() || meets(document, pair))
}

fn reaches(holder: &Holder, context: &str, letter: char, document: &Value) -> bool {
    let own = document["resourceType"].as_str().unwrap();
    let of = |patients: &[String]| match OF_NOBODY.contains(&own) {
        true => !patients.is_empty() && "rs".contains(letter),
        false => patients.iter().any(|patient| is_of(document, patient)),
    };
    match (
        &holder.grant,
        context,
        &holder.patient,
        holder.fhir_user.as_deref(),
    ) {
        (Some(_), "system", ..) => false,
        (Some(grant), _, None, _) => of(&grant.patients),
        (Some(grant), _, Some(one), _) => {
            grant.patients.contains(one) && of(std::slice::from_ref(one))
        }
        (None, "system", ..) => true,
        (None, "patient", Some(patient), _) => of(std::slice::from_ref(patient)),
        (None, "user", _, Some(user)) => match user.split_once('/') {
            Some(("Patient", id)) => of(&[id.to_owned()]),
            _ => user.starts_with("Practitioner/"),
        },
        _ => false,
    }
}

/// Whether the document is in the compartment of the patient.
pub fn is_of(document: &Value, patient: &str) -> bool {
    let own = document["resourceType"].as_str().unwrap();
    let name = format!("Patient/{patient}");
    let itself = own == "Patient" && document["id"] == patient;
    let members = MEMBERS
        .iter()
        .find(|(t, _)| *t == own)
        .map_or(&[][..], |(_, codes)| codes);
    itself || members.iter().any(|code| refers(document, code, &name))
}

fn meets(document: &Value, pair: &str) -> bool {
    let own = document["resourceType"].as_str().unwrap();
    let (name, wanted) = pair.split_once('=').unwrap();
    if LINKS.iter().any(|(_, code, ..)| *code == name) {
        return refers(document, name, wanted);
    }
    let (name, not) = name
        .split_once(':')
        .map_or((name, false), |(name, _)| (name, true));
    let known = RESTRICTIONS
        .iter()
        .find(|(t, code, _)| (t.is_empty() || *t == own) && *code == name);
    let Some((.., path)) = known else {
        return false;
    };
    let found = values(document, path);
    match (name, wanted.split_at(2)) {
        ("date", ("ge", from)) => found.iter().any(|date| date.as_str() >= from),
        ("date", ("lt", end)) => found.iter().any(|date| date.as_str() < end),
        _ => {
            wanted
                .split(',')
                .any(|code| found.iter().any(|f| f == code))
                != not
        }
    }
}

/// Whether the reference parameter of its type leads from the document there.
pub fn refers(document: &Value, code: &str, name: &str) -> bool {
    let own = document["resourceType"].as_str().unwrap();
    let links = LINKS.iter().filter(|(t, c, ..)| *t == own && *c == code);
    let mut found = links.flat_map(|(.., path, only)| {
        let targets = values(document, &format!("{path}.reference"));
        targets
            .into_iter()
            .filter(move |target| target.contains(&format!("{only}/")))
    });
    found.any(|target| target.trim_start_matches(&format!("{BASE}/")) == name)
}

/// The texts at a path, through arrays.
fn values(document: &Value, path: &str) -> Vec<String> {
    match (document, path.split_once('.')) {
        (Value::Array(items), _) => items.iter().flat_map(|item| values(item, path)).collect(),
        (Value::String(text), _) if path.is_empty() => vec![text.clone()],
        (_, Some((name, rest))) => values(&document[name], rest),
        (Value::Object(_), None) if !path.is_empty() => values(&document[path], ""),
        _ => Vec::new(),
    }
}
