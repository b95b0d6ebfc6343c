//! How far the import is: a bar where a person looks, plain lines elsewhere.

use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::super::output::note;

/// Between two plain lines.
const PAUSE: Duration = Duration::from_secs(5);

pub struct Progress {
    started: Instant,
    bar: Option<ProgressBar>,
    files: usize,
    state: Mutex<State>,
}

struct State {
    files_done: usize,
    resources: usize,
    last_line: Instant,
}

impl Progress {
    pub fn start(files: usize) -> Self {
        Self {
            started: Instant::now(),
            bar: std::io::stderr().is_terminal().then(|| bar(files)),
            files,
            state: Mutex::new(State {
                files_done: 0,
                resources: 0,
                last_line: Instant::now(),
            }),
        }
    }

    pub fn resources(&self, count: usize) {
        self.change(|state| state.resources += count);
    }

    pub fn file_done(&self) {
        self.change(|state| state.files_done += 1);
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
                bar.set_position(u64::try_from(state.files_done).unwrap_or(u64::MAX));
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
        let (done, all) = (state.files_done, self.files);
        format!("{done}/{all} files, {}", self.speed(state))
    }

    fn speed(&self, state: &State) -> String {
        let milliseconds = self.started.elapsed().as_millis().max(1);
        let per_second = state.resources as u128 * 1000 / milliseconds;
        format!("{} resources, {per_second} resources/s", state.resources)
    }
}

fn bar(files: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(files).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} files, {msg}, {elapsed}")
    {
        bar.set_style(style);
    }
    bar
}
