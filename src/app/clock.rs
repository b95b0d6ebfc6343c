//! The machine's clock while the service runs: when it is set, the audit trail says so,
//! because times in it mean something else from then on.

use std::sync::Arc;
use std::time::Duration;

use crate::access::{Caller, Internal};
use crate::fhir::audit::{self, Event};
use crate::fhir::authority::Authority as _;
use crate::fhir::engine::Engine;
use crate::fhir::resource::instant;
use crate::store::ClockJump;

const LOOK: Duration = Duration::from_secs(1);

/// Runs until it is aborted.
pub async fn keep(engine: Arc<Engine>) {
    let mut untold: Vec<ClockJump> = Vec::new();
    loop {
        untold.extend(engine.store.take_clock_jumps());
        let events: Vec<Event> = untold.iter().map(event).collect();
        let actor = Caller::internal(Internal::Clock).actor();
        // The trail has said why it cannot be written; the next round tries again.
        if audit::record(&engine, &actor, &events).await.is_ok() {
            untold.clear();
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn event(jump: &ClockJump) -> Event {
    let (from, to) = (instant(jump.from), instant(jump.to));
    let seconds = jump.to.abs_diff(jump.from) / 1_000_000;
    let way = if jump.to > jump.from {
        "forward"
    } else {
        "back"
    };
    tracing::warn!(from, to, "the clock of this machine was set {way}");
    let told = format!("the clock went {way} by {seconds} s: from {from} to {to}");
    Event::command("clock-jump", told)
}
