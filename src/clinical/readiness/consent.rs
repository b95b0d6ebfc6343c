//! The patient's consent to treatment with ketamine stands.
//! <https://hl7.org/fhir/R4/consent.html>

use serde_json::{Map, Value, json};

use super::check::Check;
use super::moment::SessionMoment;
use crate::clinical::linked_patients::PatientRecords;
use crate::clinical::medication::resolve::Lookup;
use crate::clinical::medication::{AGENTS, Rules};
use crate::clinical::observation::has_code;
use crate::fhir::operation::LIMITED_VIEW;
use crate::fhir::operation::records::Version;
use crate::fhir::outcome::Failure;
use crate::fhir::record::ResourceKey;
use crate::fhir::search::date;
use crate::fhir::search::path::{items, text};

const ID: &str = "consent";
const SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";

/// Words that turn what stands beside them round.
const AGAINST: [&str; 12] = [
    "no", "not", "without", "never", "refuse", "refuses", "refused", "refusal", "decline",
    "declined", "ohne", "kein",
];

/// A Consent refers to no product.
struct NoProducts;

impl Lookup for NoProducts {
    fn find(&self, _: &str) -> Option<&Map<String, Value>> {
        None
    }
}

/// What one Consent says of the treatment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ConsentSays {
    Permits,
    Denies,
    /// Some part of it denies something.
    Partly,
    /// It is about something else.
    Else,
}

pub async fn check_consent(
    rules: &Rules,
    patient: &PatientRecords<'_>,
    moment: &SessionMoment,
) -> Result<Check, Failure> {
    let seen = patient
        .search("Consent", &[("status", "active,rejected")])
        .await?;
    let treatment = seen
        .resources
        .iter()
        .filter(|one| has_code(one.resource.content.get("scope"), SCOPE, "treatment"));
    let judged: Vec<(ConsentSays, &Version)> = treatment
        .map(|one| (read_consent(rules, &one.resource.content, moment), one))
        .collect();
    let of = |wanted: ConsentSays| {
        let found = judged.iter().filter(move |(says, _)| *says == wanted);
        found.map(|(_, one)| one.key.clone()).collect::<Vec<_>>()
    };
    let permitted = of(ConsentSays::Permits);
    let mut denied = of(ConsentSays::Denies);
    denied.retain(|key| !is_replaced(key, &judged));
    let partly = of(ConsentSays::Partly);
    Ok(if !denied.is_empty() {
        Check::hold(ID, "The patient has refused the treatment.").by(denied)
    } else if seen.hidden {
        Check::unknown(ID, LIMITED_VIEW)
    } else if !partly.is_empty() {
        let text = "A Consent to the treatment refuses something: a clinician reads what.";
        Check::unknown(ID, text).by(partly)
    } else if permitted.is_empty() {
        let text = "No active Consent with the scope treatment that names ketamine (in category, provision.code or the title of its source) covers the time of the session. Record it.";
        Check::hold(ID, text).by(of(ConsentSays::Else))
    } else {
        Check::go(ID, "The patient consents to the treatment with ketamine.").by(permitted)
    })
}

/// A rejection ends with a later permission; where a time is missing it stands.
fn is_replaced(key: &ResourceKey, judged: &[(ConsentSays, &Version)]) -> bool {
    let given = |one: &Version| text(&one.resource.content, "dateTime").and_then(date::range);
    let found = judged.iter().find(|(_, one)| one.key == *key);
    let Some((_, rejection)) =
        found.filter(|(_, one)| text(&one.resource.content, "status") == Some("rejected"))
    else {
        return false;
    };
    let Some((_, rejected)) = given(rejection) else {
        return false;
    };
    judged.iter().any(|(says, one)| {
        *says == ConsentSays::Permits && given(one).is_some_and(|(low, _)| low > rejected)
    })
}

fn read_consent(
    rules: &Rules,
    content: &Map<String, Value>,
    moment: &SessionMoment,
) -> ConsentSays {
    let rejected = text(content, "status") == Some("rejected");
    let provision = content.get("provision").and_then(Value::as_object);
    if !rejected && !is_in_time(content, provision, moment) {
        return ConsentSays::Else;
    }
    if provision.is_some_and(|one| text(one, "type") == Some("deny")) && !rejected {
        return ConsentSays::Denies;
    }
    let about = is_about_ketamine(rules, content, provision);
    if about && (rejected || is_turned_round(content)) {
        return ConsentSays::Denies;
    }
    if !about || rejected {
        return ConsentSays::Else;
    }
    let denies_within = provision.is_some_and(denies_inside);
    if denies_within {
        ConsentSays::Partly
    } else {
        ConsentSays::Permits
    }
}

/// Its period covers the session, from what is asked about to the dose, and it has been
/// given by then.
fn is_in_time(
    content: &Map<String, Value>,
    provision: Option<&Map<String, Value>>,
    moment: &SessionMoment,
) -> bool {
    let given = text(content, "dateTime").map(date::range);
    let given = given.is_none_or(|given| given.is_some_and(|(low, _)| low <= moment.now));
    let period = provision.and_then(|one| one.get("period")?.as_object());
    let end = |name| {
        period
            .and_then(|period| text(period, name))
            .map(date::range)
    };
    // A time that cannot be read covers nothing.
    let begun = end("start").is_none_or(|start| start.is_some_and(|(low, _)| low <= moment.due()));
    let lasts = end("end").is_none_or(|end| end.is_some_and(|(_, high)| moment.due() <= high));
    given && begun && lasts
}

fn denies_inside(provision: &Map<String, Value>) -> bool {
    let inner = items(provision, "provision").iter();
    inner
        .filter_map(Value::as_object)
        .any(|one| text(one, "type") == Some("deny") || denies_inside(one))
}

/// Where a provision has codes, it is about these and nothing else.
fn is_about_ketamine(
    rules: &Rules,
    content: &Map<String, Value>,
    provision: Option<&Map<String, Value>>,
) -> bool {
    let codes = provision.map_or(&[][..], |one| items(one, "code"));
    if !codes.is_empty() {
        return codes.iter().any(|code| names_ketamine(rules, code));
    }
    let categories = items(content, "category").iter();
    let title = content.get("sourceAttachment").and_then(Value::as_object);
    let title = title.and_then(|source| text(source, "title"));
    let title = title.map(|title| json!({"text": title}));
    categories
        .chain(&title)
        .any(|concept| names_ketamine(rules, concept))
}

/// By any code of the drug, or by its name in words.
fn names_ketamine(rules: &Rules, concept: &Value) -> bool {
    if texts_of(concept).any(|text| text.to_lowercase().contains("ketamin")) {
        return true;
    }
    let record = json!({"medicationCodeableConcept": concept});
    let Some(record) = record.as_object() else {
        return false;
    };
    let medicine = rules.medicine(record, &NoProducts);
    let mut drugs = medicine
        .ingredients
        .iter()
        .filter_map(|one| one.drug.as_deref());
    drugs.any(|drug| AGENTS.contains(&drug))
}

fn texts_of(concept: &Value) -> impl Iterator<Item = &str> {
    let codings = concept.get("coding").and_then(Value::as_array);
    let displays = codings.into_iter().flatten().map(|one| one.get("display"));
    std::iter::once(concept.get("text"))
        .chain(displays)
        .flatten()
        .filter_map(Value::as_str)
}

/// A category that says "no ketamine" names it too.
fn is_turned_round(content: &Map<String, Value>) -> bool {
    let categories = items(content, "category").iter();
    categories.flat_map(texts_of).any(|text| {
        let text = text.to_lowercase();
        let mut words = text.split(|letter: char| !letter.is_alphabetic());
        words.any(|word| AGAINST.contains(&word))
    })
}
