//! What comes with a write and has no meaning there is refused: a client whose condition
//! is not heard would make a duplicate, or change what it meant to leave alone.
//! <https://hl7.org/fhir/R4/http.html#general>

use super::super::outcome::{Failure, Kind};
use super::super::request::{Preconditions, Request};
use super::super::view::View;
use super::route::Interaction;

/// "General parameters" of every interaction: they shape the answer and nothing else.
pub const GENERAL: [&str; 4] = ["_format", "_pretty", "_summary", "_elements"];

/// Refuses parameters and conditions that the interaction does not look at.
pub fn refuse_unheard(interaction: &Interaction, request: &Request) -> Result<(), Failure> {
    let remedy = match interaction {
        Interaction::Create(name) => format!(
            "A create has no parameters in its address. To create only what is not there yet, send the criteria as If-None-Exist (in a bundle: ifNoneExist); to find, GET {name}?… or POST {name}/_search."
        ),
        Interaction::Update(key) | Interaction::Patch(key) | Interaction::Delete(key) => format!(
            "The address names one resource, so it takes no criteria. Send If-Match for a condition, or the criteria to {}?….",
            key.resource_type
        ),
        Interaction::Bundle => {
            "A batch or transaction has no parameters. Give each entry its own address.".to_owned()
        }
        _ => return refuse_headers(interaction, &request.preconditions),
    };
    let mut names = request.query.iter().map(|(name, _)| name.as_str());
    if let Some(name) = names.find(|name| !GENERAL.contains(name)) {
        let text = format!("The parameter \"{name}\" has no meaning here. {remedy}");
        return Err(Failure::new(Kind::NotSupported, text));
    }
    refuse_headers(interaction, &request.preconditions)
}

fn refuse_headers(interaction: &Interaction, sent: &Preconditions) -> Result<(), Failure> {
    let refuse = |text: &str| Err(Failure::new(Kind::NotSupported, text));
    match interaction {
        Interaction::Create(_) if sent.if_match.is_some() => refuse(
            "If-Match (ifMatch) is for changes of a resource that is there, and a create makes a new one. Send If-None-Exist (ifNoneExist), or PUT to the address of the resource.",
        ),
        Interaction::Bundle if sent.if_match.is_some() || sent.if_none_match.is_some() => refuse(
            "If-Match and If-None-Match are for one resource. Give the entries ifMatch and ifNoneMatch.",
        ),
        Interaction::Update(_)
        | Interaction::ConditionalUpdate(_)
        | Interaction::Patch(_)
        | Interaction::ConditionalPatch(_)
        | Interaction::Delete(_)
        | Interaction::ConditionalDelete(_)
        | Interaction::Bundle
            if sent.if_none_exist.is_some() =>
        {
            refuse(
                "If-None-Exist (ifNoneExist) is for a create by POST. To update what criteria match, PUT to Type?criteria; If-None-Match: * keeps what is there.",
            )
        }
        _ => Ok(()),
    }
}

/// How the answer to a write of one resource is shown, read before anything is written.
pub fn view_of_write(
    interaction: &Interaction,
    request: &Request,
) -> Result<Option<View>, Failure> {
    let is_write = matches!(
        interaction,
        Interaction::Create(_)
            | Interaction::Update(_)
            | Interaction::ConditionalUpdate(_)
            | Interaction::Patch(_)
            | Interaction::ConditionalPatch(_)
            | Interaction::Delete(_)
            | Interaction::ConditionalDelete(_)
    );
    if !is_write {
        return Ok(None);
    }
    let mut shown = Request::new(request.verb, Vec::new(), request.query.clone());
    shown
        .query
        .retain(|(name, _)| GENERAL.contains(&name.as_str()));
    View::of_resource(&shown).map(Some)
}
