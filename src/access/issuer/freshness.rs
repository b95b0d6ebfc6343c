//! How long an answer may be used, by its headers.
//! <https://www.rfc-editor.org/rfc/rfc9111#section-4.2>

use std::time::Duration;

use reqwest::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderMap, HeaderName};

/// Where the headers say nothing.
const UNSAID: Duration = Duration::from_secs(600);

pub fn freshness(headers: &HeaderMap) -> Duration {
    let mut life = None;
    for directive in texts(headers, CACHE_CONTROL).flat_map(|text| text.split(',')) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return Duration::ZERO,
            "max-age" => life = value.trim().trim_matches('"').parse::<u64>().ok(),
            _ => {}
        }
    }
    let aged = texts(headers, AGE).next().and_then(|age| age.parse().ok());
    let life = life.map(|life| Duration::from_secs(life.saturating_sub(aged.unwrap_or(0))));
    life.or_else(|| until_expiry(headers)).unwrap_or(UNSAID)
}

fn until_expiry(headers: &HeaderMap) -> Option<Duration> {
    let parser = jiff::fmt::rfc2822::DateTimeParser::new();
    let time = |name| {
        texts(headers, name)
            .next()
            .map(|text| parser.parse_timestamp(text))
    };
    let expires = time(EXPIRES)?;
    let (Ok(expires), Some(Ok(date))) = (expires, time(DATE)) else {
        // A date that cannot be read lies in the past.
        return Some(Duration::ZERO);
    };
    let seconds = expires.as_second().saturating_sub(date.as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

fn texts(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[(&'static str, &'static str)]) -> u64 {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        freshness(&headers).as_secs()
    }

    #[test]
    fn headers_say_how_long() {
        assert_eq!(of(&[]), 600);
        assert_eq!(of(&[("cache-control", "public, max-age=90")]), 90);
        assert_eq!(of(&[("cache-control", "max-age=90"), ("age", "30")]), 60);
        assert_eq!(of(&[("cache-control", "max-age=90"), ("age", "300")]), 0);
        assert_eq!(of(&[("cache-control", "max-age=90, no-cache")]), 0);
        assert_eq!(of(&[("cache-control", "No-Store")]), 0);
        let date = ("date", "Sat, 21 Nov 2026 12:00:00 GMT");
        assert_eq!(
            of(&[date, ("expires", "Sat, 21 Nov 2026 12:05:00 GMT")]),
            300
        );
        assert_eq!(of(&[date, ("expires", "0")]), 0);
        assert_eq!(of(&[date, ("expires", "Sat, 21 Nov 2026 11:00:00 GMT")]), 0);
        assert_eq!(of(&[("cache-control", "max-age=9"), ("expires", "0")]), 9);
    }
}
