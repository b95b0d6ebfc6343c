//! What happens beside the records, to those who may see them: tokens, clients,
//! grants and keys. <https://hl7.org/fhir/R4/valueset-audit-event-sub-type.html>

use serde_json::{Value, json};

use super::codes::{DICOM, coding};

/// Type and subtype of an event that is no interaction with records.
pub fn codes(interaction: &str) -> Option<(Value, Value)> {
    let authentication = || coding(DICOM, "110114", "User Authentication");
    let alert = || coding(DICOM, "110113", "Security Alert");
    Some(match interaction {
        "token-issue" => (authentication(), coding(DICOM, "110122", "Login")),
        "token-revoke" => (authentication(), coding(DICOM, "110123", "Logout")),
        "client-list" | "grant-list" | "key-list" | "token-list" | "token-introspect"
        | "backup" => {
            let restricted = coding(DICOM, "110132", "Use of Restricted Function");
            (alert(), restricted)
        }
        "client-add" | "client-disable" | "grant-add" | "grant-invite" | "grant-revoke" => {
            let changed = coding(DICOM, "110137", "User Security Attributes Changed");
            (alert(), changed)
        }
        "key-rotate" => (alert(), coding(DICOM, "110129", "Security Configuration")),
        "clock-jump" => (alert(), coding(DICOM, "110130", "Hardware Configuration")),
        _ => return None,
    })
}

/// The token, client, grant or key, and how it was asked for.
pub fn entity(id: Option<&str>, sent: &str) -> Value {
    let mut entity = json!({
        "type": coding("http://terminology.hl7.org/CodeSystem/audit-entity-type", "2", "System Object"),
        "role": coding("http://terminology.hl7.org/CodeSystem/object-role", "13", "Security Resource"),
        "description": sent,
    });
    if let (Some(id), Some(members)) = (id, entity.as_object_mut()) {
        members.insert("what".to_owned(), json!({"identifier": {"value": id}}));
    }
    entity
}

/// What the first part of a signed token begins with: `{"` in base64url.
const JWT: &str = "eyJ";

/// Parameters whose values are secrets.
const NAMED: [&str; 4] = [
    "access_token=",
    "client_assertion=",
    "client_secret=",
    "code_verifier=",
];

/// A text of a client's without tokens: who sends one where it does not belong
/// must not find it in the trail.
pub fn without_tokens(text: &str) -> String {
    if !text.contains(JWT) && !NAMED.iter().any(|name| text.contains(name)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || "-._~+/%".contains(c) {
            word.push(c);
        } else {
            close(&mut out, &mut word);
            out.push(c);
        }
    }
    close(&mut out, &mut word);
    out
}

fn close(out: &mut String, word: &mut String) {
    let named = NAMED.iter().any(|name| out.ends_with(name));
    // A path before it is kept.
    let begin = word.find(JWT).filter(|begin| {
        let (_, token) = word.split_at(*begin);
        token.matches('.').count() >= 2
    });
    match begin {
        _ if named && !word.is_empty() => out.push_str("[token]"),
        Some(begin) => {
            out.push_str(word.split_at(begin).0);
            out.push_str("[token]");
        }
        None => out.push_str(word),
    }
    word.clear();
}

#[cfg(test)]
mod tests {
    use super::without_tokens;

    #[test]
    fn tokens_are_left_out_wherever_they_stand() {
        let token = "eyJhbGciOiJFUzM4NCJ9.eyJzdWIiOiJhIn0.c2ln-_bmF0dXJl";
        for (text, told) in [
            ("GET /fhir/Patient?_count=1", "GET /fhir/Patient?_count=1"),
            (
                "GET /fhir/Patient?access_token=opaque&_id=1",
                "GET /fhir/Patient?access_token=[token]&_id=1",
            ),
            (
                "GET /fhir/Patient?access_token=%41b%42",
                "GET /fhir/Patient?access_token=[token]",
            ),
            ("x", "x"),
            ("", ""),
        ] {
            assert_eq!(without_tokens(text), told);
        }
        for text in [
            "GET /fhir/{}/x",
            "POST Patient/_search\na={}&b=c",
            "{}",
            "id={}",
        ] {
            let told = without_tokens(&text.replace("{}", token));
            assert!(!told.contains("c2ln") && told.contains("[token]"), "{told}");
        }
    }
}
