//! What is asked before the content of a request is read: whether the caller may do
//! this with any resource of the type. Who may do nothing with it costs nothing.

use super::super::answer::Answer;
use super::super::audit::Event;
use super::super::authority::{Authority, Permission};
use super::super::engine::Engine;
use super::super::outcome::Failure;
use super::super::request::Request;
use super::route::{Interaction, route};
use crate::store::HistoryOf;

impl Engine {
    /// Refuses what no scope of the caller's covers. `request` has no content yet.
    pub fn refuse_unread(
        &self,
        authority: &dyn Authority,
        request: &Request,
    ) -> Result<(), Failure> {
        let any_of = |permissions: &[Permission], name: Option<&str>| {
            let mut refusal = None;
            for permission in permissions {
                match authority.scope(*permission, name) {
                    Ok(_) => return Ok(()),
                    Err(failure) => refusal = refusal.or(Some(failure)),
                }
            }
            refusal.map_or(Ok(()), Err)
        };
        match route(self, request)? {
            Interaction::Create(name) => any_of(&[Permission::Create], Some(&name)),
            Interaction::ConditionalUpdate(name) => any_of(WRITING, Some(&name)),
            // A PUT makes what is not there.
            Interaction::Update(key) => any_of(WRITING, Some(&key.resource_type)),
            Interaction::Patch(key) => any_of(&[Permission::Update], Some(&key.resource_type)),
            Interaction::ConditionalPatch(name) => any_of(&[Permission::Update], Some(&name)),
            Interaction::Delete(key) => any_of(&[Permission::Delete], Some(&key.resource_type)),
            Interaction::ConditionalDelete(name) => any_of(&[Permission::Delete], Some(&name)),
            // What each entry and each operation needs is theirs to ask.
            Interaction::Bundle | Interaction::Operation(..) => any_of(&Permission::ALL, None),
            _ => Ok(()),
        }
    }

    /// The answer to a request whose content was not read.
    pub fn answer_unread(&self, request: &Request, failure: Failure) -> Answer {
        let mut answer = Answer::from(failure);
        Event::of(self, request).end(&mut answer);
        answer
    }

    /// Whether the request may cost much: it is worked on beside those that answer
    /// cheap ones, and refused first where the disk is nearly full.
    pub fn is_expensive(&self, request: &Request) -> bool {
        let includes = |(name, _): &(String, String)| {
            name.starts_with("_include") || name.starts_with("_revinclude")
        };
        match route(self, request) {
            Ok(Interaction::Bundle | Interaction::Everything(_)) => true,
            Ok(Interaction::History(of)) => !matches!(of, HistoryOf::Instance(_)),
            Ok(Interaction::Search(_)) => request.query.iter().any(includes),
            _ => false,
        }
    }

    /// Whether the answer is one resource as it is stored, which takes no work.
    pub fn is_light(&self, request: &Request) -> bool {
        matches!(
            route(self, request),
            Ok(Interaction::Read(_) | Interaction::Vread(..) | Interaction::Capabilities) | Err(_)
        )
    }
}

const WRITING: &[Permission] = &[Permission::Update, Permission::Create];
