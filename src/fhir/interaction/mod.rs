//! One file for each interaction of the R4 REST API.

pub mod batch;
pub mod bundle_entry;
pub mod capabilities;
pub mod condition;
mod conditional_reference;
pub mod create;
pub mod delete;
pub mod entrance;
pub mod fhirpath_patch;
mod foresight;
pub mod history;
pub mod label;
pub mod links;
pub mod patch;
pub mod patch_bound;
mod patch_edit;
pub mod plan_entry;
pub mod precondition;
pub mod read;
pub mod route;
pub mod search;
pub mod transaction;
mod unheard;
pub mod update;
pub mod vread;

use super::admission::AUDIT_EVENT;
use super::answer::Answer;
use super::audit::{self, Event};
use super::authority::Authority;
use super::engine::{Engine, Written};
use super::index::Guarded;
use super::operation::{everything, invoke};
use super::outcome::{Failure, Issue, Kind, Severity, outcome};
use super::request::{Request, Return};
use super::resource::render_parts;
use crate::store::{Effect, HistoryOf};
use route::{Interaction, SearchIn, route};
use unheard::{refuse_unheard, view_of_write};

impl Engine {
    /// Answers one request; a refusal is an answer too.
    pub async fn handle(&self, authority: &dyn Authority, request: Request) -> Answer {
        self.handle_at(authority, request, |failure| failure).await
    }

    /// The same, with a place for refusals. What happened goes with the answer,
    /// for whoever records it.
    pub async fn handle_at(
        &self,
        authority: &dyn Authority,
        request: Request,
        place: impl FnOnce(Failure) -> Failure + Send,
    ) -> Answer {
        let event = Event::of(self, &request);
        let mut answer = match self.perform(authority, request).await {
            Ok(answer) => answer,
            Err(failure) => place(failure).into(),
        };
        event.end(&mut answer);
        answer
    }

    pub(super) async fn perform(
        &self,
        authority: &dyn Authority,
        request: Request,
    ) -> Result<Answer, Failure> {
        let authority = &Guarded {
            index: &self.index,
            authority,
        };
        let interaction = route(self, &request)?;
        refuse_unheard(&interaction, &request)?;
        let view = view_of_write(&interaction, &request)?;
        let answer = self.answer(authority, request, interaction).await?;
        match view {
            Some(view) => view.apply(self.definitions, answer),
            None => Ok(answer),
        }
    }

    async fn answer(
        &self,
        authority: &dyn Authority,
        request: Request,
        interaction: Interaction,
    ) -> Result<Answer, Failure> {
        if asks_the_trail(&interaction, &request) {
            audit::settle(self).await?;
        }
        match interaction {
            Interaction::Capabilities => capabilities::capabilities(self, &request),
            Interaction::Bundle => {
                // The cycle bundle -> entry -> handle needs a pointer.
                Box::pin(batch::bundle(self, authority, request)).await
            }
            Interaction::Read(key) => read::read(self, authority, &request, &key).await,
            Interaction::Vread(key, version) => {
                vread::vread(self, authority, &request, &key, version).await
            }
            Interaction::Create(name) => create::create(self, authority, request, &name).await,
            Interaction::Update(key) => update::update(self, authority, request, key).await,
            Interaction::ConditionalUpdate(name) => {
                update::conditional_update(self, authority, request, &name).await
            }
            Interaction::Patch(key) => patch::patch(self, authority, request, key).await,
            Interaction::ConditionalPatch(name) => {
                patch::conditional_patch(self, authority, request, &name).await
            }
            Interaction::Delete(key) => delete::delete(self, authority, &request, key).await,
            Interaction::ConditionalDelete(name) => {
                delete::conditional_delete(self, authority, &request, &name).await
            }
            Interaction::History(of) => history::history(self, authority, &request, of).await,
            Interaction::Search(place) => search::search(self, authority, &request, place).await,
            Interaction::Everything(key) => {
                everything::everything(self, authority, &request, key).await
            }
            Interaction::Operation(target, name) => {
                invoke::invoke(self, authority, request, target, name).await
            }
        }
    }
}

/// Whoever asks for AuditEvents is answered with all of them, also those of a
/// moment ago.
fn asks_the_trail(interaction: &Interaction, request: &Request) -> bool {
    let named = match interaction {
        Interaction::Read(key) | Interaction::Vread(key, _) => Some(key.resource_type.as_str()),
        Interaction::History(HistoryOf::Instance(key)) => Some(key.resource_type.as_str()),
        Interaction::History(HistoryOf::Type(name)) | Interaction::Search(SearchIn::Type(name)) => {
            Some(name.as_str())
        }
        Interaction::Search(SearchIn::Compartment(_, member)) => member.as_deref(),
        _ => None,
    };
    let types = request.parameter("_type").unwrap_or_default();
    named == Some(AUDIT_EVENT) || types.split(',').any(|name| name == AUDIT_EVENT)
}

/// The answer to a write of one resource: `Prefer` decides on its content.
fn written(prefer: Return, written: &Written, index: usize) -> Result<Answer, Failure> {
    let missing = || Failure::new(Kind::Internal, "The store answered for too few changes.");
    let draft = written.drafts.get(index).ok_or_else(missing)?;
    let version = written.versions.get(index).ok_or_else(missing)?;
    let body = written.bodies.get(index).and_then(Option::as_deref);
    let shown = written.shown.get(index).is_none_or(|shown| *shown);
    let content = match (prefer, body) {
        (Return::Representation, _) if !shown => None,
        (Return::Minimal, _) => None,
        (Return::OperationOutcome, _) => Some(done(&written.warnings)),
        (Return::Representation, Some(body)) => Some(render_parts(
            &draft.key,
            version.version,
            version.updated,
            body,
        )),
        (Return::Representation, None) => None,
    };
    let status = match (version.effect, &content) {
        (Effect::Created, _) => 201,
        (Effect::Updated, _) => 200,
        (Effect::Deleted | Effect::Nothing, Some(_)) => 200,
        (Effect::Deleted | Effect::Nothing, None) => 204,
    };
    let put = body.is_some();
    Ok(Answer {
        status,
        content,
        version: (version.version > 0).then_some(version.version),
        updated: put.then_some(version.updated),
        location: put.then(|| super::answer::location(&draft.key, version.version)),
        recorded: true,
        ..Answer::default()
    })
}

/// An OperationOutcome for a success, with whatever the rules had to say.
fn done(warnings: &[Issue]) -> String {
    if warnings.is_empty() {
        let issue = Issue {
            severity: Severity::Information,
            code: "informational",
            expression: None,
            text: "Done.".to_owned(),
        };
        return outcome(&[issue]).to_string();
    }
    outcome(warnings).to_string()
}
