//! What one entry of a transaction is going to do, before anything is written.

use std::sync::Arc;

use super::super::answer::Answer;
use super::super::authority::{Authority, Permission};
use super::super::engine::{Draft, Engine};
use super::super::outcome::{Failure, Kind};
use super::super::request::Request;
use super::super::resource::Resource;
use super::condition::{self, Matches};
use super::create::{checked, new_draft};
use super::route::{Interaction, route};
use super::unheard::refuse_unheard;
use super::update::{conditional_draft, criteria};
use super::{delete, patch, update};
use crate::store::{Guard, ResourceKey, Stored};

pub enum Step {
    Write {
        draft: Box<Draft>,
        /// A lost race may be tried again: the client named no version.
        again: bool,
    },
    /// A conditional create that found its resource.
    Existing(Box<Stored>),
    /// Nothing to write; the answer is known.
    Done(Answer, Option<ResourceKey>),
    /// Answered when everything is written.
    Read,
}

impl Step {
    /// What the step stores.
    pub fn content_mut(&mut self) -> Option<&mut Arc<Resource>> {
        match self {
            Self::Write { draft, .. } => draft.content.as_mut(),
            _ => None,
        }
    }
}

/// The resource that the entry's fullUrl stands for.
pub fn identity(step: &Step) -> Option<&ResourceKey> {
    match step {
        Step::Write { draft, .. } => Some(&draft.key),
        Step::Existing(stored) => Some(&stored.key),
        Step::Done(_, key) => key.as_ref(),
        Step::Read => None,
    }
}

pub async fn plan(
    engine: &Engine,
    authority: &dyn Authority,
    request: &Request,
) -> Result<Step, Failure> {
    let conditions = &request.preconditions;
    let write = |draft: Draft, again: bool| Step::Write {
        draft: Box::new(draft),
        again,
    };
    let interaction = route(engine, request)?;
    refuse_unheard(&interaction, request)?;
    match interaction {
        Interaction::Create(name) => plan_create(engine, authority, request, &name).await,
        Interaction::Update(key) => {
            let content = request.content.clone().into_resource()?;
            let (draft, again) = update::draft(engine, authority, content, key, conditions).await?;
            Ok(write(draft, again))
        }
        Interaction::ConditionalUpdate(name) => {
            let resource = checked(engine, request.content.clone().into_resource()?, &name)?;
            let criteria = criteria(&request.query);
            let (draft, again) =
                conditional_draft(engine, authority, conditions, &resource, &criteria).await?;
            Ok(write(draft, again))
        }
        Interaction::Patch(key) => {
            let draft = plan_patch(engine, authority, request, &key).await?;
            Ok(write(draft, true))
        }
        Interaction::ConditionalPatch(name) => {
            let criteria = criteria(&request.query);
            let key = patch::target(engine, authority, &name, &criteria).await?;
            let draft = plan_patch(engine, authority, request, &key).await?;
            Ok(write(draft, true))
        }
        Interaction::Delete(key) => {
            let (draft, again) = delete::draft(engine, authority, key, conditions).await?;
            Ok(write(draft, again))
        }
        Interaction::ConditionalDelete(name) => {
            let criteria = criteria(&request.query);
            let draft = delete::conditional_draft(engine, authority, conditions, &name, &criteria);
            match draft.await? {
                Some(draft) => Ok(write(draft, true)),
                None => Ok(Step::Done(delete::nothing(request.prefer), None)),
            }
        }
        Interaction::Bundle => Err(Failure::new(
            Kind::NotSupported,
            "An entry cannot be a batch or transaction itself.",
        )),
        Interaction::Operation(_, name) if affects_state(engine, name) => Err(Failure::new(
            Kind::NotSupported,
            format!(
                "${name} writes by itself, so it cannot be an entry of a transaction. Send it alone."
            ),
        )),
        Interaction::Read(_)
        | Interaction::Vread(..)
        | Interaction::History(_)
        | Interaction::Search(_)
        | Interaction::Everything(_)
        | Interaction::Operation(..)
        | Interaction::Capabilities => Ok(Step::Read),
    }
}

fn affects_state(engine: &Engine, name: &str) -> bool {
    let mut registered = engine.operations.iter().map(|one| one.definition());
    registered.any(|definition| definition.name == name && definition.affects_state)
}

async fn plan_create(
    engine: &Engine,
    authority: &dyn Authority,
    request: &Request,
    name: &str,
) -> Result<Step, Failure> {
    let resource = checked(engine, request.content.clone().into_resource()?, name)?;
    authority.scope(Permission::Create, Some(name))?;
    let guard = match request.preconditions.if_none_exist.as_deref() {
        None => Guard::New,
        Some(criteria) => match condition::find(engine, authority, name, criteria).await? {
            Matches::One(stored) => return Ok(Step::Existing(stored)),
            Matches::Many => return Err(condition::ambiguous("ifNoneExist")),
            Matches::None(guard) => guard,
        },
    };
    Ok(Step::Write {
        draft: Box::new(new_draft(resource, guard)),
        again: false,
    })
}

async fn plan_patch(
    engine: &Engine,
    authority: &dyn Authority,
    request: &Request,
    key: &ResourceKey,
) -> Result<Draft, Failure> {
    let operations = patch::operations(engine.definitions, &request.content)?;
    let stored = patch::base(engine, authority, key).await?;
    patch::draft(engine, &stored, &operations, &request.preconditions)
}
