//! Conditional references of a transaction: resolved after its writes, so that they may
//! lead to what it creates. <https://hl7.org/fhir/R4/http.html#trules>

use std::collections::HashMap;
use std::sync::Arc;

use super::super::authority::Authority;
use super::super::engine::Engine;
use super::super::outcome::{Failure, Kind};
use super::super::resource::Resource;
use super::bundle_entry::at_entry;
use super::condition;
use super::links::{self, Moves};
use super::plan_entry::Step;
use crate::store::{IndexRows, ResourceKey};

/// Each distinct conditional reference is looked up once, in what is there when all is
/// written; it must have one match.
pub async fn resolve_conditional(
    engine: &Engine,
    authority: &dyn Authority,
    steps: &mut [Step],
) -> Result<(), Failure> {
    let mut references = Vec::new();
    for (index, step) in steps.iter_mut().enumerate() {
        let content = step.content_mut().map(|resource| &resource.content);
        let found = content.map(|content| links::conditional(engine.definitions, content));
        references.extend(found.into_iter().flatten().map(|text| (index, text)));
    }
    if references.is_empty() {
        return Ok(());
    }
    let mut planned = HashMap::new();
    let mut looked_up = Moves::of_service(&engine.catalogue.base);
    for (index, reference) in &references {
        if looked_up.leads_somewhere(reference) {
            continue;
        }
        let name = reference.split('?').next().unwrap_or(reference);
        let drafts: &Vec<_> = planned
            .entry(name)
            .or_insert_with(|| drafts_of_type(engine, steps, name));
        let key = look_up(engine, authority, reference, name, drafts).await;
        let key = key.map_err(|failure| at_entry(*index, failure))?;
        looked_up.add(reference.clone(), &key.to_string());
    }
    for (index, _) in &references {
        if let Some(resource) = steps.get_mut(*index).and_then(Step::content_mut) {
            let content = &mut Arc::make_mut(resource).content;
            links::rewrite(engine.definitions, &looked_up, "", content);
        }
    }
    Ok(())
}

/// What the transaction writes of a type, and what it will be found by.
fn drafts_of_type(
    engine: &Engine,
    steps: &[Step],
    name: &str,
) -> Vec<(ResourceKey, Option<IndexRows>)> {
    let drafts = steps.iter().filter_map(|step| match step {
        Step::Write { draft, .. } if draft.key.resource_type == name => Some(draft),
        _ => None,
    });
    let index = |resource: &Arc<Resource>| engine.catalogue.extract(name, &resource.content);
    drafts
        .map(|draft| (draft.key.clone(), draft.content.as_ref().map(index)))
        .collect()
}

async fn look_up(
    engine: &Engine,
    authority: &dyn Authority,
    reference: &str,
    name: &str,
    drafts: &[(ResourceKey, Option<IndexRows>)],
) -> Result<ResourceKey, Failure> {
    let drafts: Vec<_> = drafts
        .iter()
        .map(|(key, index)| (key, index.as_ref()))
        .collect();
    let mut found = condition::find_after(engine, authority, name, reference, &drafts).await?;
    match (found.pop(), found.is_empty()) {
        (Some(key), true) => Ok(key),
        (Some(_), false) => Err(condition::ambiguous(
            "A conditional reference of this entry",
        )),
        (None, _) => Err(Failure::new(
            Kind::NoMatch,
            format!(
                "A conditional reference of this entry matches no {name}. Create the {name} first, or in an entry of this transaction."
            ),
        )),
    }
}
