//! What somebody does beside the records, to those who may see them: told in the
//! very commit that does it, so that no change is without its record.

use std::sync::atomic::{AtomicBool, Ordering};

use super::record::rows;
use super::{Actor, Event};
use crate::store::{AuditRow, Registry, RegistryChange, StoreError};

/// A command, or a request, that is under way.
pub struct Deed {
    base: String,
    actor: Actor,
    event: Event,
    done: AtomicBool,
}

impl Deed {
    /// `event` is as it will have been when it succeeds. `base` is the URL of the service.
    pub fn new(base: &str, actor: Actor, event: Event) -> Self {
        Self {
            base: base.to_owned(),
            actor,
            event,
            done: AtomicBool::new(false),
        }
    }

    /// What the commit that does it has to say: about this token, client, grant or
    /// key, and for the records of these patients.
    pub fn told(&self, id: &str, patients: &[String]) -> Vec<AuditRow> {
        let mut event = self.event.clone().about(id);
        for patient in patients {
            if !event.patients.contains(patient) {
                event.patients.push(patient.clone());
            }
        }
        rows(&self.base, &self.actor, &event)
    }

    /// Changes the registry, and says so in the same commit.
    pub async fn change(
        &self,
        registry: &dyn Registry,
        changes: Vec<RegistryChange>,
        id: &str,
    ) -> Result<(), StoreError> {
        registry.change_told(changes, self.told(id, &[])).await?;
        self.mark_done();
        Ok(())
    }

    /// Its commit is durable.
    pub fn mark_done(&self) {
        self.done.store(true, Ordering::Relaxed);
    }

    /// Whether a commit has told of it. Otherwise whoever began it tells what came of it.
    pub fn is_done(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }

    /// Who does what.
    pub fn into_parts(self) -> (Actor, Event) {
        (self.actor, self.event)
    }
}
