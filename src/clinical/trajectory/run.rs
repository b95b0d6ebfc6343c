//! How long something held, by ratings that stand apart: for certain between
//! the first and the last of an unbroken row, and at most from the day after the
//! rating before it to the day before the one behind it.

/// Whether something is so at a rating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    Yes,
    No,
    Unknown,
}

impl Truth {
    pub fn of(known: Option<bool>) -> Self {
        match known {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::Unknown,
        }
    }

    pub fn negated(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }

    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }
}

/// Ratings without a break, by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub first: usize,
    pub last: usize,
}

/// What can be told of a condition that has to hold for some days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The last row of ratings that is long enough.
    Certain(Row),
    /// Long enough only if it held where nothing is known.
    Possible(Row),
    Never,
}

/// `truths` and `days` are of the ratings in the order of time; `before` is the
/// day of the rating before the first, `today` the day of the question.
pub fn held(truths: &[Truth], days: &[i64], before: i64, today: i64, needed: i64) -> Held {
    let certain = rows(truths, |truth| truth == Truth::Yes);
    let long = |row: &Row| span(days, *row) >= needed;
    if let Some(row) = certain.into_iter().rfind(long) {
        return Held::Certain(row);
    }
    let day = |place: usize| days.get(place).copied();
    let possible = |row: &Row| {
        let start = row.first.checked_sub(1).and_then(day).unwrap_or(before) + 1;
        let end = day(row.last + 1).map_or(today, |next| next - 1);
        // A rating counts for its whole day, whatever stands beside it.
        let start = day(row.first).map_or(start, |first| start.min(first));
        let end = day(row.last).map_or(end, |last| end.max(last));
        end - start >= needed
    };
    let open = rows(truths, |truth| truth != Truth::No);
    match open.into_iter().rfind(possible) {
        Some(row) => Held::Possible(row),
        None => Held::Never,
    }
}

fn span(days: &[i64], row: Row) -> i64 {
    let ends = days.get(row.first).zip(days.get(row.last));
    ends.map_or(0, |(first, last)| last - first)
}

fn rows(truths: &[Truth], belongs: impl Fn(Truth) -> bool) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (place, truth) in truths.iter().enumerate() {
        if !belongs(*truth) {
            continue;
        }
        match rows.last_mut() {
            Some(row) if row.last + 1 == place => row.last = place,
            _ => rows.push(Row {
                first: place,
                last: place,
            }),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::Truth::{No, Unknown, Yes};
    use super::*;

    fn week(truths: &[Truth], days: &[i64], today: i64) -> Held {
        held(truths, days, 0, today, 7)
    }

    #[test]
    fn a_week_is_seven_days() {
        let row = Row { first: 0, last: 1 };
        assert_eq!(week(&[Yes, Yes], &[10, 17], 17), Held::Certain(row));
        assert_eq!(week(&[Yes, Yes], &[10, 16], 16), Held::Possible(row));
        assert_eq!(held(&[Yes, Yes], &[10, 16], 9, 16, 7), Held::Never);
        assert_eq!(held(&[Yes, Yes], &[10, 16], 9, 17, 7), Held::Possible(row));
    }

    #[test]
    fn a_break_ends_a_row() {
        assert_eq!(held(&[Yes, No, Yes], &[10, 13, 16], 9, 16, 7), Held::Never);
        let last = Row { first: 2, last: 2 };
        assert_eq!(
            held(&[Yes, No, Yes], &[10, 13, 16], 9, 21, 7),
            Held::Possible(last)
        );
        let first = Row { first: 0, last: 1 };
        assert_eq!(
            week(&[Yes, Yes, No], &[10, 20, 30], 40),
            Held::Certain(first)
        );
    }

    #[test]
    fn what_is_unknown_is_possible() {
        let all = Row { first: 0, last: 1 };
        assert_eq!(week(&[Yes, Unknown], &[10, 17], 17), Held::Possible(all));
        assert_eq!(week(&[No, No], &[10, 17], 99), Held::Never);
    }
}
