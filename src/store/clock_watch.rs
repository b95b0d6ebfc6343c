//! Whether the machine's clock goes as time does: one that is set forward or back gives
//! versions times that nobody understands afterwards, unless somebody says so.

use std::time::Instant;

use super::gather::Clock;

/// What clocks are moved by without anybody noticing, in microseconds.
const TOLERANCE: i64 = 5_000_000;

/// Jumps that are kept until somebody takes them.
const MOST: usize = 100;

/// The clock showed `to` where `from` was due; both in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockJump {
    pub from: i64,
    pub to: i64,
}

pub struct ClockWatch {
    clock: Clock,
    /// What the clock showed, and when that was by a clock that nobody sets.
    seen: (i64, Instant),
    jumps: Vec<ClockJump>,
}

impl ClockWatch {
    /// `newest` is the newest time that is stored: a clock behind it was set back, or had
    /// been set forward.
    pub fn new(clock: Clock, newest: i64) -> Self {
        let now = clock();
        let mut watch = Self {
            clock,
            seen: (now, Instant::now()),
            jumps: Vec::new(),
        };
        if newest.saturating_sub(now) > TOLERANCE {
            watch.note_jump(newest, now);
        }
        watch
    }

    /// The time now; a jump since the last look is noted.
    pub fn read(&mut self) -> i64 {
        let (now, instant) = ((self.clock)(), Instant::now());
        let (before, then) = self.seen;
        let passed = instant.saturating_duration_since(then).as_micros();
        let due = before.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX));
        if now.abs_diff(due) > TOLERANCE.unsigned_abs() {
            self.note_jump(due, now);
        }
        self.seen = (now, instant);
        now
    }

    /// What was noted since the last call.
    pub fn take_jumps(&mut self) -> Vec<ClockJump> {
        self.read();
        std::mem::take(&mut self.jumps)
    }

    fn note_jump(&mut self, from: i64, to: i64) {
        if self.jumps.len() < MOST {
            self.jumps.push(ClockJump { from, to });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    const HOUR: i64 = 3_600_000_000;

    #[test]
    fn a_clock_that_jumps_forward_and_back_is_noticed_both_times() {
        let time = Arc::new(AtomicI64::new(HOUR));
        let shown = time.clone();
        let mut watch = ClockWatch::new(Arc::new(move || shown.load(Ordering::SeqCst)), 0);
        assert_eq!(watch.take_jumps(), []);
        time.store(3 * HOUR, Ordering::SeqCst);
        watch.read();
        time.store(HOUR, Ordering::SeqCst);
        let jumps = watch.take_jumps();
        let hours = |jump: &ClockJump| (jump.to - jump.from + HOUR / 2).div_euclid(HOUR);
        assert_eq!(jumps.iter().map(hours).collect::<Vec<_>>(), [2, -2]);
        assert_eq!(watch.take_jumps(), []);
    }

    #[test]
    fn a_clock_behind_what_is_stored_is_noticed_at_the_start() {
        let mut watch = ClockWatch::new(Arc::new(|| HOUR), 2 * HOUR);
        let expected = ClockJump {
            from: 2 * HOUR,
            to: HOUR,
        };
        assert_eq!(watch.take_jumps(), [expected]);
    }
}
