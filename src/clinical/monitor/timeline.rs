//! What is due when, and whether it was done. Times are microseconds since 1970.

const MINUTE: i64 = 60_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Done,
    /// Not measured, and somebody says why.
    Excused,
    /// To be measured now.
    Due,
    /// Should have been measured.
    Late,
    Upcoming,
    /// There is no dose yet from which to count.
    Waiting,
}

impl State {
    pub fn code(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Excused => "not-done-with-reason",
            Self::Due => "due",
            Self::Late => "late",
            Self::Upcoming => "upcoming",
            Self::Waiting => "waiting-for-dose",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// After the dose; 0 is before it.
    pub minute: i64,
    pub due: Option<i64>,
    pub state: State,
    /// Which of the readings it was done by.
    pub by: Option<usize>,
}

/// When the dose was given and how much earlier or later a reading may be.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The start of the session, which what is before the dose is due at.
    pub start: i64,
    pub dose: Option<i64>,
    pub now: i64,
    pub tolerance: i64,
    /// How long before the dose the first reading may be.
    pub before: i64,
}

/// A reading for the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedReading {
    pub at: i64,
    /// It says why nothing was measured.
    pub absent: bool,
}

/// Each reading serves one step: a later one is no excuse for an earlier. What was
/// measured serves before what says why nothing was.
pub fn steps(minutes: &[i64], clock: &Clock, readings: &[TimedReading]) -> Vec<Step> {
    let mut used = vec![false; readings.len()];
    let steps = minutes.iter().enumerate().map(|(place, minute)| {
        let due = due(*minute, clock);
        let Some(due) = due else {
            return Step {
                minute: *minute,
                due,
                state: State::Waiting,
                by: None,
            };
        };
        let next = minutes
            .get(place + 1)
            .and_then(|next| self::due(*next, clock));
        let from = if *minute == 0 {
            due - clock.before
        } else {
            due - clock.tolerance
        };
        // What is before the dose is before it.
        let to = match (*minute, next) {
            (0, _) => clock.dose.map_or(i64::MAX, |dose| dose + 1),
            (_, Some(next)) => next - clock.tolerance,
            (_, None) => i64::MAX,
        };
        let fits = |absent: bool| {
            let mut all = readings.iter().zip(&used);
            all.position(|(one, used)| {
                !used && one.absent == absent && (from..to).contains(&one.at)
            })
        };
        let by = fits(false).or_else(|| fits(true));
        let excused = by
            .and_then(|by| readings.get(by))
            .is_some_and(|one| one.absent);
        if let Some(used) = by.and_then(|by| used.get_mut(by)) {
            *used = true;
        }
        let state = match by {
            Some(_) if excused => State::Excused,
            Some(_) => State::Done,
            None if clock.now > due + clock.tolerance => State::Late,
            None if clock.now >= due - clock.tolerance => State::Due,
            None => State::Upcoming,
        };
        Step {
            minute: *minute,
            due: Some(due),
            state,
            by,
        }
    });
    steps.collect()
}

fn due(minute: i64, clock: &Clock) -> Option<i64> {
    match (minute, clock.dose) {
        (0, dose) => Some(dose.unwrap_or(clock.start)),
        (_, None) => None,
        (minute, Some(dose)) => Some(dose + minute * MINUTE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(clock: &Clock, readings: &[i64]) -> Vec<State> {
        let readings: Vec<TimedReading> = readings
            .iter()
            .map(|minute| TimedReading {
                at: minute * MINUTE,
                absent: false,
            })
            .collect();
        let steps = steps(&[0, 40, 120], clock, &readings);
        steps.into_iter().map(|step| step.state).collect()
    }

    fn clock(dose: Option<i64>, now: i64) -> Clock {
        Clock {
            start: 0,
            dose: dose.map(|minute| minute * MINUTE),
            now: now * MINUTE,
            tolerance: 5 * MINUTE,
            before: 60 * MINUTE,
        }
    }

    #[test]
    fn nothing_is_due_after_a_dose_that_was_not_given() {
        assert_eq!(
            states(&clock(None, -30), &[]),
            [State::Upcoming, State::Waiting, State::Waiting]
        );
        assert_eq!(
            states(&clock(None, 0), &[]),
            [State::Due, State::Waiting, State::Waiting]
        );
        assert_eq!(
            states(&clock(None, 0), &[-10]),
            [State::Done, State::Waiting, State::Waiting]
        );
    }

    #[test]
    fn what_was_not_measured_in_time_is_late() {
        let done = State::Done;
        assert_eq!(
            states(&clock(Some(0), 34), &[-10]),
            [done, State::Upcoming, State::Upcoming]
        );
        assert_eq!(
            states(&clock(Some(0), 40), &[-10]),
            [done, State::Due, State::Upcoming]
        );
        assert_eq!(
            states(&clock(Some(0), 46), &[-10]),
            [done, State::Late, State::Upcoming]
        );
        assert_eq!(
            states(&clock(Some(0), 60), &[-10, 41]),
            [done, done, State::Upcoming]
        );
        assert_eq!(
            states(&clock(Some(0), 130), &[-10, 41, 121]),
            [done, done, done]
        );
    }

    #[test]
    fn a_reading_serves_one_step() {
        // Measured after the dose only: there is none before it.
        assert_eq!(
            states(&clock(Some(0), 60), &[41]),
            [State::Late, State::Done, State::Upcoming]
        );
        // The last one does not make up for the one of minute 40.
        assert_eq!(
            states(&clock(Some(0), 130), &[-10, 121]),
            [State::Done, State::Late, State::Done]
        );
    }
}
