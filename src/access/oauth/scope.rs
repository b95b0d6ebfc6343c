//! What is granted of what a client asks for: both must allow it.
//! <https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html#scopes>

use crate::access::scope::{Context, Permissions, SmartScope};

/// Scopes of one request.
const MOST: usize = 256;

/// Software by itself has no patient and no user in context: only `system/` is
/// granted. In the words that were asked for, where they are granted whole.
pub fn granted(asked: &str, registered: &str) -> String {
    let asked = asked.split_ascii_whitespace().take(MOST);
    let of_system: Vec<&str> = asked.filter(|one| one.starts_with("system/")).collect();
    scopes_within(&of_system.join(" "), registered)
}

/// The scopes as far as the others allow them, each in its own context.
pub fn scopes_within(asked: &str, registered: &str) -> String {
    let registered: Vec<&str> = registered.split_ascii_whitespace().collect();
    let mut granted: Vec<String> = Vec::new();
    for asked in asked.split_ascii_whitespace().take(MOST) {
        for registered in &registered {
            if let Some(both) = both(asked, registered)
                && !granted.contains(&both)
            {
                granted.push(both);
            }
        }
    }
    granted.join(" ")
}

/// Whoever may do everything may also administrate.
pub fn is_administrator(scope: &str) -> bool {
    scope
        .split_ascii_whitespace()
        .filter_map(SmartScope::parse)
        .any(|scope| {
            scope.context == Context::System
                && scope.resource_type.is_none()
                && scope.constraint.is_empty()
                && scope.permissions == Permissions::ALL
        })
}

fn both(asked: &str, registered: &str) -> Option<String> {
    let (one, other) = (SmartScope::parse(asked)?, SmartScope::parse(registered)?);
    if one.context != other.context {
        return None;
    }
    let resource_type = match (&one.resource_type, &other.resource_type) {
        (one, None) => one,
        (None, other) => other,
        (one, other) if one == other => one,
        _ => return None,
    };
    let permissions = one.permissions.and(other.permissions);
    if permissions.is_empty() {
        return None;
    }
    let adds = other
        .constraint
        .iter()
        .any(|condition| !one.constraint.contains(condition));
    if permissions == one.permissions && *resource_type == one.resource_type && !adds {
        return Some(asked.to_owned());
    }
    let name = resource_type.as_deref().unwrap_or("*");
    let context = asked.split('/').next().unwrap_or_default();
    let mut text = format!("{context}/{name}.{permissions}");
    let conditions = |scope: &str| scope.split_once('?').map(|(_, query)| query.to_owned());
    let of_other = if adds { conditions(registered) } else { None };
    let conditions: Vec<String> = conditions(asked).into_iter().chain(of_other).collect();
    if !conditions.is_empty() {
        text.push('?');
        text.push_str(&conditions.join("&"));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_must_allow_it() {
        for (asked, registered, expected) in [
            (
                "system/Observation.rs",
                "system/*.cruds",
                "system/Observation.rs",
            ),
            (
                "system/*.cruds",
                "system/Observation.rs",
                "system/Observation.rs",
            ),
            (
                "system/Patient.read",
                "system/Patient.rs",
                "system/Patient.read",
            ),
            ("system/Patient.*", "system/Patient.rs", "system/Patient.rs"),
            ("system/Patient.cud", "system/Patient.rs", ""),
            ("system/Patient.rs", "system/Observation.rs", ""),
            ("patient/Patient.rs", "patient/Patient.rs", ""),
            ("user/*.rs", "system/*.rs", ""),
            ("patient/Patient.rs", "system/*.cruds", ""),
            (
                "system/*.rs openid fhirUser nonsense",
                "system/*.rs",
                "system/*.rs",
            ),
            ("system/Patient.sr", "system/*.cruds", ""),
            (
                "system/Observation.rs",
                "system/Observation.rs?category=a",
                "system/Observation.rs?category=a",
            ),
            (
                "system/Observation.rs?category=a",
                "system/*.rs",
                "system/Observation.rs?category=a",
            ),
            (
                "system/Observation.rs?category=a",
                "system/Observation.rs?category=a",
                "system/Observation.rs?category=a",
            ),
            (
                "system/Observation.rs?category=a",
                "system/Observation.rs?category=b",
                "system/Observation.rs?category=a&category=b",
            ),
            (
                "system/*.rs",
                "system/Patient.rs system/Condition.r",
                "system/Patient.rs system/Condition.r",
            ),
            ("", "system/*.rs", ""),
        ] {
            assert_eq!(
                granted(asked, registered),
                expected,
                "{asked} of {registered}"
            );
        }
    }

    #[test]
    fn only_everything_administrates() {
        assert!(is_administrator("openid system/*.cruds"));
        assert!(is_administrator("system/*.*"));
        for less in [
            "",
            "system/*.rs",
            "user/*.cruds",
            "system/Patient.cruds",
            "system/*.cruds?_id=1",
        ] {
            assert!(!is_administrator(less), "{less}");
        }
    }
}
