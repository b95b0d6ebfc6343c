//! A record of the trail as an AuditEvent, by the patterns of IHE BALP.
//! <https://profiles.ihe.net/ITI/BALP/>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::super::resource::instant;
use super::record::Record;
use super::{Actor, codes, security};

/// What an AuditEvent is made of: nothing that can change.
pub struct Source<'a> {
    pub writer: &'a str,
    pub position: i64,
    pub made: i64,
    pub record: &'a Record,
    /// Ids, sorted.
    pub patients: &'a [String],
}

/// The id of the AuditEvent of a row.
pub fn id(writer: &str, position: i64) -> String {
    format!("{writer}-{position}")
}

pub fn render(source: &Source<'_>) -> Map<String, Value> {
    let record = source.record;
    let mut content = Map::new();
    let mut put = |name: &str, value: Value| {
        content.insert(name.to_owned(), value);
    };
    put("resourceType", json!("AuditEvent"));
    put("id", json!(id(source.writer, source.position)));
    if let Some(profile) = codes::profile(record, source.patients.len()) {
        put("meta", json!({"profile": [profile]}));
    }
    match security::codes(&record.interaction) {
        Some((kind, subtype)) => {
            put("type", kind);
            put("subtype", json!([subtype]));
        }
        None => {
            put("type", codes::rest());
            if let Some(subtype) = codes::subtype(&record.interaction) {
                put("subtype", json!([subtype]));
            }
        }
    }
    put("action", json!(codes::action(&record.interaction)));
    put("recorded", json!(instant(source.made)));
    put("outcome", json!(codes::outcome(record.status)));
    if record.status >= 400 {
        put("outcomeDesc", json!(outcome(record)));
    }
    if let Some(purpose) = &record.who.purpose {
        put(
            "purposeOfEvent",
            json!([{"coding": [codes::purpose(purpose)]}]),
        );
    }
    put("agent", Value::Array(agents(source)));
    let observer = json!({
        "site": record.base,
        "observer": {"display": "Unloop"},
        "type": [codes::application_server()],
    });
    put("source", observer);
    put("entity", Value::Array(entities(source)));
    content.retain(|_, value| value.as_array().is_none_or(|items| !items.is_empty()));
    content
}

fn outcome(record: &Record) -> String {
    match record.more {
        0 => format!("HTTP status {}", record.status),
        more => format!(
            "HTTP status {}, for {more} more requests of this sender since the first was recorded",
            record.status
        ),
    }
}

/// The client, this server, and whoever acts through the client.
fn agents(source: &Source<'_>) -> Vec<Value> {
    let record = source.record;
    let who = &record.who;
    let user = user(record);
    let (client_role, server_role) = codes::roles(&record.interaction);
    let mut client = json!({
        "type": client_role,
        "who": client(who),
        "requestor": user.is_none(),
    });
    if let (Some(address), Some(client)) = (&who.address, client.as_object_mut()) {
        client.insert("network".into(), json!({"address": address, "type": "2"}));
    }
    let server = json!({
        "type": server_role,
        "who": {"display": "Unloop"},
        "requestor": false,
        "network": {"address": record.base, "type": "5"},
    });
    [Some(client), Some(server), user]
        .into_iter()
        .flatten()
        .collect()
}

fn client(who: &Actor) -> Value {
    match (&who.client, &who.internal, &who.subject) {
        (Some(client), _, _) => json!({"identifier": {"value": client}}),
        (None, Some(work), _) => json!({"display": format!("unloop {work}")}),
        (None, None, Some(_)) => json!({"display": "the software that presented the token"}),
        (None, None, None) => json!({"display": "unknown: no valid token"}),
    }
}

fn user(record: &Record) -> Option<Value> {
    let who = &record.who;
    let Some(subject) = &who.subject else {
        return account(record);
    };
    let mut person = Map::new();
    if let Some(user) = who.user.as_ref().filter(|user| codes::can_act(user)) {
        person.insert("reference".into(), json!(user));
    }
    let identifier = json!({"system": who.issuer, "value": subject});
    person.insert("identifier".into(), identifier);
    let policy: Vec<String> = [("grant", &who.grant), ("token", &who.token)]
        .into_iter()
        .filter_map(|(kind, id)| {
            let id = utf8_percent_encode(id.as_ref()?, NON_ALPHANUMERIC);
            Some(format!("urn:unloop:{kind}:{id}"))
        })
        .collect();
    let mut agent = json!({
        "type": codes::user_role(&record.interaction),
        "who": person,
        "requestor": true,
    });
    if let (false, Some(agent)) = (policy.is_empty(), agent.as_object_mut()) {
        agent.insert("policy".into(), json!(policy));
    }
    Some(agent)
}

/// Who ran a command, where the operating system knows that.
fn account(record: &Record) -> Option<Value> {
    let account = record.who.account.as_ref()?;
    Some(json!({
        "type": codes::user_role(&record.interaction),
        "who": {"display": format!("user {account} of the operating system")},
        "requestor": true,
    }))
}

fn entities(source: &Source<'_>) -> Vec<Value> {
    let record = source.record;
    let mut entities: Vec<Value> = source
        .patients
        .iter()
        .map(|id| codes::patient(id))
        .collect();
    entities.extend(data(record).iter().map(|reference| codes::data(reference)));
    if security::codes(&record.interaction).is_some() {
        entities.push(security::entity(record.id.as_deref(), &record.sent));
    } else if codes::asks(&record.interaction) {
        entities.push(codes::query(&STANDARD.encode(&record.sent)));
    }
    if let Some(request) = &record.who.request {
        entities.push(codes::request(request));
    }
    entities
}

/// What was read or written, by reference. What a search showed stays in the record.
fn data(record: &Record) -> Vec<String> {
    if codes::asks(&record.interaction) {
        return Vec::new();
    }
    if !record.written.is_empty() {
        return record.written.clone();
    }
    let mut shown = record.versions();
    match (&record.resource_type, &record.id, shown.next()) {
        (_, _, Some((key, version))) if matches!(record.interaction.as_str(), "read" | "vread") => {
            vec![format!("{key}/_history/{version}")]
        }
        (Some(name), Some(id), _) => vec![format!("{name}/{id}")],
        _ => Vec::new(),
    }
}
