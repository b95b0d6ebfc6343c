//! Dates and times as they are written, on days that exist.
//! <https://hl7.org/fhir/R4/datatypes.html#date>

const LARGEST_OFFSET_HOURS: u32 = 14;

/// `2020`, `2020-02` or `2020-02-29`
pub fn is_date(text: &str) -> bool {
    let mut rest = Rest(text.as_bytes());
    rest.date().is_some() && rest.is_end()
}

/// A date, or a whole day with time and zone.
pub fn is_date_time(text: &str) -> bool {
    let mut rest = Rest(text.as_bytes());
    match rest.date() {
        Some(Precision::Day) if !rest.is_end() => rest.time_of_day().is_some() && rest.is_end(),
        Some(_) => rest.is_end(),
        None => false,
    }
}

pub fn is_instant(text: &str) -> bool {
    let mut rest = Rest(text.as_bytes());
    matches!(rest.date(), Some(Precision::Day)) && rest.time_of_day().is_some() && rest.is_end()
}

/// `16:05:09.5`, without a zone
pub fn is_time(text: &str) -> bool {
    let mut rest = Rest(text.as_bytes());
    rest.clock().is_some() && rest.is_end()
}

enum Precision {
    Year,
    Month,
    Day,
}

/// What is not read yet.
struct Rest<'t>(&'t [u8]);

impl Rest<'_> {
    fn is_end(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, expected: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        (*first == expected).then(|| self.0 = rest)
    }

    fn number(&mut self, digits: usize) -> Option<u32> {
        let (own, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        own.iter().try_fold(0, |sum, byte| {
            byte.is_ascii_digit()
                .then(|| sum * 10 + u32::from(byte - b'0'))
        })
    }

    fn within(&mut self, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
        self.number(2).filter(|n| range.contains(n))
    }

    fn date(&mut self) -> Option<Precision> {
        let year = self.number(4).filter(|year| *year > 0)?;
        if self.take(b'-').is_none() {
            return Some(Precision::Year);
        }
        let month = self.within(1..=12)?;
        if self.take(b'-').is_none() {
            return Some(Precision::Month);
        }
        self.within(1..=days(year, month))?;
        Some(Precision::Day)
    }

    /// `T16:05:09Z`
    fn time_of_day(&mut self) -> Option<()> {
        self.take(b'T')?;
        self.clock()?;
        if self.take(b'Z').is_some() {
            return Some(());
        }
        self.take(b'+').or_else(|| self.take(b'-'))?;
        let hours = self.within(0..=LARGEST_OFFSET_HOURS)?;
        self.take(b':')?;
        let minutes = self.within(0..=59)?;
        (hours < LARGEST_OFFSET_HOURS || minutes == 0).then_some(())
    }

    /// 60 seconds: a leap second.
    fn clock(&mut self) -> Option<()> {
        self.within(0..=23)?;
        self.take(b':')?;
        self.within(0..=59)?;
        self.take(b':')?;
        self.within(0..=60)?;
        if self.take(b'.').is_some() {
            self.number(1)?;
            while self.0.first().is_some_and(u8::is_ascii_digit) {
                self.number(1)?;
            }
        }
        Some(())
    }
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
