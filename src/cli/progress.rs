//! How far a long command is: a bar where a person looks, plain lines elsewhere.

use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::output::note;

/// Between two plain lines.
const PAUSE: Duration = Duration::from_secs(5);

pub struct Progress {
    started: Instant,
    bar: Option<ProgressBar>,
    all: usize,
    /// What is counted.
    unit: &'static str,
    state: Mutex<State>,
}

struct State {
    done: usize,
    resources: usize,
    last_line: Instant,
}

impl Progress {
    pub fn start(all: usize, unit: &'static str) -> Self {
        Self {
            started: Instant::now(),
            bar: std::io::stderr().is_terminal().then(|| bar(all, unit)),
            all,
            unit,
            state: Mutex::new(State {
                done: 0,
                resources: 0,
                last_line: Instant::now(),
            }),
        }
    }

    pub fn resources(&self, count: usize) {
        self.change(|state| state.resources += count);
    }

    pub fn one_done(&self) {
        self.change(|state| state.done += 1);
    }

    pub fn reached(&self, done: usize) {
        self.change(|state| state.done = done);
    }

    pub fn end(&self) {
        match &self.bar {
            Some(bar) => bar.finish_and_clear(),
            None => self.with_state(|state| note(self.line(state))),
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        self.with_state(|state| {
            change(state);
            if let Some(bar) = &self.bar {
                bar.set_position(u64::try_from(state.done).unwrap_or(u64::MAX));
                bar.set_message(self.speed(state));
            } else if state.last_line.elapsed() >= PAUSE {
                state.last_line = Instant::now();
                note(self.line(state));
            }
        });
    }

    /// A panic elsewhere leaves the counts usable.
    fn with_state(&self, work: impl FnOnce(&mut State)) {
        let mut state = match self.state.lock() {
            Ok(state) => state,
            Err(poisoned) => poisoned.into_inner(),
        };
        work(&mut state);
    }

    fn line(&self, state: &State) -> String {
        let (done, all, unit) = (state.done, self.all, self.unit);
        format!("{done}/{all} {unit}, {}", self.speed(state))
    }

    fn speed(&self, state: &State) -> String {
        let milliseconds = self.started.elapsed().as_millis().max(1);
        let per_second = state.resources as u128 * 1000 / milliseconds;
        format!("{} resources, {per_second} resources/s", state.resources)
    }
}

fn bar(all: usize, unit: &str) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(all).unwrap_or(u64::MAX));
    let template = format!("{{bar:30}} {{pos}}/{{len}} {unit}, {{msg}}, {{elapsed}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}
